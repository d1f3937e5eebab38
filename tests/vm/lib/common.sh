# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # variables of vm and its other files
#
# common.sh: messages, exit codes and the cache's layout, for all of vm.
#
# Messages go to standard error, because standard output belongs to the scenario.

readonly EXIT_USAGE=64
readonly EXIT_TIMEOUT=124
readonly EXIT_MACHINE=125

vm_cache=${TIERD_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tierd-vm}

say()
{
	printf 'vm: %s\n' "$*" >&2
}

die()
{
	say "$*"
	exit "$EXIT_MACHINE"
}

usage_error()
{
	say "$*"
	say "try '$0 help'"
	exit "$EXIT_USAGE"
}

# hash_of STRING FILE…: a short name for one version of the files.
hash_of()
{
	local text=$1

	shift
	{
		printf '%s\n' "$text"
		cat -- "$@"
	} | sha256sum | cut -c 1-12
}

# to_mib SIZE: 512M, 1G, 6.5G → whole MiB.
to_mib()
{
	[[ $1 =~ ^([0-9]+(\.[0-9]+)?)([MG])$ ]] || usage_error "'$1' is no size: write 512M or 6.5G"
	awk -v n="${BASH_REMATCH[1]}" -v unit="${BASH_REMATCH[3]}" \
		'BEGIN { printf "%d\n", n * (unit == "G" ? 1024 : 1) }'
}
