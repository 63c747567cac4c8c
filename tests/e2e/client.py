"""A client of the API on one keep-alive connection. Not for use by several threads."""

import http.client
import json
import time
import uuid

from triggerd_process import API_KEY, ORG

TIMEOUT_SECONDS = 60


class NotSent(Exception):
    """No connection could be made: the server has seen nothing of the request."""


class AnswerLost(Exception):
    """The request was sent, and the connection ended before the answer: its fate is unknown."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        return self.json["result"]

    @property
    def messages(self):
        """The messages of the error envelope; AssertionError when it is not exactly that."""
        document = self.json
        assert list(document) == ["errors"] and document["errors"], document
        for entry in document["errors"]:
            assert sorted(entry) == ["httpcode", "message"], entry
            assert entry["httpcode"] == self.status, (entry, self.status)
            assert entry["message"], entry
        return [entry["message"] for entry in document["errors"]]

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class Client:
    def __init__(self, port, org=ORG, key=API_KEY, bearer=None):
        self.port = port
        self.headers = {}
        if org:
            self.headers["SlashID-OrgID"] = org
        if key and not bearer:
            self.headers["SlashID-API-Key"] = key
        if bearer:
            self.headers["Authorization"] = "Bearer " + bearer
        self._connection = None

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connect(self):
        if self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                    timeout=TIMEOUT_SECONDS)
            try:
                connection.connect()
            except OSError as error:
                raise NotSent(str(error)) from error
            self._connection = connection
        return self._connection

    def call(self, method, path, body=None, headers=None):
        """One request. `body`: bytes as they are, anything else as JSON."""
        fields = {**self.headers, **(headers or {})}
        fields = {name: value for name, value in fields.items() if value is not None}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None and "Content-Type" not in (headers or {}):
            fields["Content-Type"] = "application/json"
        connection = self._connect()
        try:
            connection.request(method, path, body=body, headers=fields)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise AnswerLost(f"{type(error).__name__}: {error}") from error
        if response.will_close:
            self.close()
        return answer

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body, **more):
        return self.call("POST", path, body, **more)

    def patch(self, path, body, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    # --- What nearly every test does ---

    def create_webhook(self, url, triggers=("PersonCreated_v1",), **members):
        """Registers a webhook with event triggers; returns its id."""
        answer = self.post("/organizations/webhooks",
                           {"name": "receiver", "target_url": url, **members})
        assert answer.status == 201, answer
        webhook = answer.result["id"]
        for name in triggers:
            added = self.post(f"/organizations/webhooks/{webhook}/triggers",
                              {"trigger_type": "event", "trigger_name": name})
            assert (added.status, added.body) == (201, b"{}"), added
        return webhook

    def publish(self, *events):
        """Posts events (dicts, or names) as one batch; returns their ids."""
        batch = [new_event(event) if isinstance(event, str) else event for event in events]
        answer = self.post("/organizations/events", batch)
        assert answer.status == 202, answer
        return [entry["event_id"] for entry in answer.result]

    def event(self, event_id):
        answer = self.get("/organizations/events/" + event_id)
        assert answer.status == 200, answer
        return answer.result


def new_event(name="PersonCreated_v1", content=None):
    """An event with an id of its own."""
    event_id = str(uuid.uuid4())
    if content is None:
        content = {"person_id": event_id}
    return {"event_name": name, "event_id": event_id, "content": content}


def wait_until(condition, what, seconds=30):
    """Polls until `condition` answers something true, and returns it; a bounded wait."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
