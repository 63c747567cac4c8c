"""Receivers that break the rules, one port each on 127.0.0.1: what a webhook may point at.

`FAULTS` maps the name of a fault to the function that serves one connection. What they send is bounded
by the engine hanging up, by stop(), and by BYTES_MAX.
"""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import threading

BYTES_MAX = 2 << 30
CONNECTIONS_MAX = 4096  # at once; more are closed as they come
PIECE = b"x" * 65536
OK = b"HTTP/1.1 200 OK\r\n"


async def read_request(reader):
    """Reads one request; False when there is none any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                await reader.readexactly(int(value))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return False
    return True


async def hang(reader):
    while await reader.read(65536):
        pass


async def pour(writer, piece):
    """Sends the piece again and again."""
    for _ in range(BYTES_MAX // len(piece)):
        writer.write(piece)
        await writer.drain()


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))


def close(_writer):
    pass


def says(answer, then=None):
    """Answers a request so; then hangs, resets, closes, or (without) reads the next request."""
    async def serve(reader, writer):
        while await read_request(reader):
            writer.write(answer)
            await writer.drain()
            if then is hang:
                return await hang(reader)
            if then is not None:
                return then(writer)
        return None
    return serve


def pours(start, piece):
    async def serve(reader, writer):
        if await read_request(reader):
            # Little more in the kernel than the engine reads.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            writer.write(start)
            await pour(writer, piece)
    return serve


async def hang_before_request(_reader, _writer):
    await asyncio.sleep(3600)


async def reset_before_request(reader, writer):
    await reader.read(1)
    reset(writer)


async def close_before_request(_reader, _writer):
    return


async def drip(reader, writer):
    if not await read_request(reader):
        return
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(1)


async def reset_while_idle(reader, writer):
    """Answers one request well, and resets the connection when the next one comes."""
    if await read_request(reader):
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read(1)
        reset(writer)


def status(line, *fields):
    lines = [b"HTTP/1.1 " + line, b"Content-Length: 0", *fields]
    return says(b"\r\n".join(lines) + b"\r\n\r\n")


def gzip_bomb():
    bomb = gzip.compress(bytes(64 << 20))
    return says(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)


HALF_HEAD = OK + b"X-Half: "
HALF_BODY = OK + b"Content-Length: 9\r\n\r\nhalf"

FAULTS = {
    "hang_before_request": hang_before_request,
    "hang_before_answer": says(b"", hang),
    "hang_in_head": says(HALF_HEAD, hang),
    "hang_in_body": says(HALF_BODY, hang),
    "reset_before_request": reset_before_request,
    "reset_before_answer": says(b"", reset),
    "reset_in_head": says(HALF_HEAD, reset),
    "reset_in_body": says(HALF_BODY, reset),
    "close_before_request": close_before_request,
    "close_before_answer": says(b"", close),
    "close_in_head": says(HALF_HEAD, close),
    "close_in_body": says(HALF_BODY, close),
    "drip": drip,
    "long_header": pours(OK + b"X-Long: ", PIECE),
    "many_headers": pours(OK, b"X-Many: 1\r\n" * 1000),
    "huge_body": pours(OK + b"Content-Length: %d\r\n\r\n" % BYTES_MAX, PIECE),
    "endless_chunks": pours(OK + b"Transfer-Encoding: chunked\r\n\r\n",
                            b"8000\r\n" + b"x" * 32768 + b"\r\n"),
    "gzip_bomb": gzip_bomb(),
    "endless_103": pours(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100),
    "not_http": says(b"220 mail.example ESMTP\r\n", hang),
    "http_09": says(b"<html>hello</html>", close),
    "nul_in_header": says(OK + b"X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n"),
    "two_lengths": says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", close),
    "bad_chunks": says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n", hang),
    "redirect": status(b"302 Found", b"Location: http://127.0.0.1:1/"),
    "redirect_loop": status(b"307 Temporary Redirect", b"Location: /redirect_loop"),
    "server_error": status(b"500 No"),
}


class FaultyReceivers:
    """`faults`: name → serve(reader, writer); `tls`: name → SSLContext. On a thread, until stop()."""

    def __init__(self, faults=None, tls=None):
        self._faults = FAULTS if faults is None else faults
        self._tls = tls or {}
        self.urls = {}
        self.connections = dict.fromkeys(self._faults, 0)
        self._open = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(30), "the faulty receivers do not listen"

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._loop.run_until_complete(self._listen())
        ready.set()
        self._loop.run_forever()
        for task in self._open:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._open, return_exceptions=True))

    async def _listen(self):
        for name, serve in self._faults.items():
            context = self._tls.get(name)
            server = await asyncio.start_server(
                lambda reader, writer, name=name, serve=serve:
                    self._serve(name, serve, reader, writer), "127.0.0.1", 0, ssl=context, backlog=1024)
            port = server.sockets[0].getsockname()[1]
            self.urls[name] = f"{'https' if context else 'http'}://127.0.0.1:{port}/{name}"

    async def _serve(self, name, serve, reader, writer):
        self.connections[name] += 1
        if len(self._open) < CONNECTIONS_MAX:
            task = asyncio.current_task()
            self._open.add(task)
            with contextlib.suppress(OSError, asyncio.CancelledError):
                writer.transport.set_write_buffer_limits(high=0)  # drain() means: it is out
                await serve(reader, writer)
            self._open.discard(task)
        writer.close()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)


def old_tls(context):
    """The context, speaking nothing newer than TLS 1.0."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1
    return context
