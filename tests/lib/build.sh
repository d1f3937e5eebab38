# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# build.sh: from a fresh clone to something that can be installed. It knows what the build
# needs and how meson is asked; which tests are run with the result is its callers' affair.
# Everything it has to say goes to standard error.
#
#     tierd_install_dependencies       apt-get what is missing (Debian 12, as root)
#     tierd_build BUILD_DIR [TARGET…]  set up, unless it is, and compile
#     tierd_stage BUILD_DIR TREE       install into TREE, as a package would
#
# Also there: tierd_root, the repository, and tierd_packages, what is installed.

tierd_root=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../..
tierd_root=$(realpath "$tierd_root")

# shellcheck source=progress.sh
. "$tierd_root/tests/lib/progress.sh"

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

tierd_apt_install()
{
	tierd_watch "reading package lists" apt-get update &&
		tierd_watch "installing packages" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends "$@"
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
		tierd_apt_install "${missing[@]}"
	fi
	"$tierd_root/tests/vm/vm" deps
}

# tierd_build BUILD_DIR [TARGET…]: the compiler's whole output if it fails.
tierd_build()
{
	local dir=$1

	if { [[ -f $dir/build.ninja ]] ||
		tierd_watch "preparing" meson setup "$dir" "$tierd_root"; } &&
		tierd_watch "compiling" ninja -C "$dir" -j "$(nproc)" "${@:2}"; then
		return
	fi
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
