package sqlite

import (
	"fmt"
	"io/fs"
	"syscall"
)

func links(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// onNetwork refuses file systems whose locks are known to lie.
func onNetwork(path string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return fmt.Errorf("ledger %s: file system: %w", path, err)
	}
	switch uint32(s.Type) {
	case 0x6969:
		return fmt.Errorf("ledger %s is on NFS: keep it on a disk of this machine", path)
	case 0x517b, 0xff534d42, 0xfe534d42:
		return fmt.Errorf("ledger %s is on an SMB share: keep it on a disk of this machine", path)
	}
	return nil
}
