"""Events of SDKs: npm's `@slashid/slashid` in plain Node, browsers' preflights, limits."""

import http.client
import pathlib
import subprocess
import uuid

import triggerd_process
from client import wait_until
from server_case import ServerCase
from triggerd_process import ORG, OTHER_ORG

CONFORMANCE = pathlib.Path(__file__).resolve().parent.parent / "conformance"
NAMES = ["PersonIdentified_v1", "VirtualPageLoaded_v1", "PersonLoggedOut_v1",
         "SlashIDSDKLoaded_v1"]
ORIGIN = {"Origin": "https://shop.example"}


def post_request(organization=ORG, **data):
    return {"organization_id": organization, "analytics_correlation_id": str(uuid.uuid4()),
            "window_location": "/", "user_agent": "",
            "event_data": {"event_name": "SlashIDSDKLoaded_v1", **data}}


class SdkOff(ServerCase):
    def test_the_paths_are_not_there(self):
        self.launch()
        stranger = self.connect(org=None, key=None)
        for method in ("GET", "POST", "OPTIONS"):
            for path in ("/actions/sdk", "/events"):
                answer = stranger.call(method, path, headers=ORIGIN)
                self.assertEqual((answer.status, answer.body), (404, b"404 page not found"))
                self.assertEqual(answer.headers["Content-Type"], "text/plain")
                self.assertNotIn("Access-Control-Allow-Origin", answer.headers)


class SdkOn(ServerCase):
    changes = {"sdk_ingest": {"enabled": True}}

    def test_the_sdk_in_node(self):
        if not (CONFORMANCE / "node_modules" / "@slashid" / "slashid").is_dir():
            raise AssertionError("@slashid/slashid is not installed: run ./setup --tests --deps")
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/sdk"), triggers=NAMES)
        person = "065e3dc5-c222-7333-8444-000000000001"
        done = subprocess.run(
            ["node", "sdk.mjs", f"http://127.0.0.1:{self.engine.port}", ORG, person],
            cwd=CONFORMANCE, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("failed to send", done.stderr)
        correlation = done.stdout.strip()
        calls = wait_until(lambda: len(found := receiver.calls("/sdk")) == 3 and found, "three")
        arrived = {call.claims["trigger_name"]: call for call in calls}
        self.assertCountEqual(arrived, NAMES[:3])
        for name, call in arrived.items():
            metadata = call.claims["trigger_content"]["event_metadata"]
            self.assertEqual((metadata["source"], metadata["event_name"]), (2, name))
            self.assertNotIn("is_test_event", metadata)
            self.assertEqual(call.content["analytics_metadata"],
                             {"analytics_correlation_id": correlation,
                              "client_ip_address": "127.0.0.1"})
            self.assertEqual(call.content["person_id"], person)
        self.assertEqual(arrived["VirtualPageLoaded_v1"].content["browser_metadata"],
                         {"user_agent": "Renderer/1",
                          "window_location": "https://shop.example/orders"})
        self.assertEqual(arrived["PersonIdentified_v1"].content["browser_metadata"],
                         {"window_location": "/"})

    def test_a_browser(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/page"), triggers=NAMES)
        browser = self.connect(org=None, key=None)
        for path in ("/actions/sdk", "/events"):
            preflight = browser.call("OPTIONS", path, headers={
                **ORIGIN, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type"})
            self.assertEqual((preflight.status, preflight.body), (204, b""))
            self.assertEqual(preflight.headers["Access-Control-Allow-Headers"], "content-type")
            sent = browser.call("POST", path, post_request(later={"a": 1}),
                                headers={**ORIGIN, "Content-Type": "text/plain;charset=UTF-8"})
            self.assertEqual(sent.status, 202, sent)
            bad = browser.call("POST", path, {}, headers=ORIGIN)
            self.assertEqual(bad.status, 400, bad)
            unknown = browser.call("POST", path, post_request(str(uuid.uuid4())), headers=ORIGIN)
            self.assertEqual(unknown.status, 404, unknown)
            self.assertTrue(unknown.messages)
            for answer in (preflight, sent, bad, unknown):
                self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN["Origin"])
                self.assertEqual(answer.headers["Access-Control-Allow-Credentials"], "true")
                self.assertEqual(answer.headers["Vary"], "Origin")
        calls = wait_until(lambda: len(found := receiver.calls("/page")) == 2 and found, "both")
        self.assertEqual(calls[0].content["later"], {"a": 1})


    def test_a_page_sees_the_answer_to_a_body_that_is_refused(self):
        self.launch()
        too_long = b"x" * (64 * 1024 + 1)
        for path in ("/actions/sdk", "/events"):
            for name, body, status in (
                    ("a length", too_long, 413),
                    ("chunks", iter([too_long[:40_000], too_long[40_000:]]), 413)):
                with self.subTest(path=path, body=name):
                    page = http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=30)
                    self.addCleanup(page.close)
                    page.request("POST", path, body,
                                 {**ORIGIN, "Content-Type": "application/json"})
                    answer = page.getresponse()
                    self.assertEqual(answer.status, status)
                    self.assertEqual(answer.headers["Access-Control-Allow-Origin"],
                                     ORIGIN["Origin"])
                    self.assertEqual(answer.headers["Access-Control-Allow-Credentials"], "true")
                    self.assertEqual(answer.headers["Vary"], "Origin")
                    self.assertEqual(answer.headers["Connection"], "close")


class SdkLimits(ServerCase):
    changes = {"sdk_ingest": {"enabled": True, "burst_per_address": 4, "rate_per_address": 1,
                              "burst_per_organization": 2, "rate_per_organization": 1},
               "server": {"io_threads": 2, "trusted_proxies": ["127.0.0.0/8"]}}

    def send(self, address, organization=ORG):
        client = self.connect(org=None, key=None)  # each on the thread that accepts it
        answer = client.call("POST", "/actions/sdk", post_request(organization),
                             headers={"X-Forwarded-For": address})
        if answer.status == 429:
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            self.assertTrue(answer.messages)
        return answer.status

    def test_hold_over_all_threads(self):
        self.launch()
        self.assertEqual([self.send("192.0.2.1") for _ in range(3)], [202, 202, 429])
        self.assertEqual([self.send("192.0.2.1", OTHER_ORG) for _ in range(2)], [202, 429],
                         "the address has spent its four")
        self.assertEqual(self.send("192.0.2.2", OTHER_ORG), 202)
        self.assertEqual(self.send("2001:db8::1", str(uuid.uuid4())), 404)
        self.assertEqual(
            [self.send(f"2001:db8::{host}", str(uuid.uuid4())) for host in "2345"],
            [404, 404, 404, 429], "a /64 is one client")
        self.assertEqual(self.send("2001:db8:0:1::1", str(uuid.uuid4())), 404)


if __name__ == "__main__":
    triggerd_process.main()
