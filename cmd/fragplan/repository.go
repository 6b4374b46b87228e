package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/leak"
	"github.com/fragplan/fragplan/report"
)

// Bounds of what is read of a repository.
const (
	maxScanned    = 20_000    // files
	maxScannedOne = 2 << 20   // bytes of a file; of larger ones, the beginning
	maxScannedAll = 512 << 20 // bytes
	maxLeaks      = 20        // that are named
)

// repository looks for secrets in the text files that git tracks or would take
// in. What is ignored stays out of git, and may hold them.
func (e *patient) repository(ctx context.Context, p *program) {
	const name = "secrets in files"
	root, files, ok := tracked(ctx, p.dir)
	if !ok {
		root, files = p.dir, walked(p.dir)
	}
	s := scan(ctx, root, files)
	where := "the repository"
	if !ok {
		where = "the folder, which is in no git repository"
	}
	const next = "Take it out of the file; if it was ever committed or shared, it is known: move the money to a new wallet, log out of the session at fragment.com. Then keep such files out of git with .gitignore."
	switch {
	case len(s.found) > 0:
		more := ""
		if s.leaks > len(s.found) {
			more = fmt.Sprintf(", and %d more", s.leaks-len(s.found))
		}
		e.add(name, report.Problem, next, "%s%s", strings.Join(s.found, ", "), more)
	case s.partly:
		e.add(name, report.Warning, "Keep what is not written by people out of the repository.", "none in %s of %s; the rest is too much to read", report.Count(s.files, "text file"), where)
	default:
		e.add(name, report.OK, "", "none in %s of %s", report.Count(s.files, "text file"), where)
	}
}

// scanned is what a look through files gave.
type scanned struct {
	files  int      // that hold text
	leaks  int      // secrets in them
	found  []string // the first of them: file, line and kind, never the secret
	partly bool     // the bounds ended it
}

func scan(ctx context.Context, root string, files []string) (s scanned) {
	read := 0
	for i, name := range files {
		if ctx.Err() != nil || i == maxScanned || read > maxScannedAll {
			s.partly = true
			return s
		}
		text, whole := readText(filepath.Join(root, filepath.FromSlash(name)))
		if text == nil {
			continue
		}
		read += len(text)
		s.files++
		s.partly = s.partly || !whole
		for _, f := range leak.Find(text) {
			s.leaks++
			if len(s.found) < maxLeaks {
				s.found = append(s.found, fmt.Sprintf("%s:%d (%s)", report.Clean(name, 200), f.Line, f.Kind))
			}
		}
	}
	return s
}

// readText reads the beginning of a plain file, and nothing of one that holds
// no text. It reports whether that is all of it.
func readText(name string) (text []byte, whole bool) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, true
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, true
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, maxScannedOne))
	if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
		return nil, true
	}
	return text, info.Size() <= maxScannedOne
}

// tracked lists what git tracks, or would if it were added, from the root of
// the repository that a folder is in. No program of its configuration is run.
func tracked(ctx context.Context, dir string) (root string, files []string, ok bool) {
	out, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", nil, false
	}
	root = strings.TrimRight(string(out), "\r\n")
	if out, err = git(ctx, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"); err != nil {
		return "", nil, false
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if name != "" {
			files = append(files, name)
		}
	}
	return root, files, true
}

func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull}, args...)...)
	c.Dir, c.Env = dir, local(os.Environ())
	return c.Output()
}

// local is what git needs of the environment to list files, and no more: where
// fragplan.yaml can't be read, nobody knows which variables hold secrets.
func local(environ []string) (kept []string) {
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		switch name = strings.ToUpper(name); {
		case slices.Contains([]string{"PATH", "HOME", "XDG_CONFIG_HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TMP", "TEMP"}, name), strings.HasPrefix(name, "GIT_CONFIG_"):
			kept = append(kept, e)
		}
	}
	return kept
}

// walked lists the files below a folder that is in no repository, without
// fragplan's own and what tools keep there.
func walked(dir string) (files []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case d.IsDir() && (d.Name() == ".fragplan" || d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.Type().IsRegular():
			if name, err := filepath.Rel(dir, path); err == nil {
				files = append(files, filepath.ToSlash(name))
			}
		}
		if len(files) > maxScanned {
			return fs.SkipAll
		}
		return nil
	})
	return files
}
