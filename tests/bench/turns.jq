# SPDX-License-Identifier: GPL-2.0-or-later
#
# turns.jq: what programs that ran in turns say of each other.

# Null is beyond all numbers: something that did not happen.
def median:
	sort_by(. == null, .) | length as $n
	| if $n == 0 then null
	  elif $n % 2 == 1 then .[($n - 1) / 2]
	  else .[$n / 2 - 1] as $a | .[$n / 2] as $b
		| if $a == null or $b == null then null else ($a + $b) / 2 end
	  end;

def ratio($a; $b): if $a == null or $b == null or $b == 0 then null else $a / $b end;

# Of gups' summary: updates a second in a turn, for each of its intervals that begin so many
# seconds after it, for what stood still has to warm up. $zero is when that gups began.
def turn_rates($zero; $turn; $warm_up):
	.intervals as $i
	| [range(1; $i | length)
		| select($i[. - 1].t + $zero >= $turn.from + $warm_up
			and $i[.].t + $zero <= $turn.to)
		| $i[.].updates_per_s];

# The standard error of a median, from the median deviation from it, as if values were normally
# distributed.
def median_error:
	median as $m
	| if $m == null then null
	  else (map(. - $m | fabs) | median) * 1.4826 * 1.2533 / (length | sqrt) end;

# Of rates of which each second one is to be compared with the mean of its neighbours: the
# ratios. The last has no neighbour after it.
def turn_ratios:
	[range(1; length - 1; 2) as $i
		| if any(.[$i - 1:$i + 2][]; . == null) then null
		  else ratio(.[$i]; (.[$i - 1] + .[$i + 1]) / 2) end];
