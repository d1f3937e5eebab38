# SPDX-License-Identifier: GPL-2.0-or-later
#
# sources.jq: what guest-sources recorded, an array of rows, as figures. Costs are shares of
# throughput: 1 - rate / rate without tierd, with pages in the same places.

include "turns";

def mean: if length == 0 then null else add / length end;

# The share of throughput that is lost while tierd watches, by the median of the turns, and by
# how much that may be wrong.
def cost($name):
	. as $row
	| [.turns[] | select(.name | startswith($name)) | . as $turn
		| $row.managed | turn_rates($row.marks.managed_go; $turn; 0.3) | mean]
	| turn_ratios | map(values)
	| {share: (median | if . == null then null else 1 - . end), error: median_error};

def hit_ratio($from; $to):
	[.intervals[] | select(.t > $from and .t <= $to) | .hit_ratio] | add / length;

def figures:
	.marks as $m | (.marks.managed_go) as $zero
	| ($m.tierd_start - $zero) as $start
	| (.best | hit_ratio(1; 1e9)) as $best
	| (first(.managed.intervals[] | select(.t > $start and .hit_ratio >= 0.9 * $best) | .t)
		// null) as $there
	| {
		seconds: (if $there == null then null else $there - $start end),
		to_best: ((.managed | hit_ratio($m.settled - $zero; $m.stop - $zero)) / $best),
		learning_cost: cost("learning"),
		settled_cost: cost("settled"),
		learning_cpu: (($m.learned_ticks - $m.learning_ticks) / .clock_ticks
			/ ($m.learned - $m.learning)),
		settled_cpu: (($m.stop_ticks - $m.settled_ticks) / .clock_ticks
			/ ($m.stop - $m.settled)),
		learning_samples_per_s: (($m.learned_samples - $m.learning_samples)
			/ ($m.learned - $m.learning)),
		settled_samples_per_s: (($m.stop_samples - $m.settled_samples)
			/ ($m.stop - $m.settled)),
		loss: ($m.learned_lost / ([$m.learned_lost + $m.learned_samples, 1] | max)),
		errors: .managed.errors
	  };

map({source, name: .row.name, title: .row.title, works, refused}
	+ if .works then {figures: figures} else {} end)
