"""What most tests start from: one engine on a folder of its own, a receiver and a client."""

import sys
import unittest

from client import Client, wait_until
from receivers import Receiver
from triggerd_process import Folder, Triggerd


class ServerCase(unittest.TestCase):
    """`changes` alters the configuration. The engine is started by the test, with launch()."""

    changes = {}

    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.folder.write_config(self.changes)
        self.engine = Triggerd(self.folder)
        self.addCleanup(self._end)

    def _end(self):
        if self.engine.running():
            self.engine.kill()
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            print("--- log of the engine ---\n" + self.folder.log_text()[-6000:], file=sys.stderr)

    def launch(self, *arguments, env=None):
        """Starts the engine (again) and connects self.client to it."""
        self.engine.start(*arguments, env=env)
        self.client = self.connect()

    def connect(self, **identity):
        """A client that is closed at the end of the test."""
        client = Client(self.engine.port, **identity)
        self.addCleanup(client.close)
        return client

    def receive(self, tls=None):
        """A receiver that is stopped at the end of the test."""
        receiver = Receiver(tls=tls)
        self.addCleanup(receiver.stop)
        return receiver

    def wait_status(self, event, status, seconds=30):
        """Waits until every delivery of the event has this status; returns the event."""
        return wait_until(
            lambda: (found := self.client.event(event)) and all(
                one["status"] == status for one in found["deliveries"]) and found,
            f"deliveries of {event} to be {status}", seconds)
