package main

import (
	"github.com/spf13/cobra"
)

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "fragplan",
		Short:         "Give Telegram Stars, Premium and top-ups from reviewed YAML, exactly once",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	rehearses, err := p.rehearses()
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return err }
	f := root.PersistentFlags()
	p.dir = "."
	f.Var(word{&p.dir, "DIR"}, "chdir", "work in this folder")
	f.BoolVar(&p.sandbox, "sandbox", rehearses, "rehearse against a world on this machine (FRAGPLAN_SANDBOX=1)")
	f.BoolVar(&p.plain, "no-color", false, "print without colours (NO_COLOR)")
	root.AddCommand(p.initCommand(), p.validateCommand(), p.fmtCommand(), p.schemaCommand(), p.planCommand(), p.showCommand(), p.approveCommand(), p.applyCommand(), p.forecastCommand(), p.doctorCommand(), p.explainCommand(), p.reportCommand(), p.receiptCommand(), p.ciCommand(), p.noticesCommand(), p.fragmentCommand(), p.ledgerCommand(), p.reissueCommand(), p.paymentCommand(), p.sandboxCommand(), p.versionCommand())
	root.AddCommand(p.packaging()...)
	root.InitDefaultCompletionCmd()
	root.Flags().Bool("version", false, "print the version")
	root.SetVersionTemplate(versionLine())
	speakPlainly(root)
	p.describe(root)
	return root
}
