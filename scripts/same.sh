#!/bin/sh
# Builds a release twice without publishing it, and compares every byte.
# The image is not among it (scripts/image.sh): the packages of its base move on.
# Needs goreleaser and cyclonedx-gomod (CONTRIBUTING.md).
set -eu
for n in 1 2; do
	goreleaser release --snapshot --clean --skip=publish,docker
	cp dist/checksums.txt "dist-$n.txt"
done
rm -rf dist-extras
same=0
diff -u dist-1.txt dist-2.txt || same=$?
files=$(wc -l <dist-1.txt)
rm -f dist-1.txt dist-2.txt
if [ "$same" -ne 0 ]; then
	echo "built twice: not the same" >&2
	exit 1
fi
echo "built twice: the same $files files"
