// Sends CloudEvents with npm's `cloudevents` to a running engine, in all three modes.
// usage: node send_cloudevents.mjs PUBLISH_URL ORGANIZATION API_KEY
// Prints one line of JSON a request: {"mode":…,"status":…,"body":…}
import { CloudEvent, HTTP } from 'cloudevents';

const [url, organization, key] = process.argv.slice(2);

function event(subject, more = {}) {
  return new CloudEvent({
    type: 'PersonCreated_v1',
    source: '/people/eu',
    subject,
    data: { person: subject },
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ...more,
  });
}

async function send(mode, message) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...message.headers, 'SlashID-OrgID': organization, 'SlashID-API-Key': key },
    body: message.body,
  });
  console.log(JSON.stringify({ mode, status: response.status, body: await response.text() }));
}

await send('structured', HTTP.structured(event('structured')));
await send('binary', HTTP.binary(event('binary')));
await send('binary again', HTTP.binary(event('named', { id: 'order 7' })));
await send('structured again', HTTP.structured(event('named', { id: 'order 7' })));
await send('batched', {
  headers: { 'Content-Type': 'application/cloudevents-batch+json; charset=utf-8' },
  body: JSON.stringify([event('first'), event('second')]),
});
