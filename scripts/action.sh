#!/bin/sh
# What action.yml runs: a plan with its figures as outputs, or an apply.
# Inputs come as variables, so that no text of a pull request becomes a command.
set -eu

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# The most that can leave the wallet, from integers in the smallest units.
# shellcheck disable=SC2016 # the dollars are jq's
cost='
	def coins($digits): ("0" * $digits + .) as $s
		| ($s[:-$digits] | sub("^0+(?=[0-9])"; "")) + "." + $s[-$digits:] | sub("\\.?0+$"; "");
	[.summary.worst.total[] | "\(if .nano then .nano | coins(9) else .units | coins(6) end) \(.asset)"] | join(" and ")'

set --
while IFS= read -r line; do
	[ -z "$line" ] || set -- "$@" "$line"
done <<EOF
$ACTION_ARGUMENTS
EOF

case $ACTION_COMMAND in
plan)
	plan=$RUNNER_TEMP/fragplan-plan.json
	code=0
	"$FRAGPLAN" plan -json -detailed-exitcode "$@" >"$plan" || code=$?
	output exitcode "$code"
	[ "$code" -eq 0 ] || [ "$code" -eq 2 ] || exit "$code"
	output plan "$plan"
	output changed "$([ "$code" -eq 2 ] && echo true || echo false)"
	output cost "$(jq -r "$cost" "$plan")"
	[ "$ACTION_COMMENT" != true ] || "$FRAGPLAN" ci comment
	;;
apply)
	code=0
	"$FRAGPLAN" apply -auto-approve -metrics-file "$RUNNER_TEMP/fragplan.prom" "$@" || code=$?
	output exitcode "$code"
	output changed "$(awk '$1 == "fragplan_run_bought_orders" { bought = $2 } END { print (bought > 0 ? "true" : "false") }' "$RUNNER_TEMP/fragplan.prom")"
	exit "$code"
	;;
*)
	echo "command is plan or apply, not $ACTION_COMMAND" >&2
	exit 1
	;;
esac
