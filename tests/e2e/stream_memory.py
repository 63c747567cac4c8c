"""What a long NDJSON stream costs in memory: publishes --lines events over one stream and prints
the resident memory of the engine as it goes. Not a test: docs/PERFORMANCE.md has what it prints.

    python3 tests/e2e/stream_memory.py --binary build/bench/triggerd --lines 3000000
"""

import argparse
import pathlib
import socket
import threading
import time

import triggerd_process
from client import Client
from receivers import Receiver
from triggerd_process import API_KEY, ORG, Folder, Triggerd

STEPS = 12


def memory(pid):
    """Resident MiB, and how much of it is anonymous: heap and stacks."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return [int(status.split(name)[1].split()[0]) / 1024 for name in ("VmRSS:", "RssAnon:")]


class Stream:
    def __init__(self, port, lines, text_bytes):
        self.answered = 0
        self.refused = 0
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._lines = lines
        self._text = "x" * text_bytes
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._sender.start()
        self._reader.start()

    def _send(self):
        self._socket.sendall((
            f"POST /organizations/events HTTP/1.1\r\nHost: a\r\nSlashID-OrgID: {ORG}\r\n"
            f"SlashID-API-Key: {API_KEY}\r\nContent-Type: application/x-ndjson\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode())
        line = ('{"event_name":"PersonCreated_v1","content":{"text":"%s"}}\n' % self._text).encode()
        left = self._lines
        while left > 0:
            count = min(left, max(1, 32_000 // len(line)))
            piece = line * count
            self._socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            left -= count
        self._socket.sendall(b"0\r\n\r\n")

    def _read(self):
        while self.answered < self._lines:
            answer = self._socket.recv(1 << 16)
            if not answer:
                break
            # A mark that is cut in two is counted by neither piece: both counts are approximate.
            self.answered += answer.count(b'"line":')
            self.refused += answer.count(b'"errors":')

    def is_over(self):
        return not self._reader.is_alive()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--text-bytes", type=int, default=500)
    parser.add_argument("--webhooks", type=int, default=0, help="that every event goes to")
    options = parser.parse_args()
    triggerd_process._binary = options.binary.resolve()
    folder = Folder()
    receiver = Receiver()
    engine = Triggerd(folder)
    try:
        folder.write_config({"log": {"level": "warn"}})
        engine.start()
        client = Client(engine.port)
        for number in range(options.webhooks):
            client.create_webhook(receiver.url(f"/{number}"))
        idle, idle_anonymous = memory(engine.pid)
        print(f"{'lines':>10} {'resident':>9} {'growth':>7} {'of heap':>8}  seconds")
        begun = time.monotonic()
        print(f"{0:>10} {idle:>9.0f}")
        stream = Stream(engine.port, options.lines, options.text_bytes)
        step = max(1, options.lines // STEPS)
        next_at = step
        over = False
        while not over:
            time.sleep(0.05)
            over = stream.is_over()
            if stream.answered < next_at and not over:
                continue
            now, anonymous = memory(engine.pid)
            print(f"{stream.answered:>10} {now:>9.0f} {now - idle:>7.0f} "
                  f"{anonymous - idle_anonymous:>8.0f}  {time.monotonic() - begun:.0f}", flush=True)
            next_at += step
        print(f"refused: {stream.refused}")
    finally:
        if engine.running():
            engine.kill()
        receiver.stop()
        folder.remove()


if __name__ == "__main__":
    main()
