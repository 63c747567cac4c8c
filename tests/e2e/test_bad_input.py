"""Bad input of every kind: the right status, a message that names the field, and no harm done."""

import random
import socket
import uuid

import triggerd_process
from client import new_event
from server_case import ServerCase
from triggerd_process import API_KEY, ORG, OTHER_KEY

WEBHOOKS = "/organizations/webhooks"
EVENTS = "/organizations/events"
UNKNOWN_ID = "01890000-0000-7000-8000-000000000000"
KEY_FIELDS = f"Host: a\r\nSlashID-OrgID: {ORG}\r\nSlashID-API-Key: {API_KEY}\r\n"


class BadInput(ServerCase):
    """One engine with the strict rules for targets, and a good connection beside the bad ones."""

    changes = {"targets": {"allow_http": None, "allow_networks": None}}

    def setUp(self):
        super().setUp()
        self.launch()
        self.good = self.connect()
        self.pid = self.engine.pid
        self.assertEqual(self.good.get(WEBHOOKS).status, 200)

    def tearDown(self):
        self.assertTrue(self.engine.running(), "the engine has ended")
        self.assertEqual(self.engine.pid, self.pid)
        self.assertEqual(self.good.get(WEBHOOKS).status, 200)
        self.assertEqual(self.engine.terminate(), 0)

    def refuse(self, answer, status, *words):
        self.assertEqual(answer.status, status, answer)
        text = " | ".join(answer.messages)
        for word in words:
            self.assertIn(word, text)

    def exchange(self, request):
        """Sends raw bytes; returns the status (None: closed without one) and the whole answer."""
        with socket.create_connection(("127.0.0.1", self.engine.port), timeout=30) as stream:
            try:
                stream.sendall(request)
                stream.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the answer may come before the request has ended
            answer = b""
            try:
                while part := stream.recv(65536):
                    answer += part
            except ConnectionError:
                pass
        if not answer:
            return None, answer
        self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer[:100])
        return int(answer.split(b" ", 2)[1]), answer

    # --- HTTP ---

    def test_malformed_requests_are_answered_4xx_and_the_connection_closed(self):
        head = b"GET /livez HTTP/1.1\r\n"
        post = f"POST {EVENTS} HTTP/1.1\r\n{KEY_FIELDS}".encode()
        for name, request, statuses in (
                ("no request line", b"GARBAGE\r\n\r\n", {400}),
                ("a lower-case method", b"get /livez HTTP/1.1\r\nHost: a\r\n\r\n", {400, 501}),
                ("no host", head + b"\r\n", {400}),
                ("two hosts", head + b"Host: a\r\nHost: b\r\n\r\n", {400}),
                ("a space before the colon", head + b"Host : a\r\n\r\n", {400}),
                ("a folded field", head + b"Host: a\r\nX: 1\r\n 2\r\n\r\n", {400}),
                ("NUL in a value", head + b"Host: a\r\nX: 1\x002\r\n\r\n", {400}),
                ("a length of letters", post + b"Content-Length: abc\r\n\r\n", {400}),
                ("a negative length", post + b"Content-Length: -1\r\n\r\n", {400}),
                ("two lengths", post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", {400}),
                ("length and chunked", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked"
                                              b"\r\n\r\n0\r\n\r\n", {400}),
                ("an unknown coding", post + b"Transfer-Encoding: gzip\r\n\r\n", {400, 501}),
                ("a bad chunk size", post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400}),
                ("a version of the future", b"GET /livez HTTP/3.0\r\nHost: a\r\n\r\n", {400, 505}),
                ("a control character in the path", b"GET /li\x01vez HTTP/1.1\r\nHost: a\r\n\r\n",
                 {400}),
                ("too many fields", head + b"Host: a\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
                 {400, 431}),
                ("too long a field", head + b"Host: a\r\nX: " + b"x" * 65536 + b"\r\n\r\n",
                 {400, 431}),
                ("too long a path", b"GET /" + b"x" * 65536 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                 {400, 414, 431}),
        ):
            with self.subTest(name):
                status, answer = self.exchange(request)
                self.assertIn(status, statuses, answer[:300])
                self.assertIn(b'{"errors":[{"httpcode":', answer)
                self.assertEqual(self.good.get("/livez").status, 200)

    def test_a_body_over_the_limit_is_413_and_ends_the_connection(self):
        post = f"POST {EVENTS} HTTP/1.1\r\n{KEY_FIELDS}Content-Type: application/json\r\n".encode()
        size = (4 << 20) + 1
        announced, _ = self.exchange(post + f"Content-Length: {size}\r\n\r\n".encode())
        self.assertEqual(announced, 413)
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        chunked, answer = self.exchange(post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 80)
        # The answer may be lost in the reset that unread bytes bring about.
        self.assertIn(chunked, (413, None), answer[:300])

    def test_a_request_that_stops_halfway_harms_nobody(self):
        request = f"POST {EVENTS} HTTP/1.1\r\n{KEY_FIELDS}Content-Length: 100\r\n\r\n{{".encode()
        for length in range(0, len(request), 7):
            with socket.create_connection(("127.0.0.1", self.engine.port), timeout=30) as stream:
                stream.sendall(request[:length])
        self.assertEqual(self.good.get("/livez").status, 200)

    def test_mutated_requests_never_end_the_process(self):
        chance = random.Random(7)
        body = b'{"event_name":"PersonCreated_v1","content":{"a":[1,2,{"b":"c"}]}}'
        base = (f"POST {EVENTS} HTTP/1.1\r\n{KEY_FIELDS}Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        for _ in range(300):
            request = bytearray(base)
            for _ in range(chance.randint(1, 6)):
                place = chance.randrange(len(request))
                kind = chance.randrange(3)
                if kind == 0:
                    request[place] = chance.randrange(256)
                elif kind == 1:
                    del request[place:place + chance.randint(1, 8)]
                else:
                    request[place:place] = chance.randbytes(chance.randint(1, 8))
            status, answer = self.exchange(bytes(request))
            self.assertTrue(status in (None, 202, 501, 505) or 400 <= status < 500, answer[:300])

    # --- Keys ---

    def test_keys_and_organizations(self):
        self.refuse(self.connect(key=None).get(WEBHOOKS), 401)
        self.refuse(self.connect(key="x" * 5000).get(WEBHOOKS), 401)
        self.refuse(self.connect(key=OTHER_KEY).get(WEBHOOKS), 403)
        self.refuse(self.connect(org=None).get(WEBHOOKS), 400, "SlashID-OrgID")
        self.refuse(self.connect(org="not-a-uuid").get(WEBHOOKS), 400, "SlashID-OrgID")
        both = self.client.get(WEBHOOKS, headers={"Authorization": "Bearer " + API_KEY})
        self.refuse(both, 400, "SlashID-API-Key", "Authorization")
        self.refuse(self.connect(org=None, key=None).get("/admin/organizations"), 401)
        self.refuse(self.client.get("/admin/organizations"), 403)
        self.refuse(self.connect(org=None, bearer=API_KEY).get("/admin/organizations"), 403)
        self.refuse(self.connect(org=None, bearer="wrong").get("/admin/organizations"), 401)

    # --- JSON ---

    def test_malformed_json_names_the_byte(self):
        for body in (b"", b"{", b'{"name":}', b'{"name":"n",}', b'{"name":"n"} x', b"{'name':1}",
                     b'{"name":"n" "target_url":"u"}', b'{"name":01}', b'{"name":NaN}',
                     b"[" * 100000, b'{"name":"\x01"}', b'"\\ud800"'):
            with self.subTest(body[:40]):
                self.refuse(self.client.post(WEBHOOKS, body), 400)
        self.refuse(self.client.post(WEBHOOKS, b'{"name":"n",}'), 400, "byte 12")

    def test_json_that_is_no_webhook_names_the_member(self):
        url = "https://hooks.example/a"
        for body, words in (
                (b'{"name":"a","name":"b","target_url":"https://hooks.example/a"}', ["name"]),
                (b'{"name":"\xff\xfe","target_url":"https://hooks.example/a"}', ["UTF-8"]),
                ([], ["object"]), ("text", ["object"]),
                ({}, ["name", "target_url"]),
                ({"name": "n"}, ["target_url"]),
                ({"target_url": url}, ["name"]),
                ({"name": 1, "target_url": url}, ["name"]),
                ({"name": None, "target_url": url}, ["name"]),
                ({"name": "n" * 257, "target_url": url}, ["name"]),
                ({"name": "n", "target_url": url, "description": "d" * 2049}, ["description"]),
                ({"name": "n", "target_url": url, "description": 5}, ["description"]),
                ({"name": "n", "target_url": 5}, ["target_url"]),
                ({"name": 1, "target_url": 5, "timeout": []}, ["name", "target_url", "timeout"]),
        ):
            with self.subTest(str(body)[:60]):
                self.refuse(self.client.post(WEBHOOKS, body), 400, *words)
        self.assertEqual(self.client.get(WEBHOOKS).result, [])

    def test_a_content_type_that_is_not_json_is_415(self):
        answer = self.client.post(WEBHOOKS, b"{}", headers={"Content-Type": "text/xml"})
        self.refuse(answer, 415)

    # --- Webhooks and triggers ---

    def test_target_urls(self):
        for url in ("http://hooks.example/a", "https://localhost/a", "https://127.0.0.1/a",
                    "https://192.0.2.7/a", "https://[::1]/a", "https://hooks.example/a?b=c",
                    "https://hooks.example/a#b", "https://user:pass@hooks.example/a", "https:///a",
                    "/relative", "", "hooks.example", "ftp://hooks.example/a",
                    "https://hooks.example/" + "a" * 2048, "https://hooks.example/a\r\nX: y",
                    "https://hooks.example:0x50/", "https://hooks.example:99999/",
                    "https://2130706433/", "https://0x7f.1/", "https://hooks .example/"):
            with self.subTest(url[:60]):
                self.refuse(self.client.post(WEBHOOKS, {"name": "n", "target_url": url}), 400,
                            "target_url")
        webhook = self.client.create_webhook("https://hooks.example/good")
        self.refuse(self.client.patch(f"{WEBHOOKS}/{webhook}", {"target_url": "http://a.example"}),
                    400, "target_url")

    def test_timeouts(self):
        webhook = self.client.create_webhook("https://hooks.example/timeouts")
        path = f"{WEBHOOKS}/{webhook}"
        for timeout in ("10", "-1s", "20.001s", "21s", "", "1x", " 1s", "1s ", "1h", "s", "..1s",
                        "9" * 400 + "s", 5, None, ["1s"]):
            with self.subTest(str(timeout)[:20]):
                self.refuse(self.client.patch(path, {"timeout": timeout}), 400, "timeout")
        for timeout, shown in (("20s", "20s"), (".5s", "500ms"), ("1.s", "1s"), ("0", "0s"),
                               ("0.1m", "6s"), ("1s500ms", "1.5s"), ("1500\u00b5s", "1.5ms")):
            self.assertEqual(self.client.patch(path, {"timeout": timeout}).result["timeout"], shown)

    def test_custom_headers(self):
        webhook = self.client.create_webhook("https://hooks.example/headers")
        path = f"{WEBHOOKS}/{webhook}"
        reserved = ("Host", "content-length", "Content-Type", "Transfer-Encoding", "Connection",
                    "Expect", "Upgrade", "TE", "Trailer", "Keep-Alive", "Proxy-Authorization",
                    "User-Agent", "webhook-id", "Webhook-Anything")
        for headers in (*({name: ["v"]} for name in reserved), {"X": "v"}, {"X": [1]}, ["X"],
                        {"X y": ["v"]}, {"": ["v"]}, {"X:": ["v"]}, {"X\r\nY": ["v"]},
                        {"X": ["a\r\nY: b"]}, {"X": ["a\nb"]}, {"X": ["a\u0000b"]},
                        {f"X-{i}": ["v"] for i in range(33)}, {"X": ["v" * 9000]}):
            with self.subTest(str(headers)[:60]):
                self.refuse(self.client.patch(path, {"custom_headers": headers}), 400,
                            "custom_headers")
        self.assertNotIn("custom_headers", self.client.get(path).result)

    def test_triggers(self):
        webhook = self.client.create_webhook("https://hooks.example/triggers", triggers=())
        path = f"{WEBHOOKS}/{webhook}/triggers"
        for body, words in (
                ({"trigger_type": "event", "trigger_name": "NoSuch_v1"}, ["trigger_name"]),
                ({"trigger_type": "event", "trigger_name": "token_minted"}, ["trigger_name"]),
                ({"trigger_type": "sync_hook", "trigger_name": "PersonCreated_v1"},
                 ["trigger_name"]),
                ({"trigger_type": "cron", "trigger_name": "PersonCreated_v1"}, ["trigger_type"]),
                ({"trigger_type": "event"}, ["trigger_name"]),
                ({"trigger_name": "PersonCreated_v1"}, ["trigger_type"]),
                ({}, ["trigger_type", "trigger_name"]),
                ({"trigger_type": 1, "trigger_name": []}, ["trigger_type", "trigger_name"]),
        ):
            with self.subTest(str(body)):
                self.refuse(self.client.post(path, body), 400, *words)
        good = {"trigger_type": "event", "trigger_name": "PersonCreated_v1"}
        for unknown in (UNKNOWN_ID, "no-uuid", "%20", "x" * 500):
            self.refuse(self.client.post(f"{WEBHOOKS}/{unknown}/triggers", good), 404)
            self.refuse(self.client.get(f"{WEBHOOKS}/{unknown}"), 404)
        self.refuse(self.client.delete(path), 400, "trigger_type", "trigger_name")
        self.refuse(self.client.delete(path + "?trigger_type=event"), 400, "trigger_name")
        self.refuse(self.client.delete(
            path + "?trigger_type=event&trigger_name=PersonCreated_v1"), 404)
        self.assertEqual(self.client.get(path).result, [])

    # --- Events ---

    def test_events(self):
        good = new_event()
        for body, words in (
                ({**good, "event_name": "NoSuch_v1"}, ["event_name"]),
                ({**good, "event_name": 5}, ["event_name"]),
                ({"content": {}}, ["event_name"]),
                ({**good, "content": []}, ["content"]),
                ({**good, "content": {"event_metadata": {}}}, ["event_metadata"]),
                ({**good, "event_id": "x"}, ["event_id"]),
                ({**good, "timestamp": "yesterday"}, ["timestamp"]),
                ({**good, "is_test_event": "yes"}, ["is_test_event"]),
                ({**good, "ordering_key": 7}, ["ordering_key"]),
                ([], []),
                ([good] + [5], ["1"]),
                ([{**good, "event_name": "NoSuch_v1"}, good, {**new_event("Nor_v2")}],
                 ["[0]", "[2]", "event_name"]),
                ([{"content": {}}, good, {"content": 7}], ["[0].event_name", "[2].content"]),
                # Types are the edge's to see, names the engine's: one answer has all.
                ([{"event_name": "NoSuch_v1"}, good, {**new_event(), "timestamp": 7}, 5,
                  {**new_event("Nor_v2"), "content": 7}],
                 ["[0].event_name", "[2].timestamp", "[3]: expected", "[4].event_name",
                  "[4].content"]),
        ):
            with self.subTest(str(body)[:70]):
                self.refuse(self.client.post(EVENTS, body), 400, *words)
        self.refuse(self.client.get(f"{EVENTS}/{good['event_id']}"), 404)
        self.refuse(self.client.get(f"{EVENTS}/not-a-uuid"), 404)

    def test_a_batch_with_one_bad_event_is_refused_whole(self):
        first = new_event()
        answer = self.client.post(EVENTS, [first, {**new_event(), "event_name": "NoSuch_v1"}])
        self.refuse(answer, 400, "1")
        self.refuse(self.client.get(f"{EVENTS}/{first['event_id']}"), 404)

    def test_limits_of_events_hold_at_the_edge(self):
        def sized(size):
            event = {"event_name": "PersonCreated_v1", "content": {"t": ""}}
            event["content"]["t"] = "x" * (size - len('{"t": ""}'))
            return event
        limit = 256 * 1024
        self.assertEqual(self.client.post(EVENTS, sized(limit)).status, 202)
        too_large = self.client.post(EVENTS, sized(limit + 1))
        self.assertIn(too_large.status, (400, 413), too_large)
        self.assertIn("content", too_large.messages[0])
        event = {"event_name": "PersonCreated_v1", "content": {}}
        self.assertEqual(self.client.post(EVENTS, [event] * 1000).status, 202)
        self.refuse(self.client.post(EVENTS, [event] * 1001), 400, "1000")
        deep = b'{"event_name":"PersonCreated_v1","content":%s%s}'
        self.refuse(self.client.post(EVENTS, deep % (b'{"a":' * 70 + b"1", b"}" * 70)), 400)
        self.assertEqual(
            self.client.post(EVENTS, deep % (b'{"a":' * 50 + b"1", b"}" * 50)).status, 202)

    # --- Administration ---

    def test_administration(self):
        token = (self.folder.data / "admin.token").read_text().strip()
        admin = self.connect(org=None, bearer=token)
        for body, words in (({}, ["name"]), ({"name": 5}, ["name"]), ([], ["object"])):
            self.refuse(admin.post("/admin/organizations", body), 400, *words)
        path = f"/admin/organizations/{ORG}/api-keys"
        self.refuse(admin.post(path, {"name": "k", "scopes": ["fly"]}), 400, "scopes")
        self.refuse(admin.get(f"/admin/organizations/{UNKNOWN_ID}"), 404)
        self.refuse(admin.delete(f"{path}/{uuid.uuid4()}"), 404)


if __name__ == "__main__":
    triggerd_process.main()
