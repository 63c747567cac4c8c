// Holds calls that a receiver got against `webhooks` of api/openapi/openapi.json. stdin: one call a line,
// as {"webhook","headers","body"}, where webhook is the name of the entry and the names of headers are in
// lower case. Prints a line for each fault.
import {readFileSync} from 'node:fs';
import {check, document, resolve} from './document_schemas.mjs';

const part = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());

function faultsOfHeaders(parameters, headers) {
  const faults = [];
  for (const each of parameters) {
    const {name, required, schema} = resolve(each);
    const value = headers[name];
    if (value === undefined) {
      if (required) faults.push(`no header ${name}`);
      continue;
    }
    const typed = resolve(schema).type === 'integer' ? Number(value) : value;
    faults.push(...check(schema, typed).map((one) => `header ${name}:${one}`));
  }
  // Nothing is sent that the document is silent on.
  const named = new Set(parameters.map((each) => resolve(each).name));
  for (const name of Object.keys(headers)) {
    if (/^(ce-|webhook-)/.test(name) && !named.has(name)) faults.push(`header ${name} is not in the document`);
  }
  return faults;
}

function faultsOfToken(schema, token) {
  const [header, claims] = token.split('.').slice(0, 2).map(part);
  const faults = check(schema.contentSchema, claims).map((one) => `claims:${one}`);
  if (Object.keys(header).sort().join() !== 'alg,kid' || header.alg !== 'ES256') faults.push('JOSE header');
  return faults;
}

function faultsOf(call) {
  const operation = document.webhooks[call.webhook]?.post;
  if (!operation) return ['no such webhook in the document'];
  const faults = faultsOfHeaders(operation.parameters, call.headers);
  const [type] = call.headers['content-type'].split(';');
  const schema = operation.requestBody.content[type]?.schema;
  if (!schema) return [...faults, `content type ${type} is not in the document`];
  if (type !== 'application/jwt') return [...faults, ...check(schema, JSON.parse(call.body))];
  const ofForm = check(schema, call.body);
  return [...faults, ...(ofForm.length > 0 ? ofForm : faultsOfToken(schema, call.body))];
}

let bad = false;
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const call = JSON.parse(line);
  for (const fault of faultsOf(call)) {
    bad = true;
    console.log(`${call.webhook}: ${fault}: ${call.body.slice(0, 300)}`);
  }
}
process.exit(bad ? 1 : 0);
