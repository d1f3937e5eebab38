# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # variables of vm and its other files
#
# image.sh: builds and finds the guest's disk.
#
# One directory of the cache per recipe: disk.img and, for each kernel in a directory of its
# own, vmlinuz, initrd and headers. It appears whole or not at all. The recipe is the files
# in image/, the guest's first two programs and this file; the guest's other files travel
# with each run. All kernels share the disk: a second one costs seconds, not a second guest.

readonly image_size=2G

image_kernels()
{
	sed '/^#/d; s/ .*//' "$vm_dir/image/kernels"
}

image_packages()
{
	sed '/^#/d; s/.* //' "$vm_dir"/image/{packages,kernels}
}

# The host's own apt sources: whatever mirror serves this machine serves the guest.
image_sources()
{
	local sources

	if [[ -n ${TIERD_VM_APT_SOURCES:-} ]]; then
		echo "$TIERD_VM_APT_SOURCES"
		return
	fi
	sources=$(grep -lsE '^[^#]*bookworm(-security|-updates)?\b' /etc/apt/sources.list \
		/etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources || true)
	[[ -n $sources ]] || die "no apt sources for Debian 12 (bookworm) in /etc/apt;" \
		"name a file with TIERD_VM_APT_SOURCES"
	echo "$sources"
}

image_path()
{
	echo "$vm_cache/$(hash_of '' "$vm_dir"/image/* \
		"$vm_dir"/guest/init{,rd.c} "$vm_dir/lib/image.sh")"
}

# image_kernel_path: vmlinuz, initrd and headers of the kernel that was asked for.
image_kernel_path()
{
	echo "$(image_path)/$opt_kernel"
}

image_bootstrap()
{
	local work=$1 packages sources

	packages=$(image_packages | paste -sd ,)
	mapfile -t sources < <(image_sources)
	VM_WORK=$work VM_GUEST=$vm_dir/guest INITRD=No mmdebstrap \
		--variant=minbase --include="$packages" \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
		--aptopt='APT::Sandbox::User "root"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="$vm_dir/image/customize \"\$1\"" \
		bookworm "$work/root" "${sources[@]}" >&2
}

# image_progress START: mmdebstrap's steps as lines of ours, for all that is no terminal.
image_progress()
{
	local line

	while read -r line; do
		case $line in
		I:\ running\ --*) ;;
		I:\ *) say "  [$((SECONDS - $1)) s] ${line#I: }" ;;
		*) echo "$line" >&2 ;;
		esac
	done
}

image_pack()
{
	local work=$1

	truncate -s "$image_size" "$work/disk.img"
	mkfs.ext4 -q -F -O ^has_journal -E lazy_itable_init=0,nodiscard -d "$work/root" \
		"$work/disk.img"
	rm -rf "$work/root"
}

# image_build: makes the image unless the cache has it; the caller holds the cache's lock.
image_build()
{
	local target work start=$SECONDS

	target=$(image_path)
	if [[ -d $target ]]; then
		return
	fi
	[[ $EUID -eq 0 ]] || die "building the guest's image needs root"
	say "building the guest: Debian 12 with kernels $(image_kernels | paste -sd ' ')" \
		"(about a minute, then cached)"
	work=$(mktemp -d "$vm_cache/new.XXXXXX")
	chmod 755 "$work"
	vm_scratch+=("$work")
	say "  installing packages ($(image_packages | wc -l) and what they need)"
	if [[ -t 2 ]]; then
		image_bootstrap "$work"
	else
		image_bootstrap "$work" 2>&1 | image_progress "$start"
	fi || die "mmdebstrap failed"
	say "  [$((SECONDS - start)) s] making the disk"
	image_pack "$work" || die "the disk could not be made"
	mv -T "$work" "$target"
	say "  [$((SECONDS - start)) s] $target: $(du -sh "$target/disk.img" | cut -f 1) on disk"
}
