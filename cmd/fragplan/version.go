package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(p.stdout, "fragplan %s %s/%s\n", version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(devel)"
}

func (p *program) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate", Short: "Check the YAML; needs no network, no ledger and no secrets", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			project, err := p.load()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "Sound: %d grants for %d people in %d files.\n", len(project.spec.Grants), len(project.spec.People), len(project.spec.Files))
			return err
		},
	}
}
