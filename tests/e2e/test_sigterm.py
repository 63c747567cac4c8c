"""SIGTERM: what was taken is answered, what is on the wire ends, nothing is lost or repeated."""

import json
import signal
import socket
import time

import triggerd_process
from client import AnswerLost, NotSent, new_event, wait_until
from history import check, report
from load import Load
from receivers import Reply
from server_case import ServerCase

ROUNDS = 4


GONE = object()  # instead of an answer


class Sigterm(ServerCase):
    def hang(self, seconds, path="/hang"):
        """A webhook whose first call takes this long; returns the receiver and an event for it."""
        receiver = self.receive()
        delays = iter([seconds])
        receiver.on(path, lambda call: Reply(200, delay=next(delays, 0)))
        self.client.create_webhook(receiver.url(path), timeout="20s")
        (event,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: receiver.calls(path), "the call to be on the wire")
        return receiver, event

    def wait_draining(self):
        wait_until(lambda: "draining" in self.folder.log_text(), "the engine to drain")

    def test_under_load_nothing_is_lost_and_nothing_repeated(self):
        receiver = self.receive()
        load = Load(receiver, 6)
        self.launch()
        load.register(self.client)
        load.begin()
        codes = []
        for number in range(ROUNDS):
            if number:
                self.engine.start()
            load.resume(self.engine.port)
            time.sleep(1.0)
            self.assertTrue(load.outstanding())
            codes.append(self.engine.terminate())
            load.pause()
        self.launch()
        load.end()
        load.drain(90)
        counts = check(load.producers, receiver.calls(), load.paths_of)
        report(counts, test="sigterm", rounds=ROUNDS)
        self.assertEqual(codes, [0] * ROUNDS)
        self.assertEqual({name: counts[name] for name in ("lost", "torn", "duplicates", "strange")},
                         {"lost": 0, "torn": 0, "duplicates": 0, "strange": 0})
        # A request that was taken is answered: a lost answer means that it was never taken.
        self.assertEqual(counts["unknown_delivered"], 0)
        self.assertGreater(counts["accepted"], 50)

    def drained(self):
        """The one line that tells of the stop."""
        lines = [json.loads(line) for line in self.folder.log_text().splitlines()
                 if '"msg":"drained"' in line]
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def test_the_log_tells_what_ended_and_what_is_parked(self):
        self.folder.write_config({"delivery.breaker": {"failures": 0},
                                  "delivery.retry": {"schedule": ["1h"], "jitter": 0}})
        self.launch()
        receiver = self.receive()
        receiver.on("/down", lambda call: 500)
        self.client.create_webhook(receiver.url("/down"))
        delayed = self.client.publish(*[new_event() for _ in range(3)])
        for event in delayed:
            wait_until(lambda: self.client.event(event)["deliveries"][0]["attempts"] == 1,
                       "a first attempt that failed")
        self.hang(1.5)  # of two webhooks: one fails at once
        # It has failed when it is counted, not yet when it has come.
        wait_until(lambda: self.client.get("/organizations/deliveries/pending").result["delayed"]
                   == 4, "the fourth call to fail")
        self.assertEqual(self.engine.terminate(), 0)
        line = self.drained()
        self.assertEqual({name: line[name] for name in (
            "attempts", "attempts_cut", "parked", "parked_delayed")},
            {"attempts": 1, "attempts_cut": 0, "parked": 4, "parked_delayed": 4})
        self.assertGreater(line["duration_s"], 0.2)
        self.assertIn("requests", line)

    def test_a_call_that_is_cut_off_is_told_and_parked(self):
        self.folder.write_config({"server": {"drain_timeout": "300ms"}})
        self.launch()
        self.hang(8.0)
        self.assertEqual(self.engine.terminate(), 0)
        line = self.drained()
        self.assertEqual((line["attempts"], line["attempts_cut"], line["parked"]), (0, 1, 1))

    def test_a_call_on_the_wire_is_waited_for_and_not_repeated(self):
        self.launch()
        receiver, event = self.hang(2.0)
        self.assertEqual(self.engine.terminate(), 0)
        self.launch()
        found = self.wait_status(event, "delivered")
        self.assertEqual(found["deliveries"][0]["attempts"], 1)
        self.assertEqual(len(receiver.calls()), 1)

    def test_the_grace_ends_and_the_call_is_made_again_after_the_restart(self):
        self.folder.write_config({"server": {"drain_timeout": "500ms"}})
        self.launch()
        receiver, event = self.hang(8.0)
        at = time.monotonic()
        self.assertEqual(self.engine.terminate(), 0)
        self.assertLess(time.monotonic() - at, 7.0)
        self.launch()
        self.wait_status(event, "delivered")
        self.assertEqual(len(receiver.calls()), 2)

    def test_a_second_signal_ends_the_process_at_once(self):
        self.launch()
        receiver, event = self.hang(15.0)
        self.engine.send(signal.SIGTERM)
        self.wait_draining()
        at = time.monotonic()
        self.engine.send(signal.SIGTERM)
        self.assertEqual(self.engine.wait(), 1)
        self.assertLess(time.monotonic() - at, 10.0)
        self.launch()
        self.wait_status(event, "delivered")
        self.assertEqual(len(receiver.calls()), 2)

    def test_sigint_ends_it_as_well(self):
        self.launch()
        self.engine.send(signal.SIGINT)
        self.assertEqual(self.engine.wait(), 0)

    @staticmethod
    def not_ready(client):
        """The answer that is not 200, GONE when none is given any more, else None."""
        try:
            answer = client.get("/readyz")
        except (AnswerLost, NotSent):
            return GONE  # not taken any more, which says it, too
        return answer if answer.status != 200 else None

    def test_nobody_is_told_ready_while_it_drains(self):
        self.launch()
        self.assertEqual(self.client.get("/readyz").status, 200)
        self.hang(3.0)
        stranger = self.connect()
        self.assertEqual(stranger.get("/readyz").status, 200)
        self.engine.send(signal.SIGTERM)
        self.wait_draining()
        for client in (stranger, self.connect()):
            # The I/O threads learn of it by message, so the first answers may still be 200.
            answer = wait_until(lambda: self.not_ready(client), "an end of being ready")
            if answer is not GONE:
                self.assertEqual(answer.status, 503)
                self.assertIn("draining", answer.messages[0])
        self.assertEqual(self.engine.wait(), 0)

    def test_idle_connections_do_not_hold_up_the_end(self):
        self.launch()
        with socket.create_connection(("127.0.0.1", self.engine.port)) as idle:
            self.assertEqual(self.client.get("/livez").status, 200)  # stays open, and idle
            at = time.monotonic()
            self.engine.send(signal.SIGTERM)
            self.assertEqual(self.engine.wait(), 0)
            self.assertLess(time.monotonic() - at, 8.0)
            idle.settimeout(5)
            self.assertEqual(idle.recv(1), b"")

    def test_half_a_request_holds_it_up_no_longer_than_the_grace(self):
        self.folder.write_config({"server": {"drain_timeout": "1s"}})
        self.launch()
        with socket.create_connection(("127.0.0.1", self.engine.port)) as halfway:
            halfway.sendall(b"POST /organizations/events HTTP/1.1\r\nHost: a\r\n")
            time.sleep(0.2)
            at = time.monotonic()
            self.engine.send(signal.SIGTERM)
            self.assertEqual(self.engine.wait(), 0)
            self.assertLess(time.monotonic() - at, 8.0)


if __name__ == "__main__":
    triggerd_process.main()
