"""The tour of README.md is run as it stands there, with other ports and this binary."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import triggerd_process
from client import wait_until

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
SECONDS_MAX = 100
END = "\necho 'tour: ended'\n"  # not said when a step before it has failed


def commands():
    """The tour's shell commands, block by block."""
    section = README.read_text().split("## A tour with curl\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def free_ports(count):
    """Held open together, so that they differ; another process could take one before we do."""
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


class ReadmeTour(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="triggerd-tour-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_tour(self):
        """Runs it in a process group of its own, which is ended with the test; what it printed."""
        port, receiver_port = free_ports(2)
        script = "set -euo pipefail\n" + "\n".join(commands()) + END
        for old, new in (("build/release/triggerd", str(triggerd_process.binary())),
                         ("localhost:8080", f"127.0.0.1:{port}"), ("9000", str(receiver_port)),
                         ("sleep 1", "sleep 5")):  # a busy machine
            self.assertIn(old, script)
            script = script.replace(old, new)
        out, log = self.folder / "out.txt", self.folder / "log.txt"
        with open(out, "wb") as to_out, open(log, "wb") as to_log:
            tour = subprocess.Popen(
                ["bash", "-c", script], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=to_out,
                stderr=to_log, start_new_session=True, env=triggerd_process.environment(
                    {"TRIGGERD_SERVER__LISTEN": f"127.0.0.1:{port}", "PYTHONUNBUFFERED": "1"}))
        self.addCleanup(self.end, tour)
        code = tour.wait(timeout=SECONDS_MAX)
        printed = out.read_text()
        self.assertEqual(code, 0, printed + log.read_text())
        self.assertIn("tour: ended", printed)
        return printed.splitlines()

    @staticmethod
    def end(tour):
        """The engine and the receiver of the tour stay in its group when the shell has ended."""
        try:
            os.killpg(tour.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        tour.wait()

    def calls(self):
        return [line.split() for line in (self.folder / "calls.txt").read_text().splitlines()]

    def test_every_step_does_what_the_text_says(self):
        lines = [line for line in self.run_tour() if line.startswith("{")]
        answers = [json.loads(line) for line in lines]
        # The first two steps keep what they print.
        trigger, event, jwks, structured, binary, *stream, hook_trigger, hook, emitted = answers
        self.assertEqual((trigger, hook_trigger), ({}, {}))
        self.assertEqual(event["result"]["content"], {"person_id": "p-1"})
        self.assertEqual(len(event["result"]["deliveries"]), 1)
        self.assertEqual(jwks["keys"][0]["alg"], "ES256")
        for published in (structured, binary):
            self.assertEqual([(one["duplicate"], one["webhooks"]) for one in published["result"]],
                             [(False, 1)])
        self.assertEqual([(one["line"], one["result"]["webhooks"]) for one in stream],
                         [(1, 1), (2, 1), (3, 1)])
        self.assertEqual(hook["result"]["decision"], "continue")
        self.assertEqual(hook["result"]["claims"], {"department": "R&D"})
        # Seven events and the hook arrive at the tour's receiver, each as a token.
        wait_until(lambda: len(self.calls()) >= 9, "nine calls")
        delivered = [call for call in self.calls() if call[0] == "/crm"]
        self.assertEqual(len({call_id for _, call_id, _ in delivered}), 8)
        self.assertTrue(all(token.startswith("eyJ") for _, _, token in delivered))
        # And the last one once more, from `listen`, as it is.
        ((_, call_id, body),) = [call for call in self.calls() if call[0] == "/mine"]
        self.assertEqual(call_id, emitted["result"][0]["event_id"])
        self.assertTrue(body.startswith('{"event_metadata":{'))
        self.assertIn(event["result"]["event_id"], {call_id for _, call_id, _ in self.calls()})


if __name__ == "__main__":
    triggerd_process.main()
