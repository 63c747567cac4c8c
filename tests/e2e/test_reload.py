"""Reading the configuration again: by SIGHUP and by the API, whole or not at all; and looking at one."""

import json
import signal

import triggerd_process
from client import new_event, wait_until
from receivers import Authority
from server_case import ServerCase
from triggerd_process import run_command

TOKEN = "token-of-the-administrator"
RELOAD = "/admin/config/reload"
HOOKS = "/organizations/webhooks"


class ReloadCase(ServerCase):
    def setUp(self):
        super().setUp()
        self.configure()

    def configure(self, changes=None):
        self.folder.write_config({"admin": {"token": TOKEN, "metrics_public": True},
                                  **(changes or {})})

    def admin(self):
        return self.connect(org=None, key=None, bearer=TOKEN)

    def reload(self):
        """By the API; the result."""
        answer = self.admin().post(RELOAD, None)
        self.assertEqual(answer.status, 200, answer)
        return answer.result

    def metric(self, name):
        page = self.admin().get("/metrics").body.decode()
        return float(next(line for line in page.splitlines() if line.startswith(name + " ")
                          ).rsplit(" ", 1)[1])

    def lines(self, message):
        return [json.loads(line) for line in self.folder.log_text().splitlines()
                if f'"msg":"{message}"' in line]


class Reload(ReloadCase):
    def test_sighup_puts_what_can_change_in_force(self):
        self.launch()
        self.assertEqual(self.metric("triggerd_config_last_reload_successful"), 1)
        self.assertEqual(self.connect(org=None, key=None).get("/metrics").status, 200)
        self.configure({"admin": {"token": TOKEN}, "log": {"level": "debug", "format": "json"}})
        self.engine.send(signal.SIGHUP)
        wait_until(lambda: self.lines("reloaded"), "a reload")
        (line,) = self.lines("reloaded")
        self.assertEqual(line["changed"], "admin.metrics_public log.level")
        self.assertEqual(line["needs_restart"], "")
        wait_until(lambda: self.connect(org=None, key=None).get("/metrics").status == 401,
                   "metrics to be closed")
        self.assertEqual(self.metric("triggerd_config_last_reload_successful"), 1)

    def test_nothing_changes_when_nothing_has_changed(self):
        self.launch()
        self.assertEqual(self.reload(), {"changed": [], "needs_restart": []})

    def test_what_cannot_change_is_named_until_the_restart(self):
        self.launch()
        self.configure({"server": {"max_connections": 77, "drain_timeout": "5s"},
                        "delivery": {"max_pending": 1000}})
        expected = {"changed": ["server.drain_timeout"],
                    "needs_restart": ["delivery.max_pending", "server.max_connections"]}
        self.assertEqual(self.reload(), expected)
        told = wait_until(lambda: self.lines("needs a restart")[1:] and self.lines("needs a restart"),
                          "two lines in the log")
        self.assertEqual([line["setting"] for line in told], expected["needs_restart"])
        self.assertEqual(self.reload(), {**expected, "changed": []})

    def test_a_bad_file_changes_nothing_and_says_why(self):
        self.launch()
        at = self.metric("triggerd_config_last_reload_timestamp_seconds")
        self.configure({"admin": {"token": TOKEN}, "rates": {"test_events_burst": 0}})
        self.engine.send(signal.SIGHUP)
        wait_until(lambda: self.lines("not reloaded: nothing has changed"), "a refusal")
        (line,) = self.lines("not reloaded: nothing has changed")
        self.assertIn("rates.test_events_burst: must be a whole number from 1", line["error"])
        answer = self.admin().post(RELOAD, None)
        self.assertEqual(answer.status, 400)
        self.assertIn("triggerd.toml:", answer.messages[0])
        self.assertEqual(self.connect(org=None, key=None).get("/metrics").status, 200)
        self.assertEqual(self.metric("triggerd_config_last_reload_successful"), 0)
        self.assertEqual(self.metric("triggerd_config_last_reload_timestamp_seconds"), at)
        self.configure({"targets": {"ca_file": "nowhere.pem"}})
        answer = self.admin().post(RELOAD, None)
        self.assertEqual(answer.status, 400)
        self.assertIn("targets.ca_file", answer.messages[0])

    def test_networks_that_are_taken_away_are_not_called_any_more(self):
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/before"))
        (event,) = self.client.publish(new_event())
        self.wait_status(event, "delivered")
        self.configure({"targets": {"allow_networks": ["127.99.0.0/16"]}})
        self.assertEqual(self.reload()["changed"], ["targets.allow_networks"])
        refused = self.client.post(HOOKS, {"name": "n", "target_url": receiver.url("/after")})
        self.assertEqual(refused.status, 400)
        (event,) = self.client.publish(new_event())
        wait_until(lambda: self.client.event(event)["deliveries"][0].get("last_attempt"), "a try")
        self.assertEqual(
            self.client.event(event)["deliveries"][0]["last_attempt"]["outcome"], "blocked")
        self.assertEqual(len(receiver.calls()), 1)
        self.configure()
        self.reload()
        self.wait_status(event, "delivered")
        self.client.create_webhook(receiver.url("/after"))

    def test_rates_change_for_who_has_used_them_up(self):
        self.configure({"rates": {"test_events_burst": 2, "test_events_per_minute": 1}})
        self.launch()
        ask = [{"event_name": "PersonCreated_v1", "count": 2}]
        self.assertEqual(self.client.post("/test-events", ask).status, 201)
        self.assertEqual(self.client.post("/test-events", ask).status, 429)
        self.configure({"rates": {"test_events_burst": 50, "test_events_per_minute": 60000}})
        self.reload()
        many = [{"event_name": "PersonCreated_v1", "count": 20}]  # more than the burst was
        wait_until(lambda: self.client.post("/test-events", many).status == 201, "tokens")

    def test_an_authority_that_is_added_is_trusted(self):
        first, second = (Authority(self.folder.path, name) for name in ("one", "two"))
        trusted = self.folder.path / "ca.pem"
        trusted.write_bytes(first.certificate.read_bytes())
        self.configure({"targets": {"ca_file": str(trusted)}})
        self.launch()
        receiver = self.receive(tls=second.issue("receiver"))
        self.client.create_webhook(receiver.url("/hook"))
        (event,) = self.client.publish(new_event())
        wait_until(lambda: self.client.event(event)["deliveries"][0].get("last_attempt"), "a try")
        self.assertEqual(
            self.client.event(event)["deliveries"][0]["last_attempt"]["outcome"], "tls")
        trusted.write_bytes(first.certificate.read_bytes() + second.certificate.read_bytes())
        self.assertEqual(self.reload(), {"changed": [], "needs_restart": []})
        self.wait_status(event, "delivered")

    def test_only_the_admin_token_may(self):
        self.launch()
        self.assertEqual(self.client.post(RELOAD, None).status, 403)
        self.assertEqual(self.connect(org=None, key=None).post(RELOAD, None).status, 401)


class Look(ReloadCase):
    """triggerd config check and show."""

    def test_a_good_file_is_good(self):
        done = run_command("config", "check", "--config", str(self.folder.config))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("is good", done.stderr)

    def test_a_bad_one_is_named_with_its_line(self):
        for text, words in (("[server]\nlisten = 7\n", "bad.toml:2:"),
                            ("[targets]\nca_file = 'nowhere.pem'\n", "targets.ca_file"),
                            ("[server]\nlisten = '192.0.2.1:80'\n", "allow_public_listen"),
                            ("[serverr]\nlisten = 'x'\n", "did you mean server.listen")):
            file = self.folder.path / "bad.toml"
            file.write_text(text)
            done = run_command("config", "check", "--config", str(file))
            self.assertEqual(done.returncode, 9, done.stderr)
            self.assertIn(words, done.stderr)

    def test_what_is_set_is_shown_with_its_origin_and_without_secrets(self):
        done = run_command("config", "show", "--origin", "--config", str(self.folder.config),
                           env={"TRIGGERD_LOG__LEVEL": "warn"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("log.level = warn  # TRIGGERD_LOG__LEVEL\n", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^server\.io_threads = 2  # .*triggerd\.toml:\d+$")
        self.assertIn("admin.token = (secret)", done.stdout)
        self.assertNotIn(TOKEN, done.stdout)


if __name__ == "__main__":
    triggerd_process.main()
