"""`triggerd listen`: events here, forwarded to a local URL, and nothing lost by an end."""

import json
import re
import signal
import socket
import subprocess
import time

import triggerd_process
from client import wait_until
from receivers import Reply
from server_case import ServerCase
from triggerd_process import ORG, environment, run_command


class Listen(ServerCase):
    def setUp(self):
        super().setUp()
        self.cursor = self.folder.path / "listen.cursor"

    def arguments(self, *more, cursor=True, key_file=None, port=None):
        place = ("--cursor-file", str(self.cursor)) if cursor else ("--no-cursor",)
        return ("listen", "--server", f"http://127.0.0.1:{port or self.engine.port}", "--org", ORG,
                "--api-key-file", str(key_file or self.folder.key_file), *place, *more)

    def listen(self, *more, **options):
        """The process, once it is ready; out() and err() are what it has printed."""
        with open(self.folder.path / "out", "ab") as out, \
                open(self.folder.path / "err", "wb") as err:
            process = subprocess.Popen(
                [str(triggerd_process.binary()), *self.arguments(*more, **options)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment())
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait()))
        wait_until(lambda: "Ready" in self.err() or process.poll() is not None, "ready")
        self.assertIsNone(process.poll(), self.err())
        return process

    def out(self):
        return (self.folder.path / "out").read_text()

    def err(self):
        return (self.folder.path / "err").read_text()

    def test_prints_both_ways_and_forwards_what_is_delivered(self):
        self.launch()
        local = self.receive()
        webhooks = self.receive()
        local.on("/hook", lambda call: Reply(201))
        self.client.create_webhook(webhooks.url("/x"))
        process = self.listen("--forward-to", f"127.0.0.1:{local.port}/hook", "--on", "Person*")
        self.client.publish("TokenMinted_v1")
        (event,) = self.client.publish(
            {"event_name": "PersonCreated_v1", "content": {"n": 1.50, "text": "a"}})
        (call,) = wait_until(lambda: local.calls(), "a call")
        self.assertEqual((call.method, call.path), ("POST", "/hook"))
        self.assertEqual(call.values("webhook-id"), [event])
        self.assertEqual(call.values("content-type"), ["application/json"])
        self.assertLess(abs(int(call.values("webhook-timestamp")[0]) - time.time()), 60)
        (delivered,) = wait_until(lambda: webhooks.calls(), "the webhook's call")
        self.assertEqual(json.loads(call.body), delivered.claims["trigger_content"])
        self.assertIn(b'"n": 1.5, "text": "a"}', call.body)
        wait_until(lambda: "<--" in self.out(), "the answer's line")
        there, back = self.out().splitlines()
        self.assertRegex(there, rf"^\d\d:\d\d:\d\d\.\d{{3}} --> PersonCreated_v1  {event}$")
        self.assertRegex(back, rf"^\d\d:\d\d:\d\d\.\d{{3}} <-- 201 POST "
                               rf"http://127\.0\.0\.1:{local.port}/hook  \d+ ms  {event}$")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)

    def test_nothing_is_lost_when_it_is_killed(self):
        self.launch()
        local = self.receive()
        local.on("/hook", lambda call: Reply(200, delay=0.02))
        forward = ("--forward-to", local.url("/hook"))
        process = self.listen(*forward)
        ids = self.client.publish(*["PersonCreated_v1"] * 40)
        wait_until(lambda: len(local.calls()) >= 10, "some calls")
        process.kill()
        process.wait()
        ids += self.client.publish(*["PersonCreated_v1"] * 5)  # while it does not run
        self.assertEqual(self.engine.terminate(), 0)
        self.launch()
        process = self.listen(*forward)
        self.assertIn("Going on where it left off", self.err())
        ids += self.client.publish("PersonCreated_v1")

        def forwarded():
            return [call.values("webhook-id")[0] for call in local.calls()]

        wait_until(lambda: ids[-1] in forwarded(), "the last one")
        got = forwarded()
        once = [one for at, one in enumerate(got) if one not in got[:at]]
        self.assertEqual(once, ids, "in order, and all of them")
        self.assertLessEqual(len(got) - len(once), 1, "at most the one under way comes twice")

    def test_it_connects_again_and_waits_for_the_local_receiver(self):
        self.launch()
        port = self.engine.port
        local = self.receive()
        forward = ("--forward-to", local.url("/hook"))
        process = self.listen(*forward)
        (first,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: local.calls(), "the first")
        local.stop()
        (second,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: "the event waits" in self.err(), "a hint")
        self.engine.kill()
        self.folder.write_config({"server": {"listen": f"127.0.0.1:{port}"}})
        self.launch()
        local.start()
        (third,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: len(local.calls()) == 3, "all")
        self.assertEqual([call.values("webhook-id")[0] for call in local.calls()],
                         [first, second, third])
        self.assertIsNone(process.poll())

    def test_json_is_for_programs(self):
        self.launch()
        process = self.listen("--print-json", cursor=False)
        ids = self.client.publish("PersonCreated_v1", "TokenMinted_v1")
        wait_until(lambda: len(self.out().splitlines()) == 2, "two lines")
        lines = [json.loads(line) for line in self.out().splitlines()]
        self.assertEqual([line["event_id"] for line in lines], ids)
        self.assertIn("event_metadata", lines[0]["content"])
        self.assertIn("-->", self.err())
        self.assertFalse(self.cursor.exists())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)

    def test_errors_say_what_to_do(self):
        self.launch()

        def outcome(*more, **options):
            done = run_command(*self.arguments(*more, **options))
            self.assertEqual(done.stdout, "")
            return done.returncode, done.stderr

        wrong = self.folder.path / "wrong.key"
        wrong.write_text("a-key-that-nobody-has-given-out\n")
        code, text = outcome(key_file=wrong)
        self.assertEqual((code, "the API key is not known" in text), (4, True), text)
        code, text = outcome(key_file=self.folder.other_key_file)
        self.assertEqual((code, "belongs to another organization" in text), (4, True), text)
        code, text = outcome(key_file=self.folder.path / "none")
        self.assertEqual(code, 2, text)
        code, text = outcome("--on", "a,,b")
        self.assertEqual((code, "query parameter on: " in text), (2, True), text)
        code, text = outcome("--forward-to", "ftp://here/")
        self.assertEqual((code, "must be an http or https URL" in text), (2, True), text)
        self.cursor.write_text("what is this\n")
        code, text = outcome()
        self.assertEqual((code, "has no position in it" in text), (2, True), text)
        self.cursor.unlink()
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            code, text = outcome(port=unused.getsockname()[1])
            self.assertEqual(code, 6, text)
        done = run_command("listn")
        self.assertEqual((done.returncode, "did you mean: triggerd listen?" in done.stderr),
                         (2, True))

    def test_a_name_that_nobody_has_is_hinted_at(self):
        self.launch()
        self.listen("--on", "Authenticaton*,PersonCreated_v1", cursor=False)
        hint = re.search(r"No event type is called (\S+); did you mean (\S+)\?", self.err())
        self.assertEqual(hint.group(1), "Authenticaton*")
        self.assertTrue(hint.group(2).startswith("Authentication"), hint.group(2))


if __name__ == "__main__":
    triggerd_process.main()
