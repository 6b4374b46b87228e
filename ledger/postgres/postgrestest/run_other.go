//go:build !unix

package postgrestest

import (
	"os"
	"os/exec"
	"path/filepath"
)

var quit = os.Kill

func (s *Server) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, program), args...)
	c.Dir = s.dir
	return c
}
