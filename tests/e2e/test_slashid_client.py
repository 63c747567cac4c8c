"""A client and a receiver that behave as SlashID's PHP SDK does (CONTRACT B); only the base URL is
another one.

The SDK's habits that matter here: the same four headers on every call, a JSON content type on GET
and DELETE too; only `result` is looked at; errors by status, the two 404s apart by whether there is
a message; a webhook is found by its URL, compared as text, in the one list; register() sends the
whole webhook again.
"""

import base64
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import triggerd_process
from client import wait_until
from receivers import decode_part
from server_case import ServerCase
from triggerd_process import API_KEY, ORG, OTHER_KEY


class ApiError(Exception):
    """`kind` as the SDK names its exceptions."""

    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class Sdk:
    def __init__(self, base_url, organization, key):
        self.base_url = base_url
        self.organization = organization
        self.headers = {"Accept": "application/json", "Content-Type": "application/json",
                        "SlashID-OrgID": organization, "SlashID-API-Key": key,
                        "User-Agent": "GuzzleHttp/7"}

    def request(self, method, endpoint, query=None, body=None):
        url = self.base_url + endpoint + ("?" + urllib.parse.urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise self.converted(error.code, error.read()) from None
        parsed = json.loads(text) if text else None
        return (parsed or {}).get("result")

    @staticmethod
    def converted(status, text):
        try:
            message = json.loads(text)["errors"][0]["message"]
        except (ValueError, LookupError, TypeError):
            message = None
        kind = {400: "BadRequest", 401: "Unauthorized", 403: "AccessDenied", 409: "Conflict",
                404: "IdNotFound" if message else "InvalidEndpoint"}.get(status, str(status))
        return ApiError(kind, message)

    # --- Webhooks ---

    def find_all(self):
        found = self.request("GET", "/organizations/webhooks")
        assert isinstance(found, list), found  # a null is a TypeError in PHP
        return found

    def find_by_url(self, url):
        return next((one for one in self.find_all() if one["target_url"] == url), None)

    def register(self, url, name, triggers, **options):
        """Makes or changes the webhook of this URL, and gives it exactly these triggers."""
        payload = {"target_url": url, "name": name, **options}
        webhook = self.find_by_url(url)
        if webhook:
            webhook = self.request("PATCH", "/organizations/webhooks/" + webhook["id"], None,
                                   payload)
        else:
            webhook = self.request("POST", "/organizations/webhooks", None, payload)
        there = self.triggers(webhook["id"])
        for trigger in triggers:
            if trigger not in there:
                self.request("POST", f"/organizations/webhooks/{webhook['id']}/triggers", None,
                             self.trigger(trigger))
        for trigger in there:
            if trigger not in triggers:
                self.request("DELETE", f"/organizations/webhooks/{webhook['id']}/triggers",
                             self.trigger(trigger))
        return webhook

    @staticmethod
    def trigger(name):
        return {"trigger_type": "sync_hook" if name == "token_minted" else "event",
                "trigger_name": name}

    def triggers(self, webhook_id):
        found = self.request("GET", f"/organizations/webhooks/{webhook_id}/triggers")
        assert isinstance(found, list), found
        for one in found:
            assert sorted(one) == ["trigger_name", "trigger_type"], one
        return [one["trigger_name"] for one in found]

    def delete_by_url(self, url):
        webhook = self.find_by_url(url)
        if webhook is None:
            raise LookupError(url)
        self.request("DELETE", "/organizations/webhooks/" + webhook["id"])


class Verifier:
    """What receivers do with a body: the signature by the key of its kid, then the claims."""

    def __init__(self, base_url, organization, target_url, fetch_headers):
        self.url = base_url + "/organizations/webhooks/verification-jwks"
        self.organization = organization
        self.target_url = target_url
        self.headers = fetch_headers
        self.keys = {}

    def fetch(self):
        request = urllib.request.Request(self.url, headers=self.headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status == 200
            keys = json.loads(response.read())["keys"]
        for key in keys:  # php-jwt wants kid and alg, PyJWT drops what is not for signatures
            assert key["kid"] and key["alg"] == "ES256" and key.get("use", "sig") == "sig", key
            assert "d" not in key
        self.keys = {key["kid"]: key for key in keys}

    def decode(self, token, now=None):
        """The claims; ValueError says what is wrong. Zero leeway, as the libraries have it."""
        now = int(time.time()) if now is None else now
        header, payload, signature = token.split(".")
        head, claims = json.loads(decode_part(header)), json.loads(decode_part(payload))
        if head["kid"] not in self.keys:
            self.fetch()
        key = self.keys.get(head["kid"])
        if key is None or head["alg"] != key["alg"]:
            raise ValueError("kid")
        if not verified(key, f"{header}.{payload}", decode_part(signature)):
            raise ValueError("signature")
        if claims["iat"] > now:
            raise ValueError("iat")
        if claims["exp"] <= now:
            raise ValueError("exp")
        if claims["aud"] != self.organization:
            raise ValueError("aud")
        if claims["target_url"] != self.target_url:
            raise ValueError("target_url")
        return claims


def verified(key, signed, signature):
    """By node:crypto: Python's standard library has no ECDSA."""
    script = ("const {createPublicKey, verify} = require('node:crypto');"
              "const one = JSON.parse(require('node:fs').readFileSync(0));"
              "const key = createPublicKey({key: one.key, format: 'jwk'});"
              "const good = verify('sha256', Buffer.from(one.signed),"
              " {key, dsaEncoding: 'ieee-p1363'}, Buffer.from(one.signature, 'base64'));"
              "process.stdout.write(String(good));")
    done = subprocess.run(
        ["node", "-e", script], text=True, capture_output=True, timeout=60, check=True,
        input=json.dumps({"key": key, "signed": signed,
                          "signature": base64.b64encode(signature).decode()}))
    return done.stdout == "true"


class SlashIdClient(ServerCase):
    def setUp(self):
        super().setUp()
        self.launch()
        self.receiver = self.receive()
        self.base_url = f"http://127.0.0.1:{self.engine.port}"
        self.sdk = Sdk(self.base_url, ORG, API_KEY)

    def refusal(self, *arguments, sdk=None):
        with self.assertRaises(ApiError) as raised:
            (sdk or self.sdk).request(*arguments)
        return raised.exception

    def delivered(self, path="/laravel"):
        self.client.publish("PersonCreated_v1")
        (call,) = wait_until(lambda: self.receiver.calls(path), "the call")
        return call

    def verifier(self, path="/laravel", **changes):
        return Verifier(**{"base_url": self.base_url, "organization": ORG,
                           "target_url": self.receiver.url(path),
                           # As the official example fetches it: without a key.
                           "fetch_headers": {"SlashID-OrgID": ORG}, **changes})

    # --- Management ---

    def test_a_webhook_is_registered_changed_and_deleted(self):
        url = self.receiver.url("/laravel")
        self.assertEqual(self.sdk.find_all(), [])
        made = self.sdk.register(url, "laravel", ["PersonCreated_v1", "token_minted"],
                                 timeout="18s")
        self.assertEqual(made, {"description": "", "id": made["id"], "name": "laravel",
                                "target_url": url, "timeout": "18s"})
        self.assertCountEqual(self.sdk.triggers(made["id"]), ["PersonCreated_v1", "token_minted"])
        # The same again, with its own URL: changed, not made anew; the timeout stays.
        again = self.sdk.register(url, "renamed", ["PersonDeleted_v1", "token_minted"],
                                  custom_headers={"X-Tenant": ["7", "8"]})
        self.assertEqual(again, {**made, "name": "renamed",
                                 "custom_headers": {"X-Tenant": ["7", "8"]}})
        self.assertCountEqual(self.sdk.triggers(made["id"]), ["PersonDeleted_v1", "token_minted"])
        self.assertEqual(self.sdk.find_all(), [again])
        self.assertEqual(self.sdk.request("GET", "/organizations/webhooks/" + made["id"]), again)
        self.sdk.delete_by_url(url)
        self.assertEqual(self.sdk.find_all(), [])
        with self.assertRaises(LookupError):
            self.sdk.delete_by_url(url)

    def test_a_webhook_is_found_by_its_url_among_many(self):
        """The list is whole: the SDK knows no second page. URLs come back as they were sent."""
        urls = [self.receiver.url(f"/Hook-{n}/%7Ea/") for n in range(150)]
        for url in urls:
            self.sdk.request("POST", "/organizations/webhooks", None,
                             {"target_url": url, "name": "one of many"})
        for url in urls:
            self.assertEqual(self.sdk.find_by_url(url)["target_url"], url)

    def test_errors_are_told_apart(self):
        unknown = "/organizations/webhooks/065e3dc5-c222-7333-8444-000000000001"
        refusal = self.refusal("GET", unknown)
        self.assertEqual(refusal.kind, "IdNotFound")
        self.assertEqual(self.refusal("GET", "/organizations/webhook").kind, "InvalidEndpoint")
        self.assertEqual(self.refusal("DELETE", unknown).kind, "IdNotFound")
        bad = self.refusal("POST", "/organizations/webhooks", None, {"name": "n"})
        self.assertEqual(bad.kind, "BadRequest")
        self.assertIn("target_url", bad.message)
        stranger = Sdk(self.base_url, ORG, "no-such-key")
        self.assertEqual(self.refusal("GET", "/organizations/webhooks", sdk=stranger).kind,
                         "Unauthorized")
        other = Sdk(self.base_url, ORG, OTHER_KEY)
        self.assertEqual(self.refusal("GET", "/organizations/webhooks", sdk=other).kind,
                         "AccessDenied")
        first = self.sdk.register(self.receiver.url("/a"), "a", [])
        second = self.sdk.register(self.receiver.url("/b"), "b", [])
        taken = self.refusal("PATCH", "/organizations/webhooks/" + second["id"], None,
                             {"target_url": first["target_url"]})
        self.assertEqual(taken.kind, "Conflict")
        self.assertIn(first["id"], taken.message)

    # --- Receiving ---

    def test_a_delivery_is_verified(self):
        webhook = self.sdk.register(self.receiver.url("/laravel"), "laravel", ["PersonCreated_v1"])
        call = self.delivered()
        self.assertEqual((call.method, call.values("content-type")), ("POST", ["application/jwt"]))
        for headers in ({"SlashID-OrgID": ORG}, self.sdk.headers):
            claims = self.verifier(fetch_headers=headers).decode(call.token)
            self.assertEqual(claims["webhook_id"], webhook["id"])
            # All that the Laravel and Symfony controllers look at.
            metadata = claims["trigger_content"]["event_metadata"]
            self.assertEqual(metadata["event_name"], "PersonCreated_v1")
            self.assertTrue(metadata["event_id"] and isinstance(metadata["event_id"], str))

    def test_a_delivery_that_is_not_meant_for_the_receiver_is_refused(self):
        self.sdk.register(self.receiver.url("/laravel"), "laravel", ["PersonCreated_v1"])
        token = self.delivered().token
        exp = json.loads(decode_part(token.split(".")[1]))["exp"]
        header, payload, signature = token.split(".")
        forged = json.loads(decode_part(payload))
        forged["trigger_name"] = "PersonDeleted_v1"
        forged = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
        good = self.verifier()
        for verifier, one, now, why in (
                (good, token, exp, "exp"),
                (good, token, exp - 1201, "iat"),
                (good, f"{header}.{forged}.{signature}", None, "signature"),
                (self.verifier(organization=self.connect().headers["SlashID-API-Key"]), token, None,
                 "aud"),
                (self.verifier("/other"), token, None, "target_url")):
            with self.subTest(why), self.assertRaisesRegex(ValueError, f"^{why}$"):
                verifier.decode(one, now)
        self.assertEqual(good.decode(token, exp - 1)["exp"], exp)

    def test_a_token_minted_hook_is_verified_and_its_answer_becomes_claims(self):
        self.sdk.register(self.receiver.url("/hook"), "hook", ["token_minted"])
        answer = self.client.post("/organizations/sync-hooks/token_minted", {"sub": "person"})
        self.assertEqual(answer.status, 200, answer)
        (call,) = self.receiver.calls("/hook")
        claims = self.verifier("/hook").decode(call.token)
        self.assertEqual((claims["trigger_type"], claims["trigger_name"]),
                         ("sync_hook", "token_minted"))
        self.assertEqual(claims["trigger_content"], {"sub": "person"})
        self.assertEqual(claims["exp"] - claims["iat"], 300)


if __name__ == "__main__":
    triggerd_process.main()
