#!/usr/bin/env bash
# Makes the machine have Debian packages: scripts/packages.sh PACKAGE:PROGRAM_OR_FILE...
# A package counts as there when its program (or a file matching the pattern) is. As root the others are
# installed, without starting a service; otherwise, or when that fails, it says exactly what is missing.
set -euo pipefail

present() { command -v "$1" >/dev/null || compgen -G "$1" >/dev/null; }
missing=()
for wish in "$@"; do
  present "${wish#*:}" || missing+=("${wish%%:*}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

by_hand() { echo "$1: apt-get install --no-install-recommends ${missing[*]}" >&2; exit 1; }
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  by_hand "缺少软件包，请以管理员身份执行 / missing packages, run as root"
fi

policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made=
trap 'rm -f "$log" $made' EXIT
if [ ! -e $policy ]; then
  # The answer 101, "forbidden", keeps the packages from starting services on their default ports.
  made=$policy
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi

export DEBIAN_FRONTEND=noninteractive
echo "安装系统软件包 / installing ${missing[*]} ..." >&2
apt-get update >"$log" 2>&1 || true
failed=()
# One by one: a package this release does not have must not keep the others away.
for package in "${missing[@]}"; do
  apt-get install --yes --no-install-recommends "$package" >>"$log" 2>&1 || failed+=("$package")
done
[ ${#failed[@]} = 0 ] && exit 0
tail -n 15 "$log" >&2
missing=("${failed[@]}")
by_hand "安装失败，请手工执行 / could not be installed, try by hand"
