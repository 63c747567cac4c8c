"""Compares what producers were told with what receivers got.

A delivery is a pair (event, webhook). It is
  lost        the event was acknowledged, and no 2xx was ever answered for the pair
  duplicate   each further 2xx for the pair (at-least-once permits them; they are counted)
  strange     a call for an event that nobody posted or that was refused, for a webhook that has
              no trigger for it, or with another content than was posted
An event whose answer was lost is unknown: it may be delivered to all of its webhooks or to none.
"""

import collections
import json


class Producers:
    """What was posted and what came of it. One thread at a time, or under the caller's lock."""

    def __init__(self):
        self.posted = {}  # event id → content
        self.accepted = set()
        self.unknown = set()
        self.refused = set()

    def post(self, events):
        for event in events:
            self.posted[event["event_id"]] = event["content"]

    def answered(self, events, status):
        ids = {event["event_id"] for event in events}
        if status == 202:
            self.accepted |= ids
        elif status is None:
            self.unknown |= ids
        else:
            self.refused |= ids


def answered_2xx(calls):
    """(event id, path) → how many calls were answered 2xx."""
    counts = collections.Counter()
    for call in calls:
        if call.status is not None and 200 <= call.status < 300:
            counts[call.event_id, call.path] += 1
    return counts


def check(producers, calls, paths_of, show=10):
    """Returns the counts. `paths_of(event id)`: the paths of the webhooks that match the event."""
    delivered = answered_2xx(calls)
    expected = {(event, path) for event in producers.accepted for path in paths_of(event)}
    lost = sorted(pair for pair in expected if not delivered[pair])
    reached = {event for event, _ in delivered}
    torn = sorted(event for event in producers.unknown & reached
                  if any(not delivered[event, path] for path in paths_of(event)))
    strange = []
    for call in calls:
        event = call.event_id
        if event not in producers.posted or event in producers.refused:
            strange.append((event, call.path, "not accepted"))
        elif call.path not in paths_of(event):
            strange.append((event, call.path, "no trigger"))
        elif call.content != producers.posted[event]:
            strange.append((event, call.path, "other content"))
    counts = {
        "accepted": len(producers.accepted),
        "unknown": len(producers.unknown),
        "unknown_delivered": len(producers.unknown & reached),
        "refused": len(producers.refused),
        "expected": len(expected),
        "delivered": sum(1 for pair in expected if delivered[pair]),
        "calls": len(calls),
        "lost": len(lost),
        "torn": len(torn),
        "duplicates": sum(count - 1 for count in delivered.values()),
        "strange": len(strange),
    }
    for name, found in (("lost", lost), ("torn", torn), ("strange", strange)):
        if found:
            counts[name + "_first"] = [str(one) for one in found[:show]]
    return counts


def report(counts, **more):
    """Prints the one line."""
    print(json.dumps({**more, **counts}), flush=True)
