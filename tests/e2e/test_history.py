"""The history checker itself: it finds what it is there to find."""

import unittest

import triggerd_process
from history import Producers, check

PATHS = ("/a", "/b")


class SeenCall:
    def __init__(self, event, path, status=200, content=None):
        self.event_id, self.path, self.status = event, path, status
        self.content = {"n": event} if content is None else content


class History(unittest.TestCase):
    def setUp(self):
        self.producers = Producers()
        for event, status in (("accepted", 202), ("unknown", None), ("refused", 503)):
            batch = [{"event_id": event, "content": {"n": event}}]
            self.producers.post(batch)
            self.producers.answered(batch, status)

    def counts(self, *calls):
        return check(self.producers, calls, lambda event: PATHS)

    def test_a_full_history_is_clean(self):
        counts = self.counts(SeenCall("accepted", "/a"), SeenCall("accepted", "/b", 500),
                             SeenCall("accepted", "/b"))
        self.assertEqual(
            {name: counts[name] for name in ("expected", "delivered", "calls", "lost", "torn",
                                             "duplicates", "strange")},
            {"expected": 2, "delivered": 2, "calls": 3, "lost": 0, "torn": 0, "duplicates": 0,
             "strange": 0})

    def test_a_pair_without_a_2xx_is_lost(self):
        counts = self.counts(SeenCall("accepted", "/a"), SeenCall("accepted", "/b", 500))
        self.assertEqual((counts["lost"], counts["lost_first"]), (1, ["('accepted', '/b')"]))
        self.assertEqual(self.counts()["lost"], 2)
        self.assertEqual(self.counts(SeenCall("accepted", "/a", None))["lost"], 2)

    def test_each_further_2xx_is_a_duplicate(self):
        self.assertEqual(self.counts(*[SeenCall("accepted", "/a")] * 3)["duplicates"], 2)

    def test_an_unknown_event_is_delivered_to_all_or_to_none(self):
        whole = self.counts(SeenCall("unknown", "/a"), SeenCall("unknown", "/b"))
        self.assertEqual((whole["torn"], whole["unknown_delivered"], whole["strange"]), (0, 1, 0))
        self.assertEqual(self.counts(SeenCall("unknown", "/a"))["torn"], 1)

    def test_calls_that_nobody_asked_for_are_strange(self):
        for call in (SeenCall("never posted", "/a"), SeenCall("refused", "/a"),
                     SeenCall("accepted", "/c"), SeenCall("accepted", "/a", content={"n": "x"})):
            self.assertEqual(self.counts(call)["strange"], 1)


if __name__ == "__main__":
    triggerd_process.main()
