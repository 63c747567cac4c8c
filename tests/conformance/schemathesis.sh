#!/usr/bin/env bash
# Runs Schemathesis, a tester of HTTP APIs that was not written here, against the real binary.
#
#   tests/conformance/schemathesis.sh --prepare          install it into build/schemathesis
#   tests/conformance/schemathesis.sh BINARY [OPTION...]  run it; options of `schemathesis run`
#
# Ends with 77, which ctest counts as skipped, where it is not installed and cannot be.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="$(cd "$here/../.." && pwd)/build/schemathesis"
wanted="$here/requirements.txt"

# The list that was installed stands beside it, so that another one is installed anew.
prepare() {
  cmp -s "$wanted" "$venv/installed.txt" && return 0
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" || return 1
  cp "$wanted" "$venv/installed.txt"
}

if [ "${1:-}" = --prepare ]; then prepare; exit; fi
binary="${1:?usage: schemathesis.sh --prepare | BINARY [OPTION...]}"
shift
if ! prepare; then
  echo "schemathesis.sh: skipped: the packages of requirements.txt cannot be installed here;" \
    "run ./setup --tests where PyPI can be reached" >&2
  exit 77
fi
exec "$venv/bin/python" "$here/run_schemathesis.py" --binary "$binary" \
  --schemathesis "$venv/bin/schemathesis" "$@"
