"""Every command of docs/API.md is run against the binary, and every route has one there."""

import json
import pathlib
import re
import subprocess

import triggerd_process
from server_case import ServerCase
from triggerd_process import API_KEY, ORG

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "API.md"
ADMIN = "e2e-admin-token-of-the-api-guide"
METHODS = ("get", "post", "put", "patch", "delete", "options")


def commands():
    """The guide's shell commands, block by block; the first one says what the others use."""
    return re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)


class ApiGuide(ServerCase):
    def setUp(self):
        super().setUp()
        token = self.folder.path / "admin.token"
        token.write_text(ADMIN + "\n")
        self.folder.write_config({
            "admin": {"token_file": str(token)}, "sdk_ingest": {"enabled": True},
            "backup": {"folder": str(self.folder.path / "backups")},
            "targets": {"allow_http": None, "allow_networks": None}})
        self.launch()

    def run_commands(self, blocks):
        """Runs the blocks as one script that ends at the first command that fails."""
        first, *rest = blocks
        for name, value in (("BASE", f"http://127.0.0.1:{self.engine.port}"), ("ORG", ORG),
                            ("KEY", API_KEY), ("ADMIN", ADMIN)):
            first, found = re.subn(rf"\b{name}=\S+", f"{name}={value}", first, count=1)
            self.assertEqual(found, 1, name)
        return subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + "\n".join([first, *rest])],
            cwd=self.folder.path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, env=triggerd_process.environment(), check=False)

    def test_every_command_succeeds(self):
        blocks = commands()
        self.assertGreater(len(blocks), 15)
        done = self.run_commands(blocks)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.assertGreater(len(answers), 30)
        for answer in answers:
            self.assertNotIn("errors", answer)

    def test_a_command_that_is_refused_is_found(self):
        first, *_ = commands()
        done = self.run_commands([first, "api $BASE/organizations/webhooks --json '{}'\n"])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('"httpcode":400', done.stdout)

    def test_every_route_has_a_command(self):
        """Each as `-X METHOD … path`; GET, and POST with a body, go without -X."""
        lines = [line for block in commands()
                 for line in re.sub(r"\\\n\s*|\n(?=\s)", " ", block).splitlines()]
        document = self.connect(org=None, key=None).get("/openapi.json").json
        for path, item in document["paths"].items():
            form = re.sub(r"\\\{\w+\\\}", r"[\\w$-]+", re.escape(path)) + r"""(?=["'?\s|)]|$)"""
            short = re.escape(path[1:]) + r"\b"
            found = [line for line in lines
                     if re.search(r"\$BASE" + form, line)
                     or line.startswith("for path in") and re.search(short, line)]
            for method in (name for name in METHODS if name in item):
                with self.subTest(f"{method} {path}"):
                    self.assertTrue([line for line in found if self.method_of(line) == method])

    @staticmethod
    def method_of(line):
        stated = re.search(r"-X (\w+)", line)
        if stated:
            return stated.group(1).lower()
        return "post" if re.search(r"--json|--data", line) else "get"


if __name__ == "__main__":
    triggerd_process.main()
