"""/metrics of the real binary: who may see it, what promtool says of it, what stands in it."""

import re
import subprocess

import triggerd_process
from client import new_event, wait_until
from server_case import ServerCase

TOKEN = "token-of-the-administrator"


class MetricsTest(ServerCase):
    changes = {"admin": {"token": TOKEN}}

    def page(self, **identity):
        return self.connect(org=None, **{"key": None, **identity}).get("/metrics")

    def samples(self):
        """{'name{labels}': value}"""
        answer = self.page(bearer=TOKEN)
        self.assertEqual(answer.status, 200)
        lines = answer.body.decode().splitlines()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def test_the_admin_token_shows_it_and_an_organizations_key_does_not(self):
        self.launch()
        self.assertEqual(self.page(bearer=TOKEN).status, 200)
        self.assertEqual(self.page(key=triggerd_process.API_KEY).status, 403)
        self.assertEqual(self.page().status, 401)

    def test_everybody_sees_it_where_the_operator_says_so(self):
        self.folder.write_config({"admin": {"token": TOKEN, "metrics_public": True}})
        self.launch()
        answer = self.page()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_promtool_has_nothing_to_say(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/hook"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        page = self.page(bearer=TOKEN).body
        lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, b""))

    def test_what_was_done_is_what_is_counted(self):
        self.launch()
        receiver = self.receive()
        answers = iter([503])
        receiver.on("/flaky", lambda call: next(answers, 200))
        self.client.create_webhook(receiver.url("/flaky"))
        self.client.create_webhook(receiver.url("/fine"))
        events = self.client.publish(*[new_event() for _ in range(5)])
        for event in events:
            self.wait_status(event, "delivered")
        self.client.post("/organizations/events", {"event_name": "Nobody_v1", "content": {}})
        wait_until(lambda: self.samples()["triggerd_deliveries_pending"] == 0, "nothing pending")
        samples = self.samples()
        expected = {
            'triggerd_events_accepted_total{event_type="PersonCreated_v1"}': 5,
            "triggerd_fanout_deliveries_sum": 10,
            'triggerd_deliveries_total{outcome="delivered"}': 10,
            'triggerd_delivery_attempts_total{outcome="ok",status_class="2xx"}': 10,
            'triggerd_delivery_attempts_total{outcome="http_error",status_class="5xx"}': 1,
            'triggerd_events_rejected_total{reason="invalid"}': 1,
            'triggerd_http_requests_total{route="/organizations/webhooks",method="POST",'
            'code="201"}': 2,
            'triggerd_webhooks{state="active"}': 2,
            "triggerd_triggers": 2,
        }
        self.assertEqual({name: samples.get(name) for name in expected}, expected)
        self.assertGreater(samples["triggerd_store_write_duration_seconds_count"], 0)
        self.assertGreater(samples["process_resident_memory_bytes"], 1e6)

    def test_the_number_of_series_does_not_grow_with_what_clients_send(self):
        self.launch()
        self.samples()
        before = len(self.samples())
        for i in range(50):
            self.client.get(f"/organizations/webhooks/no-such-{i}")
            self.client.get(f"/nowhere/{i}")
        after = self.samples()
        # Two routes that were not asked before: a status each, and the buckets of a duration.
        self.assertLessEqual(len(after) - before, 2 * 18)
        self.assertFalse([name for name in after if re.search("no-such|nowhere", name)])


if __name__ == "__main__":
    triggerd_process.main()
