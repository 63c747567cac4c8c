"""Registration, event, delivery over plain HTTP: the nine endpoints and the bodies they answer."""

import re
import time
import uuid

import triggerd_process
from client import new_event, wait_until
from receivers import Reply
from server_case import ServerCase
from triggerd_process import ORG, OTHER_KEY, OTHER_ORG

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
WEBHOOKS = "/organizations/webhooks"


class Lifecycle(ServerCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.receive()
        self.launch()

    def wait_calls(self, path, count=1):
        return wait_until(lambda: len(self.receiver.calls(path)) >= count
                          and self.receiver.calls(path), f"{count} calls to {path}")

    def test_the_nine_endpoints_answer_statuses_and_bodies_of_the_contract(self):
        url = self.receiver.url("/nine")
        self.assertEqual(self.client.get(WEBHOOKS).body, b'{"result":[]}')

        created = self.client.post(WEBHOOKS, {"name": "example", "target_url": url})
        self.assertEqual(created.status, 201)
        self.assertEqual(created.headers["Content-Type"], "application/json")
        self.assertEqual(list(created.json), ["result"])
        webhook = created.result
        self.assertRegex(webhook["id"], UUID)
        self.assertEqual(webhook, {"description": "", "id": webhook["id"], "name": "example",
                                   "target_url": url, "timeout": "0s"})
        one = f"{WEBHOOKS}/{webhook['id']}"

        listed = self.client.get(WEBHOOKS)
        self.assertEqual((listed.status, listed.json), (200, {"result": [webhook]}))
        shown = self.client.get(one)
        self.assertEqual((shown.status, shown.json), (200, {"result": webhook}))

        patched = self.client.patch(one, {"timeout": "1500ms", "description": "d",
                                          "target_url": url,
                                          "custom_headers": {"X-A": ["1", "2"]}})
        self.assertEqual(patched.status, 200)
        self.assertEqual(patched.json, {"result": {**webhook, "timeout": "1.5s", "description": "d",
                                                   "custom_headers": {"X-A": ["1", "2"]}}})

        triggers = one + "/triggers"
        self.assertEqual(self.client.get(triggers).body, b'{"result":[]}')
        event = {"trigger_type": "event", "trigger_name": "PersonCreated_v1"}
        hook = {"trigger_type": "sync_hook", "trigger_name": "token_minted"}
        for trigger in (event, hook, event):  # the last one exists already
            added = self.client.post(triggers, trigger)
            self.assertEqual((added.status, added.body), (201, b"{}"))
        self.assertCountEqual(self.client.get(triggers).result, [event, hook])

        gone = self.client.delete(
            triggers + "?trigger_type=sync_hook&trigger_name=token_minted")
        self.assertEqual((gone.status, gone.body), (204, b""))
        self.assertNotIn("Content-Type", gone.headers)
        self.assertEqual(self.client.get(triggers).result, [event])

        keyless = self.connect(key=None).get(WEBHOOKS + "/verification-jwks")
        self.assertEqual(keyless.status, 200)
        self.assertEqual(list(keyless.json), ["keys"])
        (key,) = keyless.json["keys"]
        self.assertEqual({name: key[name] for name in ("alg", "crv", "key_ops", "kty", "use")},
                         {"alg": "ES256", "crv": "P-256", "key_ops": ["verify"], "kty": "EC",
                          "use": "sig"})
        self.assertCountEqual(key, ["alg", "crv", "key_ops", "kid", "kty", "use", "x", "y"])

        deleted = self.client.delete(one)
        self.assertEqual((deleted.status, deleted.body), (204, b""))
        for answer in (self.client.get(one), self.client.delete(one), self.client.get(triggers)):
            self.assertEqual(answer.status, 404)
            self.assertTrue(answer.messages)
        self.assertEqual(self.client.get(WEBHOOKS).body, b'{"result":[]}')

    def test_an_event_is_delivered_as_a_bare_token_with_the_custom_headers(self):
        url = self.receiver.url("/deliver")
        webhook = self.client.create_webhook(
            url, custom_headers={"X-Tenant": ["a", "b"], "Authorization": ["Bearer s3cret"]})
        event = new_event(content={"person_id": "p-1", "own": {"n": 1}})
        answer = self.client.post("/organizations/events", event)
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.json, {"result": [
            {"duplicate": False, "event_id": event["event_id"], "webhooks": 1}]})

        (call,) = self.wait_calls("/deliver")
        self.assertEqual(call.method, "POST")
        self.assertEqual(call.values("content-type"), ["application/jwt"])
        self.assertEqual(call.values("x-tenant"), ["a", "b"])
        self.assertEqual(call.values("authorization"), ["Bearer s3cret"])
        self.assertEqual(call.values("host"), [f"127.0.0.1:{self.receiver.port}"])
        self.assertEqual(call.values("webhook-id"), [event["event_id"]])
        self.assertRegex(call.values("user-agent")[0], r"\Atriggerd/\d")
        self.assertAlmostEqual(int(call.values("webhook-timestamp")[0]), time.time(), delta=60)
        self.assertNotIn("expect", dict(call.headers))
        self.assertEqual(call.jose_header["alg"], "ES256")
        claims = call.claims
        self.assertEqual(
            {name: claims[name] for name in ("aud", "sub", "target_url", "trigger_name",
                                             "trigger_type", "webhook_id", "iss")},
            {"aud": ORG, "sub": event["event_id"], "target_url": url, "webhook_id": webhook,
             "trigger_name": "PersonCreated_v1", "trigger_type": "event",
             "iss": "http://127.0.0.1"})

        found = self.wait_status(event["event_id"], "delivered")
        self.assertEqual(found["content"], event["content"])
        self.assertEqual(found["event_name"], "PersonCreated_v1")
        (delivery,) = found["deliveries"]
        self.assertEqual((delivery["attempts"], delivery["webhook_id"]), (1, webhook))
        self.assertEqual(delivery["last_attempt"]["http_status"], 200)
        self.assertEqual(delivery["last_attempt"]["outcome"], "ok")

    def test_fan_out_reaches_every_webhook_with_the_trigger_and_no_other(self):
        for path, triggers in (("/a", ["PersonCreated_v1"]),
                               ("/b", ["PersonCreated_v1", "PersonDeleted_v1"]),
                               ("/c", ["PersonDeleted_v1"]), ("/d", [])):
            self.client.create_webhook(self.receiver.url(path), triggers)
        other = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        other.create_webhook(self.receiver.url("/a"))  # the URL of another organization is free
        other.create_webhook(self.receiver.url("/other"))
        created, deleted = self.client.publish("PersonCreated_v1", "PersonDeleted_v1")
        self.wait_status(created, "delivered")
        self.wait_status(deleted, "delivered")
        got = sorted((call.path, call.event_id) for call in self.receiver.calls())
        self.assertEqual(got, sorted([("/a", created), ("/b", created), ("/b", deleted),
                                      ("/c", deleted)]))
        self.assertEqual(other.get("/organizations/events/" + created).status, 404)

    def test_an_event_id_seen_before_is_answered_as_duplicate_and_not_delivered_again(self):
        self.client.create_webhook(self.receiver.url("/dup"))
        event = new_event()
        self.client.publish(event)
        self.wait_status(event["event_id"], "delivered")
        again = self.client.post("/organizations/events", event)
        self.assertEqual(again.status, 202)
        self.assertTrue(again.result[0]["duplicate"])
        marker = self.client.publish("PersonCreated_v1")[0]
        self.wait_status(marker, "delivered")
        self.assertEqual([call.event_id for call in self.receiver.calls()],
                         [event["event_id"], marker])

    def test_a_failing_receiver_is_called_again_until_it_answers_2xx(self):
        answers = iter([500, 302, 204])
        self.receiver.on("/retry", lambda call: Reply(next(answers), headers=[
            ("Location", self.receiver.url("/elsewhere"))]))
        self.client.create_webhook(self.receiver.url("/retry"))
        (event,) = self.client.publish("PersonCreated_v1")
        found = self.wait_status(event, "delivered")
        self.assertEqual(found["deliveries"][0]["attempts"], 3)
        calls = self.receiver.calls("/retry")
        self.assertEqual([call.status for call in calls], [500, 302, 204])
        self.assertEqual(len({call.claims["jti"] for call in calls}), 3)
        self.assertEqual({call.event_id for call in calls}, {event})
        self.assertEqual(self.receiver.calls("/elsewhere"), [])  # redirects are not followed
        gaps = [later.at - earlier.at for earlier, later in zip(calls, calls[1:])]
        self.assertGreaterEqual(gaps[0], 0.09)
        self.assertGreaterEqual(gaps[1], 0.19)

    def test_retry_after_is_obeyed_where_it_is_longer_than_the_schedule(self):
        replies = iter([Reply(429, headers=[("Retry-After", "2")])])
        self.receiver.on("/busy", lambda call: next(replies, Reply(200)))
        self.client.create_webhook(self.receiver.url("/busy"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        first, second = self.receiver.calls("/busy")
        self.assertGreaterEqual(second.at - first.at, 1.9)

    def test_a_connection_that_is_closed_without_an_answer_is_a_failed_call(self):
        replies = iter([Reply(reset=True)])
        self.receiver.on("/reset", lambda call: next(replies, Reply(200)))
        self.client.create_webhook(self.receiver.url("/reset"))
        (event,) = self.client.publish("PersonCreated_v1")
        found = self.wait_status(event, "delivered")
        self.assertEqual(found["deliveries"][0]["attempts"], 2)

    def test_an_answer_is_kept_in_part_however_long_it_is(self):
        self.receiver.on("/long", lambda call: Reply(500, body=b"sorry " * 500_000))
        self.client.create_webhook(self.receiver.url("/long"))
        (event,) = self.client.publish("PersonCreated_v1")
        attempt = wait_until(
            lambda: self.client.event(event)["deliveries"][0].get("last_attempt"), "an attempt")
        self.assertEqual((attempt["outcome"], attempt["http_status"]), ("http_error", 500))
        self.assertTrue(attempt["answer"].startswith("sorry sorry"))
        self.assertLessEqual(len(attempt["answer"]), 4096)

    def test_410_ends_the_calls_to_a_webhook(self):
        self.receiver.on("/gone", lambda call: 410)
        self.client.create_webhook(self.receiver.url("/gone"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_calls("/gone")
        found = wait_until(
            lambda: (one := self.client.event(event)["deliveries"][0])["status"] != "pending"
            and one, "the delivery to end")
        self.assertEqual(found["status"], "dead")
        self.client.publish("PersonCreated_v1")
        time.sleep(1.0)
        self.assertEqual(len(self.receiver.calls("/gone")), 1)

    def test_a_call_that_outlasts_the_webhooks_timeout_has_failed_and_is_repeated(self):
        slow_once = iter([Reply(200, delay=6)])
        self.receiver.on("/slow", lambda call: next(slow_once, Reply(200)))
        self.client.create_webhook(self.receiver.url("/slow"), timeout="300ms")
        (event,) = self.client.publish("PersonCreated_v1")
        calls = self.wait_calls("/slow", 2)
        self.assertLess(calls[1].at - calls[0].at, 5.5)  # not after the slow answer
        found = self.wait_status(event, "delivered")
        self.assertEqual(found["deliveries"][0]["attempts"], 2)

    def test_a_timeout_is_shown_as_the_outcome_while_the_delivery_is_pending(self):
        self.receiver.on("/never", lambda call: Reply(200, delay=1.0))
        self.client.create_webhook(self.receiver.url("/never"), timeout="100ms")
        (event,) = self.client.publish("PersonCreated_v1")
        found = wait_until(
            lambda: (one := self.client.event(event)["deliveries"][0])["attempts"] > 0 and one,
            "a first attempt")
        self.assertEqual(found["status"], "pending")
        self.assertEqual(found["last_attempt"]["outcome"], "timeout")
        self.assertNotIn("http_status", found["last_attempt"])

    def test_a_patched_url_and_headers_hold_from_the_next_attempt(self):
        self.receiver.on("/old", lambda call: 500)
        webhook = self.client.create_webhook(self.receiver.url("/old"),
                                             custom_headers={"X-Version": ["old"]})
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_calls("/old")
        patched = self.client.patch(f"{WEBHOOKS}/{webhook}",
                                    {"target_url": self.receiver.url("/new"),
                                     "custom_headers": {"X-Version": ["new"]}})
        self.assertEqual(patched.status, 200)
        (call,) = self.wait_calls("/new")
        self.assertEqual(call.event_id, event)
        self.assertEqual(call.claims["target_url"], self.receiver.url("/new"))
        self.assertEqual(call.values("x-version"), ["new"])
        self.wait_status(event, "delivered")

    def test_a_deleted_trigger_stops_calls_and_cancels_what_is_pending(self):
        self.receiver.on("/stop", lambda call: 500)
        webhook = self.client.create_webhook(self.receiver.url("/stop"))
        self.client.create_webhook(self.receiver.url("/go-on"))
        (pending,) = self.client.publish("PersonCreated_v1")
        self.wait_calls("/stop")
        gone = self.client.delete(f"{WEBHOOKS}/{webhook}/triggers"
                                  "?trigger_type=event&trigger_name=PersonCreated_v1")
        self.assertEqual(gone.status, 204)
        statuses = wait_until(
            lambda: (found := {one["webhook_id"]: one["status"] for one in
                               self.client.event(pending)["deliveries"]})[webhook] != "pending"
            and found, "the pending delivery to be cancelled")
        self.assertEqual(statuses[webhook], "cancelled")
        later = self.client.post("/organizations/events", new_event())
        self.assertEqual(later.result[0]["webhooks"], 1)
        event = later.result[0]["event_id"]
        self.wait_status(event, "delivered")
        self.assertNotIn(event, [call.event_id for call in self.receiver.calls("/stop")])
        again = self.client.delete(f"{WEBHOOKS}/{webhook}/triggers"
                                   "?trigger_type=event&trigger_name=PersonCreated_v1")
        self.assertEqual(again.status, 404)
        self.assertTrue(again.messages)

    def test_a_deleted_webhook_is_called_no_more(self):
        self.receiver.on("/deleted", lambda call: 500)
        webhook = self.client.create_webhook(self.receiver.url("/deleted"))
        self.client.publish("PersonCreated_v1")
        self.wait_calls("/deleted")
        self.assertEqual(self.client.delete(f"{WEBHOOKS}/{webhook}").status, 204)
        time.sleep(0.3)  # a call on the wire may still come in
        before = len(self.receiver.calls("/deleted"))
        time.sleep(1.2)  # several entries of the schedule
        self.assertEqual(len(self.receiver.calls("/deleted")), before)

    def test_keys_open_their_own_organization_only(self):
        webhook = self.client.create_webhook(self.receiver.url("/keys"))
        path = f"{WEBHOOKS}/{webhook}"
        other = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        self.assertEqual(other.get(path).status, 404)
        self.assertEqual(self.connect(key=OTHER_KEY).get(path).status, 403)
        self.assertEqual(self.connect(key=None).get(path).status, 401)
        self.assertEqual(self.connect(key="no-such-key-at-all").get(path).status, 401)
        bearer = self.connect(bearer=triggerd_process.API_KEY)
        self.assertEqual(bearer.get(path).status, 200)

    def test_the_same_target_url_twice_is_a_conflict_that_names_the_first(self):
        url = self.receiver.url("/unique")
        webhook = self.client.create_webhook(url)
        second = self.client.post(WEBHOOKS, {"name": "second", "target_url": url})
        self.assertEqual(second.status, 409)
        self.assertIn(webhook, second.messages[0])
        own = self.client.patch(f"{WEBHOOKS}/{webhook}", {"target_url": url})
        self.assertEqual(own.status, 200)

    def test_consistency_headers_are_checked_and_met(self):
        body = {"name": "n", "target_url": self.receiver.url("/consistency")}
        level = "SlashID-Required-Consistency"
        timeout = "SlashID-Required-Consistency-Timeout"
        for headers in ({level: "galaxy"}, {timeout: "0"}, {timeout: "121"}, {timeout: "x"}):
            answer = self.client.post(WEBHOOKS, body, headers=headers)
            self.assertEqual(answer.status, 400, headers)
            self.assertIn(next(iter(headers)), answer.messages[0])
        met = self.client.post(WEBHOOKS, body, headers={level: "all_regions", timeout: "120"})
        self.assertEqual(met.status, 201)

    def test_the_open_endpoints_and_the_unknown_ones(self):
        stranger = self.connect(org=None, key=None)
        for path in ("/livez", "/readyz", "/healthz"):
            self.assertEqual(stranger.get(path).status, 200)
        self.assertEqual(stranger.get("/version").json["name"], "triggerd")
        unknown = stranger.get("/organizations/nothing")
        self.assertEqual(unknown.status, 404)
        self.assertEqual(unknown.body.strip(), b"404 page not found")
        self.assertTrue(unknown.headers["Content-Type"].startswith("text/plain"))
        wrong = self.client.call("PUT", WEBHOOKS)
        self.assertEqual(wrong.status, 405)
        self.assertCountEqual(re.split(r",\s*", wrong.headers["Allow"]), ["GET", "HEAD", "POST"])

    def test_events_without_own_ids_get_some_and_a_batch_keeps_its_order(self):
        names = ["PersonCreated_v1", "PersonDeleted_v1", "PersonCreated_v1"]
        answer = self.client.post("/organizations/events",
                                  [{"event_name": name, "content": {}} for name in names])
        self.assertEqual(answer.status, 202)
        ids = [entry["event_id"] for entry in answer.result]
        self.assertEqual(len({str(uuid.UUID(one)) for one in ids}), 3)
        self.assertEqual([self.client.event(one)["event_name"] for one in ids], names)


if __name__ == "__main__":
    triggerd_process.main()
