package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/forge"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/signer"
)

// errFork is what every command says that would read a fork's files where a
// secret is set.
var errFork = errors.New("a secret is set where the code of a fork may be checked out")

// secretNames are the variables whose content is a secret, or says where one
// lies. The token of the code host is none of them: ci comment needs it, and
// the host itself takes its rights away in the run of a fork.
var secretNames = []string{
	signer.EnvMnemonic, signer.EnvMnemonicFile, signer.EnvAgeIdentity, signer.EnvAgePassphrase,
	envSession, envSessionFile, fragment.EnvCookie, fragment.EnvHash,
	envIdentity, envIdentityFile, envTelegram, envSlack, envWebhook, envAlive,
	"PGPASSWORD", "PGPASSFILE",
}

// guarded refuses to go on in the run of a fork's pull request if one of the
// variables is set: fragplan.yaml is the fork's there, and it says which
// programs hold keys, and where messages and their secrets go.
func (p *program) guarded(names []string) error {
	var set []string
	for _, name := range names {
		if strings.TrimSpace(p.getenv(name)) != "" { // a host gives forks empty ones
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return nil
	}
	is := "is"
	if len(set) > 1 {
		is = "are"
	}
	whose, err := forge.Foreign(p.getenv)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s %s set, and whose code this is can't be told: %w", errFork, strings.Join(set, ", "), is, err)
	case whose != "":
		return fmt.Errorf("%w: %s %s set, and this run is of a request from %s. Whoever wrote that could have fragplan.yaml, or any other step of this job, send the secret away and spend what it opens", errFork, strings.Join(set, ", "), is, whose)
	}
	return nil
}
