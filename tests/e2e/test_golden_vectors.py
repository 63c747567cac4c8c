"""The tables of tests/data over HTTP: URLs and durations by creation and PATCH, CloudEvents in
every mode."""

import json
import pathlib
import re

import triggerd_process
from client import wait_until
from server_case import ServerCase
from triggerd_process import OTHER_KEY, OTHER_ORG

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
WEBHOOKS = "/organizations/webhooks"
EVENTS = "/organizations/events"
LOOPBACK = ["127.0.0.0/8", "::1/128"]
PUBLIC = ["93.184.216.0/24", "172.32.0.0/16", "100.128.0.0/16", "2606:2800::/32"]
# The policies that target_urls.txt names, as [targets] has them.
POLICIES = {
    "default": (False, []),
    "http": (True, []),
    "private-https": (False, ["10.0.0.0/8:443"]),
    "loopback": (True, LOOPBACK),
    "dev": (True, ["127.0.0.0/8:18000-18999"]),
    "private": (True, ["10.0.0.0/8"]),
    "public": (True, PUBLIC),
}
ESCAPES = {"\\": "\\", '"': '"', "t": "\t", "n": "\n", "r": "\r", "0": "\0"}
TIMEOUT_MAX_NS = 20 * 10**9


def lines_of(name):
    lines = (DATA / name).read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("#")]


def quoted(line):
    """(what stands before, the quoted text, what follows) of a line."""
    before, text, after = re.fullmatch(r'([^"]*)"((?:[^"\\]|\\.)*)"\s*(.*)', line).groups()
    return before.split(), re.sub(r"\\(.)", lambda found: ESCAPES[found.group(1)], text), after


def url_cases():
    """By policy, (accepted, url, canonical form or words of the message)."""
    cases = {name: [] for name in POLICIES}
    for line in lines_of("target_urls.txt"):
        (_, names, verdict), url, expected = quoted(line)
        for name in names.split(","):
            cases[name].append((verdict == "A", url, expected))
    return cases


class GoldenVectors(ServerCase):
    def launch_under(self, allow_http, allow_networks):
        self.folder.write_config({"targets": {"allow_http": allow_http,
                                              "allow_networks": allow_networks}})
        self.launch()

    def refused(self, answer, field, expected):
        self.assertEqual(answer.status, 400, answer)
        for message in answer.messages:
            self.assertTrue(message.startswith(field + ": "), message)
        self.assertIn(expected, " ".join(answer.messages))

    def check_created(self, accepted, url, expected):
        """A URL is taken as text: the same again is a conflict, another spelling is not."""
        body = {"name": "n", "target_url": url}
        answer = self.client.post(WEBHOOKS, body)
        if not accepted:
            return self.refused(answer, "target_url", expected)
        self.assertEqual((answer.status, answer.result["target_url"]), (201, url))
        made = [answer.result["id"]]
        taken = self.client.post(WEBHOOKS, body)
        self.assertEqual(taken.status, 409, taken)
        self.assertIn(made[0], taken.messages[0])
        if expected != url:
            other = self.client.post(WEBHOOKS, {"name": "n", "target_url": expected})
            self.assertEqual(other.status, 201, other)
            made.append(other.result["id"])
        for webhook in made:
            self.assertEqual(self.client.delete(f"{WEBHOOKS}/{webhook}").status, 204)

    def check_patched(self, client, path, case):
        accepted, url, expected = case
        before = client.get(path).result
        answer = client.patch(path, {"target_url": url})
        if accepted:
            self.assertEqual((answer.status, answer.result["target_url"]), (200, url), answer)
        else:
            self.refused(answer, "target_url", expected)
            self.assertEqual(client.get(path).result, before)

    def check_policy(self, name):
        cases = url_cases()[name]
        self.assertGreater(len(cases), 2)
        self.launch_under(*POLICIES[name])
        # Of another organization, so that what is created is not in its way.
        other = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        path = f"{WEBHOOKS}/" + other.create_webhook("https://patched.example.com/", triggers=())
        for case in cases:
            with self.subTest(case[1][:80]):
                self.check_created(*case)
                self.check_patched(other, path, case)

    def test_durations_as_timeouts(self):
        """Those from 0 to 20 s are shown in Go's form; all others are refused."""
        self.launch_under(False, [])
        path = f"{WEBHOOKS}/" + self.client.create_webhook("https://a.example.com/", triggers=())
        accepted = refused = 0
        for line in lines_of("go_durations.txt"):
            _, text, expected = quoted(line)
            nanos, _, canonical = expected.partition(" ")
            with self.subTest(text[:80]):
                answer = self.client.patch(path, {"timeout": text})
                if nanos == "error" or not 0 <= int(nanos) <= TIMEOUT_MAX_NS:
                    refused += 1
                    self.refused(answer, "timeout", "")
                else:
                    accepted += 1
                    self.assertEqual((answer.status, answer.result["timeout"]), (200, canonical))
        self.assertGreater(min(accepted, refused), 25)
        self.assertGreater(accepted + refused, 60)


class CloudEvents(ServerCase):
    """cloud_events_in.json: each as it stands there, and the structured ones as batches of one."""

    def setUp(self):
        super().setUp()
        self.launch()
        self.receiver = self.receive()
        self.client.create_webhook(self.receiver.url("/ce"), delivery={"format": "cloudevents"})

    def send(self, vector, batched=False):
        if vector["mode"] == "binary":
            data = vector.get("data")
            body = None if data is None else json.dumps(data).encode()
            return self.client.call("POST", EVENTS, body, headers=vector["headers"])
        event = [vector["event"]] if batched else vector["event"]
        kind = "application/cloudevents" + ("-batch" if batched else "") + "+json"
        return self.client.post(EVENTS, json.dumps(event).encode(), headers={"Content-Type": kind})

    def delivered(self, event_id):
        return wait_until(lambda: next(
            (json.loads(call.body) for call in self.receiver.calls("/ce")
             if call.values("webhook-id") == [event_id]), None), "the delivery")

    def check_accepted(self, answer, vector):
        self.assertEqual(answer.status, 202, answer)
        (published,) = answer.result
        self.assertEqual((published["duplicate"], published["webhooks"]), (False, 1))
        wanted = dict(vector["accepted"])
        attributes = wanted.pop("attributes", {})
        event = self.client.event(published["event_id"])
        self.assertEqual({name: event.get(name) for name in wanted}, wanted)
        arrived = self.delivered(published["event_id"])
        self.assertEqual({name: arrived.get(name) for name in attributes}, attributes)
        arrived["data"].pop("event_metadata")
        self.assertEqual(arrived["data"], event["content"])

    def test_each_is_taken_or_refused_as_the_table_says(self):
        vectors = json.loads((DATA / "cloud_events_in.json").read_text(encoding="utf-8"))
        self.assertGreater(len(vectors), 30)
        for vector in vectors:
            with self.subTest(f"{vector['mode']}: {vector['name']}"):
                answer = self.send(vector)
                if "accepted" in vector:
                    self.check_accepted(answer, vector)
                else:
                    self.assertEqual(answer.status, 400, answer)
                    self.assertIn(vector["refused"], " ".join(answer.messages))
                if vector["mode"] == "structured":
                    self.check_batched(vector)

    def check_batched(self, vector):
        answer = self.send(vector, batched=True)
        if "accepted" in vector:
            self.assertEqual([one["duplicate"] for one in answer.result], [True])
        else:
            self.assertEqual(answer.status, 400, answer)
            self.assertTrue(all(one.startswith("[0].") for one in answer.messages), answer)


def add_policy_tests():
    for name in POLICIES:
        def test(self, name=name):
            self.check_policy(name)
        setattr(GoldenVectors, "test_target_urls_under_" + name.replace("-", "_"), test)


add_policy_tests()

if __name__ == "__main__":
    triggerd_process.main()
