# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# schema.sh: whether JSON is as a schema says, by jq alone, so that it can be asked in the
# test machine as well. It knows the words of JSON Schema (2020-12) that tierctl's schemas
# use, and complains of a schema that uses another: nothing goes unchecked.

# shellcheck disable=SC2016 # these are jq's variables
readonly schema_program='
def words: ["$schema", "title", "description", "$ref", "type", "enum", "const", "minimum",
	"maximum", "pattern", "properties", "required", "additionalProperties",
	"propertyNames", "minProperties", "items"];

def types: if type == "number" and floor == . then ["integer", "number"] else [type] end;

# The problems with the input, of which $path says where in the document it is.
def problems($all; $schema; $path):
	. as $value | $schema as $s
	| ($s | keys - words | select(. != []) | "\($path): unknown words \(.)"),
	($s | select(has("$ref")) | .["$ref"] as $file
		| if $all[$file] then $value | problems($all; $all[$file]; $path)
		  else "\($path): no schema \($file)" end),
	($s | select(has("type")) | [.type] | flatten
		| select(. - ($value | types) == .) | "\($path): not of type \(.)"),
	($s | select(has("enum")) | select(.enum | index([$value]) | not)
		| "\($path): \($value) is not among \(.enum)"),
	($s | select(has("const")) | select(.const != $value) | "\($path): not \(.const)"),
	(if type == "number" then
		($s | select(has("minimum") and $value < .minimum)
			| "\($path): \($value) is below \(.minimum)"),
		($s | select(has("maximum") and $value > .maximum)
			| "\($path): \($value) is above \(.maximum)")
	elif type == "string" then
		($s | select(has("pattern")) | .pattern as $p
			| select($value | test($p) | not) | "\($path): not like \($p)")
	elif type == "array" then
		($s | select(has("items")) | .items as $items | range($value | length)
			| . as $i | $value[$i] | problems($all; $items; "\($path)[\($i)]"))
	elif type == "object" then
		($s.required // [] | .[] | select(. as $k | $value | has($k) | not)
			| "\($path): there is no \(.)"),
		(($s.minProperties // 0) | select(. > ($value | length))
			| "\($path): too few members"),
		($value | keys[] | . as $k
			| (select($s | has("propertyNames"))
				| problems($all; $s.propertyNames; "\($path) name")),
			(if ($s.properties // {}) | has($k) then
				$value[$k] | problems($all; $s.properties[$k]; "\($path).\($k)")
			elif $s.additionalProperties == false then
				"\($path): there is a \($k)"
			elif $s.additionalProperties then
				$value[$k] | problems($all; $s.additionalProperties; "\($path).\($k)")
			else empty end))
	else empty end);

($all[0]) as $all | problems($all; $all[$name]; "$")'

# fits FILE NAME DIRECTORY: FILE, which has one document or several, is as DIRECTORY says
# in NAME.json. What is wrong goes to standard output.
fits()
{
	local file=$1 name=$2.json directory=$3 problems

	[[ -s $file && -e $directory/$name ]] || {
		echo "$file: nothing to compare with $directory/$name"
		return 1
	}
	problems=$(jq -r --arg name "$name" --slurpfile all <(
		jq -n '[inputs | { (input_filename | sub(".*/"; "")): . }] | add' \
			"$directory"/*.json
	) "$schema_program" "$file") || return 1
	[[ -z $problems ]] || {
		echo "$problems"
		return 1
	}
}
