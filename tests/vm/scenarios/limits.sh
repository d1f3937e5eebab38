# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # variables of tierd.sh
#
# limits.sh: what scenarios about limits share: programs that allocate, a close watch on
# their DRAM, and whether tierd has left anything behind. Expects check.sh and tierd.sh.

# Moves itself (systemd would make "$" of "$$") into a cgroup of its own below its unit and becomes the rest of the line.
# shellcheck disable=SC2016
readonly in_a_sub_cgroup='
	cgroup=/sys/fs/cgroup/system.slice/$1.service
	shift
	mkdir "$cgroup/pay"
	echo 0 >"$cgroup/pay/cgroup.procs"
	echo "+memory +cpuset" >"$cgroup/cgroup.subtree_control"
	exec "$@"'

# start_fill UNIT SIZE OPTION…: gups as a service; as "box" in a cgroup below a delegated
# one.
start_fill()
{
	local unit=$1 size=$2 wrap=()

	shift 2
	rm -f "$RESULTS/$unit".{out,timeline}
	if [[ $unit == box ]]; then
		wrap=(bash -c "$in_a_sub_cgroup" bash box)
	fi
	systemd-run --quiet --unit="$unit.service" --collect \
		--property=Delegate="$([[ $unit == box ]] && echo yes || echo no)" \
		--property=StandardOutput="file:$RESULTS/$unit.out" \
		"${wrap[@]}" "$gups" --timeline="$RESULTS/$unit.timeline" --huge=never \
		--working-set="$size" --hot=64M --start-paused "$@"
}

# says_ready UNIT: without a process of its own, for whoever waits for it is in the way.
says_ready()
{
	local said=

	IFS= read -r -d '' said 2>/dev/null <"$RESULTS/$1.out"
	[[ $said == *'gups: ready'* ]]
}

# fill UNIT [SIZE]: 900 MiB as fast as it goes, watched; returns when they are there, with
# fill_ms set and $RESULTS/fill.dram written.
fill()
{
	local unit=$1 cgroup=/system.slice/$1.service watcher began

	[[ $unit != box ]] || cgroup+=/pay
	began=${EPOCHREALTIME/./}
	start_fill "$unit" "${2:-900M}"
	watch_closely "$cgroup" "$RESULTS/fill.dram" &
	watcher=$!
	if [[ -n ${box_writes:-} ]]; then
		foreign_write && touch "$RESULTS/foreign"
	fi
	[[ -p $RESULTS/fill.pause ]] || mkfifo "$RESULTS/fill.pause"
	exec 8<>"$RESULTS/fill.pause"
	until says_ready "$unit"; do
		[[ $((${EPOCHREALTIME/./} - began)) -lt 120000000 ]] || break
		read -rt 0.05 -u 8
	done
	fill_ms=$(((${EPOCHREALTIME/./} - began) / 1000))
	kill "$watcher"
	wait "$watcher" 2>/dev/null
}

stop_fill()
{
	systemctl kill --signal=KILL "$1"
	within 20 eval "! systemctl is-active --quiet $1"
	systemctl reset-failed "$1" 2>/dev/null
	sleep 1
}

# watch_closely CGROUP FILE: "microseconds bytes memory.high" ten times a second, until killed;
# bytes of DRAM, or of what $watched names of it.
watch_closely()
{
	local word total

	rm -f "$2.pause"
	mkfifo "$2.pause"
	exec 9<>"$2.pause"
	until [[ -e $cgroups$1/memory.numa_stat ]]; do
		read -rt 0.02 -u 9
	done
	while :; do
		total=0
		while read -ra word; do
			[[ " ${watched:-anon file} " == *" ${word[0]:--} "* ]] || continue
			total=$((total + ${word[1]#N0=}))
		done <"$cgroups$1/memory.numa_stat"
		echo "${EPOCHREALTIME/./} $total $(<"$cgroups$1/memory.high")"
		read -rt 0.1 -u 9
	done >"$2" 2>/dev/null
}

# peak_of FILE: the most bytes seen.
peak_of()
{
	awk '$2 > peak { peak = $2 } END { print peak + 0; exit NR < 8 }' "$1"
}

# was_limited FILE: whether there was a memory.high meanwhile.
was_limited()
{
	grep -qv 'max$' "$1"
}

# counts GROUP EXPRESSION, shows GROUP EXPRESSION
counts()
{
	tierctl --json counters "$1" | jq -e "$2"
}

shows()
{
	tierctl --json show "$1" | jq -e "$2"
}

# nodes_are_free CGROUP: it may use all. While a cgroup has processes the kernel does not
# take back the empty list that it began with.
nodes_are_free()
{
	! grep -qv -e '^$' -e '^0-1$' "$cgroups$1/cpuset.mems"
}

# limit_is CGROUP FILE VALUE
limit_is()
{
	equals "$(<"$cgroups$1/$2")" "$3"
}

# drop_ins [UNIT]: what systemd has on disk of run-time properties that are tierd's.
drop_ins()
{
	find /run/systemd/system.control /run/systemd/transient \
		-path "*/${1:-*}.service.d/50-*" \( -name '50-MemoryHigh.conf' -o \
		-name '50-MemorySwapMax.conf' -o -name '50-AllowedMemoryNodes.conf' \) 2>/dev/null
}

no_drop_in()
{
	is_empty "$(drop_ins "$1")"
}

# nothing_of_ours: no limit in any cgroup below system.slice, no drop-in.
nothing_of_ours()
{
	is_empty "$(drop_ins)" && is_empty "$(grep -rLx max --include=memory.high \
		--include=memory.swap.max "$cgroups/system.slice")" &&
		is_empty "$(find "$cgroups/system.slice" -name cpuset.mems \
			-exec grep -Hv -e '^$' -e '^0-1$' {} +)"
}
