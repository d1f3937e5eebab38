# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # variables of vm and its other files
#
# machine.sh: the emulated machine: its nodes, its devices, and one life of it.
#
# The guest has no network and shares no files. What goes in is a tar archive that it sees
# as its second disk; what comes out goes through three virtio serial ports: the scenario's
# output, a few lines of status, and an archive of its results.

# TCG carries out "rep movsb" byte by byte. A kernel that finds no fast string instructions
# copies and clears pages by words, eight times as fast.
readonly guest_cpu=max,erms=off,fsrm=off

# Of the fast node; each slow node has so many more of it.
readonly dram_latency_ns=80

machine_nodes()
{
	node_mib=("$(to_mib "$opt_dram")")
	node_extra_ns=(0)
	if [[ -n $opt_slow ]]; then
		node_mib+=("$(to_mib "$opt_slow")")
		node_extra_ns+=("$opt_latency")
	fi
	if [[ -n $opt_third ]]; then
		node_mib+=("$(to_mib "$opt_third")")
		node_extra_ns+=($((opt_latency * 2)))
	fi
}

machine_node_arguments()
{
	local i cpus

	for i in "${!node_mib[@]}"; do
		cpus=initiator=0
		[[ $i -ne 0 ]] || cpus=cpus=0-$((opt_cpus - 1))
		qemu+=(-object "memory-backend-ram,id=ram$i,size=${node_mib[i]}M"
			-numa "node,nodeid=$i,memdev=ram$i,$cpus")
	done
	for i in "${!node_mib[@]}"; do
		qemu+=(-numa "hmat-lb,initiator=0,target=$i,hierarchy=memory,data-type=access-latency,latency=$((dram_latency_ns + node_extra_ns[i]))"
			-numa "hmat-lb,initiator=0,target=$i,hierarchy=memory,data-type=access-bandwidth,bandwidth=$((100 / (1 + 4 * i)))G")
	done
	if [[ -n $opt_slow ]]; then
		qemu+=(-numa 'dist,src=0,dst=1,val=30')
	fi
	if [[ -n $opt_third ]]; then
		qemu+=(-numa 'dist,src=0,dst=2,val=50' -numa 'dist,src=1,dst=2,val=60')
	fi
}

# The rings' device comes after the nodes' memory: the plugin counts on it.
machine_plugin_arguments()
{
	local plugin i

	plugin=$(plugin_path)
	for i in "${!node_mib[@]}"; do
		plugin+=,node=${node_mib[i]}:${node_extra_ns[i]}
	done
	if [[ $opt_pmu == yes ]]; then
		truncate -s 4M "$run_dir/rings"
		plugin+=,shm=$run_dir/rings
		qemu+=(-object "memory-backend-file,id=rings,share=on,mem-path=$run_dir/rings,size=4M"
			-device 'ivshmem-plain,memdev=rings')
	fi
	qemu+=(-plugin "$plugin")
}

# machine_arguments TARGET: fills qemu with the command line that boots into TARGET.
machine_arguments()
{
	local target=$1 kernel total=0 mib

	kernel=$(image_kernel_path)
	for mib in "${node_mib[@]}"; do
		total=$((total + mib))
	done
	# Of code at random addresses QEMU keeps a translation for each of them. The pages of
	# libc gather thousands, which are searched one by one when such a page is written to
	# again: clearing it then takes seconds, in whichever system call that happens to be.
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot
		-accel "tcg,thread=$opt_thread" -cpu "$guest_cpu"
		-machine 'q35,hmat=on,sata=off,smbus=off'
		-smp "$opt_cpus" -m "${total}M"
		-kernel "$kernel/vmlinuz" -initrd "$kernel/initrd"
		-append "console=ttyS0 root=/dev/vda rw systemd.unit=$target quiet systemd.show_status=0 mitigations=off numa_balancing=disable norandmaps panic=-1 $opt_append"
		-drive "file=$(image_path)/disk.img,format=raw,if=virtio,snapshot=on"
		-drive "file=$run_dir/payload.tar,format=raw,if=virtio,readonly=on")
	machine_node_arguments
	machine_plugin_arguments
}

machine_ports()
{
	mkfifo "$run_dir/output"
	qemu+=(-serial "file:$run_dir/console" -device virtio-serial-pci
		-chardev "file,id=output,path=$run_dir/output" -device 'virtserialport,chardev=output,name=output'
		-chardev "file,id=status,path=$run_dir/status" -device 'virtserialport,chardev=status,name=status'
		-chardev "file,id=results,path=$run_dir/results.tar" -device 'virtserialport,chardev=results,name=results')
}

# payload_copy FILE[:GUESTPATH]
payload_copy()
{
	local from=${1%%:*} to

	[[ -e $from ]] || usage_error "no such file: $from"
	to=${1#"$from"}
	to=${to#:}
	mkdir -p "$run_dir/tree/$(dirname "${to:-/root/x}")"
	cp -dR --preserve=mode "$from" "$run_dir/tree/${to:-root/$(basename "$from")}"
}

# What the guest's programs need to know, as shell variables.
payload_job()
{
	local VM_CPUS=$opt_cpus VM_NODES_MIB="${node_mib[*]}"
	local VM_NODES_EXTRA_NS="${node_extra_ns[*]}" VM_LATENCY_NS=$opt_latency
	local VM_PMU=$opt_pmu

	declare -p VM_CPUS VM_NODES_MIB VM_NODES_EXTRA_NS VM_LATENCY_NS VM_PMU
	declare -p scenario_name scenario_args
	if [[ -t 1 ]]; then
		printf 'terminal=%q\nterminal_size=%q\n' "${TERM:-vt100}" "$(stty size </dev/tty)"
	fi
}

# payload_make: all that the guest gets besides its image, as one archive.
payload_make()
{
	local lib=$run_dir/tree/usr/lib/tierd-vm units=$run_dir/tree/etc/systemd/system item

	mkdir "$run_dir/tree"
	# One tree, for tar keeps the modes of the guest's directories only if none comes twice.
	for item in "${opt_install[@]}"; do
		[[ -d $item ]] || usage_error "no such directory: $item"
		cp -a "$item/." "$run_dir/tree"
	done
	mkdir -p "$lib/scenario" "$units"
	install -m 755 "$vm_dir"/guest/{start,run,shell} "$lib"
	install -m 644 "$vm_dir"/guest/*.{service,target} "$units"
	install -D -m 755 -t "$run_dir/tree/usr/local/bin" "$(probe_path)"
	if [[ $opt_pmu == yes ]]; then
		install -m 644 "$(module_path)" "$lib"
	fi
	if [[ -n $scenario ]]; then
		install -m 755 "$scenario" "$lib/scenario/$scenario_name"
		find "$(dirname "$scenario")" -maxdepth 1 -name '*.sh' \
			-exec cp -t "$lib/scenario" {} +
	fi
	payload_job >"$lib/job"
	for item in "${opt_copy[@]}"; do
		payload_copy "$item"
	done
	tar -c -f "$run_dir/payload.tar" --owner=0 --group=0 --numeric-owner \
		-C "$run_dir/tree" .
}

# machine_verdict QEMU_CODE: turns what is left of the machine into vm's exit code.
machine_verdict()
{
	local code

	code=$(sed -n 's/^exit //p' "$run_dir/status" 2>/dev/null || true)
	if [[ -n $code ]]; then
		say "scenario exited $code (boot $(sed -n 's/^boot //p' "$run_dir/status") s," \
			"in all $SECONDS s)"
		return "$code"
	fi
	sed 's/\r$//; s/^/  console: /' "$run_dir/console" | tail -n 40 >&2
	if [[ $1 -eq 124 || $1 -eq 137 ]]; then
		say "no end after $opt_timeout s: the machine was stopped"
		return "$EXIT_TIMEOUT"
	fi
	if grep -q 'Kernel panic' "$run_dir/console"; then
		say "the guest's kernel panicked"
	elif [[ $1 -ne 0 ]]; then
		say "the emulator died (exit code $1)"
	else
		say "the guest stopped before the scenario ended"
	fi
	return "$EXIT_MACHINE"
}

machine_keep_results()
{
	[[ -n $opt_results ]] || return 0
	mkdir -p "$opt_results"
	cp "$run_dir/console" "$opt_results/console.log"
	if [[ -s $run_dir/results.tar ]]; then
		tar -x -f "$run_dir/results.tar" -C "$opt_results" --no-same-owner
	fi
}

machine_run()
{
	local code=0 reader

	machine_arguments vm-run.target
	machine_ports
	: >"$run_dir/console"
	# Held open here, so that the reader ends when both this and the emulator let go.
	exec 8<>"$run_dir/output"
	cat <"$run_dir/output" 8>&- &
	reader=$!
	timeout --foreground --kill-after=5 "$opt_timeout" "${qemu[@]}" </dev/null >&2 8>&- &
	vm_emulator=$!
	wait "$vm_emulator" || code=$?
	vm_emulator=
	exec 8>&-
	wait "$reader" || true
	machine_keep_results
	machine_verdict "$code"
}

machine_shell()
{
	machine_arguments vm-shell.target
	qemu+=(-serial mon:stdio)
	say "booting; leave with 'exit', stop the emulator with Ctrl-A X"
	"${qemu[@]}"
}
