"""Receivers over TLS: a private authority is trusted when configured, and nothing else is."""

import triggerd_process
from client import wait_until
from receivers import Authority
from server_case import ServerCase


class Tls(ServerCase):
    changes = {"targets": {"allow_http": False}}

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder.path)
        self.folder.write_config({"targets": {"allow_http": False,
                                              "ca_file": str(self.authority.certificate)}})

    def expect_refused(self, receiver, url):
        """The call fails for TLS, is tried again, and the receiver never sees a request."""
        self.client.create_webhook(url)
        (event,) = self.client.publish("PersonCreated_v1")
        found = wait_until(
            lambda: (one := self.client.event(event)["deliveries"][0])["attempts"] >= 2 and one,
            "a second attempt")
        self.assertEqual(found["status"], "pending")
        self.assertEqual(found["last_attempt"]["outcome"], "tls")
        self.assertNotIn("http_status", found["last_attempt"])
        self.assertTrue(found["last_attempt"].get("detail"), found)
        self.assertEqual(receiver.calls(), [])

    def test_calls_reach_an_address_and_a_name_of_the_certificate(self):
        self.launch()
        receiver = self.receive(tls=self.authority.issue("receiver"))
        self.client.create_webhook(receiver.url("/address"))
        self.client.create_webhook(receiver.url("/name", host="localhost"))
        (event,) = self.client.publish("PersonCreated_v1")
        found = self.wait_status(event, "delivered")
        self.assertEqual([one["attempts"] for one in found["deliveries"]], [1, 1])
        (by_name,) = receiver.calls("/name")
        self.assertEqual(by_name.values("host"), [f"localhost:{receiver.port}"])
        self.assertEqual(by_name.claims["target_url"], receiver.url("/name", host="localhost"))

    def test_an_unknown_authority_is_refused_and_the_call_repeated(self):
        self.launch()
        stranger = Authority(self.folder.path, "stranger")
        receiver = self.receive(tls=stranger.issue("strange"))
        self.expect_refused(receiver, receiver.url("/strange"))
        self.assertGreaterEqual(receiver.handshakes_failed, 2)

    def test_a_private_authority_is_not_trusted_unless_configured(self):
        self.folder.write_config({"targets": {"allow_http": False}})
        self.launch()
        receiver = self.receive(tls=self.authority.issue("receiver"))
        self.expect_refused(receiver, receiver.url("/unconfigured"))

    def test_an_expired_certificate_is_refused(self):
        self.launch()
        receiver = self.receive(tls=self.authority.issue("expired", expired=True))
        self.expect_refused(receiver, receiver.url("/expired"))

    def test_a_self_signed_certificate_is_refused(self):
        self.launch()
        receiver = self.receive(tls=self.authority.self_signed("own"))
        self.expect_refused(receiver, receiver.url("/own"))

    def test_a_certificate_for_another_name_is_refused(self):
        self.launch()
        receiver = self.receive(tls=self.authority.issue("other", "DNS:hooks.example"))
        self.expect_refused(receiver, receiver.url("/other"))

    def test_a_receiver_that_gets_a_good_certificate_is_delivered_by_a_retry(self):
        self.launch()
        receiver = self.receive(tls=self.authority.issue("late", expired=True))
        self.client.create_webhook(receiver.url("/late"))
        (event,) = self.client.publish("PersonCreated_v1")
        wait_until(lambda: receiver.handshakes_failed, "a refused handshake")
        receiver.tls = self.authority.issue("renewed")
        found = self.wait_status(event, "delivered")
        self.assertGreater(found["deliveries"][0]["attempts"], 1)

    def test_plain_http_is_refused_at_registration_unless_allowed(self):
        self.launch()
        answer = self.client.post("/organizations/webhooks",
                                  {"name": "n", "target_url": "http://127.0.0.1:1/plain"})
        self.assertEqual(answer.status, 400)
        self.assertIn("target_url", answer.messages[0])


if __name__ == "__main__":
    triggerd_process.main()
