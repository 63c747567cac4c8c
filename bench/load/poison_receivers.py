"""Receivers that go wrong, each in its own way, on 127.0.0.1: what a webhook may point at.

Two of each mode are twenty. `urls` are what webhooks are registered with; nothing is written down of
the calls but how many connections came.
"""
import asyncio
import contextlib
import socket
import struct
import threading

SLOW_SECONDS = 3
DRIP_SECONDS = 0.5
HUGE_PIECE = b"x" * 65536
CONNECTIONS_MAX = 4096


async def read_request(reader):
    """Reads one request and returns False when there is none any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return False
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await reader.readexactly(int(value))
    return True


async def answer_all(reader, writer, answer, delay=0):
    while await read_request(reader):
        await asyncio.sleep(delay)
        writer.write(answer)
        await writer.drain()


async def hang(reader, _writer):
    while await reader.read(65536):
        pass


async def drip(reader, writer):
    if not await read_request(reader):
        return
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def reset(reader, writer):
    await read_request(reader)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def status_500(reader, writer):
    await answer_all(reader, writer, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")


async def huge(reader, writer):
    if not await read_request(reader):
        return
    # Little more in the kernel than a caller reads: our own copying is not what is measured.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    while True:
        writer.write(HUGE_PIECE)
        await writer.drain()


async def no_tls(reader, writer):
    await reader.read(1024)
    writer.write(b"HTTP/1.1 400 This is no TLS\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def redirect(reader, writer):
    await answer_all(reader, writer, b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                                     b"Content-Length: 0\r\n\r\n")


async def early_close(_reader, _writer):
    return


async def slow(reader, writer):
    await answer_all(reader, writer, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", SLOW_SECONDS)


MODES = (hang, drip, reset, status_500, huge, no_tls, redirect, early_close, slow)
DEAD_DNS = "dead_dns"
MODE_NAMES = tuple(mode.__name__ for mode in MODES) + (DEAD_DNS,)


class PoisonReceivers:
    """`of_each` receivers of each of these modes, on a thread of their own, until stop()."""

    def __init__(self, of_each, modes=MODE_NAMES):
        self.urls = []
        self.connections = dict.fromkeys(modes, 0)
        # A name server that is there and never says a word.
        self._name_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._name_server.bind(("127.0.0.1", 0))
        self.name_server = "127.0.0.1:%d" % self._name_server.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._open = set()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(of_each, modes, ready), daemon=True)
        self._thread.start()
        ready.wait(10)

    def _run(self, of_each, modes, ready):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen(of_each, modes))
        ready.set()
        self._loop.run_forever()
        for task in self._open:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._open, return_exceptions=True))

    async def _listen(self, of_each, modes):
        for number in range(of_each):
            for mode in MODES:
                if mode.__name__ not in modes:
                    continue
                server = await asyncio.start_server(
                    lambda reader, writer, mode=mode: self._serve(mode, reader, writer),
                    "127.0.0.1", 0, backlog=1024)
                port = server.sockets[0].getsockname()[1]
                scheme = "https" if mode is no_tls else "http"
                self.urls.append(f"{scheme}://127.0.0.1:{port}/{mode.__name__}")
            if DEAD_DNS in modes:
                self.urls.append(f"http://poison{number}.example/{DEAD_DNS}")

    async def _serve(self, mode, reader, writer):
        task = asyncio.current_task()
        self.connections[mode.__name__] += 1
        if len(self._open) < CONNECTIONS_MAX:
            self._open.add(task)
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await mode(reader, writer)
            self._open.discard(task)
        writer.close()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._name_server.close()
