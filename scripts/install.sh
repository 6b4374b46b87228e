#!/bin/sh
# Installs fragplan from a release, after its checksum was compared.
#
#   curl -fsSL https://raw.githubusercontent.com/fragplan/fragplan/main/scripts/install.sh | sh
#
# FRAGPLAN_VERSION  the release, such as v1.2.3; the newest without it
# FRAGPLAN_BIN      the folder for the program; ~/.local/bin without it
# FRAGPLAN_RELEASES where releases are; GitHub's without it
set -eu

main() {
	releases=${FRAGPLAN_RELEASES:-https://github.com/fragplan/fragplan/releases}
	bin=${FRAGPLAN_BIN:-${HOME:?}/.local/bin}

	os=$(uname -s | tr '[:upper:]' '[:lower:]')
	case $os in
	linux | darwin | freebsd) ;;
	*) fail "there is no release for $os here; see $releases" ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	*) fail "there is no release for $(uname -m); with Go: go install github.com/fragplan/fragplan/cmd/fragplan@latest" ;;
	esac

	version=${FRAGPLAN_VERSION:-}
	if [ -z "$version" ]; then
		# The newest release is where this address leads.
		version=$(curl -fsSLI -o /dev/null -w '%{url_effective}' "$releases/latest")
		case $version in
		*/releases | */releases/) fail "no release is out yet; with Go: go install github.com/fragplan/fragplan/cmd/fragplan@latest" ;;
		esac
		version=${version##*/}
	fi
	case $version in
	v[0-9]*.[0-9]*.[0-9]*) ;;
	*) fail "$version is no version; FRAGPLAN_VERSION takes one such as v1.2.3" ;;
	esac

	archive=fragplan_${version#v}_${os}_${arch}.tar.gz
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	curl -fsSL -o "$dir/$archive" "$releases/download/$version/$archive"
	curl -fsSL -o "$dir/checksums.txt" "$releases/download/$version/checksums.txt"

	want=$(awk -v name="$archive" '$2 == name { print $1 }' "$dir/checksums.txt")
	[ -n "$want" ] || fail "checksums.txt of $version does not name $archive; nothing was installed"
	got=$(sum "$dir/$archive")
	[ "$got" = "$want" ] || fail "the checksum of $archive is $got, and should be $want; nothing was installed"

	tar -xzf "$dir/$archive" -C "$dir" fragplan
	mkdir -p "$bin"
	# A rename: a run that is going on keeps the program that it began with.
	cp "$dir/fragplan" "$bin/fragplan.new"
	chmod 755 "$bin/fragplan.new"
	mv -f "$bin/fragplan.new" "$bin/fragplan"
	echo "Installed $("$bin/fragplan" version) in $bin"
	case ":$PATH:" in
	*":$bin:"*) ;;
	*) echo "$bin is not in your PATH." ;;
	esac
}

sum() {
	if command -v sha256sum >/dev/null; then
		sha256sum "$1" | cut -d ' ' -f 1
	elif command -v shasum >/dev/null; then
		shasum -a 256 "$1" | cut -d ' ' -f 1
	else
		sha256 -q "$1"
	fi
}

fail() {
	echo "install.sh: $1" >&2
	exit 1
}

main
