"""The live stream of events and outcomes through the real binary."""

import os
import threading
import time

import triggerd_process
from client import wait_until
from live_client import LiveClient
from receivers import Reply
from server_case import ServerCase
from triggerd_process import OTHER_KEY, OTHER_ORG

ADMIN = "e2e-admin-token-of-the-stream-test"
STREAM = "/organizations/stream"


class LiveStream(ServerCase):
    def setUp(self):
        super().setUp()
        token = self.folder.path / "admin.token"
        token.write_text(ADMIN + "\n")
        self.folder.write_config({"delivery.retry": {"schedule": ["50ms"]},
                                  "delivery.breaker": {"failures": 0},
                                  "admin": {"token_file": str(token)}})
        self.launch()

    def listen(self, **options):
        client = LiveClient(self.engine.port, **options)
        self.addCleanup(client.close)
        return client

    def metric(self, name):
        admin = self.connect(org=None, bearer=ADMIN)
        for line in admin.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def test_events_and_outcomes_arrive_as_they_happen(self):
        receiver = self.receive()
        receiver.on("/bad", lambda call: Reply(503, b"secret words"))
        webhook = self.client.create_webhook(receiver.url("/good"))
        bad = self.client.create_webhook(receiver.url("/bad"))
        both = self.listen().opened()
        created = self.listen(query="?topics=events&on=Person*,Nothing").opened()
        outcomes = self.listen(query="?topics=deliveries&on=PersonCreated_v1").opened()
        self.assertIn("Content-Type: text/event-stream", both.head)
        self.assertIn("Cache-Control: no-store", both.head)
        self.assertIn("X-Accel-Buffering: no", both.head)

        content = {"person_id": "p-1", "n": 1.50, "text": "line\nbreak"}
        (event,) = self.client.publish(
            {"event_name": "PersonCreated_v1", "content": content,
             "timestamp": "2026-01-02T03:04:05Z", "is_test_event": True})
        (other,) = self.client.publish("TokenMinted_v1")
        both.wait_events(2)
        told = both.of("event")[0].json
        self.assertEqual(told["event_id"], event)
        self.assertEqual(told["event_name"], "PersonCreated_v1")
        self.assertEqual(told["timestamp"], "2026-01-02T03:04:05Z")
        self.assertEqual(told["is_test_event"], True)
        self.assertEqual(told["webhooks"], 2)
        wait_until(lambda: receiver.calls("/good"), "a call")
        delivered = receiver.calls("/good")[0].claims["trigger_content"]
        self.assertEqual(told["content"], delivered)
        self.assertIn("event_metadata", told["content"])

        wait_until(lambda: len(outcomes.of("delivery")) == 3, "three attempts")
        seen = sorted((one["webhook_id"], one["attempt"]["number"], one["attempt"]["http_status"],
                       one["status"])
                      for one in (message.json for message in outcomes.of("delivery")))
        self.assertEqual(seen, sorted([(webhook, 1, 200, "delivered"), (bad, 1, 503, "pending"),
                                       (bad, 2, 503, "dead")]))
        self.assertNotIn("secret words", "".join(one.data for one in outcomes.messages))
        self.assertEqual(outcomes.of("event"), [])
        self.assertEqual(created.event_ids(), [event])
        self.assertEqual(both.event_ids(), [event, other])
        positions = [int(message.id) for message in both.messages]
        self.assertEqual(positions, sorted(positions))
        wait_until(lambda: self.metric("triggerd_stream_clients") == 3, "the metric")

    def test_line_breaks_between_the_tokens_of_a_content_survive(self):
        listener = self.listen().opened()
        answer = self.client.call(
            "POST", "/organizations/events",
            b'{"event_name":"PersonCreated_v1","content":{\r\n"a":\n1,\r"b":[\n\n]}}')
        self.assertEqual(answer.status, 202, answer)
        listener.wait_events(1)
        content = listener.of("event")[0].json["content"]
        self.assertEqual((content["a"], content["b"]), (1, []))

    def test_it_goes_on_where_it_was_across_a_restart_and_a_kill(self):
        ids = []
        listener = self.listen(query="?topics=events").opened()
        for stop in ("close", "terminate", "kill"):
            ids += self.client.publish(*["PersonCreated_v1"] * 20)
            listener.wait_events(10)
            got = listener.event_ids()
            last = listener.last_id
            stopping = threading.Thread(target=self.publish_some, args=(ids,))
            stopping.start()
            stopping.join()
            if stop == "close":
                listener.close()
            elif stop == "terminate":
                begun = time.monotonic()
                self.assertEqual(self.engine.terminate(), 0)
                self.assertLess(time.monotonic() - begun, 15)
            else:
                self.engine.kill()
            if stop != "close":
                self.assertTrue(listener.over.wait(30))
                got, last = listener.event_ids(), listener.last_id
                self.launch()
            ids += self.client.publish("PersonCreated_v1")
            count = len(ids) - len(got)
            listener = self.listen(query="?topics=events", last_id=last).opened()
            self.assertEqual(got + listener.wait_events(count), ids, stop)
            ids = []
            listener.close()
            listener = self.listen(query="?topics=events").opened()

    def publish_some(self, ids):
        client = self.connect()
        for _ in range(10):
            ids += client.publish("PersonCreated_v1")

    def test_clients_that_come_and_go_under_load_miss_nothing_and_see_nothing_twice(self):
        """Several connect anew all the time, each with what it saw last."""
        first = self.listen(query="?topics=events").opened().last_id
        ids = []
        done = threading.Event()
        failures = []
        seen = [[] for _ in range(4)]

        def follow(mine):
            last = first
            try:
                while True:
                    finished = done.is_set()
                    listener = LiveClient(self.engine.port, "?topics=events", last_id=last)
                    if finished:
                        wait_until(lambda: len(mine) + len(listener.of("event")) >= len(ids),
                                   "the rest", 60)
                    else:
                        time.sleep(0.05)
                    listener.close()
                    listener.over.wait(30)
                    mine += listener.event_ids()
                    last = listener.messages[-1].id if listener.messages else last
                    if finished:
                        return
            except Exception as error:  # told to the test's thread
                failures.append(error)

        threads = [threading.Thread(target=follow, args=(mine,)) for mine in seen]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            ids += self.client.publish(*["PersonCreated_v1"] * 7)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for mine in seen:
            self.assertEqual(len(mine), len(ids))
            self.assertEqual(mine, ids)

    def test_a_slow_client_is_bounded_and_catches_up_from_the_store(self):
        # Neither reads; small buffers of the system, so that the server holds what there is.
        slow = [self.listen(query="?topics=events", reads=False, receive_buffer=4096)
                for _ in range(8)]
        quick = self.listen(query="?topics=events").opened()
        time.sleep(0.5)
        before = self.engine.memory_mib()
        text = "x" * 20_000
        ids = []
        for _ in range(40):
            ids += self.client.publish(*[
                {"event_name": "PersonCreated_v1", "content": {"text": text}}] * 50)
        quick.wait_events(len(ids))
        self.assertEqual(quick.event_ids(), ids)
        # 40 MB have gone by; the clients hold a few hundred KiB each, the engine's caches the rest.
        held = self.engine.memory_mib() - before
        slow[0].read()
        self.assertEqual(slow[0].wait_events(len(ids)), ids)
        if not self.engine.is_sanitized():
            self.assertLess(held, 160)

    def test_who_may_and_what_is_asked_wrongly(self):
        self.assertEqual(self.listen(key="odd").status(), 401)
        self.assertEqual(self.listen(key=OTHER_KEY).status(), 403)
        admin = self.connect(org=None, bearer=ADMIN)
        made = admin.post(f"/admin/organizations/{triggerd_process.ORG}/api-keys",
                          {"name": "publisher", "scopes": ["publish"]})
        self.assertEqual(made.status, 201, made)
        self.assertEqual(self.listen(key=made.result["api_key"]).status(), 403)
        for query, field in (("topics=odd", "topics"), ("on=,", "on"), ("last_event_id=x",
                                                                        "last_event_id")):
            answer = self.client.get(f"{STREAM}?{query}")
            self.assertEqual(answer.status, 400, answer)
            self.assertIn(f"query parameter {field}: ", answer.messages[0])
        self.assertEqual(self.client.call("HEAD", STREAM).status, 200)
        self.assertEqual(self.client.post(STREAM, {}).status, 405)

    def test_nobody_sees_another_organization(self):
        mine = self.listen().opened()
        theirs = self.listen(org=OTHER_ORG, key=OTHER_KEY).opened()
        (event,) = self.client.publish("PersonCreated_v1")
        (other,) = self.connect(org=OTHER_ORG, key=OTHER_KEY).publish("PersonCreated_v1")
        mine.wait_events(1)
        theirs.wait_events(1)
        self.assertEqual((mine.event_ids(), theirs.event_ids()), ([event], [other]))

    def test_a_deleted_key_ends_its_streams(self):
        admin = self.connect(org=None, bearer=ADMIN)
        path = f"/admin/organizations/{triggerd_process.ORG}/api-keys"
        made = admin.post(path, {"name": "reader", "scopes": ["read"]})
        self.assertEqual(made.status, 201, made)
        listener = self.listen(key=made.result["api_key"]).opened()
        self.assertEqual(admin.delete(f"{path}/{made.result['id']}").status, 204)
        self.assertTrue(listener.over.wait(30))
        self.assertIn("the API key was deleted", listener.of("end")[0].data)

    def test_the_number_of_streams_is_limited(self):
        listeners = [self.listen().opened() for _ in range(32)]
        refused = self.client.get(STREAM)
        self.assertEqual(refused.status, 429, refused)
        self.assertEqual(refused.headers["Retry-After"], "1")
        self.listen(org=OTHER_ORG, key=OTHER_KEY).opened()
        listeners[0].close()
        wait_until(lambda: self.listen().status() == 200, "room for another")

    def test_sigterm_does_not_wait_for_streams(self):
        reading = [self.listen().opened() for _ in range(5)]
        stuck = self.listen(reads=False, receive_buffer=4096)
        text = "x" * 100_000
        for _ in range(20):
            self.client.publish(*[
                {"event_name": "PersonCreated_v1", "content": {"text": text}}] * 5)
        begun = time.monotonic()
        self.assertEqual(self.engine.terminate(), 0)
        self.assertLess(time.monotonic() - begun, 10)
        for listener in reading:
            self.assertTrue(listener.over.wait(30))
            self.assertIn("the server is about to stop", listener.of("end")[0].data)
        stuck.close()

    def test_a_quiet_stream_stays_open(self):
        """A comment every 15 s; longer than the time limits of quiet connections would allow."""
        listener = self.listen().opened()
        wait_until(lambda: listener.comments > 0, "a comment", 40)
        self.assertFalse(listener.over.is_set())
        (event,) = self.client.publish("PersonCreated_v1")
        self.assertEqual(listener.wait_events(1), [event])


class Retained(ServerCase):
    def test_a_position_that_is_older_than_what_is_kept_is_told(self):
        self.folder.write_config({"retention": {"interval": "200ms", "max_bytes": 1 << 20}})
        self.launch()
        listener = LiveClient(self.engine.port, "?topics=events").opened()
        first = listener.last_id
        listener.close()
        text = os.urandom(60_000).hex()  # does not get smaller in files
        gone = self.client.publish("PersonCreated_v1")[0]
        end = time.monotonic() + 90
        while self.client.get("/organizations/events/" + gone).status == 200:
            self.assertLess(time.monotonic(), end, "nothing is erased")
            ids = self.client.publish(*[
                {"event_name": "PersonCreated_v1", "content": {"text": text}}] * 20)
        again = LiveClient(self.engine.port, "?topics=events", last_id=first)
        self.addCleanup(again.close)
        again.opened()
        wait_until(lambda: again.of("reset"), "a reset")
        wait_until(lambda: ids[-1] in again.event_ids(), "what is left")
        self.assertEqual(again.messages[0].event, "reset")
        # A position that this store never had.
        lost = LiveClient(self.engine.port, "?topics=events", last_id="999999999")
        self.addCleanup(lost.close)
        lost.opened()
        wait_until(lambda: lost.of("reset"), "a reset")
        (event,) = self.client.publish("PersonCreated_v1")
        self.assertEqual(lost.wait_events(1), [event])


if __name__ == "__main__":
    triggerd_process.main()
