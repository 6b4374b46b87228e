//go:build unix

package postgrestest

import (
	"os/exec"
	"path/filepath"
	"syscall"
)

const quit = syscall.SIGQUIT

func (s *Server) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, program), args...)
	c.Dir = s.dir
	if uid, gid, other := owner(); other {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	return c
}
