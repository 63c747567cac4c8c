"""Synchronous hooks: every webhook is called at once, and the caller gets one answer in time."""

import json
import threading
import time
import uuid

import triggerd_process
from client import wait_until
from receivers import Reply
from server_case import ServerCase

HOOKS = ("token_minted", "identify_user", "threat_detection", "posture_detection")


class Hooks(ServerCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.receive()
        self.release = threading.Event()  # of receivers that hang
        self.addCleanup(self.release.set)
        self.launch()

    def add(self, path, decide=None, hook="token_minted", **members):
        """A webhook with a trigger for the hook; returns its id."""
        if decide is not None:
            self.receiver.on(path, decide)
        webhook = self.client.create_webhook(self.receiver.url(path), triggers=(), **members)
        added = self.client.post(f"/organizations/webhooks/{webhook}/triggers",
                                 {"trigger_type": "sync_hook", "trigger_name": hook})
        self.assertEqual((added.status, added.body), (201, b"{}"))
        return webhook

    def call(self, hook="token_minted", content=b'{"sub":"person"}', **headers):
        return self.client.post(f"/organizations/sync-hooks/{hook}", content, headers=headers)

    def result(self, *arguments, **headers):
        answer = self.call(*arguments, **headers)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        return answer.result

    def hang(self, _call):
        self.release.wait(30)
        return Reply()

    def outcomes(self, result):
        return [(one["outcome"], one["status"]) for one in result["webhooks"]]

    def test_all_four_hooks_call_their_webhooks_and_no_others(self):
        for name in HOOKS:
            self.add("/" + name, lambda _, name=name: Reply(body=b'{"from":"%s"}' % name.encode()),
                     hook=name)
        for name in HOOKS:
            result = self.result(name)
            self.assertEqual(result["decision"], "continue")
            self.assertEqual(result["claims"], {"from": name})
            self.assertEqual(len(self.receiver.calls("/" + name)), 1)
        unknown = self.call("token_minted_v1")
        self.assertEqual(unknown.status, 404)
        self.assertIn("no such sync hook", unknown.messages[0])

    def test_a_hook_without_webhooks_continues(self):
        self.assertEqual(self.call().json, {"result": {
            "claims": {}, "conflicts": [], "decision": "continue", "dropped": [], "webhooks": []}})

    def test_the_token_holds_the_content_byte_for_byte_under_one_subject(self):
        for path in ("/a", "/b"):
            self.add(path)
        content = b'{ "aud":"x",\t"n": 1.50e3, "t":"\\u00e4" }'
        trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        self.result("token_minted", b" \r\n" + content + b"\n", traceparent=trace)
        calls = self.receiver.calls("/a") + self.receiver.calls("/b")
        self.assertEqual(len(calls), 2)
        for call in calls:
            self.assertIn(b'"trigger_content":' + content + b',"trigger_name":"token_minted"',
                          call.payload)
            self.assertEqual(call.claims["trigger_type"], "sync_hook")
            self.assertEqual(call.claims["exp"] - call.claims["iat"], 300)
            self.assertTrue(call.values("traceparent")[0].startswith("00-" + "a" * 32))
        subjects = {call.claims["sub"] for call in calls}
        self.assertEqual(len(subjects), 1)
        self.assertEqual(uuid.UUID(subjects.pop()).version, 7)
        self.assertEqual(len({call.claims["jti"] for call in calls}), 2)

    def test_claims_are_merged_in_the_order_of_registration(self):
        # The first one answers last.
        self.add("/1", lambda _: Reply(body=b'{"department": "R&D","n":1.50}', delay=0.3))
        self.add("/2", lambda _: Reply(body=b'{"department":"Sales","sub":"x","deep":{"a":[1]}}'))
        self.add("/3", lambda _: Reply(status=204))
        self.add("/4", lambda _: Reply(body=b"{}"))
        answer = self.call()
        result = answer.result
        self.assertEqual(result["claims"], {"department": "R&D", "n": 1.5, "deep": {"a": [1]}})
        self.assertIn(b'"n":1.50,', answer.body)  # as it was sent
        self.assertEqual(result["conflicts"], ["department"])
        self.assertEqual(result["dropped"], ["sub"])
        self.assertEqual(self.outcomes(result), [("ok", 200), ("ok", 200), ("ok", 204),
                                                 ("ok", 200)])
        self.assertGreaterEqual(result["webhooks"][0]["duration_ms"], 290)
        self.assertLess(result["webhooks"][1]["duration_ms"], 290)

    def test_403_denies_with_the_reason_of_the_receiver(self):
        self.add("/ok", lambda _: Reply(body=b'{"a":1}'))
        self.add("/no", lambda _: Reply(status=403, body=b'{"message":"from \\"Mars\\"","b":2}'))
        result = self.result()
        self.assertEqual(result["decision"], "deny")
        self.assertEqual(result["reason"], 'from "Mars"')
        self.assertEqual(result["claims"], {})
        self.assertEqual(self.outcomes(result), [("ok", 200), ("denied", 403)])
        self.receiver.on("/no", lambda _: Reply(status=403, body=b"<html>"))
        result = self.result()
        self.assertEqual(result["decision"], "deny")
        self.assertIn("denied without a message", result["reason"])

    def test_a_webhook_that_is_closed_on_failure_denies(self):
        self.add("/closed", delivery={"on_failure": "closed"}, timeout="300ms")
        self.add("/good", lambda _: Reply(body=b'{"a":1}'))
        self.assertEqual(self.result()["decision"], "continue")
        for decide, outcome in ((lambda _: 500, "http_error"),
                                (lambda _: Reply(body=b"[]"), "bad_answer"),
                                (lambda _: Reply(reset=True), "connect"),
                                (self.hang, "timeout")):
            with self.subTest(outcome=outcome):
                self.receiver.on("/closed", decide)
                result = self.result()
                self.assertEqual((result["decision"], result["claims"]), ("deny", {}))
                self.assertEqual([one["outcome"] for one in result["webhooks"]], [outcome, "ok"])
                self.assertIn(outcome, result["reason"])

    def test_a_webhook_that_is_open_on_failure_does_not_deny(self):
        for number, delivery in enumerate(({}, {"on_failure": "open"})):
            self.add(f"/{number}", lambda _: 500, delivery=delivery)
        result = self.result()
        self.assertEqual(result["decision"], "continue")
        self.assertEqual(self.outcomes(result), [("http_error", 500)] * 2)

    def test_on_failure_may_be_changed(self):
        webhook = self.add("/", lambda _: 500)
        for on_failure, decision in (("closed", "deny"), ("open", "continue"), ("closed", "deny"),
                                     (None, "continue")):
            changed = self.client.patch("/organizations/webhooks/" + webhook,
                                        {"delivery": {"on_failure": on_failure}})
            self.assertEqual(changed.status, 200, changed)
            self.assertEqual(self.result()["decision"], decision, on_failure)

    def test_while_the_breaker_is_open_a_closed_webhook_denies(self):
        self.add("/", lambda _: 500, delivery={"on_failure": "closed"})
        for _ in range(6):
            result = self.result()
            self.assertEqual(result["decision"], "deny")
        self.assertEqual(self.outcomes(result), [("breaker_open", 0)])
        self.assertIn("breaker_open", result["reason"])
        self.assertEqual(self.receiver.count(), 5)

    def test_hooks_come_in_the_format_of_their_webhook(self):
        content = b'{"region": "europe", "n":1.50}'
        for name in ("jwt", "json", "cloudevents", "cloudevents-binary"):
            self.add("/" + name, lambda _, name=name: Reply(body=b'{"%s":1}' % name.encode()),
                     delivery={"format": name})
        result = self.result("token_minted", content)
        self.assertEqual(result["claims"],
                         {"jwt": 1, "json": 1, "cloudevents": 1, "cloudevents-binary": 1})
        (token,) = self.receiver.calls("/jwt")
        subject = token.claims["sub"]
        self.assertEqual(token.values("content-type"), ["application/jwt"])

        (plain,) = self.receiver.calls("/json")
        self.assertEqual(plain.values("content-type"), ["application/json"])
        self.assertEqual(plain.body, content)

        (structured,) = self.receiver.calls("/cloudevents")
        self.assertEqual(structured.values("content-type"), ["application/cloudevents+json"])
        event = json.loads(structured.body)
        self.assertEqual((event["specversion"], event["type"], event["id"]),
                         ("1.0", "token_minted", subject))
        self.assertEqual(event["data"], {"region": "europe", "n": 1.5})
        self.assertIn(content, structured.body)

        (binary,) = self.receiver.calls("/cloudevents-binary")
        self.assertEqual(binary.values("content-type"), ["application/json"])
        self.assertEqual(binary.body, content)
        self.assertEqual((binary.values("ce-specversion"), binary.values("ce-type"),
                          binary.values("ce-id")), (["1.0"], ["token_minted"], [subject]))
        for call in (plain, structured, binary):
            self.assertEqual(call.values("webhook-id"), [subject])
            self.assertTrue(call.values("webhook-signature")[0].startswith("v1,"))
        self.assertEqual(token.values("webhook-signature"), [])

    def test_answers_of_every_bad_kind_are_failures_of_their_webhook(self):
        deep = b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"
        bad = {
            "/text": Reply(body=b"hello"),
            "/list": Reply(body=b"[1]"),
            "/large": Reply(body=b'{"a":"' + b"x" * 102400 + b'"}'),
            "/deep": Reply(body=deep),
            "/twice": Reply(body=b'{"a":1,"\\u0061":2}'),
            "/utf8": Reply(body=b'{"a":"\xff"}'),
            "/cut": Reply(body=b'{"a":1'),
            "/many": Reply(body=json.dumps({f"c{n}": n for n in range(257)}).encode()),
        }
        for path, reply in bad.items():
            self.add(path, lambda _, reply=reply: reply)
        self.add("/500", lambda _: 500)
        self.add("/302", lambda _: Reply(302, headers=[("Location", "/elsewhere")]))
        self.add("/reset", lambda _: Reply(reset=True))
        self.add("/good", lambda _: Reply(body=json.dumps({f"c{n}": n for n in range(256)}).encode()))
        result = self.result()
        self.assertEqual(result["decision"], "continue")
        self.assertEqual(len(result["claims"]), 256)
        self.assertEqual(self.outcomes(result),
                         [("bad_answer", 200)] * len(bad) +
                         [("http_error", 500), ("http_error", 302), ("connect", 0), ("ok", 200)])

    def test_who_does_not_answer_in_its_time_is_not_waited_for(self):
        self.add("/hang", self.hang, timeout="700ms")
        self.add("/good", lambda _: Reply(body=b'{"a":1}'))
        began = time.monotonic()
        result = self.result()
        took = time.monotonic() - began
        self.assertEqual(self.outcomes(result), [("timeout", 0), ("ok", 200)])
        self.assertEqual(result["claims"], {"a": 1})
        self.assertGreaterEqual(took, 0.69)
        self.assertLess(took, 1.9)

    def test_the_caller_says_how_long_it_waits(self):
        self.add("/hang", self.hang, timeout="10s")
        began = time.monotonic()
        answer = self.call(Prefer="respond-async, wait=1")
        took = time.monotonic() - began
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Preference-Applied"], "wait=1")
        self.assertEqual(self.outcomes(answer.result), [("timeout", 0)])
        self.assertGreaterEqual(took, 0.99)
        self.assertLess(took, 3)
        for bad in ("wait", "wait=0", "wait=21", "wait=1.5", "wait=-1", "wait=x"):
            refused = self.call(Prefer=bad)
            self.assertEqual(refused.status, 400, bad)
            self.assertIn("Prefer: wait", refused.messages[0])

    def test_a_breaker_spares_callers_a_receiver_that_fails(self):
        self.add("/500", lambda _: 500)
        for _ in range(5):
            self.assertEqual(self.outcomes(self.result()), [("http_error", 500)])
        self.assertEqual(self.outcomes(self.result()), [("breaker_open", 0)])
        self.assertEqual(len(self.receiver.calls("/500")), 5)

    def test_what_is_no_content_is_refused(self):
        for body, status in ((b"[]", 400), (b"{", 400), (b'"x"', 400), (b'{"a":1,"a":2}', 400),
                             (b'{"a":"' + b"x" * (256 * 1024) + b'"}', 413)):
            self.assertEqual(self.call("token_minted", body).status, status, body[:20])
        stranger = self.connect(key=triggerd_process.OTHER_KEY)
        self.assertEqual(stranger.post("/organizations/sync-hooks/token_minted", {}).status, 403)
        self.assertEqual(self.client.get("/organizations/sync-hooks/token_minted").status, 405)

    def test_calls_stand_in_the_delivery_log_and_deliver_nothing_later(self):
        ok = self.add("/ok", lambda _: Reply(body=b'{"a":1}'))
        failed = self.add("/500", lambda _: Reply(500, b"out of order"))
        self.result("token_minted", b'{"region":"europe"}')
        event = self.receiver.calls("/ok")[0].claims["sub"]
        found = wait_until(lambda: (answer := self.client.get("/organizations/events/" + event))
                           .status == 200 and answer.result, "the call to be logged")
        self.assertEqual(found["event_name"], "token_minted")
        self.assertEqual(found["content"], {"region": "europe"})
        shown = {one["webhook_id"]: one for one in found["deliveries"]}
        self.assertEqual((shown[ok]["status"], shown[ok]["attempts"]), ("delivered", 1))
        self.assertEqual((shown[failed]["status"], shown[failed]["attempts"]), ("dead", 1))
        self.assertEqual(shown[failed]["last_attempt"]["answer"], "out of order")
        self.engine.kill()
        self.launch()
        self.assertEqual(self.client.event(event)["deliveries"], found["deliveries"])
        time.sleep(0.3)
        self.assertEqual(self.receiver.count(), 2)

    def test_a_drain_answers_the_calls_under_way(self):
        self.add("/slow", lambda _: Reply(body=b'{"a":1}', delay=1.0), timeout="5s")
        answers = []
        other = self.connect()
        caller = threading.Thread(
            target=lambda: answers.append(other.post("/organizations/sync-hooks/token_minted", {})))
        caller.start()
        wait_until(lambda: self.receiver.calls("/slow"), "the call to arrive")
        self.engine.terminate()
        caller.join(20)
        self.assertEqual(answers[0].result["claims"], {"a": 1})


if __name__ == "__main__":
    triggerd_process.main()
