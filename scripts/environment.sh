#!/usr/bin/env bash
# Makes .venv hold what a command needs: scripts/environment.sh runtime|develop|console
# Locked versions, checked by hash; nothing is done when the lock files did not change.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-runtime}
case $kind in
  runtime) locks=(requirements/runtime.txt) ;;
  develop) locks=(requirements/runtime.txt requirements/develop.txt) ;;
  console) locks=(requirements/console.txt) ;;
  *) echo "usage: $0 runtime|develop|console" >&2; exit 2 ;;
esac
stamp=.venv/.$kind
wanted=$(cat "${locks[@]}" | sha256sum)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

mkdir -p .cache
exec 9>.cache/environment.lock
flock 9
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

find_python() {
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate" && return
    fi
  done
  echo "需要 Python 3.11 或更新版本 / Python 3.11 or newer is needed (PYTHON=/path/to/python names one)" >&2
  return 1
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
    scripts/packages.sh "python$version-venv:/usr/lib/python$version/ensurepip/__init__.py"
  fi
  rm -rf .venv
  "$python" -m venv .venv
fi

echo "安装依赖 / installing dependencies ($kind) ..." >&2
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --require-hashes "${locks[@]/#/--requirement=}"
# The roots of the source tree are importable from anywhere, subprocesses included.
printf '%s\n' "$PWD" "$PWD/proto" "$PWD/src" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/fazhi.pth"
# Bulletins in PDF need a Chinese font; everything else runs without, so its want stops nothing and is said once.
[ "$kind" = console ] || scripts/packages.sh 'fonts-noto-cjk:/usr/share/fonts/opentype/noto/NotoSansCJK-*' || true
printf '%s\n' "$wanted" >"$stamp"
