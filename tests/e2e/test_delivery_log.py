"""The delivery log through the real binary: lists, filters, cursors, attempts, and erasure."""

import urllib.parse
import uuid

import triggerd_process
from client import wait_until
from receivers import Reply
from server_case import ServerCase
from triggerd_process import OTHER_KEY, OTHER_ORG

WEBHOOKS = "/organizations/webhooks"
EVENTS = "/organizations/events"
ADMIN = "e2e-admin-token-of-the-log-test"


class DeliveryLog(ServerCase):
    def setUp(self):
        super().setUp()
        token = self.folder.path / "admin.token"
        token.write_text(ADMIN + "\n")
        self.folder.write_config({
            "delivery.retry": {"schedule": ["50ms"]},
            "retention": {"interval": "200ms"},
            "admin": {"token_file": str(token)}})
        self.launch()
        self.receiver = self.receive()

    def page(self, path, client=None, **query):
        answer = (client or self.client).get(
            path + ("?" + urllib.parse.urlencode(query) if query else ""))
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(sorted(answer.json), ["meta", "result"])
        meta = answer.json["meta"]["cursor_pagination"]
        self.assertEqual(sorted(meta), ["cursor", "limit"])
        return answer.result, meta["cursor"]

    def all_pages(self, path, **query):
        """Ids of all lines, read page by page."""
        ids, cursor = [], None
        for _ in range(200):
            lines, cursor = self.page(path, **query, **({"cursor": cursor} if cursor else {}))
            ids += [line["event_id"] for line in lines]
            if not cursor:
                return ids
        raise AssertionError("a list that does not end")

    def log(self, webhook):
        return f"{WEBHOOKS}/{webhook}/deliveries"

    def test_lists_filters_and_pages(self):
        self.receiver.on("/log", lambda call: Reply(
            503 if call.claims["trigger_content"]["event_metadata"]["event_name"]
            == "PersonDeleted_v1" else 200, b"no!"))
        webhook = self.client.create_webhook(
            self.receiver.url("/log"), triggers=["PersonCreated_v1", "PersonDeleted_v1"])
        names = ["PersonCreated_v1", "PersonDeleted_v1", "PersonCreated_v1", "PersonCreated_v1"]
        ids = []
        for name in names * 5:  # one after the other, so that their order is known
            ids += self.client.publish(name)
        good = [one for one, name in zip(ids, names * 5) if name == "PersonCreated_v1"]
        bad = [one for one in ids if one not in good]
        for event in good:
            self.wait_status(event, "delivered")
        for event in bad:
            self.wait_status(event, "dead")
        newest_first = ids[::-1]
        self.assertEqual(self.all_pages(self.log(webhook)), newest_first)
        self.assertEqual(self.all_pages(self.log(webhook), limit=3), newest_first)
        self.assertEqual(self.all_pages(EVENTS, limit=7), newest_first)
        self.assertEqual(self.all_pages(self.log(webhook), status="dead", limit=2), bad[::-1])
        self.assertEqual(self.all_pages(self.log(webhook), status="delivered", limit=4),
                         good[::-1])
        self.assertEqual(self.all_pages(self.log(webhook), status="pending"), [])
        self.assertEqual(self.all_pages(self.log(webhook), status="cancelled"), [])
        self.assertEqual(self.all_pages(self.log(webhook), event_name="PersonDeleted_v1"),
                         bad[::-1])
        self.assertEqual(self.all_pages(EVENTS, event_name="PersonDeleted_v1"), bad[::-1])
        self.assertEqual(self.all_pages(EVENTS, status="dead"), bad[::-1])
        lines, _ = self.page(EVENTS)
        at = {line["event_id"]: line["accepted_at"] for line in lines}
        self.assertEqual(self.all_pages(self.log(webhook), since=at[ids[15]]), ids[15:][::-1])
        self.assertEqual(self.all_pages(self.log(webhook), until=at[ids[5]]), ids[:5][::-1])
        self.assertEqual(self.all_pages(EVENTS, since=at[ids[4]], until=at[ids[9]], limit=2),
                         ids[4:9][::-1])
        self.assertEqual(lines[-2]["deliveries"],
                         {"cancelled": 0, "dead": 1, "delivered": 0, "pending": 0})

        # After a crash the store says the same.
        self.engine.kill()
        self.launch()
        self.assertEqual(self.all_pages(self.log(webhook), limit=3), newest_first)

    def test_one_delivery_shows_all_its_attempts(self):
        self.receiver.on("/twice", lambda call: Reply(500, b"first answer"))
        webhook = self.client.create_webhook(self.receiver.url("/twice"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "dead")
        delivery = self.client.get(f"{self.log(webhook)}/{event}").result
        self.assertEqual(delivery["status"], "dead")
        self.assertEqual(delivery["attempts"], 2)
        self.assertEqual([one["number"] for one in delivery["attempt_log"]], [2, 1])
        for attempt in delivery["attempt_log"]:
            self.assertEqual((attempt["outcome"], attempt["http_status"]), ("http_error", 500))
            self.assertEqual((attempt["answer"], attempt["answer_bytes"]), ("first answer", 12))
            timings = attempt["timings"]
            self.assertGreater(timings["total_us"], 0)
            self.assertGreater(timings["first_byte_us"], 0)
            self.assertGreaterEqual(timings["total_us"], timings["first_byte_us"] // 2)
        self.assertIn("next_attempt_at", delivery["attempt_log"][1])

    def test_pages_stay_right_while_events_arrive(self):
        webhook = self.client.create_webhook(self.receiver.url("/busy"))
        ids = [self.client.publish("PersonCreated_v1")[0] for _ in range(12)]
        lines, cursor = self.page(self.log(webhook), limit=5)
        seen = [line["event_id"] for line in lines]
        while cursor:
            self.client.publish(*["PersonCreated_v1"] * 3)
            lines, cursor = self.page(self.log(webhook), limit=5, cursor=cursor)
            seen += [line["event_id"] for line in lines]
        self.assertEqual(seen, ids[::-1])

    def test_what_waits_is_listed_as_pending_and_cancelled_ones_as_cancelled(self):
        webhook = self.client.create_webhook(self.receiver.url("/paused"))
        other = self.client.create_webhook(self.receiver.url("/other"))
        paused = self.client.patch(f"{WEBHOOKS}/{webhook}", {"delivery": {"state": "paused"}})
        self.assertEqual(paused.status, 200, paused)
        ids = [self.client.publish("PersonCreated_v1")[0] for _ in range(6)]
        self.assertEqual(self.all_pages(self.log(webhook), status="pending", limit=4), ids[::-1])
        self.assertEqual(self.all_pages(self.log(webhook), limit=4), ids[::-1])
        wait_until(lambda: self.all_pages(self.log(other), status="delivered") == ids[::-1],
                   "the other webhook has all")
        self.assertEqual(self.all_pages(EVENTS, status="pending"), ids[::-1])
        disabled = self.client.patch(f"{WEBHOOKS}/{webhook}", {"delivery": {"state": "disabled"}})
        self.assertEqual(disabled.status, 200, disabled)
        wait_until(lambda: self.all_pages(self.log(webhook), status="cancelled") == ids[::-1],
                   "all are cancelled")
        lines, _ = self.page(self.log(webhook), limit=1)
        self.assertEqual((lines[0]["status"], lines[0]["attempts"]), ("cancelled", 0))
        self.assertEqual(lines[0]["last_attempt"]["outcome"], "cancelled")

    def test_others_see_nothing_and_bad_values_are_named(self):
        webhook = self.client.create_webhook(self.receiver.url("/mine"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        other = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        for path in (self.log(webhook), f"{self.log(webhook)}/{event}"):
            answer = other.get(path)
            self.assertEqual(answer.status, 404, answer)
            self.assertIn("could not find webhook", answer.messages[0])
        self.assertEqual(self.page(EVENTS, client=other), ([], ""))
        strange = self.client.get(f"{self.log(webhook)}/{uuid.uuid4()}")
        self.assertEqual(strange.status, 404, strange)
        unmatched = self.client.create_webhook(self.receiver.url("/later"))
        answer = self.client.get(f"{self.log(unmatched)}/{event}")
        self.assertEqual(answer.status, 404, answer)
        for query, field in (("limit=0", "limit"), ("status=odd", "status"), ("since=x", "since"),
                             ("until=x", "until"), ("cursor=0", "cursor"), ("limit=1&limit=1",
                                                                            "limit")):
            for path in (self.log(webhook), EVENTS):
                answer = self.client.get(f"{path}?{query}")
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(f"query parameter {field}: ", answer.messages[0])

    def test_the_log_of_a_deleted_organization_is_erased(self):
        client = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        webhook = client.create_webhook(self.receiver.url("/gone"))
        ids = client.publish(*["PersonCreated_v1"] * 5)
        wait_until(lambda: len(self.page(self.log(webhook), client=client,
                                         status="delivered")[0]) == 5, "all are delivered")
        (kept,) = self.client.publish("PersonCreated_v1")
        admin = self.connect(org=None, bearer=ADMIN)
        self.assertEqual(admin.delete(f"/admin/organizations/{OTHER_ORG}").status, 204)
        # The configuration declares the organization again: what it had before is not its own.
        self.assertEqual(self.engine.terminate(), 0)
        self.launch()
        again = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        (new,) = again.publish("PersonCreated_v1")
        wait_until(lambda: [line["event_id"] for line in self.page(EVENTS, client=again)[0]]
                   == [new], "the old events are erased, and the new one is not")
        for event in ids:
            self.assertEqual(again.get(f"{EVENTS}/{event}").status, 404)
        self.assertEqual(self.client.event(kept)["event_id"], kept)


if __name__ == "__main__":
    triggerd_process.main()
