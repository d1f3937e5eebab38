# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# build.sh: from a fresh clone to something that can be installed. It knows what the build
# needs and how meson is asked; which tests are run with the result is its callers' affair.
# Everything it has to say goes to standard error.
#
#     tierd_install_dependencies       apt-get what is missing (Debian 12, as root)
#     tierd_build BUILD_DIR            set up, unless it is, and compile
#     tierd_stage BUILD_DIR TREE       install into TREE, as a package would
#
# Also there: tierd_root, the repository, and tierd_packages, what is installed.

tierd_root=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../..
tierd_root=$(realpath "$tierd_root")

readonly tierd_packages=(gcc libc6-dev meson ninja-build pkg-config scdoc jq
	systemd libsystemd-dev libnuma-dev libzstd-dev libinih-dev libjson-c-dev
	libsmartcols-dev libcmocka-dev uthash-dev)

tierd_say()
{
	printf '%s\n' "$*" >&2
}

tierd_missing_packages()
{
	local name

	for name in "${tierd_packages[@]}"; do
		dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null |
			grep -qx installed || echo "$name"
	done
}

tierd_install_dependencies()
{
	local missing

	mapfile -t missing < <(tierd_missing_packages)
	if [[ ${#missing[@]} -gt 0 ]]; then
		[[ $EUID -eq 0 ]] || {
			tierd_say "these packages are missing, and installing needs root:" \
				"${missing[*]}"
			return 1
		}
		tierd_say "installing ${missing[*]}"
		apt-get update -qq >&2
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends "${missing[@]}" >&2
	fi
	"$tierd_root/tests/vm/vm" deps
}

# tierd_build BUILD_DIR: quiet if all goes well, the compiler's whole output if not.
tierd_build()
{
	local dir=$1 log

	log=$(mktemp)
	if { [[ -f $dir/build.ninja ]] || meson setup "$dir" "$tierd_root"; } >"$log" 2>&1 &&
		ninja -C "$dir" -j "$(nproc)" >>"$log" 2>&1; then
		rm -f "$log"
		return
	fi
	cat "$log" >&2
	rm -f "$log"
	tierd_say "tierd could not be built"
	return 1
}

# tierd_stage BUILD_DIR TREE: TREE then holds what was built, and nothing else.
tierd_stage()
{
	local dir=$1 tree=$2

	rm -rf "$tree"
	mkdir -p "$tree"
	DESTDIR=$(realpath "$tree") meson install -C "$dir" --no-rebuild --quiet >&2
}
