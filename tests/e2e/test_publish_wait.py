"""Prefer: wait=N on publishing: the answer tells what the first attempts came to."""

import http.client
import json
import signal
import socket
import struct
import threading
import time

import triggerd_process
from client import new_event, wait_until
from receivers import Reply
from server_case import ServerCase

EVENTS = "/organizations/events"


class PublishWait(ServerCase):
    def publish(self, *events, wait=10, client=None):
        """The answer and how long it took."""
        begun = time.monotonic()
        answer = (client or self.client).post(EVENTS, list(events),
                                              headers={"Prefer": f"wait={wait}"})
        return answer, time.monotonic() - begun

    def outcomes(self, entry):
        return {one["webhook_id"]: (one["outcome"], one.get("status"))
                for one in entry["deliveries"]}

    def webhook_answering(self, receiver, path, *statuses, **more):
        replies = iter(statuses)
        receiver.on(path, lambda call: Reply(next(replies, 200), **more))
        return self.client.create_webhook(receiver.url(path), timeout="20s")

    def test_the_answer_tells_what_each_first_attempt_came_to(self):
        self.launch()
        receiver = self.receive()
        good = self.webhook_answering(receiver, "/good", 200, delay=0.5)
        bad = self.webhook_answering(receiver, "/bad", 503)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nobody = self.client.create_webhook(
                f"http://127.0.0.1:{closed.getsockname()[1]}/nobody")
            event = new_event()
            answer, seconds = self.publish(event, new_event("PersonDeleted_v1"))
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["Preference-Applied"], "wait=10")
        self.assertGreaterEqual(seconds, 0.5)
        self.assertLess(seconds, 10)
        first, second = answer.result
        self.assertEqual(self.outcomes(first), {good: ("ok", 200), bad: ("http_error", 503),
                                                nobody: ("connect", None)})
        self.assertEqual((first["webhooks"], first["duplicate"]), (3, False))
        self.assertEqual(second["deliveries"], [])
        # What it told is stored: nothing to wait for.
        statuses = {one["webhook_id"]: (one["status"], one["attempts"])
                    for one in self.client.event(event["event_id"])["deliveries"]}
        self.assertEqual(statuses[good], ("delivered", 1))
        self.assertGreaterEqual(statuses[bad][1], 1)  # it is tried again meanwhile
        # A repeat is delivered to nobody, and waits for nothing.
        again, seconds = self.publish(event)
        self.assertLess(seconds, 5)
        self.assertEqual([(one["duplicate"], one["deliveries"]) for one in again.result],
                         [(True, [])])

    def test_what_is_open_when_the_time_is_up_is_pending(self):
        self.launch()
        receiver = self.receive()
        slow = self.webhook_answering(receiver, "/slow", 200, delay=4.0)
        answer, seconds = self.publish(new_event(), wait=1)
        self.assertEqual((answer.status, answer.headers["Preference-Applied"]), (202, "wait=1"))
        self.assertEqual(self.outcomes(answer.result[0]), {slow: ("pending", None)})
        self.assertGreaterEqual(seconds, 1)
        self.assertLess(seconds, 3.5)

    def test_without_the_header_nothing_is_waited_for_and_nothing_shown(self):
        self.launch()
        receiver = self.receive()
        self.webhook_answering(receiver, "/slow", 200, delay=3.0)
        begun = time.monotonic()
        answer = self.client.post(EVENTS, new_event())
        self.assertLess(time.monotonic() - begun, 2.5)
        self.assertEqual(sorted(answer.result[0]), ["duplicate", "event_id", "webhooks"])
        self.assertIsNone(answer.headers["Preference-Applied"])
        refused = self.client.post(EVENTS, new_event(), headers={"Prefer": "wait=21"})
        self.assertEqual(refused.status, 400)
        self.assertIn("from 1 to 20", refused.messages[0])

    def test_a_stop_answers_who_waits(self):
        self.launch()
        receiver = self.receive()
        slow = self.webhook_answering(receiver, "/slow", 200, delay=3.0)
        waiting = self.connect()
        answers = []
        event = new_event()
        thread = threading.Thread(
            target=lambda: answers.append(self.publish(event, wait=20, client=waiting)))
        thread.start()
        wait_until(lambda: receiver.calls("/slow"), "the call")
        self.engine.send(signal.SIGTERM)
        thread.join(30)
        self.assertEqual(self.engine.wait(), 0)
        (answer, seconds), = answers
        self.assertEqual(answer.status, 202)
        self.assertEqual(self.outcomes(answer.result[0]), {slow: ("pending", None)})
        self.assertLess(seconds, 15)
        self.launch()
        self.wait_status(event["event_id"], "delivered")
        self.assertEqual(len(receiver.calls("/slow")), 1)

    def test_who_waits_when_the_process_dies_loses_the_answer_and_nothing_else(self):
        self.launch()
        receiver = self.receive()
        self.webhook_answering(receiver, "/slow", 200, delay=2.0)
        waiting = self.connect()
        event = new_event()
        lost = []

        def publish():
            try:
                self.publish(event, wait=20, client=waiting)
            except Exception as error:  # pylint: disable=broad-except
                lost.append(error)

        thread = threading.Thread(target=publish)
        thread.start()
        wait_until(lambda: receiver.calls("/slow"), "the call")
        self.engine.kill()
        thread.join(30)
        self.assertEqual(len(lost), 1)
        self.launch()
        self.wait_status(event["event_id"], "delivered")
        answer, _ = self.publish(event, wait=5)
        self.assertEqual([one["duplicate"] for one in answer.result], [True])

    def test_who_goes_away_is_forgotten_and_the_event_is_delivered(self):
        self.launch()
        receiver = self.receive()
        self.webhook_answering(receiver, "/slow", 200, delay=1.0)
        event = new_event()
        connection = http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=30)
        connection.request("POST", EVENTS, body=json.dumps(event).encode(),
                           headers={**self.client.headers, "Content-Type": "application/json",
                                    "Prefer": "wait=20"})
        wait_until(lambda: receiver.calls("/slow"), "the call")
        # A reset: closing alone could be a client that still reads.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        self.wait_status(event["event_id"], "delivered")
        self.assertEqual(len(receiver.calls("/slow")), 1)
        self.assertEqual(self.engine.terminate(), 0)


if __name__ == "__main__":
    triggerd_process.main()
