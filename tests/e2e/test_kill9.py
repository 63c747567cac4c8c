"""kill -9 at random moments under load: nothing acknowledged is lost, nothing strange is sent.

--rounds N (or TRIGGERD_KILL_ROUNDS) and --seed N change the run; the seed is printed. Every fifth
kill comes while the process still starts and recovers.
"""

import os
import random
import sys
import time

import triggerd_process
from history import check, report
from load import Load
from server_case import ServerCase

PRODUCERS = 6
OPTIONS = None  # set by triggerd_process.main()


def add_arguments(parser):
    parser.add_argument("--rounds", type=int,
                        default=int(os.environ.get("TRIGGERD_KILL_ROUNDS", "30")))
    parser.add_argument("--seed", type=int, default=20260101)


class Kill9(ServerCase):
    def check_events(self, load):
        """The engine's own view after the drain: a sample of accepted events, all unknown ones."""
        for event in sorted(load.producers.accepted)[:200]:
            found = self.client.event(event)
            self.assertEqual(
                sorted(one["status"] for one in found["deliveries"]),
                ["delivered"] * len(load.paths_of(event)), found)
        delivered = {call.event_id for call in load.receiver.calls()}
        for event in sorted(load.producers.unknown)[:200]:
            status = self.client.get("/organizations/events/" + event).status
            self.assertEqual(status, 200 if event in delivered else 404, event)

    def test_nothing_acknowledged_is_lost(self):
        chance = random.Random(OPTIONS.seed)
        receiver = self.receive()
        load = Load(receiver, PRODUCERS)
        self.launch()
        load.register(self.client)
        load.begin()
        began = time.monotonic()
        slowest_start = 0.0
        recovery_kills = 0
        for number in range(OPTIONS.rounds):
            if number % 5 == 4:
                # In the middle of the start; some get as far as listening.
                self.engine.spawn()
                time.sleep(chance.uniform(0.005, 0.25))
                self.engine.kill()
                recovery_kills += 1
                continue
            if not self.engine.running():
                # Now and then most of the backlog does not fit into memory.
                self.folder.write_config({"delivery": {"max_in_memory": chance.choice((0, 100_000))}})
                at = time.monotonic()
                self.engine.start()
                slowest_start = max(slowest_start, time.monotonic() - at)
            load.resume(self.engine.port)
            time.sleep(chance.uniform(0.01, 1.5))
            self.engine.kill()
            load.pause()
        killed_seconds = time.monotonic() - began
        self.launch()
        load.resume(self.engine.port)
        time.sleep(0.5)  # the engine that recovered last takes load, too
        load.end()
        try:
            load.drain(90)
        except AssertionError as error:
            print(error, file=sys.stderr)  # the counts below say what is missing
        counts = check(load.producers, receiver.calls(), load.paths_of)
        report(counts, test="kill9", seed=OPTIONS.seed, kills=OPTIONS.rounds,
               kills_in_recovery=recovery_kills, kill_seconds=round(killed_seconds, 1),
               slowest_start_seconds=round(slowest_start, 2))
        self.assertEqual((counts["lost"], counts["torn"], counts["strange"]), (0, 0, 0))
        self.assertGreater(counts["accepted"], OPTIONS.rounds)
        self.check_events(load)
        self.assertEqual(self.engine.terminate(), 0)


if __name__ == "__main__":
    triggerd_process.main(add_arguments)
