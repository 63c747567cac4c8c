"""Events come in as CloudEvents (sent by npm's `cloudevents`) and as a stream of lines, and are
known again after a kill -9."""

import http.client
import json
import pathlib
import subprocess
import threading

import triggerd_process
from client import wait_until
from server_case import ServerCase
from triggerd_process import API_KEY, ORG

CONFORMANCE = pathlib.Path(__file__).resolve().parent.parent / "conformance"
EVENTS = "/organizations/events"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LINES = 20_000  # of the long stream
GROWTH_MIB_MAX = 64


class PublishFormats(ServerCase):
    def send_with_sdk(self):
        """The requests of send_cloudevents.mjs: by mode, the results."""
        if not (CONFORMANCE / "node_modules" / "cloudevents").is_dir():
            raise AssertionError("cloudevents is not installed: run ./setup --tests --deps")
        done = subprocess.run(
            ["node", "send_cloudevents.mjs", f"http://127.0.0.1:{self.engine.port}{EVENTS}", ORG,
             API_KEY], cwd=CONFORMANCE, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = {}
        for line in done.stdout.splitlines():
            answer = json.loads(line)
            self.assertEqual(answer["status"], 202, answer)
            answers[answer["mode"]] = json.loads(answer["body"])["result"]
        return answers

    def test_cloudevents_of_the_sdk_reach_the_webhook(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/hook"))
        answers = self.send_with_sdk()
        self.assertEqual([one["duplicate"] for one in answers["binary again"]], [False])
        self.assertEqual([one["duplicate"] for one in answers["structured again"]], [True])
        self.assertEqual(answers["binary again"][0]["event_id"],
                         answers["structured again"][0]["event_id"])
        self.assertEqual(len(answers["batched"]), 2)
        calls = wait_until(lambda: len(found := receiver.calls("/hook")) >= 5 and found, "5 calls")
        self.assertEqual({call.content["person"] for call in calls},
                         {"structured", "binary", "named", "first", "second"})
        for call in calls:
            (traceparent,) = call.values("traceparent")
            self.assertEqual(traceparent.split("-")[1], TRACE)

    def test_an_id_that_is_no_uuid_is_known_after_a_kill(self):
        self.launch()
        body = json.dumps({"specversion": "1.0", "id": "order-7", "source": "/shop",
                           "type": "PersonCreated_v1", "data": {"n": 1}}).encode()
        headers = {"Content-Type": "application/cloudevents+json"}
        (first,) = self.client.post(EVENTS, body, headers=headers).result
        self.assertFalse(first["duplicate"])
        self.engine.kill()
        self.launch()
        (again,) = self.client.post(EVENTS, body, headers=headers).result
        self.assertEqual(again, {**first, "duplicate": True})

    def stream(self, lines):
        """Sends lines in chunks while the answer is read; the answers, one for each line."""
        connection = http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=120)
        self.addCleanup(connection.close)
        connection.putrequest("POST", EVENTS)
        for name, value in (("SlashID-OrgID", ORG), ("SlashID-API-Key", API_KEY),
                            ("Content-Type", "application/x-ndjson"),
                            ("Transfer-Encoding", "chunked")):
            connection.putheader(name, value)
        connection.endheaders()
        raw = connection.sock

        def send():
            piece = b""
            for line in lines:
                piece += line + b"\n"
                if len(piece) > 16_000:
                    raw.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                    piece = b""
            if piece:
                raw.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            raw.sendall(b"0\r\n\r\n")

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = http.client.HTTPResponse(raw, method="POST")
        answer.begin()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Content-Type"), "application/x-ndjson")
        for line in answer:
            yield json.loads(line)
        sender.join(timeout=10)

    def test_a_stream_is_answered_line_by_line(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/hook"))
        good = b'{"event_name":"PersonCreated_v1","content":{"n":%d}}'
        answers = list(self.stream([good % 1, b"{", b'{"event_name":"Unknown_v1"}', good % 4]))
        self.assertEqual([answer["line"] for answer in answers], [1, 2, 3, 4])
        self.assertEqual([answer["result"]["webhooks"] for answer in answers if "result" in answer],
                         [1, 1])
        self.assertEqual([answer["errors"][0]["httpcode"] for answer in answers
                          if "errors" in answer], [400, 400])
        calls = wait_until(lambda: len(found := receiver.calls("/hook")) == 2 and found, "2 calls")
        self.assertEqual({call.content["n"] for call in calls}, {1, 4})

    def test_a_long_stream_takes_no_more_memory_than_a_short_one(self):
        self.launch()
        line = b'{"event_name":"PersonCreated_v1","content":{"n":%d,"text":"' + b"x" * 500 + b'"}}'
        before = self.engine.memory_mib()
        count = 0
        for answer in self.stream(line % n for n in range(LINES)):
            count += 1
            self.assertEqual(answer["line"], count)
            self.assertIn("result", answer)
        self.assertEqual(count, LINES)
        if not self.engine.is_sanitized():
            self.assertLess(self.engine.memory_mib() - before, GROWTH_MIB_MAX)


if __name__ == "__main__":
    triggerd_process.main()
