"""Test events: made up by the engine, delivered like real ones, limited by rate."""

import json
import pathlib
import re

import triggerd_process
from client import wait_until
from server_case import ServerCase
from triggerd_process import OTHER_KEY, OTHER_ORG

EVENT_TYPES = (pathlib.Path(__file__).resolve().parents[2] / "engine" / "model"
               / "event_types.cc").read_text()
NAMES = re.findall(r'BuiltInEventType\{"(\w+)"', EVENT_TYPES)


class TestEvents(ServerCase):
    changes = {"rates": {"test_events_per_minute": 6, "test_events_burst": 60}}

    def test_all_names_arrive_nested_and_are_answered_flat(self):
        self.launch()
        receiver = self.receive()
        self.assertEqual(len(NAMES), 52)
        self.client.create_webhook(receiver.url("/all"), triggers=NAMES)
        answer = self.client.post("/test-events", [{"event_name": name} for name in NAMES])
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual([one["event_name"] for one in answer.result], NAMES)
        calls = wait_until(lambda: len(found := receiver.calls("/all")) == 52 and found, "all")
        shown = {one["event_id"]: one for one in answer.result}
        for call in calls:
            content = call.claims["trigger_content"]
            metadata = content["event_metadata"]
            one = shown.pop(metadata["event_id"])
            self.assertEqual(metadata["event_name"], call.claims["trigger_name"])
            self.assertEqual(metadata["event_name"], one["event_name"])
            self.assertEqual(metadata["timestamp"], one["timestamp"])
            self.assertIs(metadata["is_test_event"], True)
            for name in ("person_id", "failed_authn_method", "failure_reason"):
                if name in one:
                    self.assertEqual(content[name], one[name])
            if "window_location" in one:
                self.assertEqual(content["browser_metadata"]["window_location"],
                                 one["window_location"])

    def test_a_duplicate_has_the_same_id(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/twice"), triggers=["PersonCreated_v1"])
        answer = self.client.post("/test-events", [
            {"event_name": "PersonCreated_v1", "count": 2, "duplicates": True,
             "analytics_correlation_id": "0d5ae62b-6f1c-4d4c-a1a9-2c6d9f9d0001"}])
        self.assertEqual(answer.status, 201, answer)
        ids = sorted(one["event_id"] for one in answer.result)
        calls = wait_until(lambda: len(found := receiver.calls("/twice")) == 4 and found, "both")
        self.assertEqual(sorted(call.event_id for call in calls), sorted(ids * 2))
        for call in calls:
            self.assertEqual(call.content["analytics_metadata"]["analytics_correlation_id"],
                             "0d5ae62b-6f1c-4d4c-a1a9-2c6d9f9d0001")
        for one in ids:
            self.wait_status(one, "delivered")

    def test_more_than_the_rate_is_429_for_this_organization_alone(self):
        self.launch()
        ask = [{"event_name": "TokenMinted_v1", "count": 60}]
        too_many = self.client.post("/test-events", [{"event_name": "TokenMinted_v1",
                                                      "count": 61}])
        self.assertEqual(too_many.status, 400, too_many)
        self.assertIn("from 1 to 60", too_many.messages[0])
        self.assertEqual(self.client.post("/test-events", ask).status, 201)
        limited = self.client.post("/test-events", [{"event_name": "TokenMinted_v1"}])
        self.assertEqual(limited.status, 429, limited)
        self.assertTrue(1 <= int(limited.headers["Retry-After"]) <= 10, limited.headers)
        self.assertIn("6 a minute, and 60 at once", limited.messages[0])
        other = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        self.assertEqual(other.post("/test-events", ask).status, 201)

    def test_a_number_instead_of_a_list(self):
        self.launch()
        for body in (b"{}", b"7", b"[]", b"[7]", json.dumps([{"event_name": "x"}]).encode()):
            answer = self.client.post("/test-events", body)
            self.assertEqual(answer.status, 400, (body, answer))
            self.assertTrue(answer.messages)


if __name__ == "__main__":
    triggerd_process.main()
