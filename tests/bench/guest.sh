# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# guest.sh: gups as a service of its own and tierd with a policy for it, for the programs
# that run in the test machine. It knows how to start, watch and stop both; what is
# measured with them, and what to think of it, is not known here.
#
# Times are seconds of the guest's monotonic clock. gups counts its own from the moment
# it is told to go, which the marks record.

readonly gups=/usr/libexec/tierd/tests/gups
readonly gups_cgroup=/sys/fs/cgroup/system.slice/gups.service
readonly pmu_muted=/sys/module/tier_pmu/parameters/muted
readonly policy_file=/etc/tierd/policies.d/gups.conf

guest_now()
{
	local up rest

	read -r up rest </proc/uptime
	echo "$up"
}

# guest_mark NAME [TIME]: remembers when something was, for guest_marks.
guest_mark()
{
	printf '%s %s\n' "$1" "${2:-$(guest_now)}" >>/run/marks
}

# named_numbers FILE: lines of a name and a number as one JSON object.
named_numbers()
{
	jq -R -n '[inputs | split(" ") | {(.[0]): (.[1] | tonumber)}] | add // {}' "$1"
}

guest_marks()
{
	named_numbers /run/marks
}

# guest_hold: waits a moment without starting a process, for loops that must not disturb.
guest_hold()
{
	read -r -t "$1" <>"/run/never" || true
}

guest_set_up()
{
	mkfifo /run/never
	: >/run/marks
	: >/run/huge
	: >/run/turns
	mkdir -p "$(dirname "$policy_file")"
}

guest_set_policy()
{
	printf '[Match]\nUnit=gups.service\n\n[Memory]\nDRAMQuota=%s\n' "$1" >"$policy_file"
}

# gups_start NAME OPTION…: returns when its memory is there and it waits for gups_go. The
# summary will be in NAME.json, the time line in NAME.timeline, all it says in NAME.out. It
# is gups.service, or what $gups_unit names; the same goes for gups_stop. All run on the
# machine's last CPU: those of the emulator can be of different speed, for hours.
gups_start()
{
	local name=$1 unit=${gups_unit:-gups.service} out

	shift
	rm -f "/run/$name.go"
	out=$RESULTS/$name.out
	: >"$out"
	systemd-run --quiet --unit="$unit" -p TimeoutStopSec=infinity \
		-p "CPUAffinity=$(($(nproc) - 1))" \
		-p "StandardOutput=append:$out" -p "StandardError=append:$out" \
		"$gups" --wait-file="/run/$name.go" --json="$RESULTS/$name.json" \
		--timeline="$RESULTS/$name.timeline" "$@"
	until grep -q '^gups: ready' "$out"; do
		if ! systemctl --quiet is-active "$unit"; then
			echo "gups ended before it began:"
			cat "$out"
			return 1
		fi
		sleep 0.5
	done
}

gups_go()
{
	guest_mark "$1_go"
	touch "/run/$1.go"
}

# gups_hold, gups_release: it stands still meanwhile.
gups_hold()
{
	systemctl kill --signal=STOP "${gups_unit:-gups.service}"
}

gups_release()
{
	systemctl kill --signal=CONT "${gups_unit:-gups.service}"
}

# gups_stop NAME: ends the updating and waits for the check of every page.
gups_stop()
{
	local out=$RESULTS/$1.out unit=${gups_unit:-gups.service}

	systemctl stop "$unit"
	systemctl reset-failed "$unit" 2>/dev/null || true
	grep '^gups: verified' "$out" || {
		echo "gups did not end well:"
		cat "$out"
		return 1
	}
}

# note_huge NAME: remembers how much of gups' memory is in huge pages, in /run/huge.
note_huge()
{
	awk -v name="$1" '$1 == "anon_thp" { print name, $2 }' "$gups_cgroup/memory.stat" \
		>>/run/huge
}

# tierd_start: marks tierd_start with the time at which systemd started the process.
tierd_start()
{
	local usec

	systemctl start tierd.service || {
		journalctl --no-pager -u tierd.service
		return 1
	}
	usec=$(systemctl show -P ExecMainStartTimestampMonotonic tierd.service)
	guest_mark tierd_start "$((usec / 1000000)).$(printf '%06d' $((usec % 1000000)))"
	tierd_pid=$(systemctl show -P MainPID tierd.service)
}

# tierd_outlives_holds: to be called before tierd_start by who will call tierd_hold. Its
# watchdog would not wait.
tierd_outlives_holds()
{
	mkdir -p /run/systemd/system/tierd.service.d
	printf '[Service]\nWatchdogSec=0\n' >/run/systemd/system/tierd.service.d/holds.conf
	systemctl daemon-reload
}

# tierd_stands_still: all of its threads have stopped, so that nothing is under way.
tierd_stands_still()
{
	local status line

	for status in /proc/"$tierd_pid"/task/*/status; do
		while read -r line; do
			[[ $line != State:* || $line == State:*T* ]] || return
		done <"$status"
	done
}

# tierd_hold: until tierd_release the machine is as without tierd, but for where its pages
# are: neither tierd runs nor the PMU samples nor the kernel's scanner makes hint faults. DAMON
# goes on, for it would begin anew.
tierd_hold()
{
	local i

	kill -STOP "$tierd_pid" || return
	for ((i = 0; i < 500; i++)); do
		! tierd_stands_still || break
		guest_hold 0.01
	done
	[[ ! -e $pmu_muted ]] || echo 0xffff >"$pmu_muted"
	held_balancing=$(</proc/sys/kernel/numa_balancing)
	echo 0 >/proc/sys/kernel/numa_balancing
}

tierd_release()
{
	echo "$held_balancing" >/proc/sys/kernel/numa_balancing
	[[ ! -e $pmu_muted ]] || echo 0 >"$pmu_muted"
	kill -CONT "$tierd_pid"
}

# turn NAME SECONDS: notes when this stretch begins and ends, for guest_turns.
turn()
{
	local from

	from=$(guest_now)
	guest_hold "$2"
	printf '%s %s %s\n' "$1" "$from" "$(guest_now)" >>/run/turns
}

# guest_turns: all of them as an array of {name, from, to}.
guest_turns()
{
	jq -R -n '[inputs | split(" ")
		| {name: .[0], from: (.[1] | tonumber), to: (.[2] | tonumber)}]' /run/turns
}

# sample_dram FILE: until samplers_stop, five times a second a line: time, bytes that the quota
# covers in DRAM (node 0), and clock ticks that tierd has used. It starts no process, and
# takes two per cent of a CPU.
sample_dram()
{
	local up key node0 anon mapped stat rest

	while [[ ! -e /run/samplers-stop ]]; do
		read -r up rest </proc/uptime
		while read -r key node0 rest; do
			case $key in
			anon) anon=${node0#N0=} ;;
			file_mapped) mapped=${node0#N0=} && break ;;
			esac
		done <"$gups_cgroup/memory.numa_stat"
		read -ra stat <"/proc/$tierd_pid/stat"
		echo "$up $((anon + mapped)) $((stat[13] + stat[14]))"
		guest_hold 0.2
	done >"$1"
}

# moved_bytes: what tierd has promoted and demoted of gups, as two numbers; 0 and 0 before
# it knows of gups. busctl is the cheapest way to ask; a group's path is its cgroup as
# sd_bus_path_encode() has it.
moved_bytes()
{
	local path=/org/tierd/Tierd1/group/_2fsystem_2eslice_2fgups_2eservice moved

	moved=$(busctl get-property org.tierd.Tierd1 "$path" org.tierd.Tierd1.Group \
		PromotedBytes DemotedBytes 2>/dev/null || printf '0\n0\n')
	moved=${moved//t /}
	echo "${moved//$'\n'/ }"
}

# sample_counters FILE: until samplers_stop, every two seconds a line: time, bytes
# promoted, bytes demoted.
sample_counters()
{
	local moved

	while [[ ! -e /run/samplers-stop ]]; do
		moved=$(moved_bytes)
		echo "$(guest_now) $moved"
		guest_hold 2
	done >"$1"
}

# samplers_stop: both of them, at the end of a line.
samplers_stop()
{
	touch /run/samplers-stop
	wait "$@"
}

# lines_to_json FILE: lines of numbers as an array of arrays.
lines_to_json()
{
	jq -R -n -c '[inputs | split(" ") | map(tonumber)]' "$1"
}
