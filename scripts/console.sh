#!/usr/bin/env bash
# Builds console/dist from console/ unless this very content was built before (.cache/console/<hash>).
# Node comes from the machine if it is new enough, otherwise from the PyPI wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -f console/package.json ]; then
  # A release carries the pages built and leaves the sources out.
  [ -f console/dist/index.html ] && exit 0
  echo "缺少控制台源码 console/ / the console's sources are missing" >&2
  exit 1
fi

sources() { find console -type f -not -path '*/node_modules/*' -not -path 'console/dist/*' -print0 | LC_ALL=C sort -z; }
hash=$(sources | xargs -0 sha256sum | sha256sum | cut -c1-16)
[ "$(cat console/dist/.content 2>/dev/null)" != "$hash" ] || exit 0

mkdir -p .cache/console
exec 9>.cache/console.lock
flock 9
built=.cache/console/$hash
if [ ! -d "$built" ]; then
  new_enough='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
  if ! { command -v npm && node -e "$new_enough"; } >/dev/null 2>&1; then
    # The one library that Node's own build needs and a minimal Debian lacks.
    scripts/packages.sh 'libatomic1:/usr/lib/*/libatomic.so.1'
    scripts/environment.sh console
    export PATH="$PWD/.venv/bin:$PATH"
  fi
  echo "构建控制台 / building the console with node $(node --version) ..." >&2
  (
    cd console
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    npm run --silent build -- --outDir "../.cache/console/$hash.new" --emptyOutDir
  ) >&2
  mv "$built.new" "$built"
fi
rm -rf console/dist.new
cp -R "$built" console/dist.new
printf '%s\n' "$hash" >console/dist.new/.content
rm -rf console/dist
mv console/dist.new console/dist
