//go:build unix

package signer

import (
	"io/fs"
	"os"
	"syscall"
)

// openFlags: no link is followed, and a pipe keeps nobody waiting.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// ownFile reports whether the file is this user's.
func ownFile(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
