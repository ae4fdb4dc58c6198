#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Usage: verify.sh HEDDLE_DP HEDDLE_CTRL UNIT...
# systemd-analyze verify over the units, with the programs just built in place of the installed ones.  Whatever it says
# about them is an error: an unknown key is only a warning to systemd, and a protection that is not there.
set -eu
command -v systemd-analyze > /dev/null || { echo "no systemd-analyze here"; exit 77; }
dp=$(readlink -f "$1") ctrl=$(readlink -f "$2")
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for unit; do
	sed -e "s|=/[^ ]*/heddle-dp |=$dp |" -e "s|=/[^ ]*/heddle-ctrl |=$ctrl |" -e '/^Documentation=/d' "$unit" \
		> "$dir/${unit##*/}"
done
said=$(SYSTEMD_LOG_LEVEL=warning SYSTEMD_UNIT_PATH="$dir:" systemd-analyze verify "$dir"/* 2>&1) || {
	echo "$said"; exit 1; }
said=$(echo "$said" | grep -F -e "$dir" -e heddle || true)
[ -z "$said" ] || { echo "$said"; exit 1; }
for key in CapabilityBoundingSet NoNewPrivileges ProtectSystem Restart= RestartPreventExitStatus; do
	for service in heddle-dp heddle-ctrl; do
		grep -q "^$key" "$dir/$service.service" || { echo "$service: no $key"; exit 1; }
	done
done
echo "$# units are good"
