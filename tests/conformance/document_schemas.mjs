// The document's schemas, for holding values against them. Objects may have no member that the document
// does not name, unless it says that they may.
import {readFileSync} from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const document = JSON.parse(readFileSync(new URL('../../api/openapi/openapi.json', import.meta.url)));

function close(schema) {
  if (Array.isArray(schema)) return schema.map(close);
  if (schema === null || typeof schema !== 'object') return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, close(value)]));
  if (closed.type === 'object' && closed.properties && closed.additionalProperties === undefined &&
      typeof closed.properties === 'object') {
    closed.additionalProperties = false;
  }
  return closed;
}

export function resolve(value) {
  while (value?.$ref) value = value.$ref.slice(2).split('/').reduce((at, name) => at[name], document);
  return value;
}

const ajv = new Ajv({strict: false, allErrors: true, validateFormats: true});
addFormats(ajv);
for (const format of ['go-duration', 'target-url', 'event-name', 'cidr']) ajv.addFormat(format, true);
ajv.addSchema({$id: 'https://document/', components: {schemas: close(document.components.schemas)}});

export function check(schema, value) {
  const text = JSON.stringify(close(schema)).replaceAll('"#/', '"https://document/#/');
  const validate = ajv.compile(JSON.parse(text));
  return validate(value) ? [] : validate.errors.map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`);
}
