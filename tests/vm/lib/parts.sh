# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # variables of vm and its other files
#
# parts.sh: compiles what only the test machine needs: the emulator's plugin, the guest's
# kernel module, against the headers kept beside its image, and the guest's vm-probe. Each
# result is cached under the hash of its sources.

plugin_path()
{
	echo "$vm_cache/plugin-$(hash_of '' "$vm_dir"/plugin/*)/slow-tier.so"
}

module_path()
{
	echo "$vm_cache/module-$(hash_of "$(image_kernel_path)" "$vm_dir"/module/* \
		"$vm_dir/plugin/tier-ring.h")/tier-pmu.ko"
}

probe_path()
{
	echo "$vm_cache/probe-$(hash_of '' "$vm_dir"/probe/*)/vm-probe"
}

# part_build WHAT PATH COMMAND…: runs COMMAND with a scratch directory, then keeps it.
part_build()
{
	local what=$1 path=$2 work start=$SECONDS

	shift 2
	[[ -e $path ]] && return
	work=$(mktemp -d "$vm_cache/new.XXXXXX")
	chmod 755 "$work"
	vm_scratch+=("$work")
	"$@" "$work" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		die "$what could not be compiled"
	}
	mv -T "$work" "$(dirname "$path")"
	say "compiled $what in $((SECONDS - start)) s"
}

plugin_compile()
{
	"${CC:-cc}" -O2 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter -fPIC -shared \
		-fvisibility=hidden -o "$1/slow-tier.so" "$vm_dir/plugin/slow-tier.c"
}

module_compile()
{
	local headers

	headers=$(image_kernel_path)/headers
	cp "$vm_dir"/module/* "$vm_dir/plugin/tier-ring.h" "$1"
	make -C "$headers/usr/src/linux-headers-$(<"$headers/release")" M="$1" CC=gcc \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules
}

# Static, so that it needs nothing of the guest.
probe_compile()
{
	"${CC:-cc}" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -static -o "$1/vm-probe" \
		"$vm_dir"/probe/*.c
}

parts_build()
{
	part_build 'the slow tier' "$(plugin_path)" plugin_compile
	part_build 'the PMU module' "$(module_path)" module_compile
	part_build 'the probe' "$(probe_path)" probe_compile
}
