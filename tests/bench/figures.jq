# SPDX-License-Identifier: GPL-2.0-or-later
#
# figures.jq: from what the guest recorded in each round to figures, and from the rounds
# of a row to its results. All definitions are here; how they look is table.jq's affair.
#
# Input: an array of rounds. Output: {rows: [...]}.
#
# Times are on the clock of the gups process in question. A round converges with the first
# interval in which its metric reaches its goal. 5 s are left for the rest of what was on
# its way then; after that it counts as settled for as long as its row's window. A round
# that never converges has no convergence time, and its last 20 s stand in for the settled
# ones. What tierd costs when there is nothing left to do is taken from the last 20 s, for
# what is left of scattered sets comes in long after the goal.

include "turns";

def mebi: 1048576;

def settling_s: 5;

# Of gups' summary: the mean of a member of its intervals in ($from, $to], by time.
def mean_of($member; $from; $to):
	.intervals as $i
	| [range(1; $i | length) | select($i[.].t > $from and $i[.].t <= $to)
		| {dt: ($i[.].t - $i[. - 1].t), value: $i[.][$member]}]
	| if length == 0 then null
	  else (map(.dt * .value) | add) / (map(.dt) | add) end;

# Updates a second: the median of the intervals, which are half a second each, so that a
# few seconds in which the host did something else do not count.
def rate($from; $to):
	[.intervals[] | select(.t > $from and .t <= $to) | .updates_per_s] | median;

# Of turns: each of tierd beside those placed by hand.
def to_best:
	. as $t
	| [.turns[] | . as $turn | if .name == "hand"
		then $t.hand | turn_rates($t.hand_go; $turn; 1)
		else $t.turned | turn_rates($t.turned_go; $turn; 1) end
		| median]
	| turn_ratios;

# Of a round: the value that its metric has to reach.
def threshold:
	if .row.relative_to_best
	then .row.goal * (.best | mean_of("hit_ratio"; 1; 1e9))
	else .row.goal end;

def converged_at($start):
	.row.metric as $metric
	| if $metric == null then $start
	  else threshold as $goal
		| first(.managed.intervals[] | select(.t > $start and .[$metric] >= $goal) | .t)
		// null
	  end;

# The span in which a round counts as settled, as [from, to].
def settled_span($converged; $stop):
	if $converged == null then [$stop - 20, $stop]
	else [$converged + settling_s, ([$converged + settling_s + .row.window_s, $stop] | min)]
	end;

# Of lines [time, …] the last not after, and the first not before, a time.
def last_until($t): map(select(.[0] <= $t)) | last;
def first_from($t): map(select(.[0] >= $t)) | first // null;

# Of lines [time, promoted, demoted] the bytes moved until $t, between readings by
# proportion: they are two or three seconds apart.
def moved_until($t):
	(last_until($t) // [0, 0, 0]) as $a | (first_from($t) // last // [0, 0, 0]) as $b
	| ($a[1] + $a[2]) as $before | ($b[1] + $b[2]) as $after
	| if $b[0] <= $a[0] then $before
	  else $before + ($after - $before) * (($t - $a[0]) / ($b[0] - $a[0])) end;

def cpu_share($from; $to; $ticks):
	first_from($from) as $a | last_until($to) as $b
	| if $a == null or $b == null or $b[0] <= $a[0] then null
	  else ($b[2] - $a[2]) / $ticks / ($b[0] - $a[0]) end;

def worst_excess_bytes($from; $quota):
	if $quota == null then null
	else map(select(.[0] >= $from) | .[1] - $quota) | max end;

# Of a round with tierd: its figures.
def tierd_figures:
	.marks.managed_go as $zero
	| (.marks.tierd_start - $zero) as $start
	| (.marks.tierd_stop - $zero) as $stop
	| converged_at($start) as $converged
	| settled_span($converged; $stop) as $span
	| (.dram | map([.[0] - $zero] + .[1:])) as $dram
	| (.moved | map([.[0] - $zero] + .[1:])) as $moved
	| .clock_ticks as $ticks
	| .status.groups[0].dram_quota_bytes as $quota
	| {
		converged_s: (if $converged == null then null else $converged - $start end),
		moved_mib: (($moved | moved_until($span[1]) - moved_until($span[0])) / mebi),
		moved_until_settled_mib: (if $converged == null then null
			else ($moved | moved_until($span[0])) / mebi end),
		unmanaged_rate: (.managed | rate(2; $start)),
		unmanaged_metric: (if .row.metric == null then null
			else .row.metric as $m | .managed | mean_of($m; 2; $start) end),
		tierd_rate: (.managed | rate($span[0]; $span[1])),
		tierd_metric: (if .row.metric == null then null
			else .row.metric as $m | .managed | mean_of($m; $span[0]; $span[1]) end),
		over_quota_mib: (($dram | worst_excess_bytes($start + 5; $quota))
			| if . == null then null else . / mebi end),
		tierd_mean_rate: (.managed | mean_of("updates_per_s"; $span[0]; $span[1])),
		cpu: ($dram | cpu_share($stop - 20; $stop; $ticks)),
		cpu_settling: ($dram | cpu_share($span[0]; $span[1]; $ticks)),
		cpu_learning: ($dram | cpu_share($start; $converged // $stop; $ticks)),
		samples: .status.sampler.samples, lost: .status.sampler.lost
	  };

def best_figures:
	.row.metric as $metric
	| {best_rate: (.best | rate(1; 1e9)),
		best_metric: (if $metric == null then null
			else .best | mean_of($metric; 1; 1e9) end)};

def kernel_figures:
	.row.metric as $metric
	| (.kernel.intervals[-1].t) as $last
	| {kernel_rate: (.kernel | rate($last - 20; $last)),
		kernel_metric: (if $metric == null then null
			else .kernel | mean_of($metric; $last - 5; $last) end)};

def round_figures:
	(if .managed then tierd_figures else {} end)
	+ (if .best then best_figures else {} end)
	+ (if .kernel then kernel_figures else {} end)
	+ (if .turns then {to_best: (.turns | to_best)} else {} end)
	+ (.huge_bytes // {} | with_entries(.key += "_huge_mib" | .value /= mebi))
	+ {others_cpus, kernel_promoted_pages: .kernel_vmstat.pgpromote_success,
		errors: ([.best, .managed, .turns.hand?, .turns.turned?, .kernel
			| values | .errors] | add)}
	| . + {to_unmanaged: ratio(.tierd_rate; .unmanaged_rate),
		to_kernel: ratio(.tierd_rate; .kernel_rate)};

# More of these is better; of all others less. A round has one value of each figure, but of
# to_best one for each turn.
def better_if_more: ["to_best", "to_unmanaged", "to_kernel"];

# Judged by the median; all others by the worst round.
def judged_by_median: ["to_best"];

def worst($more):
	if any(. == null) then null elif $more then min else max end;

def summary($name; $limit):
	(better_if_more | index($name) != null) as $more
	| {values: ., median: median, worst: worst($more)}
	| if $limit == null then .
	  else (if judged_by_median | index($name) then .median else .worst end) as $judged
		| . + {limit: $limit, met: ($judged != null and
			if $more then $judged >= $limit else $judged <= $limit end)}
	  end;

def row_results:
	.[0].row as $row
	| map(round_figures) as $rounds
	| {name: $row.name, title: $row.title, gups: $row.gups, quota: $row.quota,
		metric: $row.metric, goal: $row.goal, window_s: $row.window_s,
		rounds: length,
		figures: ([$rounds[] | keys[]] | unique | map(. as $name
			| {($name): ([$rounds[][$name]] | flatten | summary($name; $row.limits[$name]))})
			| add)};

{rows: (group_by(.row.order) | map(row_results))}
