"""Every example of the document is sent to the real binary; every answer must be as it says."""

import json
import pathlib
import subprocess
import urllib.parse
import uuid

import triggerd_process
from server_case import ServerCase

CONFORMANCE = pathlib.Path(__file__).resolve().parent.parent / "conformance"
EXAMPLE_ORG = b"7f5c1c1e-2b6a-4c66-9f0e-0d5a1a4c9a11"  # stands for the fixture's own
UNKNOWN = "01890000-0000-7000-8000-000000000000"
METHODS = ("get", "post", "put", "patch", "delete", "options")
ADMIN = "e2e-admin-token-of-the-openapi-test"


class OpenApi(ServerCase):
    """Each request gets an organization of its own, so that no example is in another's way."""

    def setUp(self):
        super().setUp()
        token = self.folder.path / "admin.token"
        token.write_text(ADMIN + "\n")
        self.folder.write_config({
            "admin": {"token_file": str(token)},
            "backup": {"folder": str(self.folder.path / "backups")},
            "sdk_ingest": {"enabled": True},
            "targets": {"allow_http": None, "allow_networks": None}})
        self.launch()
        self.admin = self.connect(org=None, bearer=ADMIN)
        self.anyone = self.connect(org=None, key=None)
        self.document = self.anyone.get("/openapi.json").json
        self.answers = []

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method in METHODS:
                    yield path, method, item, operation

    def resolve(self, value):
        while "$ref" in value:
            name, found = value["$ref"], self.document
            for part in name[2:].split("/"):
                found = found[part]
            value = found
        return value

    def fixture(self):
        """An organization: key, webhook with trigger and secret, event, event type of its own."""
        created = self.admin.post("/admin/organizations", {"name": "example"})
        self.assertEqual(created.status, 201, created)
        org = created.result["id"]
        made = self.admin.post(f"/admin/organizations/{org}/api-keys", {})
        self.assertEqual(made.status, 201, made)
        client = self.connect(org=org, key=made.result["api_key"])
        webhook = client.create_webhook("https://fixture.invalid/hook")
        rotated = client.call("POST", f"/organizations/webhooks/{webhook}/secret/rotate")
        self.assertEqual(rotated.status, 200, rotated)
        (event,) = client.publish("PersonCreated_v1")
        defined = client.call("PUT", "/organizations/event-types/InvoicePaid_v1", b"{}")
        self.assertEqual(defined.status, 201, defined)
        names = {"organization_id": org, "key_id": made.result["id"], "webhook_id": webhook,
                 "event_id": event, "trigger_name": "token_minted", "name": "InvoicePaid_v1"}
        job = client.post(f"/organizations/webhooks/{webhook}/recover",
                          {"since": "2026-01-01T00:00:00Z"})
        self.assertEqual(job.status, 202, job)
        names["job_id"] = job.result["id"]
        return client, names

    def park(self, client, names):
        """A delivery without an attempt under way."""
        paused = client.patch(f"/organizations/webhooks/{names['webhook_id']}",
                              {"delivery": {"state": "paused"}})
        self.assertEqual(paused.status, 200, paused)
        (names["event_id"],) = client.publish("PersonCreated_v1")

    def target(self, path, item, operation, names):
        for name, value in names.items():
            path = path.replace("{" + name + "}", value)
        query = {}
        for parameter in item.get("parameters", []) + operation.get("parameters", []):
            parameter = self.resolve(parameter)
            if parameter["in"] == "query" and parameter.get("required"):
                query[parameter["name"]] = parameter["example"]
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def client_of(self, operation, client):
        security = operation.get("security", self.document["security"])
        if {"AdminToken": []} in security:
            return self.admin
        return client if security else self.connect(org=client.headers["SlashID-OrgID"], key=None)

    def record(self, path, method, answer):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        self.answers.append({"method": method, "path": path, "status": answer.status,
                             "headers": headers, "body": answer.body.decode()})
        return answer

    def bodies(self, operation):
        """(name, headers, body, whether it is to be refused) of each example."""
        if "requestBody" not in operation:
            yield "no body", {}, None, False
            return
        for media_type, media in operation["requestBody"]["content"].items():
            for kind in ("examples", "x-refused", "x-binary", "x-binary-refused"):
                for name, example in media.get(kind, {}).items():
                    value = example["value"]
                    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
                    headers = {"Content-Type": media_type, **example.get("headers", {})}
                    yield name, headers, body, kind.endswith("refused")

    @staticmethod
    def success_of(operation, media_type):
        """The lowest status; a stream is answered in lines, which another status may have alone."""
        statuses = sorted(operation["responses"])
        of_lines = [status for status in statuses if list(
            operation["responses"][status].get("content", {})) == ["application/x-ndjson"]]
        if of_lines and media_type != "application/x-ndjson":
            statuses.remove(of_lines[0])
        return int(statuses[0])

    def validate(self):
        if not (CONFORMANCE / "node_modules" / "ajv").is_dir():
            raise AssertionError("ajv is not installed: run ./setup --tests --deps")
        done = subprocess.run(["node", "validate_answers.mjs"], cwd=CONFORMANCE, text=True,
                              input="\n".join(map(json.dumps, self.answers)) + "\n", timeout=60,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_example_is_answered_as_the_document_says(self):
        sent = 0
        for path, method, item, operation in self.operations():
            if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
                continue  # it has no end: test_live_stream.py
            for name, headers, body, refused in self.bodies(operation):
                with self.subTest(f"{method} {path}: {name}"):
                    client, names = self.fixture()
                    if operation["operationId"] == "skipDelivery":
                        self.park(client, names)
                    if body:
                        body = body.replace(EXAMPLE_ORG, names["organization_id"].encode())
                    answer = self.record(path, method, self.client_of(operation, client).call(
                        method.upper(), self.target(path, item, operation, names), body,
                        headers=headers))
                    success = self.success_of(operation, headers.get("Content-Type"))
                    self.assertEqual(answer.status, 400 if refused else success, answer)
                    sent += 1
        self.assertGreater(sent, 70)
        self.validate()

    def test_every_refusal_is_answered_as_the_document_says(self):
        """401, 403, 404, 413 and 415 wherever the document has them."""
        for path, method, item, operation in self.operations():
            client, names = self.fixture()
            own = self.client_of(operation, client)
            unknown = {name: UNKNOWN for name in names}
            target = self.target(path, item, operation, names)
            admin = {"AdminToken": []} in operation.get("security", [])
            body = next(self.bodies(operation))[2]
            huge = {"Content-Length": str(5 << 20)}
            text = {"Content-Type": "text/html"}
            cases = {
                "401": lambda: self.anyone.call(method.upper(), target, body),
                "403": lambda: (client if admin else self.connect(
                    org=str(uuid.uuid4()), key=client.headers["SlashID-API-Key"])).call(
                        method.upper(), target, body),
                "404": lambda: own.call(
                    method.upper(), self.target(path, item, operation, unknown), body),
                "413": lambda: own.call(method.upper(), target, b"", headers=huge),
                "415": lambda: own.call(method.upper(), target, body or b"{}", headers=text),
            }
            for status, call in cases.items():
                if status not in operation["responses"] or status == "404" and "{" not in path:
                    continue
                with self.subTest(f"{method} {path}: {status}"):
                    answer = self.record(path, method, call())
                    self.assertEqual(answer.status, int(status), answer)
        self.validate()

    def test_a_url_in_use_and_a_wrong_method(self):
        client, _ = self.fixture()
        path = "/organizations/webhooks"
        taken = self.record(path, "post", client.post(
            path, {"name": "n", "target_url": "https://fixture.invalid/hook"}))
        self.assertEqual(taken.status, 409)
        for one, _, item, _ in self.operations():
            answer = self.anyone.call("OPTIONS", one.replace("{", "").replace("}", ""))
            if "options" not in item and "{" not in one:
                self.assertEqual(answer.status, 405, one)
                self.assertTrue(answer.headers["Allow"])
        self.validate()

    def test_the_document_is_kept_by_its_entity_tag(self):
        for path in ("/openapi.json", "/openapi.yaml"):
            first = self.anyone.get(path)
            again = self.anyone.get(path, headers={"If-None-Match": first.headers["ETag"]})
            self.record(path, "get", again)
            self.assertEqual((again.status, again.body), (304, b""))
        self.validate()


if __name__ == "__main__":
    triggerd_process.main()
