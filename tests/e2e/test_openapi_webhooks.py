"""What receivers really get is what the document says under `webhooks`."""

import copy
import json
import pathlib
import subprocess

import triggerd_process
from client import wait_until
from server_case import ServerCase

CONFORMANCE = pathlib.Path(__file__).resolve().parent.parent / "conformance"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FORMATS = {"jwt": "eventAsJwt", "json": "eventAsJson", "cloudevents": "eventAsCloudEvent",
           "cloudevents-binary": "eventAsBinaryCloudEvent"}
EVENTS = (
    {"event_name": "PersonCreated_v1", "content": {"person_id": "p-1", "n": [1, {"a": None}]}},
    {"event_name": "SlashIDSDKLoaded_v1"},
    {"event_name": "PersonCreated_v1", "timestamp": "2026-01-02T03:04:05.120Z",
     "ordering_key": "p-1", "is_test_event": True, "content": {"event": "é"}},
)
CLOUD_EVENT = {"specversion": "1.0", "id": "order-7", "source": "/people/eu", "subject": "p-1",
               "type": "PersonCreated_v1", "partitionkey": "p-1", "data": {"person_id": "p-1"}}


def shown(webhook, call):
    return {"webhook": webhook, "headers": dict(call.headers), "body": call.body.decode()}


def faults(calls):
    """What the document has against these calls, a line each."""
    if not (CONFORMANCE / "node_modules" / "ajv").is_dir():
        raise AssertionError("ajv is not installed: run ./setup --tests --deps")
    done = subprocess.run(["node", "validate_deliveries.mjs"], cwd=CONFORMANCE, text=True,
                          input="\n".join(map(json.dumps, calls)) + "\n", timeout=60,
                          capture_output=True, check=False)
    assert done.stderr == "" and (done.returncode == 0) == (done.stdout == ""), done
    return done.stdout.splitlines()


class OpenApiWebhooks(ServerCase):
    def setUp(self):
        super().setUp()
        self.launch()
        self.receiver = self.receive()

    def deliver(self):
        """Every event to one webhook of each format; by the entry of the document, the calls."""
        for name in FORMATS:
            self.client.create_webhook(
                self.receiver.url("/" + name), ("PersonCreated_v1", "SlashIDSDKLoaded_v1"),
                delivery={"format": name, "signatures": ["hmac", "ed25519"]})
        answer = self.client.post("/organizations/events", list(EVENTS),
                                  headers={"traceparent": TRACEPARENT})
        self.assertEqual(answer.status, 202, answer)
        answer = self.client.post("/organizations/events", json.dumps(CLOUD_EVENT).encode(),
                                  headers={"Content-Type": "application/cloudevents+json"})
        self.assertEqual(answer.status, 202, answer)
        wanted = len(EVENTS) + 1
        return {entry: wait_until(
            lambda name=name: len(found := self.receiver.calls("/" + name)) >= wanted and found,
            f"{wanted} calls of format {name}") for name, entry in FORMATS.items()}

    def test_events_in_every_format(self):
        calls = [shown(entry, call) for entry, got in self.deliver().items() for call in got]
        self.assertEqual(len(calls), 4 * (len(EVENTS) + 1))
        self.assertEqual(faults(calls), [])

    def test_a_signature_by_each_kind_where_a_webhook_asks_for_it(self):
        for got in self.deliver().values():
            for call in got:
                (signature,) = call.values("webhook-signature")
                self.assertEqual([one.split(",")[0] for one in signature.split(" ")], ["v1", "v1a"])

    def test_the_engines_own_events(self):
        self.client.create_webhook(
            self.receiver.url("/own"), ("triggerd.SecretRotated_v1", "triggerd.DeadLetter_v1"),
            delivery={"format": "json"})
        webhook = self.client.create_webhook(self.receiver.url("/dead"), delivery={"schedule": []})
        self.receiver.on("/dead", lambda call: 500)
        self.client.publish("PersonCreated_v1")
        rotated = self.client.call("POST", f"/organizations/webhooks/{webhook}/secret/rotate")
        self.assertEqual(rotated.status, 200, rotated)
        calls = wait_until(lambda: len(found := self.receiver.calls("/own")) == 2 and found,
                           "two calls")
        self.assertEqual(faults([shown("operationalEventAsJson", call) for call in calls]), [])

    def test_a_sync_hook(self):
        webhook = self.client.create_webhook(self.receiver.url("/hook"), triggers=())
        added = self.client.post(f"/organizations/webhooks/{webhook}/triggers",
                                 {"trigger_type": "sync_hook", "trigger_name": "token_minted"})
        self.assertEqual(added.status, 201, added)
        answer = self.client.post("/organizations/sync-hooks/token_minted", {"sub": "p-1"})
        self.assertEqual(answer.status, 200, answer)
        (call,) = self.receiver.calls("/hook")
        self.assertEqual(faults([shown("syncHookAsJwt", call)]), [])
        self.assertEqual(call.claims["exp"] - call.claims["iat"], 300)

    def test_a_call_that_is_not_as_the_document_says_is_found(self):
        """The check itself: each of these changes must be a fault."""
        good = {entry: shown(entry, got[0]) for entry, got in self.deliver().items()}
        self.assertEqual(faults(good.values()), [])

        def changed(entry, change):
            call = copy.deepcopy(good[entry])
            change(call)
            return faults([call])

        def in_body(change):
            def apply(call):
                body = json.loads(call["body"])
                change(body)
                call["body"] = json.dumps(body)
            return apply

        self.assertTrue(changed("eventAsJson", lambda call: call["headers"].pop("webhook-id")))
        self.assertTrue(changed("eventAsJson", in_body(lambda body: body.pop("event_metadata"))))
        self.assertTrue(changed("eventAsJson", in_body(
            lambda body: body["event_metadata"].update(source="cloud"))))
        self.assertTrue(changed("eventAsCloudEvent", in_body(lambda body: body.pop("source"))))
        self.assertTrue(changed("eventAsBinaryCloudEvent",
                                lambda call: call["headers"].pop("ce-type")))
        self.assertTrue(changed("eventAsJwt", lambda call: call.update(body="a.b")))
        self.assertTrue(faults([{**good["eventAsJwt"], "webhook": "syncHookAsJwt"}]))


if __name__ == "__main__":
    triggerd_process.main()
