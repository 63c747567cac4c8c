// Holds answers against api/openapi/openapi.json. stdin: one answer a line, as
// {"method","path","status","headers","body"}, where path is that of the document and the names of
// headers are in lower case. Prints a line for each fault.
import {readFileSync} from 'node:fs';
import {parse} from 'yaml';
import {check, document, resolve} from './document_schemas.mjs';

function valueOf(type, body) {
  if (type === 'application/json') return JSON.parse(body);
  return type === 'application/yaml' ? parse(body) : body;
}

function faultsOf(answer) {
  const operation = document.paths[answer.path]?.[answer.method.toLowerCase()];
  if (!operation) return ['no such operation in the document'];
  const response = resolve(operation.responses[answer.status]);
  if (!response) return [`status ${answer.status} is not in the document`];
  const faults = [];
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    const found = resolve(header);
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) {
      if (found.required) faults.push(`no header ${name}`);
      continue;
    }
    const typed = resolve(found.schema).type === 'integer' ? Number(value) : value;
    faults.push(...check(found.schema, typed).map((one) => `header ${name}:${one}`));
  }
  const type = answer.headers['content-type'];
  if (!response.content) {
    if (answer.body !== '') faults.push('a body where there is to be none');
    return faults;
  }
  const media = response.content[type] ?? response.content[type?.split(';')[0]];
  if (!media) return [...faults, `content type ${type} is not in the document`];
  if (!media.schema) return faults;
  faults.push(...check(media.schema, valueOf(type, answer.body)));
  const ofLine = media.schema['x-itemSchema'];
  if (ofLine) {
    const lines = answer.body.split('\n');
    if (lines.pop() !== '') faults.push('the last line has no end');
    for (const line of lines) faults.push(...check(ofLine, JSON.parse(line)));
  }
  return faults;
}

let bad = false;
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const answer = JSON.parse(line);
  for (const fault of faultsOf(answer)) {
    bad = true;
    console.log(`${answer.method} ${answer.path} ${answer.status}: ${fault}: ${answer.body.slice(0, 300)}`);
  }
}
process.exit(bad ? 1 : 0);
