package spec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"
)

// What a project may be at most.
const (
	maxFiles     = 1000
	maxFileSize  = 8 << 20
	maxTotalSize = 32 << 20
)

// folder reads a project's files. Nothing outside the folder can be reached
// through it: not by a path, and not by a link.
type folder struct {
	root  *os.Root
	total int64
}

// errNotRead is what a caller shows with a position of its own choice.
type errNotRead struct{ rule, message, hint string }

func (e *errNotRead) Error() string { return e.message }

func (f *folder) read(name string) (string, error) {
	// Stat comes first because opening a named pipe would wait for a writer.
	info, err := f.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &errNotRead{"no-file", fmt.Sprintf("there is no file %q in the project's folder", name), ""}
	case err != nil:
		return "", &errNotRead{"file", fmt.Sprintf("file %q: %v", name, plain(err)), "links must stay inside the project's folder"}
	case info.IsDir():
		return "", &errNotRead{"file", fmt.Sprintf("%q is a folder", name), fmt.Sprintf("write %s/*.yaml for the files in it", name)}
	case !info.Mode().IsRegular():
		return "", &errNotRead{"file", fmt.Sprintf("%q is not an ordinary file", name), ""}
	}
	file, err := f.root.Open(name)
	if err != nil {
		return "", &errNotRead{"file", fmt.Sprintf("file %q: %v", name, plain(err)), ""}
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	f.total += int64(len(b))
	switch {
	case err != nil:
		return "", &errNotRead{"file", fmt.Sprintf("file %q: %v", name, plain(err)), ""}
	case len(b) > maxFileSize:
		return "", &errNotRead{"file-size", fmt.Sprintf("file %q is larger than 8 MiB", name), "split it into several files and list them under files:"}
	case f.total > maxTotalSize:
		return "", &errNotRead{"file-size", "the files of the project are larger than 32 MiB together", ""}
	}
	return string(b), nil
}

// has reports whether there is an ordinary file of that name.
func (f *folder) has(name string) bool {
	info, err := f.root.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// plain takes the operation and the path off an error of package os, because
// the message names the path already.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// match lists the files that a pattern of "files:" names, sorted.
func (f *folder) match(pattern string) ([]string, error) {
	hint := "write a path relative to the project's folder, with slashes: grants/*.yaml"
	switch {
	case !fs.ValidPath(pattern) || strings.ContainsAny(pattern, "\\\x00:") || pattern == ".":
		return nil, &errNotRead{"path", fmt.Sprintf("%q is not a path inside the project's folder", pattern), hint}
	case strings.Contains(pattern, "**"):
		return nil, &errNotRead{"path", "** is not supported", "list each folder: grants/*.yaml, grants/2026/*.yaml"}
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return []string{pattern}, nil
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, &errNotRead{"path", fmt.Sprintf("%q is not a pattern: a bracket isn't closed", pattern), hint}
	}
	names, err := fs.Glob(f.root.FS(), pattern)
	if err != nil {
		return nil, &errNotRead{"path", fmt.Sprintf("pattern %q: %v", pattern, plain(err)), hint}
	}
	if len(names) == 0 {
		return nil, &errNotRead{"no-match", fmt.Sprintf("pattern %q matches no file", pattern), "a pattern that matches nothing would silently drop grants: correct it or take it out"}
	}
	return names, nil
}

// checkText reports the first byte of a text that YAML can't hold.
func checkText(file, text string, r *reporter) bool {
	line, column := 1, 1
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		bad := ""
		switch {
		case c == utf8.RuneError && size == 1:
			bad = fmt.Sprintf("byte 0x%02x is not valid UTF-8", text[i])
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0 && c != 0x85, c == 0xfffe, c == 0xffff:
			bad = fmt.Sprintf("the control character U+%04X is not allowed", c)
		}
		if bad != "" {
			r.add(Pos{file, line, column}, "encoding", "save the file as UTF-8 text", "%s", bad)
			return false
		}
		i, column = i+size, column+1
		if c == '\n' {
			line, column = line+1, 1
		}
	}
	return true
}
