// Sends events with `@slashid/slashid` from plain Node, as a server that renders pages does.
//
//   node sdk.mjs BASE_URL ORGANIZATION PERSON
//
// Identifies PERSON, tracks a page, logs the person out. Prints the analytics correlation id.

import { createRequire } from 'node:module';

// The package's build for Node is CommonJS.
const { SSR } = createRequire(import.meta.url)('@slashid/slashid');
const [baseURL, oid, person] = process.argv.slice(2);

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = { sub: person, person_id: person, oid, exp: 4102444800, iat: 1700000000 };
const token = `${part({ alg: 'ES256' })}.${part(claims)}.c2ln`;
const user = new SSR.User(token, { oid, baseURL });

const analytics = new SSR.Analytics({ options: { oid, baseURL } });
analytics.identify(user);
analytics.trackVirtualPageView({ url: 'https://shop.example/orders', userAgent: 'Renderer/1' });
analytics.logout();
console.log(analytics.correlationId);
