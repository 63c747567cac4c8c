"""Formats, signatures and key rotation of the real binary, checked by npm's standardwebhooks, svix,
cloudevents and jose, and by node:crypto."""

import base64
import json
import pathlib
import subprocess
import time

import triggerd_process
from client import new_event, wait_until
from server_case import ServerCase
from triggerd_process import ORG

CONFORMANCE = pathlib.Path(__file__).resolve().parents[1] / "conformance"
HEADER = "x-secret-of-the-receiver"


def check(call, secret=None, public_key=None, **changes):
    """What the receivers' libraries say of a call, with some of it changed."""
    case = {"headers": dict(call.headers), "body": call.body.decode(), "secret": secret or "",
            "public_key": public_key or ""}
    case["headers"].update(changes.pop("headers", {}))
    case.update(changes)
    done = subprocess.run(["node", "verify_webhook.mjs"], cwd=CONFORMANCE, text=True, timeout=60,
                          input=json.dumps(case) + "\n", capture_output=True, check=True)
    return json.loads(done.stdout)


class Signatures(ServerCase):
    def admin(self):
        token = (self.folder.data / "admin.token").read_text().strip()
        return self.connect(org=None, bearer=token)

    def webhook(self, receiver, path, **delivery):
        return self.client.create_webhook(receiver.url(path), delivery=delivery,
                                          custom_headers={HEADER: ["header-value-in-clear"]})

    def rotate(self, webhook):
        answer = self.client.post(f"/organizations/webhooks/{webhook}/secret/rotate", None)
        self.assertEqual(answer.status, 200, answer)
        return answer.result

    def deliver(self, receiver, path, event=None):
        before = len(receiver.calls(path))
        self.client.publish(event or "PersonCreated_v1")
        return wait_until(lambda: receiver.calls(path)[before:], "the call")[0]

    def test_both_kinds_verify_and_tampering_and_old_stamps_do_not(self):
        self.launch()
        receiver = self.receive()
        webhook = self.webhook(receiver, "/json", format="json", signatures=["hmac", "ed25519"])
        keys = self.rotate(webhook)
        self.assertIn("previous_expires_at", keys)
        call = self.deliver(receiver, "/json", new_event(content={"text": "ä ☃"}))
        self.assertEqual(json.loads(call.body)["text"], "ä ☃")
        good = check(call, keys["secret"], keys["public_key"])
        self.assertEqual([good[one] for one in ("standardwebhooks", "svix", "v1a")], ["ok"] * 3)
        bad = "No matching signature found"
        changed = check(call, keys["secret"], keys["public_key"], body=call.body.decode() + " ")
        self.assertEqual([changed[one] for one in ("standardwebhooks", "svix", "v1a")], [bad] * 3)
        old = check(call, keys["secret"], keys["public_key"],
                    headers={"webhook-timestamp": str(int(time.time()) - 3600)})
        self.assertIn("too old", old["standardwebhooks"])
        self.assertIn("too old", old["svix"])
        self.assertEqual(old["v1a"], bad)

    def test_both_secrets_verify_during_the_overlap_and_one_after_it(self):
        self.folder.write_config({"signing": {"rotation_overlap": "2s"}})
        self.launch()
        receiver = self.receive()
        webhook = self.webhook(receiver, "/json", format="json", signatures=["hmac", "ed25519"])
        first = self.rotate(webhook)
        second = self.rotate(webhook)
        call = self.deliver(receiver, "/json")
        for keys in (first, second):
            result = check(call, keys["secret"], keys["public_key"])
            self.assertEqual([result[one] for one in ("standardwebhooks", "svix", "v1a")],
                             ["ok"] * 3)

        def expired():
            shown = self.client.get(f"/organizations/webhooks/{webhook}/secret").result
            return "previous_expires_at" not in shown

        wait_until(expired, "the previous secret to expire")
        self.engine.terminate()
        self.launch()  # a restart keeps the secret, and does not bring the old one back
        call = self.deliver(receiver, "/json")
        self.assertEqual(check(call, second["secret"])["standardwebhooks"], "ok")
        self.assertNotEqual(check(call, first["secret"])["standardwebhooks"], "ok")

    def test_cloud_events_are_read_by_the_sdk_in_both_modes(self):
        self.launch()
        receiver = self.receive()
        for path, form in (("/structured", "cloudevents"), ("/binary", "cloudevents-binary")):
            self.webhook(receiver, path, format=form)
        event = {**new_event(content={"n": 1}), "ordering_key": "user ☃ 7"}
        structured = self.deliver(receiver, "/structured", event)
        binary = wait_until(lambda: receiver.calls("/binary"), "the binary call")[0]
        for call in (structured, binary):
            read = check(call)["cloudevent"]
            self.assertEqual(read["id"], event["event_id"])
            self.assertEqual(read["type"], "PersonCreated_v1")
            self.assertEqual(read["source"], f"http://127.0.0.1/organizations/{ORG}")
            self.assertEqual(read["data"]["n"], 1)
            self.assertEqual(read["data"]["event_metadata"]["event_id"], event["event_id"])
        self.assertEqual(check(structured)["cloudevent"]["partitionkey"], "user ☃ 7")
        self.assertEqual(binary.values("ce-partitionkey"), ["user%20%E2%98%83%207"])

    def test_tokens_verify_across_a_rotation_of_the_signing_key(self):
        self.folder.write_config({"signing": {"publish_before_use": "0s"}})
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/jwt"))
        before = self.deliver(receiver, "/jwt")
        url = f"http://127.0.0.1:{self.engine.port}/organizations/webhooks/verification-jwks"
        jose = subprocess.Popen(["node", "verify.mjs", url, ORG, "http://127.0.0.1"],
                                cwd=CONFORMANCE, text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        self.addCleanup(jose.wait, 60)
        self.addCleanup(jose.stdout.close)
        self.addCleanup(jose.stdin.close)

        def error_of(call):
            jose.stdin.write(call.token + "\n")
            jose.stdin.flush()
            return json.loads(jose.stdout.readline()).get("error")

        self.assertIsNone(error_of(before))
        rotated = self.admin().post("/admin/signing-keys/rotate", None)
        self.assertEqual(rotated.status, 201, rotated)
        self.assertEqual(rotated.result["state"], "active")
        after = self.deliver(receiver, "/jwt")
        self.assertEqual(after.jose_header["kid"], rotated.result["kid"])
        self.assertNotEqual(before.jose_header["kid"], after.jose_header["kid"])
        self.assertIsNone(error_of(before))
        self.assertIsNone(error_of(after))  # an unknown kid: the kept document is fetched again
        self.assertIsNone(error_of(before))
        self.engine.terminate()
        self.launch()
        again = self.deliver(receiver, "/jwt")
        self.assertEqual(again.jose_header["kid"], rotated.result["kid"])

    def test_a_waiting_key_is_published_and_does_not_sign(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/jwt"))
        before = self.deliver(receiver, "/jwt")
        admin = self.admin()
        rotated = admin.post("/admin/signing-keys/rotate", None).result
        self.assertEqual(rotated["state"], "waiting")
        keys = self.client.get("/organizations/webhooks/verification-jwks").json["keys"]
        self.assertIn(rotated["kid"], [key["kid"] for key in keys])
        self.assertEqual(self.deliver(receiver, "/jwt").jose_header, before.jose_header)
        self.assertEqual(admin.post("/admin/signing-keys/rotate", None).status, 409)
        listed = admin.get("/admin/signing-keys").result
        self.assertEqual([key["state"] for key in listed], ["active", "waiting"])

    def test_the_jwks_is_limited_for_each_client_and_organization(self):
        self.launch()
        stranger = self.connect(key=None)
        answers = [stranger.get("/organizations/webhooks/verification-jwks") for _ in range(62)]
        statuses = [answer.status for answer in answers]
        self.assertEqual(statuses[:60], [200] * 60)
        self.assertEqual(statuses[-1], 429, statuses)
        self.assertIn(answers[-1].headers["Retry-After"], ("1", "2"))
        other = {"SlashID-OrgID": "0192f0c4-7b1a-7d2e-9c3f-bbbbbbbbbbbb"}
        self.assertEqual(
            stranger.get("/organizations/webhooks/verification-jwks", headers=other).status, 200)

    def test_a_secret_is_shown_once_and_stands_nowhere(self):
        self.folder.write_config({"log": {"level": "debug"}})
        self.launch()
        receiver = self.receive()
        webhook = self.webhook(receiver, "/json", format="json", signatures=["hmac", "ed25519"])
        keys = [self.rotate(webhook), self.rotate(webhook)]
        self.deliver(receiver, "/json")
        path = f"/organizations/webhooks/{webhook}"
        shown = self.client.get(path).body + self.client.get(path + "/secret").body
        self.assertEqual(self.client.get(path + "/secret").result["public_key"],
                         keys[1]["public_key"])
        self.engine.terminate()
        files = [file for file in self.folder.data.rglob("*") if file.is_file()]
        self.assertTrue(files)
        at_rest = b"".join(file.read_bytes() for file in files) + self.folder.log.read_bytes()
        for one in keys:
            text = one["secret"].removeprefix("whsec_")
            raw = base64.b64decode(text)
            for form in (text.encode(), raw, raw.hex().encode()):
                self.assertNotIn(form, at_rest + shown)
        self.assertNotIn(b"header-value-in-clear", at_rest)


if __name__ == "__main__":
    triggerd_process.main()
