"""An egress proxy: calls go through it, tunnelled for https; that of the environment is ignored."""

import socket
import threading

import triggerd_process
from client import new_event, wait_until
from receivers import Authority
from server_case import ServerCase


class Proxy:
    """Sends everything to one place, whatever was asked for, and remembers the first lines."""

    def __init__(self, port_of):
        self.heads = []
        self.refuse = None  # the status line of a refusal
        self._port_of = port_of
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self):
        self._listener.close()

    def _listen(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(65536)
            if not part:
                return client.close()
            head += part
        self.heads.append(head.split(b"\r\n\r\n")[0].decode())
        if self.refuse:
            client.sendall(f"HTTP/1.1 {self.refuse}\r\nContent-Length: 0\r\n\r\n".encode())
            return client.close()
        target = socket.create_connection(("127.0.0.1", self._port_of()))
        if head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 200 tunnel\r\nX-Of-The-Proxy: yes\r\n\r\n")
        else:
            target.sendall(head)
        with client, target:
            back = threading.Thread(target=self._pump, args=(target, client), daemon=True)
            back.start()
            self._pump(client, target)
            back.join()

    @staticmethod
    def _pump(source, sink):
        try:
            while part := source.recv(65536):
                sink.sendall(part)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class EgressProxy(ServerCase):
    def setUp(self):
        super().setUp()
        self.receiver = None
        self.proxy = Proxy(lambda: self.receiver.port)
        self.addCleanup(self.proxy.stop)

    def start(self, **targets):
        self.folder.write_config({
            "targets": {"proxy": f"http://127.0.0.1:{self.proxy.port}", **targets},
            "delivery.breaker": {"failures": 0}})
        nowhere = {name: "http://127.0.0.1:9" for name in
                   ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")}
        self.launch(env={**nowhere, "no_proxy": "*"})

    def last_attempt(self, event):
        return wait_until(
            lambda: self.client.event(event)["deliveries"][0].get("last_attempt"), "an attempt")

    def test_https_goes_through_a_tunnel_to_the_name(self):
        authority = Authority(self.folder.path)
        self.receiver = self.receive(tls=authority.issue("r", "DNS:receiver.example"))
        self.start(ca_file=str(authority.certificate))
        self.client.create_webhook("https://receiver.example/hook",
                                   custom_headers={"X-Secret": ["for the receiver alone"]})
        for _ in range(2):
            (event,) = self.client.publish(new_event())
            self.wait_status(event, "delivered")
        heads = self.proxy.heads
        self.assertTrue(heads)
        self.assertTrue(heads[0].startswith("CONNECT receiver.example:443 HTTP/1.1"), heads)
        self.assertNotIn("X-Secret", "".join(heads))
        self.assertEqual(self.receiver.calls()[0].values("x-secret"), ["for the receiver alone"])

    def test_http_goes_with_the_whole_url(self):
        self.receiver = self.receive()
        self.start()
        self.client.create_webhook("http://receiver.example/hook")
        (event,) = self.client.publish(new_event())
        self.wait_status(event, "delivered")
        self.assertTrue(self.proxy.heads[0].startswith("POST http://receiver.example/hook "),
                        self.proxy.heads)

    def test_a_proxy_that_may_not_be_called_is_not(self):
        self.receiver = self.receive()
        self.start(allow_networks=["127.99.0.0/16"])
        self.client.create_webhook("http://receiver.example/hook")
        (event,) = self.client.publish(new_event())
        self.assertEqual(self.last_attempt(event)["outcome"], "blocked")
        self.assertEqual(self.proxy.heads, [])

    def test_a_tunnel_that_is_refused_is_a_fault_of_the_connection(self):
        self.start()
        self.proxy.refuse = "403 Forbidden"
        self.client.create_webhook("https://receiver.example/hook")
        (event,) = self.client.publish(new_event())
        attempt = self.last_attempt(event)
        self.assertEqual((attempt["outcome"], attempt["detail"]),
                         ("connect", "the egress proxy answered 403"))

    def test_what_is_no_proxy_is_refused_at_the_start(self):
        for text in ("proxy.example:3128", "https://proxy.example:3128", "http://proxy.example",
                     "http://user:secret@proxy.example:3128", "http://proxy.example:0"):
            self.folder.write_config({"targets": {"proxy": text}})
            done = triggerd_process.run_command("config", "check", "--config",
                                                str(self.folder.config))
            self.assertEqual(done.returncode, 9, text)
            self.assertIn("targets.proxy: must be http://HOST:PORT", done.stderr)
            self.assertNotIn("secret", done.stderr)


if __name__ == "__main__":
    triggerd_process.main()
