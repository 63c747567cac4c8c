"""The command line and the configuration: precedence, messages that name the fix, exit codes."""

import json
import re

import triggerd_process
from server_case import ServerCase
from triggerd_process import ORG, run_command

CONFIG_INVALID = 9
USAGE = 2


class Precedence(ServerCase):
    def issuer(self):
        """`iss` of a token shows which server.public_url was taken."""
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/issuer"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        return receiver.calls()[0].claims["iss"]

    def test_the_file_wins_over_the_default(self):
        self.folder.write_config({"server": {"public_url": "https://file.example"}})
        self.launch()
        self.assertEqual(self.issuer(), "https://file.example")

    def test_the_environment_wins_over_the_file(self):
        self.folder.write_config({"server": {"public_url": "https://file.example"}})
        self.launch(env={"TRIGGERD_SERVER__PUBLIC_URL": "https://env.example"})
        self.assertEqual(self.issuer(), "https://env.example")

    def test_a_flag_wins_over_both(self):
        self.folder.write_config({"server": {"public_url": "https://file.example"}})
        self.launch("--public-url", "https://flag.example",
                    env={"TRIGGERD_SERVER__PUBLIC_URL": "https://env.example"})
        self.assertEqual(self.issuer(), "https://flag.example")

    def test_lists_are_separated_by_commas_in_the_environment(self):
        self.folder.write_config({"targets": {"allow_networks": None}})
        self.launch(env={"TRIGGERD_TARGETS__ALLOW_NETWORKS": "10.0.0.0/8, 127.0.0.0/8"})
        self.assertEqual(self.issuer(), "http://127.0.0.1")


class Messages(ServerCase):
    def refuse(self, *arguments, env=None, code=CONFIG_INVALID):
        """Runs `serve` to its end; returns what it says. It says it once, and on stderr."""
        done = run_command("serve", *arguments, env=env)
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stdout, "")
        lines = [line for line in done.stderr.splitlines() if line.startswith("triggerd: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def refuse_file(self, text):
        self.folder.config.write_text(text)
        return self.refuse("--config", str(self.folder.config), "--data", str(self.folder.data))

    def test_an_unknown_setting_is_placed_and_the_nearest_named(self):
        message = self.refuse_file('[server]\nlisten = "127.0.0.1:0"\nio_thread = 2\n')
        self.assertIn(f"{self.folder.config}:3:", message)
        self.assertRegex(message, r":3:\d+: ")
        self.assertIn("server.io_thread", message)
        self.assertIn("did you mean server.io_threads?", message)

    def test_an_unknown_variable_is_named_with_the_nearest_setting(self):
        message = self.refuse("--data", str(self.folder.data), env={"TRIGGERD_SERVER__LISTN": "x"})
        self.assertIn("TRIGGERD_SERVER__LISTN", message)
        self.assertIn("did you mean server.listen?", message)

    def test_bad_values_are_placed_and_say_what_is_taken(self):
        for section, line, name, hint in (
                ("server", 'listen = "localhost"', "server.listen", "ADDRESS:PORT"),
                ("server", 'listen = "127.0.0.1:70000"', "server.listen", "65535"),
                ("server", 'io_threads = "many"', "server.io_threads", "auto"),
                ("server", 'drain_timeout = "3"', "server.drain_timeout", "10s"),
                ("store", 'mode = "cloud"', "store.mode", "disk or memory"),
                ("delivery", "max_in_flight = 0", "delivery.max_in_flight", "from 1"),
                ("delivery.retry", 'schedule = ["1x"]', "delivery.retry.schedule", "10s"),
                ("delivery.retry", 'schedule = ["73h"]', "delivery.retry.schedule", "72h"),
                ("delivery.retry", "schedule = []", "delivery.retry.schedule", "1 to 20"),
                ("delivery.retry", "jitter = 2", "delivery.retry.jitter", "0.9"),
                ("targets", 'allow_http = "yes"', "targets.allow_http", "true or false"),
                ("targets", 'allow_networks = ["127.0.0.1/99"]', "targets.allow_networks",
                 "127.0.0.0/8"),
                ("log", 'level = "loud"', "log.level", "debug, info, warn or error"),
        ):
            with self.subTest(line):
                message = self.refuse_file(f"[{section}]\n{line}\n")
                self.assertRegex(message, re.escape(str(self.folder.config)) + r":2:\d+: ")
                self.assertIn(name, message)
                self.assertIn(hint, message)

    def test_broken_toml_is_placed(self):
        self.assertIn(f"{self.folder.config}:1:", self.refuse_file('[server\nlisten = "a"\n'))

    def test_a_file_that_is_not_there_is_named(self):
        self.assertIn("missing.toml", self.refuse("--config", "missing.toml"))
        self.assertIn("nokey", self.refuse_file(
            f'[server]\nlisten = "127.0.0.1:0"\n[[bootstrap.organization]]\nid = "{ORG}"\n'
            'api_key_file = "nokey"\n'))
        self.assertIn("nowhere.pem", self.refuse_file(
            '[server]\nlisten = "127.0.0.1:0"\n[targets]\nca_file = "nowhere.pem"\n'))

    def test_a_public_address_is_refused_with_the_way_out(self):
        for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            message = self.refuse("--listen", listen, "--data", str(self.folder.data))
            self.assertIn("server.allow_public_listen = true", message)
            self.assertIn("TLS", message)

    def test_an_address_that_is_not_this_machines_is_named(self):
        self.folder.config.write_text("[server]\nallow_public_listen = true\n")
        message = self.refuse("--config", str(self.folder.config), "--listen", "192.0.2.1:0",
                              "--data", str(self.folder.data), code=1)
        self.assertIn("192.0.2.1", message)

    def test_a_second_process_on_the_data_folder_is_refused(self):
        self.launch()
        message = self.refuse("--config", str(self.folder.config), code=1)
        self.assertIn(str(self.folder.data), message)
        self.assertIn("in use by another process", message)
        self.assertEqual(self.client.get("/readyz").status, 200)  # the first one goes on

    def test_a_port_in_use_is_refused_and_not_shared(self):
        self.launch()
        message = self.refuse("--listen", f"127.0.0.1:{self.engine.port}", "--io-threads", "2",
                              "--data", str(self.folder.path / "second"), code=1)
        self.assertIn(str(self.engine.port), message)
        self.assertIn("in use", message)
        for _ in range(20):
            self.assertEqual(self.connect().get("/organizations/webhooks").status, 200)

    def test_a_wrong_command_line_is_a_usage_error(self):
        done = run_command("srve")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("did you mean: triggerd serve?", done.stderr)
        self.assertEqual(run_command().returncode, USAGE)
        self.assertEqual(run_command("serve", "--lissten", "x").returncode, USAGE)
        self.assertEqual(run_command("serve", "--config").returncode, USAGE)


class Listening(ServerCase):
    def test_the_chosen_port_is_printed_and_nothing_else_on_stdout(self):
        self.launch()
        self.assertRegex(self.engine.address, r"\A127\.0\.0\.1:[1-9]\d+\Z")
        self.assertEqual(self.client.get("/livez").status, 200)
        self.assertEqual(self.engine.terminate(), 0)

    def test_the_loopback_of_ipv6_is_printed_with_brackets(self):
        self.engine.start("--listen", "[::1]:0")
        self.assertRegex(self.engine.address, r"\A\[::1\]:[1-9]\d+\Z")

    def test_one_loop_for_all_works_as_well(self):
        self.launch("--io-threads", "0")
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/one-loop"))
        (event,) = self.client.publish("PersonCreated_v1")
        self.wait_status(event, "delivered")
        self.assertEqual(self.engine.terminate(), 0)

    def test_the_store_in_memory_forgets_and_says_so(self):
        self.launch("--store", "memory")
        self.assertIn("everything is lost on exit", self.folder.log_text())
        self.assertFalse(self.folder.data.exists())
        self.assertEqual(self.engine.terminate(), 0)


class Emit(ServerCase):
    def emit(self, *arguments, server=None):
        return run_command("emit", *arguments, "--server",
                           server or f"http://127.0.0.1:{self.engine.port}", "--org", ORG,
                           "--api-key-file", str(self.folder.key_file))

    def setUp(self):
        super().setUp()
        self.launch()

    def test_an_event_goes_out_with_what_was_set(self):
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/emit"), ["AuthenticationSucceeded_v1"])
        done = self.emit("AuthenticationSucceeded_v1", "--set", "handle.value=ada@mail.example",
                         "--set", "attempt=3", "--set", "person_id=p-1")
        self.assertEqual(done.returncode, 0, done.stderr)
        (published,) = json.loads(done.stdout)["result"]
        self.assertEqual((published["duplicate"], published["webhooks"]), (False, 1))
        self.wait_status(published["event_id"], "delivered")
        (call,) = receiver.calls()
        self.assertEqual(call.event_id, published["event_id"])
        self.assertEqual(call.content["handle"]["value"], "ada@mail.example")
        self.assertEqual((call.content["attempt"], call.content["person_id"]), (3, "p-1"))
        self.assertIn("analytics_metadata", call.content)  # the rest is a realistic sample

    def test_given_data_goes_out_byte_for_byte(self):
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/data"))
        content = '{"n":1.10, "s" : "\\u0041"}'
        done = self.emit("PersonCreated_v1", "--data", content)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_status(json.loads(done.stdout)["result"][0]["event_id"], "delivered")
        self.assertIn(content[1:-1].encode(), receiver.calls()[0].payload)

    def test_many_events_are_accepted(self):
        done = self.emit("PersonCreated_v1", "--count", "250")
        self.assertEqual(done.returncode, 0, done.stderr)
        ids = [entry["event_id"] for line in done.stdout.splitlines()
               for entry in json.loads(line)["result"]]
        self.assertEqual(len(set(ids)), 250)

    def test_a_misspelt_name_suggests_the_nearest(self):
        done = self.emit("PersonCreatd_v1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("PersonCreated_v1", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_failures_have_exit_codes_of_their_own(self):
        self.folder.key_file.write_text("not-the-key-of-anybody\n")
        self.assertEqual(self.emit("PersonCreated_v1").returncode, 4)
        self.engine.terminate()
        self.assertEqual(self.emit("PersonCreated_v1").returncode, 6)
        self.folder.key_file.unlink()
        self.assertEqual(self.emit("PersonCreated_v1").returncode, USAGE)


class Commands(ServerCase):
    def test_version_names_itself_and_its_libraries(self):
        done = run_command("version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\Atriggerd \d+\.\d+\.\d+\n")
        for library in ("libuv", "libcurl", "OpenSSL"):
            self.assertIn(library, done.stdout)
        flag = run_command("--version")
        self.assertEqual(flag.stdout.split()[-1], done.stdout.split()[1])

    def test_help_shows_examples(self):
        for command in ("serve", "emit"):
            done = run_command(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Examples:", done.stdout)

    def test_the_demo_delivers_all_and_loses_nothing(self):
        done = run_command("demo", "--events", "300", timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        figures = {name.strip(): value for name, value in
                   re.findall(r"^  ([a-z/ ]+?) {2,}(\d+)$", done.stdout, re.MULTILINE)}
        self.assertEqual((figures["events accepted"], figures["lost"], figures["not verified"]),
                         ("300", "0", "0"))
        self.assertEqual(figures["deliveries expected"], figures["deliveries verified"])
        self.assertGreater(int(figures["deliveries verified"]), 300)


if __name__ == "__main__":
    triggerd_process.main()
