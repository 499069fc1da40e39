#!/usr/bin/env bash
# The command line of the platform in its own environment; try --help. Relative paths stay the caller's.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
# `bench` measures other frameworks beside ours; they are not part of the runtime.
if [ "${1:-}" = bench ]; then kind=develop; else kind=runtime; fi
"$root/scripts/environment.sh" "$kind"
exec "$root/.venv/bin/python" -m fazhi "$@"
