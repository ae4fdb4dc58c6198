# SPDX-License-Identifier: BSD-3-Clause
# What every script here shares: where the tree is, how to speak, and how to stop.
# Sourced, never run:  . "$(dirname "$(readlink -f "$0")")/lib/common.sh"
# shellcheck shell=bash

ROOT=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
PROG=scripts/$(basename "$0")
BUILD=${HEDDLE_BUILD:-$ROOT/build}
STAGE=${HEDDLE_STAGE:-$BUILD/stage}
# Debian's own interpreter: the one that python3-scapy and python3-pytest were installed for.
PYTHON=/usr/bin/python3
export ROOT BUILD STAGE

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' CYAN=$'\e[36m' PLAIN=$'\e[0m'
else
	BOLD='' DIM='' RED='' GREEN='' CYAN='' PLAIN=''
fi
export BOLD DIM RED GREEN CYAN PLAIN

say()  { printf '%s==>%s %s\n' "$BOLD$CYAN" "$PLAIN" "$*"; }
warn() { printf '%s: %s\n' "$PROG" "$*" >&2; }
die()  { printf '%s%s:%s %s\n' "$RED" "$PROG" "$PLAIN" "$*" >&2; exit 1; }

# The comment block at the top of a script, between its first and second blank comment line, is its
# manual: one text, read in the file and printed by --help.
usage() {
	sed -n '/^# Usage:/,/^[^#]/ { s/^# \{0,1\}//; /^[^#]/p; /^$/p; }' "$0" | sed '/^set -/,$d'
}

# Run a command as the owner of the tree when root runs a script for somebody else (sudo), so that
# no file in the build folder ends up belonging to root.
as_owner() {
	local owner
	owner=$(stat -c %U "$ROOT")
	if [ "$(id -u)" = 0 ] && [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
		runuser -u "$owner" -- "$@"
	else
		"$@"
	fi
}

need_root() {
	[ "$(id -u)" = 0 ] || die "needs root: sudo $PROG $*"
}

# Files under version control that match the given patterns; everything there is in an unpacked archive.
tree_files() {
	if git -C "$ROOT" rev-parse >/dev/null 2>&1; then
		git -C "$ROOT" -c safe.directory="$ROOT" ls-files -- "$@"
	else
		(cd "$ROOT" && for p in "$@"; do
			find . -path './build*' -prune -o -type f -name "${p##*/}" -printf '%P\n'
		done)
	fi
}
