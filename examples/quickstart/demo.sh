#!/bin/sh
# The whole story on this machine: plan, apply, plan again, raise one grant, add
# another, buy exactly the difference, and compare the ledger with the
# sandbox's own books. Nothing here is real money.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
fragplan=$here/../../fragplan
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/fragplan.yaml" "$here/people.yaml" "$here/grants" "$work/"
cd "$work"

step() { printf '\n\n=== %s\n\n$ fragplan -sandbox %s\n' "$1" "$2"; }

step 'What would be bought?' 'plan'
"$fragplan" -sandbox plan

step 'Buy it.' 'apply -auto-approve'
"$fragplan" -sandbox apply -auto-approve

step 'Is anything left to do?' 'plan -detailed-exitcode'
"$fragplan" -sandbox plan -detailed-exitcode

sed -i.old '/helpers:/s/stars: 100/stars: 250/' grants/november.yaml
cat >> grants/november.yaml <<'YAML'
  night-shift: {to: bob, stars: 75, reason: answered all night}
YAML
rm -f grants/november.yaml.old
printf '\n\n=== One grant is raised from 100 to 250 Stars, another is new.\n'

step 'What is the difference?' 'plan'
"$fragplan" -sandbox plan

step 'Buy exactly the difference.' 'apply -auto-approve'
"$fragplan" -sandbox apply -auto-approve

step 'What the ledger says.' 'ledger list'
"$fragplan" -sandbox ledger list

step 'What the world itself says.' 'sandbox books'
"$fragplan" -sandbox sandbox books

step 'Is the ledger sound?' 'ledger verify'
"$fragplan" -sandbox ledger verify

step 'Do the ledger and the chain agree?' 'ledger audit'
"$fragplan" -sandbox ledger audit
