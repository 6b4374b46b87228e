package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// mainCommands are what people need every day, in the order of a new project.
var mainCommands = []string{"init", "validate", "plan", "apply"}

// describe gives every command help in one shape.
func (p *program) describe(root *cobra.Command) {
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if words := c.Flags().Args(); c.HasSubCommands() && len(words) > 0 {
			p.misread = unknownCommand(c, words[0]) // this function can't fail
			return
		}
		help(c.OutOrStdout(), c)
	})
	root.SetUsageFunc(func(c *cobra.Command) error { help(c.OutOrStderr(), c); return nil })
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if text := longer[c.CommandPath()]; text != "" {
			c.Long = text
		}
		if text := shorter[c.CommandPath()]; text != "" {
			c.Short = text
		}
		if f := c.Flags().Lookup("no-descriptions"); f != nil {
			f.Usage = "complete without saying what commands and flags do"
		}
		c.Flags().BoolP("help", "h", false, "print this help")
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(root)
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND]", Short: "Print the help of a command", Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || c.HasSubCommands() && len(rest) > 0 {
				return unknownCommand(c, rest[0])
			}
			return c.Help()
		},
	})
}

func help(w io.Writer, c *cobra.Command) {
	fmt.Fprintf(w, "%s.\n\nUsage: %s\n", strings.TrimSuffix(c.Short, "."), c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.Long))
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	daily, others := sorted(c)
	if !c.HasParent() {
		commands(w, "Main commands:", daily)
		commands(w, "Other commands:", others)
		flags(w, "Flags of every command, before or behind it:", c.PersistentFlags().FlagUsages())
		fmt.Fprint(w, environment)
		fmt.Fprintf(w, "\nMore of one command: %s COMMAND -help\n", c.CommandPath())
		return
	}
	commands(w, "Commands:", others)
	flags(w, "Flags:", c.LocalFlags().FlagUsages())
	flags(w, "Flags of every command:", c.InheritedFlags().FlagUsages())
}

func commands(w io.Writer, title string, list []*cobra.Command) {
	if len(list) > 0 {
		fmt.Fprintf(w, "\n%s\n", title)
	}
	for _, c := range list {
		fmt.Fprintf(w, "  %-11s %s\n", c.Name(), c.Short)
	}
}

// sorted splits the commands into those of every day and the others.
func sorted(c *cobra.Command) (daily, others []*cobra.Command) {
	for _, name := range mainCommands {
		for _, child := range c.Commands() {
			if !c.HasParent() && child.Name() == name {
				daily = append(daily, child)
			}
		}
	}
	for _, child := range c.Commands() {
		if !slices.Contains(daily, child) && child.IsAvailableCommand() && child.Name() != "help" {
			others = append(others, child)
		}
	}
	return daily, others
}

// doubleDash is how the flag library begins a line; fragplan writes one dash.
var doubleDash = regexp.MustCompile(`(?m)^(      |  -h, )--`)

func flags(w io.Writer, title, usages string) {
	if usages != "" {
		fmt.Fprintf(w, "\n%s\n%s", title, doubleDash.ReplaceAllString(usages, "  -"))
	}
}
