#!/bin/sh
# Builds the image from this checkout and tries it as people and runners use it.
#
# ENGINE  docker, podman or buildah; docker without it. buildah uses neither
#         namespaces nor a daemon (--isolation chroot), and needs root
# ENGINE_OPTIONS  what comes before its command, such as --storage-driver vfs
# BUILD_OPTIONS   what comes behind build, such as --pull-never
# shellcheck disable=SC2086 # each word of the OPTIONS is one
set -eu
cd "$(dirname "$0")/.."
engine=${ENGINE:-docker}
image=fragplan-image-test
arch=$(go env GOARCH)

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/context/linux/$arch"
CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags '-s -w' -o "$dir/context/linux/$arch/fragplan" ./cmd/fragplan

case $engine in
buildah) set -- build --isolation chroot ;;
*) set -- build ;;
esac
"$engine" ${ENGINE_OPTIONS:-} "$@" ${BUILD_OPTIONS:-} -q --build-arg "TARGETPLATFORM=linux/$arch" \
	--label "org.opencontainers.image.revision=$(git rev-parse HEAD)" \
	-t "$image" -f scripts/Dockerfile "$dir/context"

# within FOLDER PLACE COMMAND ARGS... runs a command of the image with a folder
# of this machine at that place. An empty COMMAND is the image's own.
within() {
	folder=$1 at=$2
	shift 2
	if [ "$engine" = buildah ]; then
		[ -n "$1" ] || { shift && set -- fragplan "$@"; }
		"$engine" ${ENGINE_OPTIONS:-} run --isolation chroot -v "$folder:$at" --workingdir "$at" "$container" -- "$@"
		return
	fi
	if [ -n "$1" ]; then
		command=$1
		shift
		set -- --entrypoint "$command" "$image" "$@"
	else
		shift
		set -- "$image" "$@"
	fi
	"$engine" ${ENGINE_OPTIONS:-} run --rm -v "$folder:$at" -w "$at" "$@"
}
if [ "$engine" = buildah ]; then
	container=$("$engine" ${ENGINE_OPTIONS:-} from --pull-never "$image")
	trap '"$engine" ${ENGINE_OPTIONS:-} rm "$container" >/dev/null; rm -rf "$dir"' EXIT
fi

# A person, in a folder of their own.
mkdir "$dir/project"
cp -R examples/quickstart/. "$dir/project"
chmod -R a+rwX "$dir/project"
within "$dir/project" /project "" version
within "$dir/project" /project "" -sandbox plan
within "$dir/project" /project "" -sandbox apply -auto-approve >/dev/null
within "$dir/project" /project "" -sandbox plan -detailed-exitcode
[ "$(within "$dir/project" /project id -u)" = 1000 ]

# A job of GitLab: a clone that belongs to root and that everybody may write to,
# and a shell in the place of the entrypoint.
git init -q "$dir/builds"
cp -R examples/quickstart/. "$dir/builds"
chmod -R a+rwX "$dir/builds"
[ "$(id -u)" != 0 ] || chown -R root: "$dir/builds"
within "$dir/builds" /builds/town/rewards sh -euc '
	git add -A
	git -c user.name=ann -c user.email=ann@example.org commit -qm rewards
	fragplan validate
	fragplan -sandbox plan >plan.txt'
# What reaches a remote is there: its own error, and not that of a missing program.
within "$dir/builds" /builds/town/rewards sh -euc '
	ssh -V
	test -s /etc/ssl/certs/ca-certificates.crt
	git ls-remote https://127.0.0.1:1/town.git 2>&1 | grep "127.0.0.1 port 1"
	git ls-remote ssh://git@127.0.0.1:1/town.git 2>&1 | grep "127.0.0.1 port 1"'
echo "the image is as it should be"
