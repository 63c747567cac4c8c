#!/bin/sh
# Simulates the world of the commit that is checked out, so that every commit tries a new one.
# usage: run_commit_seed.sh TRIGGERD_SIM SOURCE_DIR
set -eu
sim=$1
source_dir=$2
seed=$(git -C "$source_dir" rev-parse HEAD 2>/dev/null) || seed=20260101
echo "seed: $seed"
exec "$sim" --seed "$seed"
