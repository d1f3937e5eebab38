# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# progress.sh: work that takes a while and says more than anybody wants to read. On a
# terminal its last line is shown, drawn over in place; elsewhere there is a line every ten
# seconds. All it said comes out if it fails. What is shown goes to standard error.
#
#     tierd_watch WHAT COMMAND…        runs the command; its exit code, given pipefail

readonly tierd_progress_seconds=${TIERD_PROGRESS_SECONDS:-10}

tierd_show_progress()
{
	local what=$1 start=$SECONDS shown=$SECONDS line

	while IFS= read -r line; do
		line=${line:0:$((76 - ${#what}))}
		if [[ -t 2 ]]; then
			printf '\r\e[K%s: %s' "$what" "$line" >&2
		elif ((SECONDS - shown >= tierd_progress_seconds)); then
			shown=$SECONDS
			printf '%s, %d s: %s\n' "$what" $((SECONDS - start)) "$line" >&2
		fi
	done
	[[ ! -t 2 ]] || printf '\r\e[K' >&2
}

tierd_watch()
{
	local what=$1 log code

	shift
	log=$(mktemp)
	if "$@" </dev/null 2>&1 | tee "$log" | tierd_show_progress "$what"; then
		code=0
	else
		code=${PIPESTATUS[0]}
		cat "$log" >&2
	fi
	rm -f "$log"
	return "$code"
}
