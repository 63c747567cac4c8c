#!/usr/bin/env python3
"""Runs clang-tidy over every source of ours that a build folder compiles, one process a core.

usage: run_clang_tidy.py BUILD_FOLDER [PATH_PREFIX …]

A file that was clean before is skipped while nothing it is made of has changed: the check list, the
tool's version, its compile command, itself and every header of ours that it includes (as ninja knows
them). What was clean is remembered in the user's cache folder, for every clone on the machine.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

FOLDERS = ("engine", "api", "dispatcher", "store", "app", "bench", "tests")
NOISE = re.compile(r"warnings? generated|warnings? treated|Suppressed|Use -header-filter")


def plain_command(command):
    """Without the compiler cache, and without a precompiled header, which is in GCC's format."""
    command = re.sub(r"^.*?ccache (?=\S)", "", command)
    command = re.sub(r"-include \S*cmake_pch\.hxx", "", command)
    return command.replace("-Winvalid-pch", "")


def included_headers(build, root):
    """Object file -> the files of ours that it was made of."""
    headers, target = {}, None
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        if line.startswith("    "):
            path = os.path.relpath(os.path.join(build, line.strip()), root)
            if path.split("/")[0] in FOLDERS:
                headers[target].append(path)
        elif ": #deps" in line:
            target = line.split(": #deps")[0]
            headers[target] = []
    return headers


def digest(root, parts, files):
    sum_ = hashlib.sha256("\0".join(parts).encode())
    for name in sorted(set(files)):
        sum_.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return sum_.hexdigest()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    root = pathlib.Path(__file__).resolve().parents[2]
    build, prefixes = os.path.abspath(sys.argv[1]), tuple(sys.argv[2:])
    os.chdir(root)
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "triggerd-clang-tidy"
    cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    config = (root / ".clang-tidy").read_text()

    entries = json.load(open(build + "/compile_commands.json"))
    made_of = included_headers(build, root)
    for entry in entries:
        entry["command"] = plain_command(entry["command"])
    database = pathlib.Path(build) / "tidy_db"
    database.mkdir(exist_ok=True)
    (database / "compile_commands.json").write_text(json.dumps(entries))

    jobs = {}
    for entry in entries:
        file = os.path.relpath(os.path.join(entry["directory"], entry["file"]), root)
        if file.split("/")[0] not in FOLDERS or not file.startswith(prefixes or ""):
            continue
        command = entry["command"].replace(str(root), "")
        output = re.search(r" -o (\S+)", entry["command"])
        parts = [version, config, command]
        jobs[file] = digest(root, parts, [file] + made_of.get(output.group(1) if output else "", []))

    def check(item):
        file, sum_ = item
        stamp = cache / sum_
        if stamp.exists():
            stamp.touch()
            return ""
        run = subprocess.run(["clang-tidy", "--quiet", "-p", str(database), file], capture_output=True, text=True)
        if run.returncode != 0:
            lines = (run.stdout + run.stderr).splitlines()
            return "\n".join(line for line in lines if not NOISE.search(line)) or f"{file}: clang-tidy failed"
        stamp.touch()
        return ""

    faults = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for fault in pool.map(check, sorted(jobs.items())):
            if fault:
                faults += 1
                print(fault, flush=True)
    stamps = sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in stamps[4096:]:
        old.unlink(missing_ok=True)
    print(f"clang-tidy: {len(jobs) - faults} of {len(jobs)} files clean")
    sys.exit(1 if faults or not jobs else 0)


if __name__ == "__main__":
    main()
