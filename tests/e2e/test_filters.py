"""Filters on triggers, the event catalogue and its schemas, through the real binary and a restart."""

import triggerd_process
from client import new_event
from server_case import ServerCase

WEBHOOKS = "/organizations/webhooks"
TYPES = "/organizations/event-types"
EVENTS = "/organizations/events"


class Filters(ServerCase):
    def setUp(self):
        super().setUp()
        self.launch()

    def restart(self):
        self.assertEqual(self.engine.terminate(), 0)
        self.launch()

    def set_trigger(self, webhook, name="PersonCreated_v1", **members):
        body = {"trigger_type": "event", "trigger_name": name, **members}
        answer = self.client.post(f"{WEBHOOKS}/{webhook}/triggers", body)
        self.assertEqual((answer.status, answer.body), (201, b"{}"), answer)

    def triggers(self, webhook):
        return self.client.get(f"{WEBHOOKS}/{webhook}/triggers").result

    def webhooks_of(self, content):
        answer = self.client.post(EVENTS, new_event(content=content))
        self.assertEqual(answer.status, 202, answer)
        return answer.result[0]["webhooks"]

    def test_only_events_that_match_are_delivered_before_and_after_a_restart(self):
        receiver = self.receive()
        webhook = self.client.create_webhook(receiver.url("/pro"), triggers=[])
        self.set_trigger(webhook, filter={"user": {"plan": ["pro", {"prefix": "team-"}]}})
        pro = new_event(content={"user": {"plan": "pro"}})
        team = new_event(content={"user": {"plan": "team-9"}})
        for _ in range(2):
            self.assertEqual(self.webhooks_of({"user": {"plan": "free"}}), 0)
            self.assertEqual(self.webhooks_of({"person_id": "p"}), 0)
            self.client.publish(pro, team)
            self.wait_status(pro["event_id"], "delivered")
            self.wait_status(team["event_id"], "delivered")
            self.assertEqual(sorted(call.event_id for call in receiver.calls()),
                             sorted([pro["event_id"], team["event_id"]]))
            self.restart()

    def test_a_filter_is_shown_replaced_and_taken_away(self):
        webhook = self.client.create_webhook("http://127.0.0.1:9/f", triggers=[])
        first = {"amount": [{"numeric": [">", 100]}]}
        self.set_trigger(webhook, filter=first)
        self.assertEqual(self.triggers(webhook), [{
            "filter": first, "trigger_name": "PersonCreated_v1", "trigger_type": "event"}])
        self.assertEqual(self.webhooks_of({"amount": 101}), 1)
        self.assertEqual(self.webhooks_of({"amount": 100.0}), 0)
        self.set_trigger(webhook, filter={"amount": [{"numeric": ["<", 100]}]})
        self.assertEqual(self.webhooks_of({"amount": 101}), 0)
        self.restart()
        self.assertEqual(self.webhooks_of({"amount": 99}), 1)
        self.set_trigger(webhook)
        self.assertEqual(self.triggers(webhook), [{
            "trigger_name": "PersonCreated_v1", "trigger_type": "event"}])
        self.assertEqual(self.webhooks_of({"amount": 101}), 1)

    def test_a_change_holds_for_the_next_event_on_every_connection(self):
        webhook = self.client.create_webhook("http://127.0.0.1:9/race")
        others = [self.connect() for _ in range(8)]
        for turn in range(10):
            self.set_trigger(webhook, filter={"turn": [turn]})
            for other in others:
                answer = other.post(EVENTS, [new_event(content={"turn": turn}),
                                             new_event(content={"turn": turn - 1})])
                self.assertEqual([one["webhooks"] for one in answer.result], [1, 0], turn)

    def test_a_filter_that_is_wrong_names_the_place(self):
        webhook = self.client.create_webhook("http://127.0.0.1:9/bad", triggers=[])
        answer = self.client.post(f"{WEBHOOKS}/{webhook}/triggers", {
            "trigger_type": "event", "trigger_name": "PersonCreated_v1",
            "filter": {"a": [{"prefixx": "p"}], "b": "c", "d": {"$and": []}}})
        self.assertEqual(answer.status, 400)
        self.assertEqual(len(answer.messages), 3)
        self.assertIn("filter.a[0].prefixx", answer.messages[0])
        self.assertIn("filter.b", answer.messages[1])
        self.assertIn("filter.d.$and", answer.messages[2])
        hook = self.client.post(f"{WEBHOOKS}/{webhook}/triggers", {
            "trigger_type": "sync_hook", "trigger_name": "token_minted", "filter": {"a": [1]}})
        self.assertEqual(hook.status, 400)
        self.assertIn("filter", hook.messages[0])

    def test_a_dry_run_says_which_events_would_match(self):
        webhook = self.client.create_webhook("http://127.0.0.1:9/dry", triggers=[])
        self.set_trigger(webhook, filter={"user": {"plan": ["pro"]}, "amount": [1]})
        stored = self.client.publish(
            new_event(content={"user": {"plan": "pro"}, "amount": 1}),
            new_event(content={"user": {"plan": "free"}, "amount": 1}))
        path = f"{WEBHOOKS}/{webhook}/triggers/test"
        trigger = {"trigger_type": "event", "trigger_name": "PersonCreated_v1"}
        answer = self.client.post(path, {
            **trigger, "recent": 10,
            "events": [{"content": {"user": {"plan": "pro"}, "amount": 2}},
                       {"event_name": "PersonDeleted_v1", "content": {}}]})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.result, [
            {"event_name": "PersonCreated_v1", "failed_field": "amount", "matches": False},
            {"event_name": "PersonDeleted_v1", "failed_field": "event_name", "matches": False},
            {"event_id": stored[1], "event_name": "PersonCreated_v1",
             "failed_field": "user.plan", "matches": False},
            {"event_id": stored[0], "event_name": "PersonCreated_v1", "matches": True}])
        other = self.client.post(path, {
            **trigger, "recent": 1, "filter": {"$or": [{"user": {"plan": ["free"]}}]}})
        self.assertEqual([one["matches"] for one in other.result], [True])
        self.assertEqual(self.client.post(path, trigger).status, 400)

    def test_names_are_added_used_and_removed(self):
        name = "OrderPlaced_v1"
        self.assertEqual(self.client.post(EVENTS, new_event(name)).status, 400)
        made = self.client.call("PUT", f"{TYPES}/{name}", {"description": "an order"})
        self.assertEqual(made.status, 201, made)
        expected = {"built_in": False, "description": "an order", "name": name}
        self.assertEqual(made.result, expected)
        again = self.client.call("PUT", f"{TYPES}/{name}", {"description": "an order"})
        self.assertEqual((again.status, again.result), (200, expected))
        webhook = self.client.create_webhook("http://127.0.0.1:9/order", triggers=[name])
        self.restart()
        self.client.publish(name)
        listed = self.client.get(TYPES).result
        self.assertEqual(len(listed), 60)
        self.assertEqual(listed[59], expected)
        self.assertEqual(listed[0], {"built_in": True, "name": "AuthenticationSucceeded_v1"})
        used = self.client.delete(f"{TYPES}/{name}")
        self.assertEqual(used.status, 409)
        self.assertIn(webhook, used.messages[0])
        query = f"?trigger_type=event&trigger_name={name}"
        self.assertEqual(self.client.delete(f"{WEBHOOKS}/{webhook}/triggers{query}").status, 204)
        self.assertEqual(self.client.delete(f"{TYPES}/{name}").status, 204)
        self.assertEqual(self.client.get(f"{TYPES}/{name}").status, 404)
        self.assertEqual(self.client.delete(f"{TYPES}/{name}").status, 404)
        self.assertEqual(self.client.delete(f"{TYPES}/PersonCreated_v1").status, 409)
        self.assertEqual(self.client.call("PUT", f"{TYPES}/NoVersion", {}).status, 400)

    def test_a_schema_is_checked_at_ingest_before_and_after_a_restart(self):
        schema = {"type": "object", "required": ["person"], "properties": {
            "person": {"type": "object", "properties": {"age": {"type": "integer"}}}}}
        put = self.client.call("PUT", f"{TYPES}/PersonCreated_v1", {"schema": schema})
        self.assertEqual(put.status, 200, put)
        self.assertEqual(put.result["schema"], schema)
        good = new_event(content={"person": {"age": 7}})
        bad = new_event(content={"person": {"age": "seven"}})
        for _ in range(2):
            answer = self.client.post(EVENTS, [good, bad, new_event(content={})])
            self.assertEqual(answer.status, 400, answer)
            self.assertEqual(len(answer.messages), 2)
            self.assertIn("[1].content/person/age", answer.messages[0])
            self.assertIn('"type"', answer.messages[0])
            self.assertIn("[2].content:", answer.messages[1])
            self.assertIn('"required"', answer.messages[1])
            self.restart()
        self.client.publish(good)
        self.assertEqual(self.client.call("PUT", f"{TYPES}/PersonCreated_v1", {}).status, 200)
        self.client.publish(bad)
        for wrong in ({"type": "strnig"}, {"pattern": "a"}, {"$ref": "http://x/y"},
                      {"minimum": "1"}, {"unknown": 1}, {"multipleOf": 0}):
            answer = self.client.call("PUT", f"{TYPES}/PersonCreated_v1", {"schema": wrong})
            self.assertEqual(answer.status, 400, wrong)
            self.assertIn("schema/" + next(iter(wrong)), answer.messages[0])


if __name__ == "__main__":
    triggerd_process.main()
