//go:build man

package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// packaging writes the manual for packages. The date is a fixed one, so that the
// same sources give the same bytes. Only a program that is built with the tag man
// has it: what renders manuals is large, and a program that buys has no use for it.
func (p *program) packaging() []*cobra.Command {
	return []*cobra.Command{{
		Use: "man DIR", Short: "Write man pages", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			date := time.Unix(0, 0).UTC()
			root := c.Root()
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Date: &date, Source: "fragplan", Manual: "fragplan"}, p.path(args[0]))
		},
	}}
}
