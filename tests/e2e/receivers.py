"""Receivers of webhook calls: HTTP/1.1 with keep-alive on 127.0.0.1, plain or over TLS.

A receiver writes down every call before it answers, so that its log holds at least what the
engine can have seen an answer to. What it answers is decided by a function per path.
"""

import base64
import json
import pathlib
import socket
import socketserver
import ssl
import subprocess
import threading
import time

BODY_BYTES_MAX = 4 << 20


def decode_part(part):
    """base64url without padding → bytes."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Call:
    """One call as it came in. `status` is what was answered; None while it is not."""

    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers  # list of (lower-case name, value) in the order of arrival
        self.body = body
        self.at = time.monotonic()
        self.status = None
        self._claims = None
        self._event_id = None
        self._content = None

    @property
    def token(self):
        return self.body.decode("ascii")

    @property
    def jose_header(self):
        return json.loads(decode_part(self.token.split(".")[0]))

    @property
    def payload(self):
        """The payload's bytes, as signed."""
        return decode_part(self.token.split(".")[1])

    @property
    def claims(self):
        if self._claims is None:
            self._claims = json.loads(self.payload)
        return self._claims

    @property
    def event_id(self):
        if self._event_id is None:
            self._event_id = self.claims["sub"]
        return self._event_id

    @property
    def content(self):
        """What the publisher sent: the trigger content without the engine's metadata."""
        if self._content is None:
            self._content = dict(self.claims["trigger_content"])
            self._content.pop("event_metadata", None)
        return self._content

    def shrink(self):
        """Keeps event id and content alone, for logs of many calls."""
        if self.event_id and self.content is not None:
            self.body, self.headers, self._claims = b"", [], None

    def values(self, name):
        return [value for field, value in self.headers if field == name.lower()]


class Reply:
    def __init__(self, status=200, body=b"", headers=(), delay=0.0, reset=False):
        self.status = status
        self.body = body
        self.headers = headers
        self.delay = delay
        self.reset = reset  # close without an answer


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        self.server.receiver.opened(self.connection)
        try:
            while self._one_call():
                pass
        except (OSError, ValueError):
            pass  # the engine was killed, or the receiver stopped
        finally:
            self.server.receiver.closed(self.connection)

    def _one_call(self):
        line = self.rfile.readline(8192)
        if not line.strip():
            return False
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = []
        while (line := self.rfile.readline(16384)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.lower(), value.strip()))
        length = int(dict(headers).get("content-length", "0"))
        if length > BODY_BYTES_MAX:
            raise ValueError("body over the limit")
        body = self.rfile.read(length)
        if len(body) < length:
            return False
        call = Call(method, path, headers, body)
        reply = self.server.receiver.answer(call)
        if reply.reset:
            return False
        fields = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
        self.wfile.write(f"HTTP/1.1 {reply.status} Answer\r\nContent-Length: {len(reply.body)}\r\n"
                         f"{fields}\r\n".encode("latin-1") + reply.body)
        return True


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a connection that dies is no news here

    def process_request_thread(self, request, client_address):
        context = self.receiver.tls
        if context is not None:
            try:
                request.settimeout(30)
                request = context.wrap_socket(request, server_side=True)
            except OSError:
                self.receiver.handshake_failed()
                request.close()
                return
        super().process_request_thread(request, client_address)


class Receiver:
    """on(path, decide): `decide(call)` returns a Reply or a status; without one, 200."""

    def __init__(self, port=0, tls=None):
        self.tls = tls
        self.handshakes_failed = 0
        self._lock = threading.Lock()
        self._calls = []
        self._decisions = {}
        self._open = set()
        self.port = port
        self.start()

    def start(self):
        """Listens, again on the same port after stop()."""
        self._listener = _Listener(("127.0.0.1", self.port), _Connection)
        self._listener.receiver = self
        self.port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def stop(self):
        """Stops listening and closes what is open. The log stays."""
        self._listener.shutdown()
        self._listener.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def url(self, path, host="127.0.0.1"):
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def on(self, path, decide):
        self._decisions[path] = decide

    def calls(self, path=None):
        with self._lock:
            return [call for call in self._calls if path is None or call.path == path]

    def count(self):
        with self._lock:
            return len(self._calls)

    # --- From the connections' threads ---

    def opened(self, connection):
        with self._lock:
            self._open.add(connection)

    def closed(self, connection):
        with self._lock:
            self._open.discard(connection)

    def handshake_failed(self):
        with self._lock:
            self.handshakes_failed += 1

    def answer(self, call):
        with self._lock:
            self._calls.append(call)
        decide = self._decisions.get(call.path)
        reply = decide(call) if decide else Reply()
        if isinstance(reply, int):
            reply = Reply(reply)
        if reply.delay:
            time.sleep(reply.delay)
        if not reply.reset:
            call.status = reply.status
        return reply


# --- A certificate authority of the test's own ------------------------------------------------


class Authority:
    """Made by the `openssl` command in a temporary folder; issues certificates for receivers."""

    def __init__(self, folder, name="ca"):
        self.folder = pathlib.Path(folder)
        self.certificate = self.folder / f"{name}.pem"
        self._key = self.folder / f"{name}.key"
        self._self_signed(self.certificate, self._key, f"/CN=triggerd e2e {name}",
                          ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"])

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                       timeout=60)

    def _self_signed(self, certificate, key, subject, extensions):
        more = [part for extension in extensions for part in ("-addext", extension)]
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                      subject, *more)

    @staticmethod
    def _context(certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def issue(self, name, alternatives="IP:127.0.0.1,DNS:localhost", expired=False):
        """An SSLContext with a certificate of this authority for these names."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        settings = self.folder / f"{name}.cnf"
        settings.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.folder}/{name}.index\n"
                            f"new_certs_dir={self.folder}\nrand_serial=yes\ndefault_md=sha256\n"
                            "policy=any\nunique_subject=no\n[any]\ncommonName=supplied\n[leaf]\n"
                            f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n")
        (self.folder / f"{name}.index").write_text("")
        # `openssl ca` alone can set both dates, which an expired certificate needs.
        day = 86400
        first, last = (-10, -5) if expired else (-1, 2)
        stamp = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * day))
                 for days in (first, last)]
        self._openssl("ca", "-batch", "-notext", "-config", settings, "-extensions", "leaf", "-in",
                      request, "-out", certificate, "-cert", self.certificate, "-keyfile",
                      self._key, "-startdate", stamp[0], "-enddate", stamp[1])
        return self._context(certificate, key)

    def self_signed(self, name, alternatives="IP:127.0.0.1,DNS:localhost"):
        """An SSLContext with a certificate that nobody signed but itself."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._self_signed(certificate, key, f"/CN={name}", [f"subjectAltName={alternatives}"])
        return self._context(certificate, key)
