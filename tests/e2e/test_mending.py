"""Deliveries given again by hand and by jobs, dead letters, what is pending, the engine's own events."""

import json
import re
import time

import triggerd_process
from client import new_event, wait_until
from receivers import Reply
from server_case import ServerCase
from triggerd_process import OTHER_KEY, OTHER_ORG

WEBHOOKS = "/organizations/webhooks"
DEAD = "/organizations/dead-letters"
PENDING = "/organizations/deliveries/pending"
SINCE = "2020-01-01T00:00:00Z"


class Mending(ServerCase):
    changes = {"delivery.retry": {"schedule": ["50ms"], "jitter": 0},
               "delivery.breaker": {"failures": 0}}

    def setUp(self):
        super().setUp()
        self.launch()
        self.receiver = self.receive()
        self.status = 500
        self.receiver.on("/w", lambda call: Reply(self.status, b"no!"))

    def webhook(self, path="/w", **more):
        return self.client.create_webhook(self.receiver.url(path), **more)

    def act(self, webhook, event, what, status):
        answer = self.client.call("POST", f"{WEBHOOKS}/{webhook}/deliveries/{event}/{what}")
        self.assertEqual(answer.status, status, answer)
        return answer

    def patch(self, webhook, delivery):
        answer = self.client.patch(f"{WEBHOOKS}/{webhook}", {"delivery": delivery})
        self.assertEqual(answer.status, 200, answer)

    def publish_dead(self, count):
        ids = [self.client.publish("PersonCreated_v1")[0] for _ in range(count)]
        for event in ids:
            self.wait_status(event, "dead")
        return ids

    def recover(self, webhook, **more):
        answer = self.client.post(f"{WEBHOOKS}/{webhook}/recover", {"since": SINCE, **more})
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["Location"], "/organizations/jobs/" + answer.result["id"])
        return answer.result["id"]

    def job(self, job):
        answer = self.client.get("/organizations/jobs/" + job)
        self.assertEqual(answer.status, 200, answer)
        return answer.result

    def wait_job(self, job, state="finished"):
        return wait_until(lambda: (found := self.job(job))["state"] == state and found,
                          f"job {job} to be {state}")

    def test_retry_by_hand(self):
        webhook = self.webhook()
        (event,) = self.publish_dead(1)
        self.status = 200
        answer = self.act(webhook, event, "retry", 202)
        self.assertEqual(answer.result, {"attempts": 2, "event_id": event, "status": "pending",
                                         "webhook_id": webhook})
        self.wait_status(event, "delivered")
        shown = self.client.get(f"{WEBHOOKS}/{webhook}/deliveries/{event}").result
        self.assertEqual([one["number"] for one in shown["attempt_log"]], [3, 2, 1])
        # Delivered ones too; of a webhook that is paused it waits, of a disabled one it is refused.
        before = len(self.receiver.calls("/w"))
        self.act(webhook, event, "retry", 202)
        wait_until(lambda: len(self.receiver.calls("/w")) == before + 1, "a further call")
        self.wait_status(event, "delivered")
        self.patch(webhook, {"state": "paused"})
        self.act(webhook, event, "retry", 202)
        self.wait_status(event, "pending")
        self.patch(webhook, {"state": "disabled"})
        self.wait_status(event, "cancelled")
        self.assertIn("state", self.act(webhook, event, "retry", 409).messages[0])
        self.patch(webhook, {"state": "active"})
        self.act(webhook, event, "retry", 202)
        self.wait_status(event, "delivered")

    def test_a_delivery_that_waits_for_hours_is_due_now(self):
        self.status = 503
        webhook = self.webhook(delivery={"schedule": ["10h"]})
        (event,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: "next_attempt_at" in self.client.event(event)["deliveries"][0],
                   "the first attempt to have failed")
        pending = self.client.get(PENDING).result
        self.assertEqual((pending["pending"], pending["delayed"]), (1, 1))
        self.assertEqual(pending["webhooks"][0]["webhook_id"], webhook)
        self.assertIn("oldest_accepted_at", pending)
        self.engine.kill()
        self.launch()
        self.status = 200
        self.act(webhook, event, "retry", 202)
        self.wait_status(event, "delivered")
        self.assertEqual(self.client.get(PENDING).result["pending"], 0)

    def test_a_recover_job_goes_on_after_kill_9(self):
        webhook = self.webhook()
        ids = self.publish_dead(30)
        self.status = 200
        job = self.recover(webhook, rate=10)
        wait_until(lambda: self.job(job)["recovered"] >= 10, "the job to have begun")
        self.engine.kill()
        self.launch()
        found = self.job(job)
        self.assertEqual(found["state"], "running", found)
        done = self.wait_job(job)
        self.assertEqual((done["recovered"], done["skipped"]), (30, 0))
        for event in ids:
            self.wait_status(event, "delivered")
        self.assertEqual(self.client.get(DEAD).result, [])
        self.assertEqual([one["id"] for one in self.client.get("/organizations/jobs").result],
                         [job])
        # At most once more than once: those that were on the wire when it was killed.
        good = [call.event_id for call in self.receiver.calls("/w") if call.status == 200]
        self.assertEqual(set(good), set(ids))

    def test_a_job_is_cancelled(self):
        webhook = self.webhook()
        self.publish_dead(5)
        self.status = 200
        job = self.recover(webhook, rate=1)
        path = "/organizations/jobs/" + job
        wait_until(lambda: self.job(job)["recovered"] == 1, "the first one")
        self.assertEqual(self.client.delete(path).status, 204)
        self.assertEqual(self.client.delete(path).status, 204)
        self.assertEqual(self.job(job)["state"], "cancelled")
        time.sleep(1.5)
        self.assertEqual(self.job(job)["recovered"], 1)
        other = self.connect(org=OTHER_ORG, key=OTHER_KEY)
        self.assertEqual(other.get(path).status, 404)

    def test_dead_letters_are_listed_and_exported(self):
        first = self.webhook()
        second = self.webhook("/v", triggers=["PersonDeleted_v1"])
        self.receiver.on("/v", lambda call: Reply(400, b"bad"))
        ids = self.publish_dead(4)
        (other,) = self.client.publish("PersonDeleted_v1")
        self.wait_status(other, "dead")
        newest_first = [other, *ids[::-1]]

        def listed(query=""):
            answer = self.client.get(DEAD + query)
            self.assertEqual(answer.status, 200, answer)
            return [one["event_id"] for one in answer.result]

        self.assertEqual(listed(), newest_first)
        self.assertEqual(listed(f"?webhook_id={second}"), [other])
        self.assertEqual(listed("?event_name=PersonCreated_v1"), ids[::-1])
        page = self.client.get(DEAD + "?limit=2")
        self.assertEqual([one["event_id"] for one in page.result], newest_first[:2])
        cursor = page.json["meta"]["cursor_pagination"]["cursor"]
        self.assertEqual(listed(f"?limit=9&cursor={cursor}"), newest_first[2:])
        self.assertEqual(self.client.get(DEAD + "?limit=2&cursor=00").status, 400)
        self.assertEqual(self.client.get(DEAD + "?webhook_id=x").status, 400)
        # A cursor of another list is none of this one.
        log = self.client.get("/organizations/events?limit=1").json
        strange = log["meta"]["cursor_pagination"]["cursor"]
        self.assertEqual(self.client.get(f"{DEAD}?cursor={strange}").status, 400)

        lines, path = [], DEAD + "?limit=2"
        while path:
            answer = self.client.get(path, headers={"Accept": "application/x-ndjson"})
            self.assertEqual(answer.headers["Content-Type"], "application/x-ndjson")
            lines += [json.loads(line) for line in answer.body.splitlines()]
            link = answer.headers.get("Link", "")
            path = re.fullmatch(r'<([^>]+)>; rel="next"', link).group(1) if link else ""
        self.assertEqual([line["event_id"] for line in lines], newest_first)
        last = lines[0]
        self.assertEqual(last["webhook_id"], second)
        self.assertEqual(last["event"]["event_metadata"]["event_id"], other)
        self.assertEqual((last["last_attempt"]["http_status"], last["last_attempt"]["answer"]),
                         (400, "bad"))
        self.assertEqual(lines[1]["webhook_id"], first)
        # The webhook is gone, and its letters with it.
        self.assertEqual(self.client.delete(f"{WEBHOOKS}/{first}").status, 204)
        self.assertEqual(listed(), [other])

    def test_one_test_event_for_one_webhook(self):
        self.status = 200
        webhook = self.webhook(triggers=[])
        self.webhook("/other")
        answer = self.client.post(f"{WEBHOOKS}/{webhook}/test",
                                  {"event_name": "PersonCreated_v1"})
        self.assertEqual(answer.status, 202, answer)
        event = answer.result["event_id"]
        shown = self.wait_status(event, "delivered")
        self.assertIs(shown["is_test_event"], True)
        (call,) = self.receiver.calls("/w")
        self.assertEqual(call.event_id, event)
        self.assertIs(call.claims["trigger_content"]["event_metadata"]["is_test_event"], True)
        self.assertEqual(self.receiver.calls("/other"), [])
        for body in ({}, {"event_name": "NoSuchEvent_v1"}, {"event_name": "x"}):
            self.assertEqual(self.client.post(f"{WEBHOOKS}/{webhook}/test", body).status, 400)
        self.patch(webhook, {"state": "disabled"})
        self.assertEqual(self.client.post(f"{WEBHOOKS}/{webhook}/test",
                                          {"event_name": "PersonCreated_v1"}).status, 409)

    def test_a_key_that_is_held_up_is_seen_and_skipped(self):
        self.status = 503
        webhook = self.webhook(delivery={"schedule": ["10h"], "ordering": "key"})
        ids = []
        for number in range(4):
            answer = self.client.post("/organizations/events", {
                **new_event(content={"number": number}), "ordering_key": "customer-1"})
            self.assertEqual(answer.status, 202, answer)
            ids.append(answer.result[0]["event_id"])
        wait_until(lambda: "next_attempt_at" in self.client.event(ids[0])["deliveries"][0],
                   "the first attempt to have failed")
        keys = self.client.get(f"{WEBHOOKS}/{webhook}/ordering-keys").result
        self.assertIs(keys["is_complete"], True)
        (key,) = keys["keys"]
        self.assertEqual((key["ordering_key"], key["event_id"], key["attempts"], key["waiting"]),
                         ("customer-1", ids[0], 1, 3))
        self.status = 200
        self.assertEqual(self.act(webhook, ids[0], "skip", 200).result["status"], "dead")
        for event in ids[1:]:
            self.wait_status(event, "delivered")
        self.act(webhook, ids[0], "skip", 409)
        self.assertEqual(self.client.get(f"{WEBHOOKS}/{webhook}/ordering-keys").result["keys"], [])

    def test_the_engines_own_events(self):
        webhook = self.webhook()
        listener = self.webhook("/told", triggers=["triggerd.DeadLetter_v1",
                                                   "triggerd.WebhookDisabled_v1",
                                                   "triggerd.RecoverFinished_v1"])
        (event,) = self.publish_dead(1)

        def told(name):
            return [call for call in self.receiver.calls("/told") if
                    call.claims["trigger_content"]["event_metadata"]["event_name"] == name]

        (dead,) = wait_until(lambda: told("triggerd.DeadLetter_v1"), "the dead letter to be told")
        self.assertEqual((dead.content["event_id"], dead.content["webhook_id"]), (event, webhook))
        self.status = 200
        job = self.recover(webhook)
        (done,) = wait_until(lambda: told("triggerd.RecoverFinished_v1"), "the job to be told")
        self.assertEqual((done.content["job_id"], done.content["recovered"]), (job, 1))
        self.patch(webhook, {"state": "disabled"})
        (gone,) = wait_until(lambda: told("triggerd.WebhookDisabled_v1"), "the end to be told")
        self.assertEqual((gone.content["webhook_id"], gone.content["reason"]),
                         (webhook, "by_hand"))
        refused = self.client.post("/organizations/events",
                                   {"event_name": "triggerd.DeadLetter_v1", "content": {}})
        self.assertEqual(refused.status, 400, refused)
        self.assertIn("triggerd.", refused.messages[0])
        # Its failure makes no further one.
        self.receiver.on("/told", lambda call: 500)
        self.status = 500
        self.patch(webhook, {"state": "active"})
        self.publish_dead(1)
        wait_until(lambda: self.client.get(f"{DEAD}?webhook_id={listener}").result,
                   "the listener to have failed")
        time.sleep(0.5)
        self.assertEqual(len(self.client.get(f"{DEAD}?webhook_id={listener}").result), 1)


if __name__ == "__main__":
    triggerd_process.main()
