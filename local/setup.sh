#!/usr/bin/env bash
# Makes the Python environments under local/ from the pinned requirements, and those named besides; quick where they are
# there already.
set -euo pipefail
cd "$(dirname "$0")"

need() { command -v "$1" >/dev/null || { echo "missing: $1 - install $2" >&2; exit 1; }; }
need python3 "Python 3.10 or newer with its venv module"
need cargo "Rust 1.94.1 or newer"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "missing: Python 3.10 or newer" >&2; exit 1; }
python3 -c 'import ensurepip' 2>/dev/null || { echo "missing: Python's venv module - install python3-venv" >&2; exit 1; }

for name in sam aws "$@"; do
  venv=".venv-$name" requirements="requirements-$name.txt"
  want="$(cksum <"$requirements") $PWD" # a moved environment does not work: its place is part of the stamp
  [ "$(cat "$venv/stamp" 2>/dev/null)" = "$want" ] && continue
  echo "setting up local/$venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  echo "$want" >"$venv/stamp"
done

# The official package for JavaScript verifies what the deployed function signs.
package="standardwebhooks@1.1.1"
if [ "$(cat .node/stamp 2>/dev/null)" != "$package" ]; then
  echo "setting up local/.node"
  rm -rf .node && mkdir .node
  PATH="$PWD/.venv-aws/bin:$PATH" npm install --silent --no-audit --no-fund --no-package-lock --prefix .node "$package"
  echo "$package" >.node/stamp
fi
