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
	[.summary.worst.total[]? | "\(if .nano then .nano | coins(9) else .units | coins(6) end) \(.asset)"] | join(" and ")'

# What went wrong, for people: with -json, plan says it on stdout. A line of it
# is no command to the runner.
# shellcheck disable=SC2016
wrong='
	(try fromjson catch .) as $said
	| if ($said | type) == "string" then $said
		else $said | (.diagnostic // empty | "\(if .file then "\(.file):\(.line): " else "" end)\(.summary)\(if .detail then ". \(.detail)" else "" end)"), (.violations[]? | "\(.message)\(if .place then " (\(.place))" else "" end)") end
	| gsub("[\\r\\n]+"; " ") | gsub("##\\["; "## [") | select(. != "") | "fragplan: " + .'

set --
while IFS= read -r line; do
	case $line in
	'') continue ;;
	-out | -out=* | --out | --out=*)
		echo "arguments: the plan is saved already; its file is the output planfile" >&2
		exit 1
		;;
	esac
	set -- "$@" "$line"
done <<EOF
$ACTION_ARGUMENTS
EOF

case $ACTION_COMMAND in
plan)
	plan=$RUNNER_TEMP/fragplan-plan.json saved=$RUNNER_TEMP/fragplan.plan
	rm -f "$plan" "$saved"
	code=0
	"$FRAGPLAN" plan -json -detailed-exitcode -out "$saved" "$@" >"$plan" || code=$?
	output exitcode "$code"
	output changed "$([ "$code" -eq 2 ] && echo true || echo false)"
	if [ -f "$saved" ]; then
		output plan "$plan"
		output planfile "$saved"
		output cost "$(jq -r "$cost" "$plan")"
		# The very plan of the outputs, also one that is refused.
		[ "$ACTION_COMMENT" != true ] || "$FRAGPLAN" ci comment "$saved"
	fi
	[ "$code" -eq 0 ] || [ "$code" -eq 2 ] || {
		jq -Rr "$wrong" "$plan" >&2
		exit "$code"
	}
	;;
apply)
	figures=$RUNNER_TEMP/fragplan.prom
	rm -f "$figures"
	code=0
	"$FRAGPLAN" apply -auto-approve -metrics-file "$figures" "$@" || code=$?
	changed=false # where it failed before there was anything to count
	[ ! -f "$figures" ] || changed=$(awk '$1 == "fragplan_run_bought_orders" { bought = $2 } END { print (bought > 0 ? "true" : "false") }' "$figures")
	output exitcode "$code"
	output changed "$changed"
	exit "$code"
	;;
*)
	echo "command is plan or apply, not $ACTION_COMMAND" >&2
	exit 1
	;;
esac
