# SPDX-License-Identifier: GPL-2.0-or-later
#
# sources.jq: what guest-sources recorded, an array of rows, as figures. Costs are shares of
# throughput: 1 - rate / rate without tierd, with pages in the same places.

def rate($from; $to):
	[.managed.intervals[] | select(.t > $from and .t <= $to) | .updates_per_s]
	| sort | if length == 0 then null else .[length / 2 | floor] end;

def cost($a; $b): if $a == null or $b == null or $b == 0 then null else 1 - $a / $b end;

def best_hit_ratio:
	[.best.intervals[] | select(.t > 1) | .hit_ratio] | add / length;

def figures:
	.marks as $m | (.marks.managed_go) as $zero
	| ($m.tierd_start - $zero) as $start | ($m.tiered - $zero) as $tiered
	| (best_hit_ratio * 0.9) as $goal
	| (first(.managed.intervals[] | select(.t > $tiered and .hit_ratio >= $goal) | .t)
		// null) as $there
	| {
		seconds: (if $there == null then null else $there - $tiered end),
		learning_cost: cost(rate($start + 1; $tiered); rate(2; $start)),
		settled_cost: cost(rate($m.settled - $zero; $m.stop - $zero);
			rate($m.stopped - $zero + 1; 1e9)),
		learning_cpu: ($m.learned_ticks / .clock_ticks / ($m.learned - $m.tierd_start)),
		settled_cpu: (($m.stop_ticks - $m.settled_ticks) / .clock_ticks
			/ ($m.stop - $m.settled)),
		learning_samples_per_s: ($m.learned_samples / ($m.learned - $m.tierd_start)),
		settled_samples_per_s: (($m.stop_samples - $m.settled_samples)
			/ ($m.stop - $m.settled)),
		loss: ($m.stop_lost / ([$m.stop_lost + $m.stop_samples, 1] | max)),
		errors: .managed.errors
	  };

map({source, name: .row.name, title: .row.title, works, refused}
	+ if .works then {figures: figures} else {} end)
