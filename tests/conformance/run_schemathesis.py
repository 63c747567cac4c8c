"""Runs Schemathesis against the real binary, which it starts on a folder and a port of its own.

usage: run_schemathesis.py --binary PATH --schemathesis PATH [OPTION OF `schemathesis run` ...]
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import triggerd_process  # noqa: E402 (found by the line above)

ADMIN = "conformance-admin-token-for-schemathesis"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--schemathesis", required=True, type=pathlib.Path)
    options, rest = parser.parse_known_args()
    triggerd_process.use_binary(options.binary)
    folder = triggerd_process.Folder()
    engine = triggerd_process.Triggerd(folder)
    try:
        token = folder.path / "admin.token"
        token.write_text(ADMIN + "\n")
        folder.write_config({
            "admin": {"token_file": str(token)},
            "backup": {"folder": str(folder.path / "backups")},
            "sdk_ingest": {"enabled": True},
            # The document says 500 at once, which is what can be configured; 429 is no finding.
            "rates": {"test_events_per_minute": 60000, "test_events_burst": 500},
            "targets": {"allow_http": None, "allow_networks": None}})
        engine.start()
        base = f"http://127.0.0.1:{engine.port}"
        environment = triggerd_process.environment({
            "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
            "TRIGGERD_TEST_ORG": triggerd_process.ORG,
            "TRIGGERD_TEST_KEY": triggerd_process.API_KEY, "TRIGGERD_TEST_ADMIN": ADMIN})
        done = subprocess.run(
            [str(options.schemathesis), "--config-file", str(HERE / "schemathesis.toml"), "run",
             base + "/openapi.json", "--url", base, "--checks", "all", *rest],
            cwd=folder.path, env=environment, stdin=subprocess.DEVNULL, check=False)
        code = done.returncode
        if not engine.running():
            print("the engine has ended by itself", file=sys.stderr)
            code = 1
        if code != 0:
            print("--- log of the engine ---\n" + folder.log_text()[-3000:], file=sys.stderr)
        elif engine.terminate() != 0:
            print("the engine did not end well", file=sys.stderr)
            code = 1
        return code
    finally:
        if engine.running():
            engine.kill()
        folder.remove()


if __name__ == "__main__":
    sys.exit(main())
