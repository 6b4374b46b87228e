package main

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"

	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/signer"
)

// The variables that hold what opens an encrypted ledger, or name a file with
// it, where fragplan.yaml names no other place.
const (
	envIdentity     = "FRAGPLAN_LEDGER_IDENTITY"
	envIdentityFile = "FRAGPLAN_LEDGER_IDENTITY_FILE"
)

// maxIdentity is more than some identities and an SSH key take up.
const maxIdentity = 64 << 10

// identities reads what opens the log on the ledger's branch.
func (p *project) identities(ctx context.Context) ([]age.Identity, error) {
	const what = "the identities that open the ledger"
	k := p.spec.Ledger.Identity
	source, in, field := signer.Source{Kind: signer.Kind(k.Kind), Name: k.Name}, p.surroundings(), "ledger.identity"
	if k.Kind == "" {
		text, file := p.program.getenv(envIdentity), p.program.getenv(envIdentityFile)
		switch {
		case text != "" && file != "":
			return nil, fmt.Errorf("both %s and %s are set: keep one", envIdentity, envIdentityFile)
		case text == "" && file == "":
			return nil, fmt.Errorf("neither %s nor %s is set", envIdentity, envIdentityFile)
		case text != "":
			source, field = signer.Source{Kind: signer.Env, Name: envIdentity}, envIdentity
		default: // a file in a variable is named from the folder of the shell
			source, field, in.Dir = signer.Source{Kind: signer.File, Name: file}, envIdentityFile, "."
		}
	}
	text, err := source.Secret(ctx, in, field, what, maxIdentity)
	if err != nil {
		return nil, err
	}
	list, err := gitlog.ParseIdentities(text)
	if err == nil && len(list) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return list, nil
}
