"""The `delivery` object of a webhook: ordering, pause, rate, schedule, 410 and enabling again."""

import time

import triggerd_process
from client import new_event, wait_until
from server_case import ServerCase

WEBHOOKS = "/organizations/webhooks"


def keyed(key, number):
    return {**new_event(content={"key": key, "number": number}), "ordering_key": key}


class DeliverySettings(ServerCase):
    changes = {"delivery.retry": {"schedule": ["50ms", "50ms", "50ms"]}}

    def setUp(self):
        super().setUp()
        self.launch()
        self.receiver = self.receive()

    def patch(self, webhook, delivery):
        answer = self.client.patch(f"{WEBHOOKS}/{webhook}", {"delivery": delivery})
        self.assertEqual(answer.status, 200, answer)
        return answer.result

    def settings(self, webhook):
        return self.client.get(f"{WEBHOOKS}/{webhook}").result.get("delivery")

    def test_settings_are_shown_when_set_merged_and_reset(self):
        webhook = self.client.create_webhook(self.receiver.url("/shown"))
        self.assertIsNone(self.settings(webhook))
        self.patch(webhook, {"schedule": ["90s"], "rate": {"per_second": 2.5}, "ordering": "key"})
        expected = {"schedule": ["1m30s"], "rate": {"per_second": 2.5, "burst": 3},
                    "ordering": "key"}
        self.assertEqual(self.settings(webhook), expected)
        self.engine.kill()
        self.launch()
        self.assertEqual(self.settings(webhook), expected)
        self.patch(webhook, {"rate": None, "max_in_flight": 2})
        self.assertEqual(self.settings(webhook),
                         {"schedule": ["1m30s"], "ordering": "key", "max_in_flight": 2})
        self.patch(webhook, None)
        self.assertIsNone(self.settings(webhook))

    def test_every_fault_is_named(self):
        answer = self.client.post(WEBHOOKS, {
            "name": "n", "target_url": self.receiver.url("/bad"),
            "delivery": {"schedule": ["1s"] * 3 + ["73h"], "max_in_flight": 1001,
                         "rate": {"per_second": 0, "burst": 1}, "format": "xml"}})
        self.assertEqual(answer.status, 400)
        text = "\n".join(answer.messages)
        for field in ("delivery.schedule[3]", "delivery.max_in_flight",
                      "delivery.rate.per_second", "delivery.format"):
            self.assertIn(field + ": ", text)
        answer = self.client.post(WEBHOOKS, {"name": "n", "target_url": self.receiver.url("/bad"),
                                             "delivery": {"shedule": []}})
        self.assertEqual(answer.status, 400)
        self.assertIn("delivery.shedule: unknown field", answer.messages[0])

    def test_order_of_a_key_holds_over_failures_and_kills(self):
        keys, each, kills = 4, 40, 3
        fails = {}

        def now_and_then(call):
            # Every seventh event fails at its first try.
            if call.content["number"] % 7 == 3 and call.event_id not in fails:
                fails[call.event_id] = True
                return 500
            return 200

        self.receiver.on("/order", now_and_then)
        self.client.create_webhook(self.receiver.url("/order"), delivery={"ordering": "key"})
        events = [keyed(f"key {key}", number) for number in range(each) for key in range(keys)]
        part = len(events) // (kills + 1)
        for kill in range(kills + 1):
            self.client.publish(*events[kill * part:(kill + 1) * part])
            if kill == kills:
                break
            wait_until(lambda: self.receiver.count() > kill * part // 2, "calls before the kill")
            self.engine.kill()
            self.launch()
        for event in events:
            self.wait_status(event["event_id"], "delivered", 60)
        for key in range(keys):
            numbers = [call.content["number"] for call in self.receiver.calls("/order")
                       if call.content["key"] == f"key {key}"]
            self.assertEqual(sorted(set(numbers)), list(range(each)))
            # What is repeated (a retry, or the suffix behind a kill) is repeated in order: a step
            # forward is always to the next one.
            first = []
            for number in numbers:
                if number not in first:
                    first.append(number)
            self.assertEqual(first, list(range(each)), f"key {key}: {numbers}")
            backwards = sum(1 for before, after in zip(numbers, numbers[1:]) if after < before)
            forward = [after - before for before, after in zip(numbers, numbers[1:])
                       if after > before]
            self.assertEqual(set(forward), {1}, f"key {key}: {numbers}")
            self.assertLessEqual(backwards, kills)

    def test_paused_keeps_and_resumes_and_others_flow(self):
        slow = self.client.create_webhook(self.receiver.url("/paused"))
        self.client.create_webhook(self.receiver.url("/flows"))
        self.assertEqual(self.patch(slow, {"state": "paused"})["delivery"], {"state": "paused"})
        events = self.client.publish(*[new_event() for _ in range(20)])
        wait_until(lambda: len(self.receiver.calls("/flows")) == 20, "calls of the other webhook")
        self.assertEqual(self.receiver.calls("/paused"), [])
        self.engine.kill()
        self.launch()
        self.assertEqual(self.settings(slow), {"state": "paused"})
        self.client.publish("PersonCreated_v1")
        wait_until(lambda: len(self.receiver.calls("/flows")) >= 21, "calls after the restart")
        self.assertEqual(self.receiver.calls("/paused"), [])
        self.patch(slow, {"state": "active"})
        for event in events:
            self.wait_status(event, "delivered")
        wait_until(lambda: len(self.receiver.calls("/paused")) == 21, "all that was kept")

    def test_a_rate_is_kept(self):
        self.client.create_webhook(self.receiver.url("/rated"),
                                   delivery={"rate": {"per_second": 20, "burst": 2}})
        before = time.monotonic()
        self.client.publish(*[new_event() for _ in range(12)])
        calls = wait_until(lambda: len(self.receiver.calls("/rated")) == 12 and
                           self.receiver.calls("/rated"), "twelve calls")
        # Two at once, then one in 50 ms; a busy machine may only make it slower.
        self.assertGreaterEqual(calls[-1].at - before, 10 * 0.05)

    def test_a_schedule_of_its_own_and_none_at_all(self):
        for path, schedule, attempts in (("/none", [], 1), ("/two", ["1ms", "1ms"], 3)):
            self.receiver.on(path, lambda call: 500)
            self.client.create_webhook(self.receiver.url(path), delivery={"schedule": schedule})
        (event,) = self.client.publish("PersonCreated_v1")
        found = self.wait_status(event, "dead")
        self.assertEqual(sorted(one["attempts"] for one in found["deliveries"]), [1, 3])
        self.assertEqual(len(self.receiver.calls("/none")), 1)
        self.assertEqual(len(self.receiver.calls("/two")), 3)

    def test_disabled_by_hand_cancels_what_is_pending(self):
        webhook = self.client.create_webhook(self.receiver.url("/off"),
                                             delivery={"state": "paused"})
        (event,) = self.client.publish("PersonCreated_v1")
        self.assertEqual(self.patch(webhook, {"state": "disabled"})["delivery"],
                         {"state": "disabled", "disabled_reason": "by_hand"})
        self.wait_status(event, "cancelled")
        self.assertEqual(self.receiver.calls("/off"), [])

    def test_410_disables_and_it_can_be_enabled_again(self):
        self.receiver.on("/gone", lambda call: 410)
        webhook = self.client.create_webhook(self.receiver.url("/gone"),
                                             delivery={"max_in_flight": 1})
        events = self.client.publish(*[new_event() for _ in range(5)])
        for event in events:
            self.wait_status(event, "dead")
        self.assertEqual(len(self.receiver.calls("/gone")), 1)
        gone = {"state": "disabled", "disabled_reason": "gone", "max_in_flight": 1}
        self.assertEqual(self.settings(webhook), gone)
        self.engine.kill()
        self.launch()
        self.assertEqual(self.settings(webhook), gone)
        (unmatched,) = self.client.publish("PersonCreated_v1")
        self.assertEqual(self.client.event(unmatched)["deliveries"], [])
        self.receiver.on("/gone", lambda call: 200)
        self.assertEqual(self.patch(webhook, {"state": "active"})["delivery"],
                         {"max_in_flight": 1})
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")


class DisabledForFailing(ServerCase):
    changes = {"delivery.retry": {"schedule": ["100ms"] * 20, "disable_after": "1s"}}

    def test_a_webhook_that_only_fails_is_disabled_over_a_kill_too(self):
        self.launch()
        receiver = self.receive()
        receiver.on("/fails", lambda call: 500)
        webhook = self.client.create_webhook(receiver.url("/fails"))
        (event,) = self.client.publish("PersonCreated_v1")
        begun = time.monotonic()
        wait_until(lambda: len(receiver.calls("/fails")) >= 5, "calls before the kill")
        self.engine.kill()
        self.launch()
        self.wait_status(event, "dead")
        self.assertGreaterEqual(time.monotonic() - begun, 0.9)
        self.assertLess(len(receiver.calls("/fails")), 19, "not because attempts were used up")
        self.assertEqual(self.client.get(f"{WEBHOOKS}/{webhook}").result["delivery"],
                         {"state": "disabled", "disabled_reason": "failing"})


if __name__ == "__main__":
    triggerd_process.main()
