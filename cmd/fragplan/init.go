package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// placeholder stands for the address of the wallet that pays, until somebody
// writes the true one. It is the SHA-256 of a sentence, so nobody has its key.
const placeholder = "UQBQW4Fz2cb0AKA1tZX98OzHzcwExJk4cGimkdOqV6AhvqeJ"

var nobody = ton.MustParseAddress(placeholder)

// owned refuses a wallet that is nobody's, where a ledger would be made for it
// or money be spent.
func (p *project) owned() error {
	if p.program.sandbox || p.spec.Wallet.Address != nobody {
		return nil
	}
	return fmt.Errorf("%s: this is not the address of your wallet: fragplan init wrote it, and nobody has its key. Write your wallet's address there, or rehearse with -sandbox", p.spec.Wallet.Pos)
}

// What fragplan.yaml says of the address.
const (
	ofNobody = `# The wallet that pays. This address is nobody's: write your wallet's own.
# Rehearsals (fragplan -sandbox) use one of their own.`
	ofYours = `# The wallet that pays. Rehearsals (fragplan -sandbox) use one of their own.`
)

// The files of a new project.
var newProject = []struct{ name, body string }{
	{"fragplan.yaml", `# yaml-language-server: $schema=fragplan.yaml.schema.json
version: 1
%s
wallet: {version: v5r1, address: %s}
ledger: .fragplan/ledger.db
limits:
  order: 20 TON          # one purchase
  run: 60 TON            # one apply
  month: 200 TON
  undelivered: 25 TON    # paid and not yet acknowledged: sign nothing more
  first_time: 5 TON      # for somebody to whom nothing came yet
  price: {100 stars: 1.30 TON, premium 3 months: 12 TON}    # ceilings
# The accounts that Fragment was seen to ask payment to. Any other is refused;
# change the list in a reviewed commit.
destinations:
%sfiles: [people.yaml, grants/*.yaml]
`},
	{"people.yaml", `# yaml-language-server: $schema=fragplan.schema.json
people:
  ann: "@ann_petrova"
`},
	{"grants/first.yaml", `# yaml-language-server: $schema=../fragplan.schema.json
grants:
  best-meme: {to: ann, stars: 100, reason: best meme of the week}
`},
	{"fragplan.schema.json", string(spec.Schema)},
	{"fragplan.yaml.schema.json", string(spec.ProjectSchema)},
	{ignoreFile, `.fragplan/
global.config.json
`},
}

func (p *program) initCommand() *cobra.Command {
	address := placeholder
	c := &cobra.Command{
		Use: "init", Short: "Write a new project into this folder", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			given, _, err := ton.ParseAddress(address)
			if err != nil {
				return fmt.Errorf("-wallet %q: %w", address, err)
			}
			for _, f := range newProject {
				if f.name == ignoreFile {
					continue // is added to
				}
				if _, err := os.Lstat(filepath.Join(p.dir, f.name)); !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%s exists already; nothing was written", f.name)
				}
			}
			for _, f := range newProject {
				name := filepath.Join(p.dir, filepath.FromSlash(f.name))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					return err
				}
				body := f.body
				if f.name == "fragplan.yaml" {
					remark := ofYours
					if given == nobody {
						remark = ofNobody
					}
					body = fmt.Sprintf(body, remark, address, pinned())
				}
				if f.name == ignoreFile {
					if err := ignored(name, body); err != nil {
						return err
					}
					continue
				}
				if err := os.WriteFile(name, []byte(body), 0o644); err != nil {
					return err
				}
			}
			fmt.Fprintf(p.stdout, "Wrote fragplan.yaml, people.yaml and grants/first.yaml. Next: fragplan%s -sandbox plan\n", p.place())
			return nil
		},
	}
	c.Flags().Var(word{&address, "ADDRESS"}, "wallet", "the wallet that pays; the default is nobody's")
	return c
}

const ignoreFile = ".gitignore"

// ignored adds the lines to a file of git's that it doesn't have yet.
func ignored(name, lines string) error {
	before, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there := strings.Split(strings.ReplaceAll(string(before), "\r\n", "\n"), "\n")
	more := ""
	for line := range strings.Lines(lines) {
		if !slices.Contains(there, strings.TrimSpace(line)) {
			more += line
		}
	}
	if len(before) > 0 && more != "" && !strings.HasSuffix(string(before), "\n") {
		more = "\n" + more
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(more)
	return errors.Join(err, f.Close())
}

// pinned lists the observed accounts as fragplan.yaml has them.
func pinned() string {
	var b strings.Builder
	for _, a := range firewall.Observed() {
		fmt.Fprintf(&b, "  - %s  # %s; seen %s\n", a.Address, a.Paid, a.Seen)
	}
	return b.String()
}
