# SPDX-License-Identifier: GPL-2.0-or-later
#
# table.jq: the results of figures.jq as text for people. $colour is true or false.

def paint($code): if $colour then "\u001b[\($code)m\(.)\u001b[0m" else . end;

def pad_left($n): tostring | if length < $n then " " * ($n - length) + . else . end;
def pad_right($n): if length < $n then . + " " * ($n - length) else . end;

def fixed($digits):
	if . == null then "-"
	else pow(10; $digits) as $p
		| (. * $p | round) as $n
		| if $digits == 0 then "\($n)"
		  else (if $n < 0 then "-" else "" end)
			+ "\($n | fabs / $p | floor)."
			+ (($n | fabs) % $p | tostring | "0" * ($digits - length) + .) end
	end;

def seconds: if . == null then "never" else fixed(1) + " s" end;
def mib: if . == null then "-" else fixed(1) + " MiB" end;
def percent: if . == null then "-" else . * 100 | fixed(1) + " %" end;
def times: fixed(2);
def mups: if . == null then "-" else . / 1e6 | fixed(3) end;
def count: if . == null then "-" else tostring end;

def formatted($unit):
	if $unit == "s" then seconds elif $unit == "mib" then mib
	elif $unit == "share" then percent elif $unit == "ratio" then times
	else count end;

# What the row's metric has to reach, in words.
def goal_text:
	if .metric == "hot_dram_share" then "\(.goal * 100 | round) % of the hot set in DRAM after"
	elif .metric == "hit_ratio" then "\(.goal | fixed(2)) of the best hit ratio after"
	elif .metric == "all_dram_share" then "\(.goal * 100 | round) % in DRAM after"
	else null end;

def metric_text:
	{hot_dram_share: "hot set in DRAM", hit_ratio: "updates that hit DRAM",
		all_dram_share: "in DRAM"}[.metric // ""] // null;

def figures:
	[[goal_text, "converged_s", "s"],
	 ["throughput / placed by hand", "to_best", "ratio"],
	 ["throughput / unmanaged", "to_unmanaged", "ratio"],
	 ["throughput / the kernel's tiering", "to_kernel", "ratio"],
	 ["moved in \(.window_s) s, once settled", "moved_mib", "mib"],
	 ["         to get there", "moved_until_settled_mib", "mib"],
	 ["most DRAM over quota, from 5 s on", "over_quota_mib", "mib"],
	 ["tierd's share of a CPU, in the end", "cpu", "share"],
	 ["                       once settled", "cpu_settling", "share"],
	 ["                       before", "cpu_learning", "share"],
	 ["wrong pages", "errors", "count"],
	 ["CPUs of the host busy elsewhere", "others_cpus", "ratio"]]
	| map(select(.[0] != null));

def verdict:
	if .limit == null then ""
	elif .met then "met" | paint("32")
	else "MISSED" | paint("1;31") end;

def bound($name; $unit):
	if .limit == null then ""
	elif $name == "errors" then "none"
	elif $name | startswith("to_") then ">= " + (.limit | formatted($unit))
	else "<= " + (.limit | formatted($unit)) end;

def columns($text; $cells):
	"  " + ($text | pad_right(36)) + ($cells | map(pad_left(11)) | add);

def figure_line($text; $name; $unit):
	columns($text; [(.median | formatted($unit)), (.worst | formatted($unit)),
		(bound($name; $unit) | pad_left(14))]) + "  " + verdict;

def variants: ["unmanaged", "kernel", "best", "tierd"];

def variants_text:
	metric_text as $text | .figures as $f
	| columns(""; ["unmanaged", "kernel", "by hand", "tierd"]),
	  columns("M updates/s"; variants | map($f[. + "_rate"].median | mups)),
	  if $text == null then empty
	  else columns($text; variants | map($f[. + "_metric"].median | percent)) end,
	  if any(variants[]; ($f[. + "_huge_mib"].median // 0) > 0) | not then empty
	  else columns("in huge pages";
		variants | map($f[. + "_huge_mib"].median | if . == null then "-" else mib end)) end;

def row_text:
	.figures as $f
	| ("\(.name): \(.title)" | paint("1")), variants_text, "",
	  columns(""; ["median", "worst", "target" | pad_left(14)]),
	  (figures[] | . as [$text, $name, $unit] | $f[$name] // empty
		| select(any(.values[]; . != null) or $name == "converged_s")
		| figure_line($text; $name; $unit)),
	  "";

(.rows[] | row_text),
([.rows[].figures[] | select(has("met"))]
	| "\(map(select(.met)) | length) of \(length) targets met"
	+ " (throughput by the median, all else by the worst round)")
