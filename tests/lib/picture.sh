# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# picture.sh: the demo's picture, 80 columns wide: bars that are drawn over in place while
# things happen, and a table in the end; or plain lines, where nothing can be drawn over.
# It knows numbers and how to draw them, and nothing of where they come from.
#
# Lengths are counted in columns by hand throughout: no string with a bar or a colour in
# it is ever measured.

picture_init()
{
	picture_live=no
	picture_drawn=0
	picture_begun=no picture_filling_shown=no
	hot_history=() rate_history=() tierd_frame='' converged_s=''
	start_rate=0 unmanaged_rates=0
	declare -gA result_rate=() result_hot=() result_dram=()
	checked_pages=0 checked_errors=0
	export LC_ALL=C.UTF-8
	if [[ -t 1 && ${TERM:-dumb} != dumb && $(picture_columns) -ge 80 ]]; then
		picture_live=yes
	fi
	bold='' dim='' red='' green='' yellow='' cyan='' plain=''
	if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
		bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
		red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' cyan=$'\e[36m'
	fi
}

picture_columns()
{
	local size

	size=$(stty size 2>/dev/null </dev/tty || echo '24 80')
	echo "${size#* }"
}

picture_end()
{
	if [[ $picture_live == yes ]]; then
		printf '\e[?25h'
	fi
}

# picture_step TEXT: something that takes a while begins.
picture_step()
{
	printf '%s▸%s %s\n' "$cyan" "$plain" "$1"
}

# picture_note TEXT: a detail of it, on one line.
picture_note()
{
	[[ $picture_begun == no ]] || return 0
	printf '  %s%s%s\n' "$dim" "${1:0:76}" "$plain"
}

# repeat N CHARACTER, without a newline.
repeat()
{
	local i

	for ((i = 0; i < $1; i++)); do
		printf '%s' "$2"
	done
}

readonly eighths=('' ▏ ▎ ▍ ▌ ▋ ▊ ▉)
readonly steps=(▁ ▂ ▃ ▄ ▅ ▆ ▇ █)
readonly bar_width=30

# bar VALUE MAX COLOUR: a bar of bar_width columns, in steps of an eighth of one.
bar()
{
	local parts=$(($2 > 0 ? $1 * bar_width * 8 / $2 : 0)) rest

	((parts <= bar_width * 8)) || parts=$((bar_width * 8))
	rest=$((bar_width - (parts + 7) / 8))
	printf '%s' "$3"
	repeat $((parts / 8)) █
	printf '%s%s%s' "${eighths[parts % 8]}" "$plain" "$dim"
	repeat "$rest" ·
	printf '%s' "$plain"
}

# quota_bar MIB QUOTA-MIB: half as much again as the quota is its length; what lies beyond
# the quota is red.
quota_bar()
{
	local at=$((bar_width * 2 / 3)) used i

	used=$(($1 * at / $2))
	((used <= bar_width)) || used=$bar_width
	for ((i = 0; i < bar_width; i++)); do
		if ((i == at)); then
			printf '%s│' "$plain"
		elif ((i >= used)); then
			printf '%s·%s' "$dim" "$plain"
		elif ((i > at)); then
			printf '%s█%s' "$red" "$plain"
		else
			printf '%s█%s' "$green" "$plain"
		fi
	done
}

# How many columns a frame has in the curves: there are 58 of them.
curve_step()
{
	echo $((${#hot_history[@]} <= 29 ? 2 : 1))
}

# curve MAX VALUE…: what fits of it, from the beginning.
curve()
{
	local max=$1 step value

	step=$(curve_step)
	shift
	for value in "${@:1:58}"; do
		repeat "$step" "${steps[max > 0 ? (value >= max ? 7 : value * 8 / max) : 0]}"
	done
}

# millions UPDATES: as millions with two digits behind the point.
millions()
{
	printf '%d.%02d' $(($1 / 1000000)) $(($1 % 1000000 / 10000))
}

# times A B: A/B with one digit behind the point.
times()
{
	local tenths=$(($2 > 0 ? ($1 * 10 + $2 / 2) / $2 : 0))

	printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

mib()
{
	echo $(($1 >> 20))
}

# picture_scene TABLE-MIB HOT-MIB QUOTA-MIB: what the picture is of.
picture_scene()
{
	table_mib=$1 hot_mib=$2 quota_mib=$3
	picture_begun=yes
	cat <<SCENE

A program, ${bold}gups${plain}, updates random words of ${table_mib} MiB of memory; 9 of 10 updates
go to its hot set, the last ${hot_mib} MiB. DRAM was full before those came, so they
lie in slow memory, a microsecond further away. Its DRAM quota is ${quota_mib} MiB.

SCENE
}

# picture_filling MIB OF-MIB: memory that is being faulted in.
picture_filling()
{
	local what="gups fills its memory"

	[[ -z ${result_rate[tierd]:-} ]] || what="the same, placed by hand"
	if [[ $picture_live == no ]]; then
		[[ $picture_filling_shown == yes ]] || picture_step "$what"
		picture_filling_shown=yes
		return
	fi
	picture_filling_shown=yes
	printf '\r\e[K%s▸%s %-28s ' "$cyan" "$plain" "$what"
	bar "$1" "$2" "$cyan"
	printf ' %4d MiB' "$1"
}

picture_filled()
{
	if [[ $picture_live == yes && $picture_filling_shown == yes ]]; then
		printf '\r\e[K'
	fi
	picture_filling_shown=no
}

# max VALUE…
max()
{
	local most=0 value

	for value; do
		((value <= most)) || most=$value
	done
	echo "$most"
}

hot_colour()
{
	if (($1 >= 95)); then
		printf '%s' "$green"
	elif (($1 >= 20)); then
		printf '%s' "$yellow"
	else
		printf '%s' "$red"
	fi
}

# remember PHASE HOT UPDATES/S: keeps what the curves need.
remember()
{
	hot_history+=("$2")
	rate_history+=("$3")
	if [[ $1 == unmanaged ]]; then
		unmanaged_rates=$((unmanaged_rates + $3))
		start_rate=$((unmanaged_rates / ${#rate_history[@]}))
		return
	fi
	[[ -n $tierd_frame ]] || tierd_frame=$((${#hot_history[@]} - 1))
}

phase_text()
{
	if [[ $1 == unmanaged ]]; then
		printf '%s●%s nobody manages this memory' "$red" "$plain"
	elif [[ -z $converged_s ]]; then
		printf '%s●%s %stierd%s samples accesses, and moves hot pages up and cold ones down' \
			"$yellow" "$plain" "$bold" "$plain"
	else
		printf '%s●%s %stierd%s: the hot set is in DRAM, the quota holds, and little moves' \
			"$green" "$plain" "$bold" "$plain"
	fi
}

line()
{
	local erase=''

	[[ $picture_live == no ]] || erase=$'\e[K'
	printf '%s%s\n' "$1" "$erase"
	picture_drawn=$((picture_drawn + 1))
}

label()
{
	printf '  %-17s ' "$1"
}

speed()
{
	printf '%s M/s, %s × before' "$(millions "$1")" "$(times "$1" "$start_rate")"
}

curve_marks()
{
	[[ -n $tierd_frame ]] || return 0
	label ''
	repeat $((tierd_frame * $(curve_step))) ' '
	printf '%s↑ tierd starts%s' "$dim" "$plain"
}

draw_frame()
{
	local phase=$1 seconds=$2 hot=$3 rate=$4 dram promoted demoted most scale

	dram=$(mib "$5") promoted=$(mib "$6") demoted=$(mib "$7")
	most=$(max "${rate_history[@]}")
	scale=$(max "$most" $((start_rate * 3)))
	if ((picture_drawn > 0)); then
		printf '\e[%dA' "$picture_drawn"
	fi
	picture_drawn=0
	line "  $(printf '%3d s' "$seconds")  $(phase_text "$phase")"
	line ''
	line "$(label 'hot set in DRAM')$(bar "$hot" 100 "$(hot_colour "$hot")") $hot %"
	line "$(label 'throughput')$(bar "$rate" "$scale" "$cyan") $(speed "$rate")"
	line "$(label 'DRAM, its quota')$(quota_bar "$dram" "$quota_mib") $dram of $quota_mib MiB"
	line "$(label 'moved')↑ $promoted MiB into DRAM   ↓ $demoted MiB out of it"
	line ''
	line "$(label 'hot set')$green$(curve 100 "${hot_history[@]}")$plain"
	line "$(label 'throughput')$cyan$(curve "$most" "${rate_history[@]}")$plain"
	line "$(curve_marks)"
}

# picture_frame PHASE SECONDS HOT-PERCENT UPDATES/S DRAM-BYTES PROMOTED DEMOTED
picture_frame()
{
	local hot=${3%.*}

	picture_filled
	remember "$1" "$hot" "$4"
	if [[ $picture_live == yes ]]; then
		printf '\e[?25l'
		draw_frame "$1" "$2" "$hot" "${@:4}"
		return
	fi
	printf '%4d s  %-9s  hot set in DRAM %3d %%  %s M/s  DRAM %d of %d MiB  moved %d MiB\n' \
		"$2" "$1" "$hot" "$(millions "$4")" "$(mib "$5")" "$quota_mib" \
		"$(mib $(($6 + $7)))"
}

# picture_result WHO UPDATES/S HOT-PERCENT DRAM-BYTES
picture_result()
{
	picture_filled
	case $1 in
	unmanaged | tierd | hand) ;;
	*) return 1 ;;
	esac
	result_rate[$1]=$2 result_hot[$1]=${3%.*} result_dram[$1]=$(mib "$4")
}

# picture_converged SECONDS: after tierd's start 95 % of the hot set was in DRAM.
picture_converged()
{
	converged_s=$1
}

# picture_checked PAGES ERRORS
picture_checked()
{
	picture_filled
	checked_pages=$((checked_pages + $1))
	checked_errors=$((checked_errors + $2))
}

cells()
{
	printf '  %-22s%16s%16s%16s\n' "$@"
}

# picture_table: the results side by side, once all are there.
picture_table()
{
	local r=("${result_rate[unmanaged]}" "${result_rate[tierd]}" "${result_rate[hand]}")

	printf '\n%s' "$bold"
	cells '' 'unmanaged' 'with tierd' 'placed by hand'
	printf '%s' "$plain"
	cells 'updates a second' "$(millions "${r[0]}") M" "$(millions "${r[1]}") M" \
		"$(millions "${r[2]}") M"
	cells 'times the unmanaged' '' "$(times "${r[1]}" "${r[0]}")" \
		"$(times "${r[2]}" "${r[0]}")"
	cells 'hot set in DRAM' "${result_hot[unmanaged]} %" "${result_hot[tierd]} %" \
		"${result_hot[hand]} %"
	cells 'DRAM used' "${result_dram[unmanaged]} MiB" "${result_dram[tierd]} MiB" \
		"${result_dram[hand]} MiB"
	echo
	picture_words
}

picture_words()
{
	if [[ -n $converged_s ]]; then
		echo "  95 % of the hot set was in DRAM $converged_s s after tierd's start."
	else
		echo "  The hot set did not come into DRAM in the time given."
	fi
	if [[ $checked_errors -eq 0 ]]; then
		echo "  $checked_pages pages were checked in the end; none had lost an update."
	else
		echo "  $red$checked_errors of $checked_pages pages were WRONG in the end.$plain"
	fi
	echo
	echo "  See also: tests/bench/tiering, which measures, and tests/vm/README.md."
}
