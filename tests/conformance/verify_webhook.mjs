// Verifies deliveries as receivers would, by software that is not ours.
//
//   node verify_webhook.mjs < cases
//
// One JSON line a case: {"headers":{…},"body":"…","secret":"whsec_…","public_key":"whpk_…"}. One JSON
// line each on standard output: {"standardwebhooks":R,"svix":R,"v1a":R,"cloudevent":…}, where R is "ok"
// or the error, and `cloudevent` is what npm's cloudevents reads from the request, or null.

import { createPublicKey, verify } from 'node:crypto';
import { createInterface } from 'node:readline';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';

const attempt = (check) => {
  try {
    check();
    return 'ok';
  } catch (error) {
    return error.message || String(error);
  }
};

const ed25519 = (publicKey) =>
  createPublicKey({
    key: Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(publicKey.slice('whpk_'.length), 'base64'),
    ]),
    format: 'der',
    type: 'spki',
  });

const checkV1a = ({ headers, body, public_key: publicKey }) => {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const good = headers['webhook-signature']
    .split(' ')
    .filter((one) => one.startsWith('v1a,'))
    .some((one) => verify(null, Buffer.from(text), ed25519(publicKey), Buffer.from(one.slice(4), 'base64')));
  if (!good) throw new Error('No matching signature found');
};

const cloudEvent = ({ headers, body }) => {
  if (!HTTP.isEvent({ headers, body })) return null;
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  return event.toJSON();
};

for await (const line of createInterface({ input: process.stdin })) {
  const one = JSON.parse(line);
  console.log(
    JSON.stringify({
      standardwebhooks: attempt(() => new Webhook(one.secret).verify(one.body, one.headers)),
      svix: attempt(() => new SvixWebhook(one.secret).verify(one.body, one.headers)),
      v1a: attempt(() => checkV1a(one)),
      cloudevent: cloudEvent(one),
    }),
  );
}
