#!/usr/bin/env bash
# Regenerates every *_pb2 file from the schemas. One command, same bytes every time.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}
out=${1:-.}
mapfile -t schemas < <(find contracts -name '*.proto' | sort)
"$python" -m grpc_tools.protoc -I . --python_out="$out" --pyi_out="$out" "${schemas[@]}"
"$python" -m grpc_tools.protoc -I . --grpc_python_out="$out" \
  contracts/assessment/v1/assessment.proto contracts/clues/v1/clues.proto
