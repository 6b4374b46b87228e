#!/bin/sh
# Writes a bill of materials that is the same whenever it is made:
# sbom.sh DOCUMENT BINARY TIME. Needs cyclonedx-gomod.
set -eu
cyclonedx-gomod bin -json -noserial -output "$1" "$2"
sed "s/^    \"timestamp\": \".*\"/    \"timestamp\": \"$3\"/" "$1" >"$1.new"
mv "$1.new" "$1"
