"""The real binary as a child process, with a configuration in a temporary folder.

Everything binds to 127.0.0.1 and to port 0: the port is read from the one line of data that
`triggerd serve` prints. A process that a test leaves behind is killed by its id.
"""

import argparse
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

ORG = "0192f0c4-7b1a-7d2e-9c3f-5a6b7c8d9e0f"
API_KEY = "e2e-key-of-the-first-organization"
OTHER_ORG = "0192f0c4-7b1a-7d2e-9c3f-aaaaaaaaaaaa"
OTHER_KEY = "e2e-key-of-the-other-organization"
START_SECONDS = 60  # a sanitizer build on a busy machine
STOP_SECONDS = 60

_binary = None


def binary():
    """The binary under test; relative paths are resolved once, at the command line."""
    assert _binary is not None, "call triggerd_process.main()"
    return _binary


def use_binary(path):
    """Says which binary is under test, where main() does not."""
    global _binary
    _binary = path.resolve()
    if not os.access(_binary, os.X_OK):
        sys.exit(f"--binary {_binary}: not an executable file")


def main(add_arguments=None):
    """Runs the unittest cases of the calling file. Takes --binary; the rest goes to unittest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    if add_arguments:
        add_arguments(parser)
    options, rest = parser.parse_known_args()
    use_binary(options.binary)
    caller = sys.modules["__main__"]
    caller.OPTIONS = options
    unittest.main(module=caller, argv=[sys.argv[0], *rest], verbosity=2)


def environment(extra=None):
    """The environment without settings of ours, so that a test sees only its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRIGGERD_")}
    kept.update(extra or {})
    return kept


def run_command(*arguments, timeout=60, env=None):
    """Runs a subcommand to its end; returns the CompletedProcess with text output."""
    return subprocess.run(
        [str(binary()), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(env),
        check=False,
    )


def toml(settings):
    """{"delivery.retry": {"jitter": 0}} as a TOML document."""

    def value(item):
        if isinstance(item, bool):
            return "true" if item else "false"
        if isinstance(item, (list, tuple)):
            return "[" + ", ".join(value(one) for one in item) + "]"
        if isinstance(item, str):
            return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return str(item)

    lines = []
    for section, members in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {value(item)}" for name, item in members.items()]
    return "\n".join(lines) + "\n"


class Folder:
    """A temporary folder: the configuration, the keys, the data and the log of one test."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="triggerd-e2e-"))
        self.data = self.path / "data"
        self.config = self.path / "triggerd.toml"
        self.log = self.path / "stderr.log"
        self.key_file = self.path / "org.key"
        self.key_file.write_text(API_KEY + "\n")
        self.other_key_file = self.path / "other.key"
        self.other_key_file.write_text(OTHER_KEY + "\n")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def write_config(self, changes=None):
        """Writes the usual configuration; `changes` replaces settings, None removes one."""
        settings = {
            "server": {
                "listen": "127.0.0.1:0",
                "public_url": "http://127.0.0.1",
                "io_threads": 2,
            },
            "store": {"path": str(self.data)},
            "targets": {"allow_http": True, "allow_networks": ["127.0.0.0/8"]},
            "delivery.retry": {"schedule": ["100ms", "200ms", "400ms"] + ["1s"] * 17,
                               "jitter": 0},
            "log": {"level": "info", "format": "json"},
        }
        for section, members in (changes or {}).items():
            merged = {**settings.get(section, {}), **members}
            settings[section] = {k: v for k, v in merged.items() if v is not None}
        text = toml(settings)
        for org, name, key_file in ((ORG, "first", self.key_file),
                                    (OTHER_ORG, "other", self.other_key_file)):
            text += (f'[[bootstrap.organization]]\nid = "{org}"\nname = "{name}"\n'
                     f'api_key_file = "{key_file}"\n')
        self.config.write_text(text)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Triggerd:
    """`triggerd serve` on a folder. One process at a time; start() again after an end."""

    def __init__(self, folder):
        self.folder = folder
        self.port = None
        self._process = None

    def spawn(self, *arguments, env=None):
        """Starts the process and does not wait for it."""
        assert self._process is None or self._process.poll() is not None
        self.port = None
        with open(self.folder.log, "ab") as log:
            self._process = subprocess.Popen(
                [str(binary()), "serve", "--config", str(self.folder.config), *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=environment(env))
        self._lines = queue.Queue()
        threading.Thread(target=self._read, args=(self._process.stdout, self._lines),
                         daemon=True).start()

    @staticmethod
    def _read(stream, lines):
        with stream:
            for line in stream:
                lines.put(line.decode(errors="replace").rstrip("\n"))
        lines.put(None)

    def wait_listening(self):
        """Waits for the listening line; returns the port. AssertionError when it does not come."""
        try:
            line = self._lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = "(nothing)"
        if line is None or not line.startswith("listening on "):
            raise AssertionError(f"no listening line but {line!r}; log:\n"
                                 + self.folder.log_text()[-4000:])
        self.address = line.removeprefix("listening on ")
        self.port = int(self.address.rsplit(":", 1)[1])
        return self.port

    def start(self, *arguments, env=None):
        self.spawn(*arguments, env=env)
        self.wait_listening()
        return self

    @property
    def pid(self):
        return self._process.pid

    def memory_mib(self, field="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.split(field + ":")[1].split()[0]) / 1024

    def is_sanitized(self):
        """AddressSanitizer keeps what was freed: its memory says nothing of ours."""
        return "libasan" in pathlib.Path(f"/proc/{self.pid}/maps").read_text(encoding="utf-8")

    def running(self):
        return self._process is not None and self._process.poll() is None

    def send(self, number):
        self._process.send_signal(number)

    def wait(self, timeout=STOP_SECONDS):
        """Waits for the end; returns the exit code, negative for a signal."""
        return self._process.wait(timeout)

    def terminate(self):
        """SIGTERM, and the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """SIGKILL: nothing in the process can prepare for it."""
        if self.running():
            self._process.kill()
        return self.wait()
