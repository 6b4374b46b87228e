#!/bin/sh
# Writes completions and man pages into a folder, the same bytes every time.
set -eu
dir=$1
rm -rf "$dir"
mkdir -p "$dir/completions" "$dir/man"
go run ./cmd/fragplan completion bash >"$dir/completions/fragplan.bash"
go run ./cmd/fragplan completion zsh >"$dir/completions/_fragplan"
go run ./cmd/fragplan completion fish >"$dir/completions/fragplan.fish"
go run ./cmd/fragplan completion powershell >"$dir/completions/fragplan.ps1"
go run -tags man ./cmd/fragplan man "$dir/man"
gzip -9n "$dir"/man/*.1
