package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/spec"
)

// maxBlob is the size of the largest file of a project that is read.
const maxBlob = 8 << 20

// A commit is one that changed something in the project's folder, or a merge.
type commit struct {
	id      string
	parents []string
	authors []string // addresses, in lower case: the author's, and those that its text names
}

// history is that of the project's folder in its repository. Of the files only
// those are taken out that a project reads; nothing of the repository is run.
type history struct {
	dir     string
	commits []commit // the newest first, each before its parents
	byID    map[string]commit

	folder string // for files that were taken out
	root   *os.Root
	read   map[string]*written // by the list of files; nil for what is no project
	listed map[string]string   // by commit: that list
}

var address = regexp.MustCompile(`<([^<>\s]+)>`)

// openHistory lists the commits. A clone without its history is refused.
func openHistory(ctx context.Context, dir string) (*history, error) {
	if out, err := git(ctx, dir, "rev-parse", "--is-shallow-repository"); err != nil || strings.TrimSpace(string(out)) != "false" {
		return nil, errors.New("the clone has no history; fetch it whole (fetch-depth: 0)")
	}
	out, err := git(ctx, dir, "--no-replace-objects", "log", "-z", "--topo-order", "--full-history", "--parents",
		"--format=%H%x00%P%x00%ae%x00%aE%x00%(trailers:key=Co-authored-by,valueonly,separator=%x2C)", "HEAD", "--", ".")
	if err != nil {
		return nil, fmt.Errorf("git log: %w", err)
	}
	h := &history{dir: dir, byID: map[string]commit{}, read: map[string]*written{}, listed: map[string]string{}}
	for f := range slices.Chunk(strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), 5) {
		if len(f) < 5 {
			break
		}
		c := commit{id: f[0], parents: strings.Fields(f[1]), authors: []string{strings.ToLower(f[2]), strings.ToLower(f[3])}}
		for _, m := range address.FindAllStringSubmatch(f[4], -1) {
			c.authors = append(c.authors, strings.ToLower(m[1]))
		}
		h.commits = append(h.commits, c)
		h.byID[c.id] = c
	}
	if len(h.commits) == 0 {
		return nil, errors.New("no commit holds the project's files")
	}
	for _, c := range h.commits {
		for _, id := range c.parents {
			if _, listed := h.byID[id]; !listed {
				return nil, fmt.Errorf("git log does not list commit %s", id)
			}
		}
	}
	if h.folder, err = os.MkdirTemp("", "fragplan-history"); err == nil {
		h.root, err = os.OpenRoot(h.folder)
	}
	return h, err
}

func (h *history) close() {
	if h.root != nil {
		_ = h.root.Close()
	}
	_ = os.RemoveAll(h.folder)
}

// written is what the files of a commit say; nil if they can't be read as a
// project. A commit without one says nothing.
func (h *history) written(ctx context.Context, c commit) *written {
	list, done := h.listed[c.id]
	if !done {
		out, err := git(ctx, h.dir, "--no-replace-objects", "ls-tree", "-r", "-z", "-l", c.id)
		if err != nil {
			return nil
		}
		list = h.relevant(ctx, string(out))
		h.listed[c.id] = list
	}
	w, done := h.read[list]
	if !done {
		w = h.load(ctx, list)
		h.read[list] = w
	}
	return w
}

// A blob is a file of a commit.
type blob struct{ mode, id, size, name string }

func (b blob) large() bool {
	size, err := strconv.Atoi(b.size)
	return err != nil || size > maxBlob
}

func blobs(list string) (all []blob) {
	for line := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		about, name, _ := strings.Cut(line, "\t")
		f := strings.Fields(about)
		if len(f) == 4 && f[1] == "blob" {
			all = append(all, blob{f[0], f[2], f[3], name})
		}
	}
	return all
}

const link = "120000"

// relevant shortens what ls-tree has listed to what a project may read: what
// fragplan.yaml names, tables, and links.
func (h *history) relevant(ctx context.Context, list string) string {
	var named names
	all := blobs(list)
	for _, b := range all {
		if b.name == spec.MainFile && !b.large() {
			if text, err := git(ctx, h.dir, "--no-replace-objects", "cat-file", "blob", b.id); err == nil {
				named.find(text)
			}
		}
	}
	var kept strings.Builder
	for _, b := range all {
		if b.mode == link || b.name == spec.MainFile || b.name == named.Approvals.Signers || path.Ext(b.name) == ".csv" || slices.ContainsFunc(named.Files, func(pattern string) bool {
			ok, _ := path.Match(pattern, b.name)
			return ok || pattern == b.name
		}) {
			fmt.Fprintf(&kept, "%s blob %s %s\t%s\x00", b.mode, b.id, b.size, b.name)
		}
	}
	return kept.String()
}

// names are the files that fragplan.yaml names.
type names struct {
	Files     []string
	Approvals struct{ Signers string }
}

// find reads them. What is wrong with the text is found when the project is
// loaded; a panic of the parser is no more than that.
func (n *names) find(text []byte) {
	defer func() { _ = recover() }()
	_ = yaml.Unmarshal(text, n)
}

// load takes the files out and reads them.
func (h *history) load(ctx context.Context, list string) *written {
	files := blobs(list)
	if !slices.ContainsFunc(files, func(b blob) bool { return b.name == spec.MainFile }) {
		return &written{}
	}
	dir := fmt.Sprintf("tree%d", len(h.read))
	slices.SortStableFunc(files, func(a, b blob) int { return strings.Compare(a.mode, b.mode) }) // links come last
	defer h.root.RemoveAll(dir)
	for _, b := range files {
		name := filepath.FromSlash(b.name)
		if b.large() || !filepath.IsLocal(name) || h.takeOut(ctx, b, filepath.Join(dir, name)) != nil {
			return nil
		}
	}
	s, err := spec.Load(filepath.Join(h.folder, dir))
	if err != nil {
		return nil
	}
	return writtenIn(s)
}

func (h *history) takeOut(ctx context.Context, b blob, to string) error {
	if err := h.root.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if _, err := h.root.Lstat(b.id); err != nil {
		text, err := git(ctx, h.dir, "--no-replace-objects", "cat-file", "blob", b.id)
		if err != nil {
			return err
		}
		if err := h.root.WriteFile(b.id, text, 0o600); err != nil {
			return err
		}
	}
	if b.mode != link {
		return h.root.Link(b.id, to)
	}
	target, err := h.root.ReadFile(b.id)
	if err != nil {
		return err
	}
	return h.root.Symlink(string(target), to)
}
