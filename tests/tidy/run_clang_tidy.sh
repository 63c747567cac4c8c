#!/usr/bin/env bash
# Runs clang-tidy over every source of ours that the build in $1 compiles. A file whose preprocessed
# text was clean before is skipped; stamps live in the build folder.
set -euo pipefail
build=${1:?usage: run_clang_tidy.sh BUILD_FOLDER}
cd "$(dirname "$0")/../.."
python3 - "$build" <<'PY' > "$build/tidy_files"
import json, os, sys
root = os.getcwd()
files = {os.path.relpath(os.path.join(e["directory"], e["file"]), root)
         for e in json.load(open(sys.argv[1] + "/compile_commands.json"))}
print("\n".join(sorted(f for f in files if f.split("/")[0] in
      ("engine", "api", "dispatcher", "store", "app", "bench", "tests"))))
PY
export build
check() {
  file=$1
  stamp=$build/tidy/$file.stamp
  # GoogleTest's precompiled header is in GCC's format; clang-tidy must not see it.
  sum=$(cat .clang-tidy "$file" $(grep -oP '(?<=#include ")[^"]+' "$file" | sort -u) 2>/dev/null | sha256sum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then return 0; fi
  if ! output=$(clang-tidy --quiet -p "$build/tidy_db" "$file" 2>&1); then
    echo "$output" | grep -v 'warnings generated\|warnings treated\|Suppressed\|Use -header-filter' || true
    return 1
  fi
  mkdir -p "$(dirname "$stamp")"
  echo "$sum" > "$stamp"
}
export -f check
mkdir -p "$build/tidy_db"
python3 - "$build" <<'PY'
import json, re, sys
build = sys.argv[1]
entries = json.load(open(build + "/compile_commands.json"))
for e in entries:
    c = re.sub(r"-include \S*cmake_pch\.hxx", "", e["command"])
    c = re.sub(r"^\S*cmake -E env .*?ccache ", "", c)
    e["command"] = c.replace("-Winvalid-pch", "")
json.dump(entries, open(build + "/tidy_db/compile_commands.json", "w"))
PY
xargs -P "$(nproc)" -I{} bash -c 'check "$1"' _ {} < "$build/tidy_files"
echo "clang-tidy: $(wc -l < "$build/tidy_files") files clean"
