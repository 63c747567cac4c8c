"""Backups of a running server: made under load, listed, bounded, copied, damaged, restored."""

import hashlib
import json
import os
import pathlib
import shutil
import time

import triggerd_process
from client import Client, new_event, wait_until
from server_case import ServerCase
from triggerd_process import Folder, Triggerd, run_command

TOKEN = "token-of-the-administrator"
BACKUPS = "/admin/backups"


def tree(folder):
    """{path: (size, time of change)} of all files: what must stay as it is."""
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()}


class BackupCase(ServerCase):
    def setUp(self):
        super().setUp()
        self.backups = self.folder.path / "backups"
        self.token_file = self.folder.path / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.configure()

    def configure(self, **members):
        self.folder.write_config({"admin": {"token": TOKEN},
                                  "delivery.breaker": {"failures": 0},
                                  "backup": {"folder": str(self.backups), **members}})

    def admin(self):
        return self.connect(org=None, key=None, bearer=TOKEN)

    def command(self, *arguments):
        return run_command("backup", "--server", f"http://127.0.0.1:{self.engine.port}",
                           "--token-file", str(self.token_file), *arguments)

    def make(self, *arguments):
        """A backup made by the command; its folder."""
        done = self.command(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pathlib.Path(done.stdout.strip())

    def restore(self, backup, data, *arguments):
        return run_command("restore", "--from", str(backup), "--data", str(data), *arguments)

    def restored_engine(self, backup):
        """A second engine on what a backup gives."""
        folder = Folder()
        self.addCleanup(folder.remove)
        done = self.restore(backup, folder.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        folder.write_config({"admin": {"token": TOKEN}})
        engine = Triggerd(folder).start()
        self.addCleanup(engine.kill)
        return folder, engine


class Backup(BackupCase):
    def test_what_was_accepted_before_a_backup_under_load_is_in_it(self):
        self.launch()
        receiver = self.receive()
        receiver.on("/down", lambda call: 500)
        self.client.create_webhook(receiver.url("/up"), custom_headers={"X-Secret": ["sealed"]})
        self.client.create_webhook(receiver.url("/down"))
        accepted = []
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            accepted += self.client.publish(*[new_event() for _ in range(20)])
        answer = self.admin().post(BACKUPS, None)
        self.assertEqual(answer.status, 202, answer)
        begun = answer.result
        self.assertEqual(begun["state"], "running")
        later = []
        while True:  # accepting goes on meanwhile
            later += self.client.publish(*[new_event() for _ in range(20)])
            found = {one["name"]: one for one in self.admin().get(BACKUPS).result}[begun["name"]]
            if found["state"] != "running":
                break
        self.assertEqual(found["state"], "complete", found)
        self.assertGreater(found["files"], 5)
        self.assertEqual(found["path"], str(self.backups / begun["name"]))
        check = run_command("store", "check", "--data", found["path"])
        self.assertEqual((check.returncode, check.stdout), (0, ""), check.stderr)
        self.assertIn(" 0 findings", check.stderr)
        self.assertNotIn("not opened", check.stderr)

        folder, engine = self.restored_engine(found["path"])
        client = Client(engine.port)
        self.addCleanup(client.close)
        for event in accepted:
            deliveries = client.event(event)["deliveries"]
            self.assertEqual(len(deliveries), 2)
        self.assertEqual(len(client.get("/organizations/webhooks").result), 2)
        # What was pending goes on: the one receiver has all of it.
        wait_until(lambda: all(client.event(event)["deliveries"][0]["status"] == "delivered"
                               for event in accepted), "the first webhook to have everything", 60)
        self.assertEqual(engine.terminate(), 0)
        stats = run_command("store", "stats", "--data", str(folder.data), "-o", "json")
        self.assertEqual(stats.returncode, 0, stats.stderr)
        columns = {one["name"]: one for one in json.loads(stats.stdout)["columns"]}
        self.assertGreaterEqual(columns["events"]["rows"], len(accepted))

    def test_the_sums_are_those_that_coreutils_checks(self):
        self.launch()
        backup = self.make()
        for line in (backup / "SHA256SUMS").read_text().splitlines():
            digest, path = line.split("  ", 1)
            self.assertEqual(hashlib.sha256((backup / path).read_bytes()).hexdigest(), digest)
        self.assertEqual(os.stat(backup).st_mode & 0o777, 0o700)
        self.assertTrue((backup / "secret.key").exists())

    def test_so_many_are_kept_and_the_oldest_go(self):
        self.configure(keep=2)
        self.launch()
        made = [self.make() for _ in range(4)]
        listed = self.admin().get(BACKUPS).result
        self.assertEqual([one["name"] for one in listed],
                         [made[3].name, made[2].name])
        self.assertEqual(sorted(os.listdir(self.backups)), [made[2].name, made[3].name])

    def test_a_copy_goes_elsewhere_and_is_whole(self):
        self.launch()
        copies = self.folder.path / "copies"
        copy = self.make("--to", str(copies))
        self.assertEqual(copy.parent, copies)
        self.assertEqual(os.listdir(copies), [copy.name])
        self.assertTrue((copy / "SHA256SUMS").exists())
        self.restored_engine(copy)

    def test_without_a_folder_it_is_refused_and_told_how(self):
        self.folder.write_config({"admin": {"token": TOKEN}})
        self.launch()
        for answer in (self.admin().post(BACKUPS, None), self.admin().get(BACKUPS)):
            self.assertEqual(answer.status, 409)
            self.assertIn("backup.folder is not set", answer.messages[0])
        done = self.command()
        self.assertEqual(done.returncode, 5)
        self.assertIn("backup.folder is not set", done.stderr)

    def test_a_folder_within_the_store_is_refused_at_the_start(self):
        self.folder.write_config({"backup": {"folder": str(self.folder.data / "store" / "x")}})
        self.engine.spawn()
        self.assertEqual(self.engine.wait(), 9)
        self.assertIn("backup.folder: lies within the store", self.folder.log_text())

    def test_a_store_in_memory_has_none(self):
        self.launch("--store", "memory")
        answer = self.admin().post(BACKUPS, None)
        self.assertEqual(answer.status, 409)
        self.assertIn("memory", answer.messages[0])

    def test_only_the_admin_token_may(self):
        self.launch()
        self.assertEqual(self.client.post(BACKUPS, None).status, 403)
        self.assertEqual(self.connect(org=None, key=None).get(BACKUPS).status, 401)
        self.token_file.write_text("some other secret text\n")
        self.assertEqual(self.command().returncode, 4)

    def test_a_folder_that_cannot_be_made_is_a_failed_backup(self):
        (self.folder.path / "backups").write_text("a file")
        self.launch()
        done = self.command()
        self.assertEqual(done.returncode, 1)
        self.assertIn("backup.folder", done.stderr)
        self.assertEqual(self.client.get("/readyz").status, 200)

    def test_a_server_that_is_not_there_is_told(self):
        self.launch()
        self.engine.terminate()
        self.assertEqual(self.command().returncode, 6)

    def test_what_a_crash_left_half_made_is_removed_by_the_next(self):
        left = self.backups / ".20200101T000000.000Z.partial"
        left.mkdir(parents=True)
        (left / "part").write_text("half")
        self.launch()
        backup = self.make()
        self.assertEqual(os.listdir(self.backups), [backup.name])


class Restore(BackupCase):
    """Of a backup of one webhook and one event."""

    def setUp(self):
        super().setUp()
        self.launch()
        self.client.create_webhook("http://127.0.0.1:9/nobody")
        (self.event,) = self.client.publish("PersonCreated_v1")
        self.backup = self.make()
        self.target = self.folder.path / "target"

    def refused(self, code, words, *arguments):
        before = tree(self.folder.path)
        done = self.restore(self.backup, self.target, *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(words, done.stderr)
        after = {path: seen for path, seen in tree(self.folder.path).items()
                 if not path.endswith("stderr.log") and not path.startswith("data/")}
        for path, seen in after.items():
            self.assertEqual(before[path], seen, path)

    def test_a_damaged_file_is_found_and_nothing_put_in_place(self):
        victim = max((self.backup / "store").glob("*.sst"), key=lambda path: path.stat().st_size)
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
        self.refused(1, f"store/{victim.name} is damaged")
        self.assertFalse(self.target.exists())

    def test_a_missing_and_a_strange_file_are_found(self):
        (self.backup / "store" / "strange").write_text("?")
        self.refused(1, "store/strange is not in SHA256SUMS")
        (self.backup / "store" / "strange").unlink()
        (self.backup / "store" / "CURRENT").unlink()
        self.refused(1, "store/CURRENT is missing")

    def test_sums_that_lead_out_of_the_folder_are_refused(self):
        sums = self.backup / "SHA256SUMS"
        sums.write_text(sums.read_text() + "0" * 64 + "  ../../outside\n")
        self.refused(1, "SHA256SUMS has a line")

    def test_a_folder_that_is_no_backup_is_refused(self):
        (self.backup / "SHA256SUMS").unlink()
        self.refused(1, "is not a backup")

    def test_a_folder_with_something_in_it_is_left_alone(self):
        self.target.mkdir()
        (self.target / "letter").write_text("dear")
        self.refused(5, "is not empty")

    def test_a_folder_in_use_is_never_touched(self):
        self.target = self.folder.data
        self.refused(5, "in use by another process", "--yes")
        self.assertEqual(self.client.get("/readyz").status, 200)

    def test_yes_replaces_the_store_and_sets_the_old_one_aside(self):
        self.client.publish("PersonCreated_v1")
        self.assertEqual(self.engine.terminate(), 0)
        (self.folder.data / "letter").write_text("dear")
        done = self.restore(self.backup, self.folder.data, "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        aside = [name for name in os.listdir(self.folder.data) if ".before-" in name]
        self.assertEqual(len(aside), 2, aside)  # store and secret.key
        self.assertEqual((self.folder.data / "letter").read_text(), "dear")
        self.assertFalse((self.folder.data / ".restoring").exists())
        self.launch()
        self.assertEqual(self.client.event(self.event)["deliveries"][0]["status"], "pending")
        self.assertEqual(len(self.client.get("/organizations/events").result), 1)


class Store(BackupCase):
    """triggerd store check and stats on the folder of a stopped engine."""

    def setUp(self):
        super().setUp()
        self.launch()
        receiver = self.receive()
        receiver.on("/dead", lambda call: 410)
        self.client.create_webhook(receiver.url("/up"))
        gone = self.client.create_webhook(receiver.url("/gone"))
        self.client.create_webhook(receiver.url("/dead"))
        self.client.create_webhook("http://127.0.0.1:9/nobody")
        self.events = self.client.publish(*[new_event() for _ in range(70)])
        wait_until(lambda: receiver.calls("/dead"), "a call")
        self.assertEqual(self.client.delete(f"/organizations/webhooks/{gone}").status, 204)
        self.client.publish("PersonCreated_v1")

    def stop(self):
        self.assertEqual(self.engine.terminate(), 0)

    def check(self):
        before = tree(self.folder.data)
        done = run_command("store", "check", "--data", str(self.folder.data))
        self.assertEqual(tree(self.folder.data), before, "something was changed")
        return done

    def stats(self, *arguments):
        before = tree(self.folder.data)
        done = run_command("store", "stats", "--data", str(self.folder.data), *arguments)
        self.assertEqual(tree(self.folder.data), before, "something was changed")
        return done

    def test_a_sound_store_has_no_findings_after_a_stop_and_after_a_kill(self):
        self.stop()
        done = self.check()
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.launch()
        self.client.publish(*[new_event() for _ in range(30)])
        self.engine.kill()
        done = self.check()
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.launch()
        self.assertEqual(self.client.event(self.events[0])["event_name"], "PersonCreated_v1")

    def test_deliveries_given_again_and_their_jobs_leave_it_sound(self):
        webhooks = [self.client.create_webhook(f"http://127.0.0.1:9/{name}",
                                               triggers=["PersonDeleted_v1"]) for name in "ab"]
        events = self.client.publish(*[new_event("PersonDeleted_v1") for _ in range(6)])

        def skip(webhook, event):
            path = f"/organizations/webhooks/{webhook}/deliveries/{event}/skip"
            wait_until(lambda: self.client.call("POST", path).status == 200, "a delivery to wait")

        for webhook in webhooks:
            for event in events:
                skip(webhook, event)
            job = self.client.post(f"/organizations/webhooks/{webhook}/recover",
                                   {"since": "2020-01-01T00:00:00Z"}).result["id"]
            wait_until(lambda: self.client.get(f"/organizations/jobs/{job}").result["recovered"]
                       == len(events), "a job to be over")
            skip(webhook, events[0])
        self.assertEqual(
            self.client.delete(f"/organizations/webhooks/{webhooks[1]}").status, 204)
        self.engine.kill()
        done = self.check()
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_what_is_in_it_is_counted(self):
        self.stop()
        done = self.stats("-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        rows = {one["name"]: one["rows"] for one in found["columns"]}
        self.assertEqual((found["format"], rows["events"], rows["event_ids"]), (2, 71, 71))
        self.assertGreaterEqual(found["pending"], 71)  # those at nobody, at least
        self.assertEqual(found["dead_letters"] > 0, True)
        self.assertRegex(found["oldest_pending"], r"^\d{4}-.*Z$")
        table = self.stats()
        self.assertEqual(table.returncode, 0)
        self.assertIn("events", table.stdout)
        self.assertIn("oldest pending", table.stdout)

    def test_a_store_in_use_is_left_alone(self):
        for command in ("check", "stats"):
            done = run_command("store", command, "--data", str(self.folder.data))
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("in use by another process", done.stderr)
        self.assertEqual(self.client.get("/readyz").status, 200)

    def test_damage_is_found_and_told(self):
        backup = self.make()
        self.stop()
        shutil.rmtree(self.folder.data / "store")
        shutil.copytree(backup / "store", self.folder.data / "store")
        victim = max((self.folder.data / "store").glob("*.sst"),
                     key=lambda path: path.stat().st_size)
        content = bytearray(victim.read_bytes())
        content[len(content) // 8] ^= 1
        victim.write_bytes(content)
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertTrue(done.stdout or done.stderr)

    def test_no_store_is_told(self):
        done = run_command("store", "check", "--data", str(self.folder.path / "nothing"))
        self.assertEqual(done.returncode, 3)
        self.assertIn("holds no store", done.stderr)


if __name__ == "__main__":
    triggerd_process.main()
