package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// longFlags lets Terraform's habit work: a long flag may have one dash or two.
// The value of a flag and what stands behind "--" are left alone.
func longFlags(root *cobra.Command, args []string) []string {
	out := make([]string, 0, len(args))
	value := false // the next word belongs to the flag before it
	for i, a := range args {
		if a == "--" && !value {
			return append(out, args[i:]...)
		}
		name, _, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case value:
			value = false
		case strings.HasPrefix(a, "-") && len(a) > 2:
			if !strings.HasPrefix(a, "--") {
				a = "-" + a
			}
			value = !given && takesValue(root, name)
		}
		out = append(out, a)
	}
	return out
}

// takesValue reports whether any command has a flag of this name that isn't
// just on or off.
func takesValue(c *cobra.Command, name string) bool {
	f := c.Flags().Lookup(name)
	if f == nil {
		f = c.PersistentFlags().Lookup(name)
	}
	if f != nil && f.Value.Type() != "bool" {
		return true
	}
	for _, child := range c.Commands() {
		if takesValue(child, name) {
			return true
		}
	}
	return false
}

// speakPlainly makes every usage error one line that says what is wrong and
// where to read on.
func speakPlainly(c *cobra.Command) {
	c.SuggestionsMinimumDistance = 2
	c.SetFlagErrorFunc(flagError)
	accepts := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case c.HasSubCommands() && len(args) > 0:
			return unknownCommand(c, args[0])
		case accepts == nil || accepts(c, args) == nil:
			return nil
		case len(args) == 0:
			return fmt.Errorf("an argument is missing. Usage: %s", c.UseLine())
		}
		return fmt.Errorf("can't take %q. Usage: %s", strings.Join(args, " "), c.UseLine())
	}
	if c.HasSubCommands() && c.RunE == nil {
		c.Use += " COMMAND"
		c.DisableFlagsInUseLine = true
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, child := range c.Commands() {
		speakPlainly(child)
	}
}

func unknownCommand(c *cobra.Command, word string) error {
	text := fmt.Sprintf("there is no command %q.", word)
	if near := c.SuggestionsFor(word); len(near) > 0 {
		text += " Did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%s See: %s -help", text, c.CommandPath())
}

func flagError(c *cobra.Command, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		text = "there is no flag -" + name
	} else if _, name, ok := strings.Cut(text, "unknown shorthand flag: "); ok {
		_, name, _ = strings.Cut(name, " in -")
		text = "there is no flag -" + name
	}
	text, _, _ = strings.Cut(text, ": strconv.")
	return fmt.Errorf("%s. See: %s -help", strings.ReplaceAll(text, "--", "-"), c.CommandPath())
}
