"""What a restart keeps: pending deliveries, attempt numbers, the signing key, keys, secrets."""

import os

import triggerd_process
from client import new_event, wait_until
from server_case import ServerCase
from triggerd_process import ORG

WEBHOOKS = "/organizations/webhooks"
PENDING = 25


class Restart(ServerCase):
    def setUp(self):
        super().setUp()
        self.launch()

    def restart(self, how):
        if how == "kill":
            self.engine.kill()
        else:
            self.assertEqual(self.engine.terminate(), 0)
        self.launch()

    def admin(self):
        token = (self.folder.data / "admin.token").read_text().strip()
        return self.connect(org=None, bearer=token)

    def key_ids(self):
        keys = self.connect(key=None).get(WEBHOOKS + "/verification-jwks").json["keys"]
        return [key["kid"] for key in keys]

    def survive_with_receivers_down(self, how):
        receivers = [self.receive() for _ in range(3)]
        for number, receiver in enumerate(receivers):
            self.client.create_webhook(receiver.url(f"/down-{number}"))
            receiver.stop()
        events = self.client.publish(*[new_event() for _ in range(PENDING)])
        wait_until(lambda: self.client.event(events[0])["deliveries"][0]["attempts"] >= 1,
                   "a first attempt at a receiver that is down; the breaker may hold others back")
        self.restart(how)
        found = self.client.event(events[0])
        self.assertEqual([one["status"] for one in found["deliveries"]], ["pending"] * 3)
        self.assertEqual(found["deliveries"][0]["last_attempt"]["outcome"], "connect")
        self.restart(how)  # twice: what was recovered is recovered again
        for receiver in receivers:
            receiver.start()
        for event in events:
            self.wait_status(event, "delivered")
        for receiver in receivers:
            self.assertEqual(sorted(call.event_id for call in receiver.calls()), sorted(events))

    def test_pending_deliveries_survive_a_graceful_restart_with_all_receivers_down(self):
        self.survive_with_receivers_down("terminate")

    def test_pending_deliveries_survive_a_kill_with_all_receivers_down(self):
        self.survive_with_receivers_down("kill")

    def test_retries_keep_their_attempt_numbers_and_end_as_dead(self):
        self.engine.terminate()
        self.folder.write_config({"delivery.retry": {"schedule": ["50ms", "50ms", "1500ms"]}})
        self.launch()
        receiver = self.receive()
        receiver.on("/number", lambda call: 500)
        self.client.create_webhook(receiver.url("/number"))
        (event,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: self.client.event(event)["deliveries"][0]["attempts"] == 3,
                   "three attempts")
        self.restart("terminate")
        before = self.client.event(event)["deliveries"][0]
        self.assertGreaterEqual(before["attempts"], 3)
        found = self.wait_status(event, "dead")
        self.assertEqual(found["deliveries"][0]["attempts"], 4)  # at once, and the three entries
        self.assertEqual(found["deliveries"][0]["last_attempt"]["number"], 4)
        self.assertEqual(len(receiver.calls()), 4)

    def test_nothing_is_delivered_again_after_a_restart(self):
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/once"))
        first = new_event()
        self.client.publish(first)
        self.wait_status(first["event_id"], "delivered")
        self.restart("terminate")
        again = self.client.post("/organizations/events", first)
        self.assertEqual(again.status, 202)
        self.assertTrue(again.result[0]["duplicate"])  # the window of known ids survives
        (marker,) = self.client.publish("PersonCreated_v1")
        self.wait_status(marker, "delivered")
        self.assertEqual([call.event_id for call in receiver.calls()],
                         [first["event_id"], marker])
        found = self.client.event(first["event_id"])
        self.assertEqual(found["deliveries"][0]["status"], "delivered")
        self.assertEqual(found["content"], first["content"])

    def test_an_event_answered_before_a_kill_is_known_again(self):
        first = new_event()
        self.client.publish(first)
        self.restart("kill")
        again = self.client.post("/organizations/events", first)
        self.assertTrue(again.result[0]["duplicate"])

    def test_webhooks_and_triggers_come_back_as_they_were(self):
        webhook = self.client.create_webhook(
            "http://127.0.0.1:9/a", ["PersonCreated_v1", "PersonDeleted_v1"], timeout="3s",
            description="d", custom_headers={"X-A": ["1", "2"]})
        gone = self.client.create_webhook("http://127.0.0.1:9/b")
        self.client.delete(f"{WEBHOOKS}/{gone}")
        paths = [WEBHOOKS, f"{WEBHOOKS}/{webhook}", f"{WEBHOOKS}/{webhook}/triggers"]
        before = [self.client.get(path).json for path in paths]
        for how in ("kill", "terminate"):
            self.restart(how)
            self.assertEqual([self.client.get(path).json for path in paths], before)
            self.assertEqual(self.client.get(f"{WEBHOOKS}/{gone}").status, 404)

    def test_the_signing_key_stays(self):
        first = self.key_ids()
        self.assertEqual(len(first), 1)
        for how in ("kill", "terminate"):
            self.restart(how)
            self.assertEqual(self.key_ids(), first)
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/kid"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        self.assertEqual(receiver.calls()[0].jose_header["kid"], first[0])

    def test_organizations_and_keys_made_by_the_admin_stay(self):
        created = self.admin().post("/admin/organizations", {"name": "made by hand"})
        self.assertEqual(created.status, 201, created)
        org = created.result["id"]
        minted = self.admin().post(f"/admin/organizations/{org}/api-keys",
                                   {"name": "k", "scopes": ["read"]})
        self.assertEqual(minted.status, 201, minted)
        key = minted.result["api_key"]
        revoked = self.admin().post(f"/admin/organizations/{org}/api-keys",
                                    {"name": "r", "scopes": ["read"]}).result
        self.assertEqual(self.admin().delete(
            f"/admin/organizations/{org}/api-keys/{revoked['id']}").status, 204)
        for how in ("kill", "terminate"):
            self.restart(how)
            self.assertEqual(self.connect(org=org, key=key).get(WEBHOOKS).status, 200)
            self.assertEqual(self.connect(org=org, key=key).post(
                WEBHOOKS, {"name": "n", "target_url": "http://127.0.0.1:9/"}).status, 403)
            self.assertEqual(self.connect(org=org, key=revoked["api_key"]).get(WEBHOOKS).status,
                             401)
            listed = self.admin().get("/admin/organizations").result
            self.assertEqual({one["name"] for one in listed}, {"first", "other", "made by hand"})
            self.assertIn(ORG, [one["id"] for one in listed])
            keys = self.admin().get(f"/admin/organizations/{org}/api-keys").result
            self.assertEqual([one["name"] for one in keys], ["k"])
            self.assertNotIn("api_key", keys[0])

    def test_a_key_that_the_configuration_replaces_opens_nothing_more(self):
        old = self.connect().headers["SlashID-API-Key"]
        self.engine.terminate()
        self.folder.key_file.write_text("another-key-for-the-first-organization\n")
        self.launch()
        self.assertEqual(self.connect(key=old).get(WEBHOOKS).status, 401)
        fresh = self.connect(key="another-key-for-the-first-organization")
        self.assertEqual(fresh.get(WEBHOOKS).status, 200)

    def test_no_secret_stands_in_the_data_folder(self):
        receiver = self.receive()
        secret = "header-value-that-nobody-may-read-on-disk"
        self.client.create_webhook(receiver.url("/sealed"),
                                   custom_headers={"Authorization": [secret]})
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        key = self.admin().post(f"/admin/organizations/{ORG}/api-keys",
                                {"name": "k", "scopes": ["read"]}).result["api_key"]
        for how in ("terminate", "kill"):
            self.restart(how)  # from the log of writes into table files, too
        self.assertEqual(self.client.get(WEBHOOKS).result[0]["custom_headers"],
                         {"Authorization": [secret]})
        self.engine.terminate()
        needles = {"the header value": secret, "a minted key": key,
                   "the configured key": triggerd_process.API_KEY,
                   "a private key": "PRIVATE KEY"}
        found, seen_public = [], False
        for path in (one for one in self.folder.data.rglob("*") if one.is_file()):
            content = path.read_bytes()
            seen_public = seen_public or b"/sealed" in content
            found += [(path.name, what) for what, text in needles.items()
                      if text.encode() in content]
        self.assertEqual(found, [])
        self.assertTrue(seen_public, "the search itself finds what is stored in clear")
        self.assertNotIn(secret, self.folder.log_text())

    def test_the_data_folder_is_for_its_owner_alone(self):
        self.assertEqual(os.stat(self.folder.data).st_mode & 0o077, 0)
        for name in ("admin.token", "secret.key"):
            self.assertEqual(os.stat(self.folder.data / name).st_mode & 0o077, 0, name)

    def test_a_secret_key_that_is_not_the_stores_is_refused(self):
        self.client.create_webhook("http://127.0.0.1:9/a", custom_headers={"X": ["v"]})
        self.engine.terminate()
        (self.folder.data / "secret.key").unlink()
        done = triggerd_process.run_command("serve", "--config", str(self.folder.config))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("key", done.stderr)


if __name__ == "__main__":
    triggerd_process.main()
