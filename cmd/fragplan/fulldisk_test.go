//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Wherever an apply is when its disk is full, it ends with an error that says
// so, and when there is room again it goes on: nobody is paid twice, no order
// is lost. The world is another process and has room.
func TestFullDisk(t *testing.T) {
	binary := command(t)
	for i, d := range []struct {
		name string
		wrap func(v *victim, room int64) []string
		says string
	}{
		{"limit", limited, "disk I/O error"}, // wherever it is met: as the writer begins, or later
		{"tmpfs", tiny, "disk is full"},
	} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			v := doomed(t, binary, 77+uint64(i), &toll{killed: map[string][2]int{}})
			v.change()
			v.command("plan") // makes the ledger
			rounds := 1
			if thorough() {
				rounds = 10
			}
			full := 0
			for range rounds {
				v.change()
				for room := int64(0); v.cramped(d.wrap(v, room), d.says); room += 4 {
					if full++; room > 400 {
						t.Fatal("it is never done")
					}
				}
				v.run(nil)
				v.compare()
			}
			v.agree()
			t.Logf("the disk was full %d times", full)
			if full == 0 {
				t.Error("the disk was never full")
			}
		})
	}
}

// cramped runs an apply that may have too little room, and reports whether it
// had.
func (v *victim) cramped(wrap []string, says string) bool {
	v.Helper()
	r := v.start(wrap...)
	r.wait()
	v.hurt = r.code() != 0
	v.compare()
	if v.hurt && (r.code() != 1 || !strings.Contains(r.text(), says)) {
		v.Fatalf("exit status %d: %s", r.code(), r.text())
	}
	return v.hurt
}

// size is that of the ledger now.
func (v *victim) size() int64 {
	v.Helper()
	info, err := os.Stat(filepath.Join(v.dir, ".fragplan", "sandbox", "ledger.db"))
	if err != nil {
		v.Fatal(err)
	}
	return info.Size()
}

// limited lets no file grow beyond the ledger's size and some KB more. That
// needs no rights.
func limited(v *victim, room int64) []string {
	v.Helper()
	blocks := (v.size() + room<<10) / 512 // as POSIX has it
	return []string{"sh", "-c", fmt.Sprintf(`ulimit -f %d; exec "$@"`, blocks), "sh"}
}

// tiny has the ledger on a file system that has room for it and some KB more.
// It is mounted for that one process, which not every machine allows.
func tiny(v *victim, room int64) []string {
	v.Helper()
	if err := exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", v.dir).Run(); err != nil {
		v.Skip("nothing can be mounted here: ", err)
	}
	used := (v.size()+4095)&^4095 + 5*4096 // the ledger and the small files beside it
	script := fmt.Sprintf(`set -e
home=.fragplan/sandbox
cd %q
mkdir -p real tiny
mount --bind $home real
mount -t tmpfs -o size=%d none tiny
cp real/running.json real/ledger.db* tiny
touch tiny/world.lock
mount --bind real/world.lock tiny/world.lock
mount --rbind tiny $home
set +e
(cd /; "$@")
code=$?
set -e
rm -f real/ledger.db-journal
cp tiny/ledger.db* real
exit $code`, v.dir, used+room<<10)
	return []string{"unshare", "-Urm", "sh", "-c", script, "sh"}
}
