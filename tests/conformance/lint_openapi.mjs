// Lints the document with Redocly's recommended rules: no error and no warning is let through.
import {fileURLToPath} from 'node:url';
import {createConfig, formatProblems, lint} from '@redocly/openapi-core';

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'no-invalid-media-type-examples': {severity: 'error', allowAdditionalProperties: true},
    // SlashID's paths: verification-jwks stands beside {webhook_id}, and the literal wins.
    'no-ambiguous-paths': 'off',
  },
});
const ref = fileURLToPath(new URL('../../api/openapi/openapi.yaml', import.meta.url));
const problems = await lint({ref, config});
if (problems.length > 0) {
  formatProblems(problems, {
    format: 'codeframe',
    totals: {
      errors: problems.filter((one) => one.severity === 'error').length,
      warnings: problems.filter((one) => one.severity === 'warn').length,
      ignored: 0,
    },
    version: '',
  });
  process.exit(1);
}
