package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/spec"
)

// unformatted is the exit status of fmt -check, as Terraform has it.
const unformatted = 3

func (p *program) fmtCommand() *cobra.Command {
	var check, differences bool
	c := &cobra.Command{
		Use: "fmt [FILE...]", Short: "Lay out the project's YAML in one way; comments stay",
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := args, error(nil)
			if len(files) == 0 {
				if files, err = spec.Sources(p.dir); err != nil {
					return &exit{code: 2, err: err}
				}
			}
			root, err := os.OpenRoot(p.dir)
			if err != nil {
				return err
			}
			defer root.Close()
			var changed []string
			for _, name := range files {
				old, text, err := formatted(root, name)
				var wrong *spec.Errors
				if errors.As(err, &wrong) {
					return &exit{code: 2, err: err}
				} else if errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%w: name a file of the project, relative to its folder, or none for all of them", err)
				} else if err != nil {
					return err
				}
				if old == text {
					continue
				}
				changed = append(changed, name)
				switch {
				case differences:
					_, err = p.stdout.Write(diff.Diff(report.Clean(name, 0), []byte(old), "formatted", []byte(text)))
				case !check:
					err = replace(root, name, text)
					fallthrough
				default:
					fmt.Fprintln(p.stdout, report.Clean(name, 0))
				}
				if err != nil {
					return err
				}
			}
			if check && len(changed) > 0 {
				return &exit{code: unformatted}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing, and exit with 3 if a file would be changed")
	c.Flags().BoolVar(&differences, "diff", false, "change nothing, and print what would be changed")
	return c
}

// maxFormat is the largest file that is formatted.
const maxFormat = 8 << 20

// formatted reads a file of the project, and returns it as it is and as it
// should be.
func formatted(root *os.Root, name string) (old, text string, err error) {
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not an ordinary file")
	}
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", name, cause(err))
	}
	f, err := root.Open(name)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", name, cause(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFormat+1))
	if err == nil && len(b) > maxFormat {
		err = errors.New("larger than 8 MiB")
	}
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", name, cause(err))
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return string(b), string(b), nil
	}
	text, err = spec.Format(name, string(b))
	return string(b), text, err
}

// replace writes a file whole beside the old one, and puts it in its place.
func replace(root *os.Root, name, text string) error {
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	beside := path.Join(path.Dir(name), ".fmt-"+path.Base(name))
	err = root.WriteFile(beside, []byte(text), info.Mode().Perm())
	if err == nil {
		err = root.Rename(beside, name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, errors.Join(cause(err), root.Remove(beside)))
	}
	return nil
}
