#!/usr/bin/env python3
"""Checks the tree against the rules that are easily broken: who includes whom, and sizes.

usage: check_tree.py [ROOT]   prints every fault, exits 1 if there is one
       check_tree.py --self-test
"""
import pathlib
import re
import subprocess
import sys

# Folder -> folders it may include besides itself (DESIGN: folders, targets, and who may include whom).
LAYERS = {
    "engine/base": [],
    "engine/model": ["engine/base"],
    "engine/core": ["engine/base", "engine/model"],
    "engine/json": ["engine/base", "engine/model"],
    "engine/loop": ["engine/base"],
    "store": ["engine/base", "engine/model", "engine/loop"],
    "dispatcher": ["engine/base", "engine/model", "engine/json", "engine/loop"],
    "api": ["engine/base", "engine/model", "engine/json", "engine/loop"],
    "app": ["engine/base", "engine/model", "engine/core", "engine/json", "engine/loop", "store",
            "dispatcher", "api"],
}
# Foreign headers that the pure layers must never see.
FOREIGN = re.compile(r"#include <(uv|curl|ares|rocksdb|simdjson|rapidjson|openssl|llhttp|spdlog|toml|CLI)")
PURE = ("engine/base", "engine/model", "engine/core")
COLUMNS_MAX, FILE_LINES_MAX, HEADER_LINES_MAX, FUNCTION_LINES_MAX = 100, 700, 200, 70


def folder_of(path):
    return max((layer for layer in LAYERS if path.startswith(layer + "/")), key=len, default=None)


def function_faults(path, lines):
    """A function body opens with '{' at the end of an unindented line and closes with '}' in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.endswith("{") and line[:1] not in (" ", "}", "#", "/") and not re.match(
            r"(namespace|struct|class|enum|extern|union)\b|.*\bnamespace\b.*{|.*= {$|.*\) = \w+ {$", line
        ) and "(" in "".join(lines[max(0, number - 6):number]):
            start = number
        elif start is not None and line.startswith("}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: function of {number - start + 1} lines, at most {FUNCTION_LINES_MAX}"
            start = None


def faults_of(path, text):
    lines = text.split("\n")
    layer = folder_of(path)
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and "http" not in line:
            yield f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
        if layer is None:
            continue
        included = re.match(r'#include "([^"]+)"', line)
        if included:
            target = folder_of(included.group(1))
            if target is None:
                yield f"{path}:{number}: include {included.group(1)} from the repository root"
            elif target != layer and target not in LAYERS[layer]:
                yield f"{path}:{number}: {layer} may not include {target}"
        if layer in PURE and FOREIGN.match(line):
            yield f"{path}:{number}: {layer} is pure; it may not see {line.split('<')[1].split('>')[0]}"
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"{path}: no #pragma once"
    if path.endswith(".h") and layer and len(lines) > HEADER_LINES_MAX + 1 and "/model/" not in path:
        yield f"{path}: header of {len(lines) - 1} lines, at most {HEADER_LINES_MAX}"
    if len(lines) > FILE_LINES_MAX + 1:
        yield f"{path}: {len(lines) - 1} lines, at most {FILE_LINES_MAX}"
    if layer:
        yield from function_faults(path, lines)


def self_test():
    bad = {
        "api/a.cc": '#include "store/store.h"\n',
        "engine/core/b.cc": "#include <uv.h>\n",
        "dispatcher/c.h": "int x;\n",
        "app/d.cc": "int f() {\n" + "  g();\n" * 80 + "}\n",
        "store/e.cc": "x" * 101 + "\n",
    }
    for path, text in bad.items():
        assert list(faults_of(path, text)), path
    good = '#pragma once\n#include "engine/base/ids.h"\n'
    assert not list(faults_of("engine/model/good.h", good))
    print("self-test: ok")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "*.h", "*.cc"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        files = listed.stdout.split()
    else:
        files = [str(p.relative_to(root)) for s in ("*.h", "*.cc") for p in root.rglob(s)
                 if not str(p.relative_to(root)).startswith("build")]
    faults = [fault for path in sorted(set(files)) if (root / path).exists()
              for fault in faults_of(path, (root / path).read_text())]
    print("\n".join(faults))
    print(f"{len(files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
