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
diff -u dist-1.txt dist-2.txt && echo "built twice: the same $(wc -l <dist-1.txt) files"
rm -f dist-1.txt dist-2.txt
