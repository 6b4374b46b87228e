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
	out, err := git(ctx, p.program.dir, append([]string{"--literal-pathspecs", "status", "--porcelain", "-z", "--"}, p.reviewable()...)...)
	if err != nil {
		return errors.New("the project is in no git repository, so it can't be told what was merged")
	}
	if first, _, _ := strings.Cut(string(out), "\x00"); len(first) > 3 {
		return fmt.Errorf("%s is not as it was committed", report.Clean(first[3:], 200))
	}
	return nil
}
