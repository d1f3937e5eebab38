# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tierd.sh: what scenarios do with tierd, as an administrator would: policy files,
# systemctl, workloads that are services, and the kernel's own accounting to compare with.
# Expects check.sh.

policies=/etc/tierd/policies.d
cgroups=/sys/fs/cgroup
gups=/usr/libexec/tierd/tests/gups

# policy NAME MATCH MEMORY…: writes a policy; MATCH and MEMORY are lines Key=value.
policy()
{
	local name=$1 match=$2

	shift 2
	printf '%s\n' '[Match]' "$match" '[Memory]' "$@" >"$policies/$name.conf"
}

start_tierd()
{
	systemctl start tierd || {
		fail "tierd starts"
		show "$(said | tail -n 10)"
	}
}

# stop_tierd: and without policies.
stop_tierd()
{
	systemctl stop tierd
	systemctl reset-failed tierd 2>/dev/null
	rm -f "$policies"/*.conf
}

# start_gups UNIT OPTION…: as a service, in $slice if that is set; returns when its table
# is in place.
start_gups()
{
	local unit=$1

	shift
	rm -f "$RESULTS/$unit".{out,timeline,json}
	systemd-run --quiet --unit="$unit.service" --collect \
		--slice="${slice:-system.slice}" \
		--property=StandardOutput="file:$RESULTS/$unit.out" \
		--property=StandardError="file:$RESULTS/$unit.err" \
		"$gups" --timeline="$RESULTS/$unit.timeline" --json="$RESULTS/$unit.json" \
		--interval=0.5 "$@"
	within 120 grep -q 'gups: ready' "$RESULTS/$unit.out"
}

# stop_gups UNIT WHAT: and checks that all its pages are right.
stop_gups()
{
	systemctl stop "$1"
	within 60 test -s "$RESULTS/$1.json"
	check "$2: no page is wrong" \
		holds "$RESULTS/$1.json" '.verified_pages > 0 and .errors == 0'
}

# hot_in_dram UNIT PERCENT: as gups saw it the last time it asked the kernel.
hot_in_dram()
{
	tail -n 1 "$RESULTS/$1.timeline" | tee /dev/stderr |
		awk -v least="$2" '{ for (i = 1; i < NF; i++) if ($i == "hot") share = $(i + 1) }
			END { exit !(share >= least) }'
}

# dram_of UNIT, slow_of UNIT: bytes of anonymous and file memory in a cgroup's node 0 or 1,
# as the kernel counts them. UNIT is a service, or a path below the root.
memory_of_node()
{
	local path=$1 word total=0

	[[ $path == /* ]] || path=/system.slice/$path.service
	[[ -e $cgroups$path/memory.numa_stat ]] || return
	while read -ra word; do
		[[ ${word[0]} == anon || ${word[0]} == file ]] || continue
		total=$((total + ${word[$2 + 1]#N*=}))
	done <"$cgroups$path/memory.numa_stat"
	echo "$total"
}

dram_of()
{
	memory_of_node "$1" 0
}

slow_of()
{
	memory_of_node "$1" 1
}

dram_at_most()
{
	at_most "$(dram_of "$1")" "$2"
}

dram_at_least()
{
	at_least "$(dram_of "$1")" "$2"
}

# watch_dram UNIT FILE: bytes, four times a second, until killed.
watch_dram()
{
	while sleep 0.25; do
		dram_of "$1"
	done >"$2" 2>/dev/null
}

# peak_in FILE: the most bytes seen; fails if next to nothing was.
peak_in()
{
	awk '$1 > peak { peak = $1 } END { print peak + 0; exit NR < 8 }' "$1"
}

# moves_at_most GROUP SECONDS BYTES: so many, both ways, in the time to come. How many it
# was is kept in the results.
moves_at_most()
{
	local before after

	before=$(moved_bytes "$1") || return
	sleep "$2"
	after=$(moved_bytes "$1") || return
	echo "$1: $((after - before)) bytes in $2 s" >>"$RESULTS/moved"
	at_most $((after - before)) "$3"
}

moved_bytes()
{
	tierctl --json show "$1" | jq -e '.promoted_bytes + .demoted_bytes'
}

is_managed()
{
	tierctl --json list | jq -e --arg cgroup "$1" 'any(.[]; .cgroup == $cgroup)'
}

is_unmanaged()
{
	tierctl --json list | jq -e --arg cgroup "$1" 'all(.[]; .cgroup != $cgroup)'
}

# said: all that tierd has said since the machine came up.
said()
{
	journalctl --sync
	journalctl --quiet --boot --unit tierd --output cat
}

# What tierd, or the kernel about it, has to complain of.
complaints()
{
	journalctl --sync
	journalctl --quiet --no-pager --boot --unit tierd --priority warning --output cat
	journalctl --quiet --no-pager --boot |
		grep -E 'type=1326|tier(d|ctl)\[.*(denied|not permitted|segfault)' || true
}

# finds ID SUBJECT: the doctor does, among others perhaps; SUBJECT is a unit, or the machine.
finds()
{
	local found subject=$2

	[[ $subject != *.service* ]] || subject=/system.slice/$subject
	found=$(tierctl --json doctor)
	echo "$found"
	jq -e "any(.[]; .id == \"$1\" and .subject == \"$subject\" and
		(.what | length) > 0 and (.advice | length) > 0)" <<<"$found"
}

# complains_of TEXT
complains_of()
{
	contains "$(complaints)" "$1"
}

mib()
{
	echo $(($1 << 20))
}
