// api/openapi/openapi.json out of openapi.yaml. Writes it, or with --check says whether it is
// what would be written.
import {readFileSync, writeFileSync} from 'node:fs';
import {parse} from 'yaml';

const folder = new URL('../../api/openapi/', import.meta.url);
const text = JSON.stringify(parse(readFileSync(new URL('openapi.yaml', folder), 'utf8'))) + '\n';
const file = new URL('openapi.json', folder);
if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  console.error('openapi.json is not what openapi.yaml says: node tests/conformance/openapi_json.mjs');
  process.exit(1);
}
