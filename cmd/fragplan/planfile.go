package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fragplan/fragplan/reconcile"
)

// errNoPlan: there is no file where a plan was named.
var errNoPlan = errors.New("plan file")

// savedPlan reads a plan that -out has written.
func (p *program) savedPlan(name string) (*reconcile.Plan, error) {
	b, err := os.ReadFile(p.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s", errNoPlan, name)
	}
	if err != nil {
		return nil, fmt.Errorf("plan file: %w", err)
	}
	plan, err := reconcile.DecodePlan(b)
	if err != nil {
		return nil, fmt.Errorf("plan file %s: %w", name, err)
	}
	return plan, nil
}

// saved says how to apply a plan that was saved and may be applied.
func (p *program) saved(name string, plan *reconcile.Plan) {
	if name == "" || len(plan.Violations) > 0 || !plan.Changes() {
		return
	}
	fmt.Fprintf(p.stdout, "\nSaved. To buy exactly this: fragplan%s apply %s\n", p.mode(), shell(name))
}

// writePlan replaces the file whole, for its owner only.
func writePlan(name string, plan *reconcile.Plan) error {
	b, err := plan.Encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".plan-*")
	if err != nil {
		return fmt.Errorf("plan file %s: the folder can't be written to: %w", name, cause(err))
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("plan file %s: %w", name, errors.Join(cause(err), os.Remove(f.Name())))
	}
	return nil
}

// cause takes operation and path off an error of package os, where the path is
// not one that the user has named.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
