"""Every way in which a receiver can go wrong: the reason is recorded, the attempts follow the
schedule, memory stays, and the receiver beside it is served as ever."""

import datetime
import email.utils
import time

import triggerd_process
from client import wait_until
from faulty_receivers import FAULTS, FaultyReceivers, old_tls, hang, reset_while_idle, status
from receivers import Authority
from server_case import ServerCase

WEBHOOKS = "/organizations/webhooks"
DELAYS = [0.3, 0.6]  # so three attempts
SLACK_SECONDS = 0.01  # times in the log are cut to milliseconds
GROWTH_MIB_MAX = 32

# fault → (outcome, status or None, a word of the detail)
EXPECTED = {
    "hang_before_request": ("timeout", None, "within the timeout"),
    "hang_before_answer": ("timeout", None, "no answer within the timeout"),
    "hang_in_head": ("timeout", None, "within the timeout"),
    "hang_in_body": ("timeout", 200, "not complete within the timeout"),
    "reset_before_request": ("connect", None, "reset"),
    "reset_before_answer": ("connect", None, "before an answer"),
    "reset_in_head": ("protocol", None, "broke off"),
    "reset_in_body": ("protocol", 200, "broke off"),
    "close_before_request": ("connect", None, "before an answer"),
    "close_before_answer": ("connect", None, "before an answer"),
    "close_in_head": ("protocol", None, "broke off"),
    "close_in_body": ("protocol", 200, "broke off"),
    "drip": ("timeout", 200, "not complete within the timeout"),
    "long_header": ("protocol", None, "header"),
    "many_headers": ("protocol", None, "64 KiB"),
    "endless_103": ("protocol", None, "64 KiB"),
    "not_http": ("protocol", None, "not HTTP"),
    "http_09": ("protocol", None, "not HTTP"),
    "nul_in_header": ("protocol", None, ""),
    "bad_chunks": ("protocol", 200, ""),
    "redirect": ("http_error", 302, "not followed"),
    "redirect_loop": ("http_error", 307, "not followed"),
    "server_error": ("http_error", 500, "500"),
}
# The status says that the event was taken; what follows is read up to a limit. (Of two lengths
# libcurl takes the last.)
TAKEN = ("huge_body", "endless_chunks", "gzip_bomb", "two_lengths")


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class ReceiverFaults(ServerCase):
    changes = {"delivery.retry": {"schedule": [f"{int(delay * 1000)}ms" for delay in DELAYS]},
               "delivery.breaker": {"failures": 0}}

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder.path)
        self.folder.write_config({**self.changes,
                                  "targets": {"ca_file": str(self.authority.certificate)}})
        self.launch()
        self.healthy = self.receive()
        self.good = self.client.create_webhook(self.healthy.url("/healthy"))

    def faulty(self, faults=None, tls=None):
        receivers = FaultyReceivers(faults, tls)
        self.addCleanup(receivers.stop)
        return receivers

    def log_of(self, webhook, event):
        answer = self.client.get(f"{WEBHOOKS}/{webhook}/deliveries/{event}")
        self.assertEqual(answer.status, 200, answer)
        return answer.result

    def wait_over(self, webhook, event, seconds=60):
        return wait_until(lambda: (found := self.log_of(webhook, event))["status"] != "pending"
                          and found, f"{event} to be over", seconds)

    def check_attempts(self, log, outcome, http_status, detail):
        self.assertEqual(log["status"], "dead", log)
        attempts = sorted(log["attempt_log"], key=lambda one: one["number"])
        self.assertEqual([one["number"] for one in attempts], [1, 2, 3], log)
        for one in attempts:
            self.assertEqual((one["outcome"], one.get("http_status")), (outcome, http_status), one)
            self.assertIn(detail, one["detail"], one)
        for before, after, delay in zip(attempts, attempts[1:], DELAYS):
            waited = at(after["started_at"]) - at(before["started_at"])
            self.assertGreaterEqual(waited, delay - SLACK_SECONDS, log)

    def test_each_fault_is_named_and_retried_and_costs_no_memory(self):
        self.assertEqual(set(EXPECTED) | set(TAKEN), set(FAULTS))
        receivers = self.faulty()
        for _ in range(20):  # what a process takes once
            self.client.publish("PersonCreated_v1")
        wait_until(lambda: self.healthy.count() >= 20, "the first events")
        webhooks = {name: self.client.create_webhook(url, triggers=["PersonDeleted_v1"],
                                                     timeout="2s")
                    for name, url in receivers.urls.items()}
        added = self.client.post(f"{WEBHOOKS}/{self.good}/triggers", {
            "trigger_type": "event", "trigger_name": "PersonDeleted_v1"})
        self.assertEqual(added.status, 201, added)
        before = self.engine.memory_mib()
        (event,) = self.client.publish("PersonDeleted_v1")
        self.assertEqual(self.wait_over(self.good, event)["attempts"], 1)
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                self.check_attempts(self.wait_over(webhooks[name], event), *expected)
        for name in TAKEN:
            with self.subTest(name):
                log = self.wait_over(webhooks[name], event)
                self.assertEqual((log["status"], log["attempts"]), ("delivered", 1), log)
        if not self.engine.is_sanitized():
            self.assertLess(self.engine.memory_mib("VmHWM") - before, GROWTH_MIB_MAX)
        self.assertEqual(self.engine.terminate(), 0)

    def test_a_connection_that_breaks_while_idle_costs_no_attempt(self):
        receivers = self.faulty({"reset_while_idle": reset_while_idle})
        webhook = self.client.create_webhook(receivers.urls["reset_while_idle"])
        for _ in range(5):
            (event,) = self.client.publish("PersonCreated_v1")
            log = self.wait_over(webhook, event)
            self.assertEqual((log["status"], log["attempts"]), ("delivered", 1), log)
        self.assertEqual(receivers.connections["reset_while_idle"], 5)

    def test_tls_faults_are_named(self):
        tls = {"old": old_tls(self.authority.issue("old")),
               "expired": self.authority.issue("expired", expired=True),
               "other_host": self.authority.issue("other", "DNS:hooks.example"),
               "self_signed": self.authority.self_signed("own")}
        names = [*tls, "no_handshake"]
        receivers = self.faulty({name: FAULTS["server_error"] for name in tls}
                                | {"no_handshake": lambda reader, _writer: hang(reader)}, tls)
        expected = {"old": ("tls", None, "handshake"), "expired": ("tls", None, "expired"),
                    "other_host": ("tls", None, "not for this host"),
                    "self_signed": ("tls", None, "not trusted"),
                    "no_handshake": ("timeout", None, "within the timeout")}
        webhooks = {name: self.client.create_webhook(
            receivers.urls[name].replace("http:", "https:"), timeout="2s") for name in names}
        (event,) = self.client.publish("PersonCreated_v1")
        for name in names:
            with self.subTest(name):
                self.check_attempts(self.wait_over(webhooks[name], event), *expected[name])

    def test_gone_ends_it_at_once(self):
        receivers = self.faulty({"gone": status(b"410 Gone")})
        webhook = self.client.create_webhook(receivers.urls["gone"])
        (event,) = self.client.publish("PersonCreated_v1")
        log = self.wait_over(webhook, event)
        self.assertEqual((log["status"], log["attempts"]), ("dead", 1), log)
        shown = self.client.get(f"{WEBHOOKS}/{webhook}").result["delivery"]
        self.assertEqual((shown["state"], shown["disabled_reason"]), ("disabled", "gone"))

    def wait_for_next(self, receivers, name):
        """Seconds from the first attempt of an event to the next one."""
        webhook = self.client.create_webhook(receivers.urls[name])
        (event,) = self.client.publish("PersonCreated_v1")
        log = wait_until(lambda: (found := self.log_of(webhook, event))["attempts"] == 1
                         and "next_attempt_at" in found and found, f"one attempt of {name}")
        self.assertEqual(self.client.delete(f"{WEBHOOKS}/{webhook}").status, 204)
        (attempt,) = log["attempt_log"]
        return at(log["next_attempt_at"]) - at(attempt["started_at"])

    def test_retry_after_is_obeyed_where_it_makes_sense(self):
        in_an_hour = email.utils.formatdate(time.time() + 3600, usegmt=True).encode()
        day = 24 * 3600
        cases = {"seconds": (b"30", 30), "date": (in_an_hour, 3600), "too_long": (b"200000", day),
                 "negative": (b"-5", DELAYS[0]), "text": (b"soon", DELAYS[0]),
                 "absurd": (b"1000000000", None)}
        receivers = self.faulty({
            f"{line[:3].decode()}_{name}": status(line, b"Retry-After: " + value)
            for name, (value, _) in cases.items()
            for line in (b"429 Too Many", b"503 Not Now")})
        for name, (_, seconds) in cases.items():
            for code in (429, 503):
                with self.subTest(name, code=code):
                    waits = self.wait_for_next(receivers, f"{code}_{name}")
                    if seconds is not None:
                        self.assertAlmostEqual(waits, seconds, delta=5)
                    self.assertLessEqual(waits, day + 1)


if __name__ == "__main__":
    triggerd_process.main()
