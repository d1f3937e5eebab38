# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# check.sh: how scenarios say what they found: a line "ok    …" or "FAIL  …" for each
# check, and at the end how many failed, as text and as exit code. A scenario that ends
# without that line was cut short, and counts as failed.
#
# A scenario with a line "# check: OPTIONS" is part of tests/check, which boots a machine
# with these options of 'vm run' for it; each line "# check NAME: OPTIONS" is one more boot
# of it, in another machine and under that name. With --packages among the options it finds
# the Debian packages and gups in /root, and tierd is not installed.

checks=0
failed=0

# pass WHAT, fail WHAT: the verdict of a check made by hand.
pass()
{
	checks=$((checks + 1))
	echo "ok    $*"
}

fail()
{
	checks=$((checks + 1))
	failed=$((failed + 1))
	echo "FAIL  $*"
}

# show TEXT: a few lines of it, indented.
show()
{
	[[ -z $1 ]] || head -n 20 <<<"$1" | sed 's/^/        | /'
}

# check WHAT COMMAND…: the command succeeds. What it said is shown if it does not.
check()
{
	local what=$1 said

	shift
	if said=$("$@" 2>&1); then
		pass "$what"
	else
		fail "$what"
		show "$said"
	fi
}

# within SECONDS COMMAND…: the command succeeds at last; retried four times a second, and
# once more in the end: the machine may have stood still since the command looked.
within()
{
	local until=$((SECONDS + $1)) is_last=no

	shift
	until "$@" >/dev/null 2>&1; do
		[[ $is_last == no ]] || return 1
		[[ $SECONDS -le $until ]] || is_last=yes
		sleep 0.25
	done
}

# check_within SECONDS WHAT COMMAND…
check_within()
{
	local limit=$1 what=$2 start=$SECONDS

	shift 2
	if within "$limit" "$@"; then
		pass "$what (after $((SECONDS - start)) s)"
	else
		fail "$what within $limit s"
		show "$("$@" 2>&1)"
	fi
}

# holds FILE EXPRESSION: whether all of a JSON document is as the jq expression says.
holds()
{
	jq -e "$2" "$1" || {
		head -c 2000 "$1"
		return 1
	}
}

# equals HAVE WANT, at_least HAVE LEAST, at_most HAVE MOST, contains TEXT PART: for check,
# and saying what they saw.
equals()
{
	[[ $1 == "$2" ]] || {
		echo "'$1' is not '$2'"
		return 1
	}
}

at_least()
{
	[[ $1 =~ ^-?[0-9]+$ && $1 -ge $2 ]] || {
		echo "'$1' is not at least $2"
		return 1
	}
}

at_most()
{
	[[ $1 =~ ^-?[0-9]+$ && $1 -le $2 ]] || {
		echo "'$1' is not at most $2"
		return 1
	}
}

contains()
{
	[[ $1 == *"$2"* ]] || {
		echo "'$1' does not contain '$2'"
		return 1
	}
}

# is_empty TEXT
is_empty()
{
	[[ -z $1 ]] || {
		echo "$1"
		return 1
	}
}

# exits CODE COMMAND…: the command ends with this code; its output goes through.
exits()
{
	local want=$1 code=0

	shift
	"$@" || code=$?
	[[ $code -eq $want ]] || {
		echo "exit code $code instead of $want"
		return 1
	}
}

kernel_complaints()
{
	dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|soft lockup|rcu.*stall' || true
}

# finish: ends a scenario.
finish()
{
	check "no complaint from the kernel" is_empty "$(kernel_complaints)"
	if [[ $failed -gt 0 ]]; then
		echo "$failed of $checks checks failed"
		exit 1
	fi
	echo "all $checks checks passed"
	exit 0
}
