package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "fragplan",
		Short:         "Give Telegram Stars, Premium and top-ups from reviewed YAML, exactly once",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := root.PersistentFlags()
	f.StringVar(&p.dir, "chdir", ".", "work in this folder")
	f.BoolVar(&p.sandbox, "sandbox", p.getenv("FRAGPLAN_SANDBOX") == "1", "rehearse against a world on this machine (FRAGPLAN_SANDBOX=1)")
	f.BoolVar(&p.plain, "no-color", false, "print without colours (also NO_COLOR)")
	root.AddCommand(p.initCommand(), p.validateCommand(), p.planCommand(), p.applyCommand(), p.ledgerCommand(), p.sandboxCommand(), p.versionCommand())
	return root
}

// longFlags lets Terraform's habit work: a long flag may have one dash or two.
// A word behind "--" is left alone.
func longFlags(root *cobra.Command, args []string) []string {
	names := map[string]bool{"help": true}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		for _, set := range []interface{ FlagUsages() string }{c.Flags(), c.PersistentFlags()} {
			for _, word := range strings.Fields(set.FlagUsages()) {
				if name, ok := strings.CutPrefix(word, "--"); ok {
					name, _, _ = strings.Cut(name, "=")
					name, _, _ = strings.Cut(name, "[")
					names[name] = true
				}
			}
		}
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(root)
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(a, "-"), "=")
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && names[name] {
			a = "-" + a
		}
		out = append(out, a)
	}
	return out
}
