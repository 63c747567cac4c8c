"""Tokens as received are verified by npm's `jose`, with the key set of the running engine."""

import json
import pathlib
import subprocess
import uuid

import triggerd_process
from client import wait_until
from receivers import Authority
from server_case import ServerCase
from triggerd_process import ORG, OTHER_ORG

CONFORMANCE = pathlib.Path(__file__).resolve().parent.parent / "conformance"
ISSUER = "http://127.0.0.1"
CLAIMS = ["aud", "exp", "iat", "iss", "jti", "sub", "target_url", "trigger_content",
          "trigger_name", "trigger_type", "webhook_id"]

# Numbers, spacing, escapes and the order of members are the publisher's: they must come through
# byte for byte, though a JSON library would print each of them in another way.
MEMBERS = (b'"zeta":1.10, "alpha" : 18446744073709551615,"e":1E+2 ,"neg":-0.0,'
           b'"text":"\\u0041\\/ \xc3\xa9\xf0\x9f\x90\x98","nested":{ "b":[1 ,2.50], "a":{}},'
           b'"empty":"","none":null,"t":true')


def verify(port, tokens, organization=ORG, now=None):
    """What jose says of each token, by its own clock or as though it were `now`."""
    if not (CONFORMANCE / "node_modules" / "jose").is_dir():
        raise AssertionError("jose is not installed: run ./setup --tests --deps")
    url = f"http://127.0.0.1:{port}/organizations/webhooks/verification-jwks"
    clock = [] if now is None else [str(now)]
    done = subprocess.run(["node", "verify.mjs", url, organization, ISSUER, *clock],
                          cwd=CONFORMANCE, input="\n".join(tokens) + "\n", capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class TokenVerified(ServerCase):
    def deliver(self, receiver, path="/token"):
        """One event with MEMBERS as its content, delivered; returns the webhook and the call."""
        url = receiver.url(path)
        webhook = self.client.create_webhook(url)
        event = str(uuid.uuid4())
        body = (b'{"event_name":"PersonCreated_v1","event_id":"' + event.encode()
                + b'","timestamp":"2026-01-02T03:04:05.120Z","content":{' + MEMBERS + b"}}")
        answer = self.client.post("/organizations/events", body)
        self.assertEqual(answer.status, 202, answer)
        (call,) = wait_until(lambda: receiver.calls(path), "the call")
        self.assertEqual(call.event_id, event)
        return webhook, call

    def check(self, receiver):
        webhook, call = self.deliver(receiver)
        (verified,) = verify(self.engine.port, [call.token])
        self.assertNotIn("error", verified)
        self.assertCountEqual(verified["header"], ["alg", "kid"])
        self.assertEqual(verified["header"]["alg"], "ES256")
        claims = verified["payload"]
        self.assertCountEqual(claims, CLAIMS)
        self.assertEqual(
            {name: claims[name] for name in ("aud", "iss", "sub", "target_url", "trigger_name",
                                             "trigger_type", "webhook_id")},
            {"aud": ORG, "iss": ISSUER, "sub": call.values("webhook-id")[0],
             "target_url": receiver.url("/token"), "trigger_name": "PersonCreated_v1",
             "trigger_type": "event", "webhook_id": webhook})
        self.assertEqual(claims["exp"] - claims["iat"], 1200)
        self.assertIsInstance(claims["iat"], int)
        self.assertEqual(uuid.UUID(claims["jti"]).version, 4)
        metadata = claims["trigger_content"]["event_metadata"]
        self.assertEqual(
            metadata,
            {"event_id": claims["sub"], "event_name": "PersonCreated_v1",
             "event_type": "PersonCreated", "event_version": 1, "organization_id": ORG,
             "source": metadata.get("source"), "timestamp": "2026-01-02T03:04:05.12Z"})
        self.assertEqual(metadata["source"], 1)  # a number, not a name
        self.assertEqual(call.payload.count(MEMBERS), 1, call.payload)

    def test_over_plain_http(self):
        self.launch()
        self.check(self.receive())

    def test_over_tls_with_a_private_authority(self):
        authority = Authority(self.folder.path)
        self.folder.write_config({"targets": {"ca_file": str(authority.certificate)}})
        self.launch()
        self.check(self.receive(tls=authority.issue("receiver")))

    def test_a_token_that_was_changed_or_meant_for_another_is_refused(self):
        self.launch()
        _, call = self.deliver(self.receive())
        header, payload, signature = call.token.split(".")
        turned = ("A" if signature[0] != "A" else "B") + signature[1:]
        changed = ("A" if payload[10] != "A" else "B")
        results = verify(self.engine.port,
                         [call.token, f"{header}.{payload}.{turned}",
                          f"{header}.{payload[:10]}{changed}{payload[11:]}.{signature}"])
        self.assertNotIn("error", results[0])
        self.assertEqual([one.get("error") for one in results[1:]],
                         ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED"] * 2)
        (other,) = verify(self.engine.port, [call.token], organization=OTHER_ORG)
        self.assertEqual(other.get("error"), "ERR_JWT_CLAIM_VALIDATION_FAILED")

    def test_a_token_is_good_up_to_the_second_in_which_it_expires(self):
        self.launch()
        _, call = self.deliver(self.receive())
        exp = call.claims["exp"]
        (last,) = verify(self.engine.port, [call.token], now=exp - 1)
        self.assertEqual(last["payload"]["exp"], exp)
        (late,) = verify(self.engine.port, [call.token], now=exp)
        self.assertEqual(late.get("error"), "ERR_JWT_EXPIRED")

    def test_tokens_of_retries_are_signed_anew_and_verify_each(self):
        self.launch()
        receiver = self.receive()
        statuses = iter([500, 503, 200])
        receiver.on("/retries", lambda call: next(statuses))
        self.client.create_webhook(receiver.url("/retries"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        results = verify(self.engine.port, [call.token for call in receiver.calls()])
        self.assertEqual([one["payload"]["sub"] for one in results], [event] * 3)
        self.assertEqual(len({one["payload"]["jti"] for one in results}), 3)


if __name__ == "__main__":
    triggerd_process.main()
