"""Backlogs bigger than memory, on the real store: parked, read back in order, across kill -9."""

import triggerd_process
from client import new_event, wait_until
from server_case import ServerCase
from triggerd_process import run_command

TOKEN = "token-of-the-administrator"
PENDING = "/organizations/deliveries/pending"
KEYS = tuple(f"key {number}" for number in range(10))  # more than a webhook has in memory
EVENTS = 300


def keyed(number):
    key = KEYS[number % len(KEYS)]
    return {**new_event(content={"key": key, "number": number}), "ordering_key": key}


class Backlog(ServerCase):
    # Each webhook has four deliveries in memory.
    changes = {"delivery": {"max_in_memory": 0}, "delivery.breaker": {"failures": 0},
               "delivery.retry": {"schedule": ["3s", "3s"], "jitter": 0},
               "admin": {"token": TOKEN, "metrics_public": True}}

    def in_store_only(self):
        page = self.connect(org=None, key=None).get("/metrics").body.decode()
        (line,) = [line for line in page.splitlines()
                   if line.startswith("triggerd_deliveries_in_store_only")]
        return int(float(line.split()[1]))

    def wait_parked(self, more_than):
        """The gauges are a second old at most."""
        wait_until(lambda: self.in_store_only() > more_than, "most to be parked")

    def patch(self, webhook, delivery):
        answer = self.client.patch(f"/organizations/webhooks/{webhook}", {"delivery": delivery})
        self.assertEqual(answer.status, 200, answer)

    def pending(self):
        return self.client.get(PENDING).result["pending"]

    def wait_over(self):
        wait_until(lambda: self.pending() == 0, "nothing to be pending")
        wait_until(lambda: self.in_store_only() == 0, "nothing to be parked")

    def check_store(self):
        self.assertEqual(self.engine.terminate(), 0)
        done = run_command("store", "check", "--data", str(self.folder.data))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_all_come_once_and_in_order_though_the_engine_is_killed(self):
        self.launch()
        receiver = self.receive()
        webhook = self.client.create_webhook(receiver.url("/order"),
                                             delivery={"ordering": "key", "state": "paused"})
        for first in range(0, EVENTS, 100):
            self.client.publish(*[keyed(number) for number in range(first, first + 100)])
        self.wait_parked(EVENTS - 20)
        self.engine.kill()
        self.launch()
        self.assertEqual(self.pending(), EVENTS)
        self.wait_parked(EVENTS - 20)
        self.patch(webhook, {"state": "active"})
        self.wait_over()
        seen = {key: [] for key in KEYS}
        for call in receiver.calls("/order"):
            seen[call.content["key"]].append(call.content["number"])
        self.assertEqual(seen, {key: list(range(at, EVENTS, len(KEYS)))
                                for at, key in enumerate(KEYS)})
        self.check_store()

    def test_retries_are_found_when_they_are_due(self):
        self.launch()
        receiver = self.receive()
        seen = set()

        def second_time(call):
            if call.event_id in seen:
                return 200
            seen.add(call.event_id)
            return 500

        receiver.on("/twice", second_time)
        self.client.create_webhook(receiver.url("/twice"))
        events = self.client.publish(*[new_event() for _ in range(50)])
        wait_until(lambda: self.client.get(PENDING).result["delayed"] == 50, "all to have failed")
        self.wait_parked(40)
        self.wait_over()
        for event in events:
            self.assertEqual(self.client.event(event)["deliveries"][0]["attempts"], 2)
        self.check_store()

    def test_one_by_hand(self):
        self.launch()
        receiver = self.receive()
        webhook = self.client.create_webhook(receiver.url("/w"), delivery={"state": "paused"})
        events = self.client.publish(*[new_event() for _ in range(20)])
        path = f"/organizations/webhooks/{webhook}/deliveries/{events[15]}"
        self.assertEqual(self.client.call("POST", path + "/retry").status, 202)
        self.assertEqual(self.client.call("POST", path + "/skip").status, 200)
        self.assertEqual(self.client.event(events[15])["deliveries"][0]["status"], "dead")
        self.patch(webhook, {"state": "active"})
        self.wait_over()
        self.assertEqual({call.event_id for call in receiver.calls("/w")},
                         set(events) - {events[15]})
        self.check_store()

    def test_a_deleted_webhook_takes_its_backlog_along(self):
        self.launch()
        webhook = self.client.create_webhook(self.receive().url("/w"), delivery={"state": "paused"})
        events = self.client.publish(*[new_event() for _ in range(100)])
        self.assertEqual(self.client.delete(f"/organizations/webhooks/{webhook}").status, 204)
        self.wait_over()
        self.assertEqual(self.client.event(events[99])["deliveries"], [])
        self.check_store()


if __name__ == "__main__":
    triggerd_process.main()
