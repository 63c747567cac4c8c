"""Receivers that go wrong, each in its own way, on 127.0.0.1: what a webhook may point at.

Two of each mode are twenty. `urls` are what webhooks are registered with; nothing is written down of
the calls but how many connections came.
"""
import asyncio
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/e2e"))

from faulty_receivers import FAULTS, OK, FaultyReceivers, read_request  # noqa: E402

SLOW_SECONDS = 3


async def slow(reader, writer):
    while await read_request(reader):
        await asyncio.sleep(SLOW_SECONDS)
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        await writer.drain()


async def no_tls(reader, writer):
    await reader.read(1024)
    writer.write(b"HTTP/1.1 400 This is no TLS\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


MODES = {
    "hang": FAULTS["hang_before_answer"],
    "drip": FAULTS["drip"],
    "reset": FAULTS["reset_before_answer"],
    "status_500": FAULTS["server_error"],
    "huge": FAULTS["huge_body"],
    "no_tls": no_tls,
    "redirect": FAULTS["redirect"],
    "early_close": FAULTS["close_before_request"],
    "slow": slow,
}
DEAD_DNS = "dead_dns"
MODE_NAMES = (*MODES, DEAD_DNS)


class PoisonReceivers:
    """`of_each` receivers of each of these modes, on a thread of their own, until stop()."""

    def __init__(self, of_each, modes=MODE_NAMES):
        self._modes = modes
        names = {f"{mode}/{number}": serve for mode, serve in MODES.items() if mode in modes
                 for number in range(of_each)}
        self._receivers = FaultyReceivers(names)
        self.urls = [url.replace("http:", "https:") if name.startswith("no_tls/") else url
                     for name, url in self._receivers.urls.items()]
        # A name server that is there and never says a word.
        self._name_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._name_server.bind(("127.0.0.1", 0))
        self.name_server = "127.0.0.1:%d" % self._name_server.getsockname()[1]
        if DEAD_DNS in modes:
            self.urls += [f"http://poison{number}.example/{DEAD_DNS}" for number in range(of_each)]

    @property
    def connections(self):
        """How many came, by mode."""
        counts = dict.fromkeys(self._modes, 0)
        for name, count in self._receivers.connections.items():
            counts[name.split("/")[0]] += count
        return counts

    def stop(self):
        self._receivers.stop()
        self._name_server.close()
