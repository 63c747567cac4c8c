// Verifies tokens of triggerd with `jose`, as a receiver would: the key set is fetched by URL.
//
//   node verify.mjs JWKS_URL ORGANIZATION ISSUER [UNIX_SECONDS] < tokens
//
// With UNIX_SECONDS as though it were then. One token a line on standard input; one JSON line each on standard output:
// {"header":{…},"payload":{…}} or {"error":"CODE"}.

import { createInterface } from 'node:readline';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const [url, organization, issuer, now] = process.argv.slice(2);
// Kept between tokens; an unknown kid fetches it again, without the pause that jose makes by default.
const keys = createRemoteJWKSet(new URL(url), {
  headers: { 'SlashID-OrgID': organization },
  cooldownDuration: 0,
});

for await (const token of createInterface({ input: process.stdin })) {
  try {
    const { protectedHeader, payload } = await jwtVerify(token, keys, {
      algorithms: ['ES256'],
      audience: organization,
      issuer,
      currentDate: now ? new Date(Number(now) * 1000) : new Date(),
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
    });
    console.log(JSON.stringify({ header: protectedHeader, payload }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.code ?? String(error) }));
  }
}
