package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fragplan/fragplan/report"
)

// reviewable are the files that say what is bought, and who may approve it.
func (p *project) reviewable() []string {
	files := slices.Clone(p.spec.Files)
	if a := p.spec.Limits.Approvals; a != nil {
		files = append(files, a.Signers)
	}
	for i, name := range files {
		files[i] = filepath.FromSlash(name)
	}
	return files
}

// committed refuses files that are not as the repository's newest commit has
// them: nobody has reviewed those.
func (p *project) committed(ctx context.Context) error {
	out, err := git(ctx, p.program.dir, append([]string{"status", "--porcelain", "-z", "--"}, p.reviewable()...)...)
	if err != nil {
		return errors.New("the project is in no git repository, so it can't be told what was merged")
	}
	if first, _, _ := strings.Cut(string(out), "\x00"); len(first) > 3 {
		return fmt.Errorf("%s is not as it was committed", report.Clean(first[3:], 200))
	}
	return nil
}

// authors are the addresses of those who wrote the newest state of the files:
// the authors of the commits of the newest merge, or of the newest commit, that
// changed them. A .mailmap adds addresses of the same people, and takes none away.
func (p *project) authors(ctx context.Context) ([]string, error) {
	if err := p.committed(ctx); err != nil {
		return nil, err
	}
	dir := p.program.dir
	if out, err := git(ctx, dir, "rev-parse", "--is-shallow-repository"); err != nil || strings.TrimSpace(string(out)) != "false" {
		return nil, errors.New("the clone has no history; fetch it whole (fetch-depth: 0)")
	}
	log := func(args ...string) []string {
		out, err := git(ctx, dir, append(append([]string{"log", "--format=%ae%n%aE"}, args...), append([]string{"--"}, p.reviewable()...)...)...)
		if err != nil {
			return nil // there is no such commit
		}
		return strings.Fields(strings.ToLower(string(out)))
	}
	authors := slices.Concat(log("-1"), log("HEAD^1..HEAD"))
	if len(authors) == 0 {
		return nil, errors.New("no commit holds the project's files")
	}
	slices.Sort(authors)
	return slices.Compact(authors), nil
}
