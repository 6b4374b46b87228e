package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/ledger/gitlog"
	"github.com/fragplan/fragplan/reconcile"
)

// Waiting mends no history that servers have forgotten: the hint says what does.
func TestForgottenHistoryHasItsOwnHint(t *testing.T) {
	err := fmt.Errorf("%w: %w", reconcile.ErrChain, fmt.Errorf("history: %w", chain.ErrPruned))
	if hint := (&program{}).hint(err); !strings.Contains(hint, "archive") || !strings.Contains(hint, "global.config.json") {
		t.Error(hint)
	}
}

// A remote that doesn't let a run in, one that doesn't answer and one that is
// away need other things of a person.
func TestWhatToDoAboutAGitRemote(t *testing.T) {
	for said, want := range map[string]string{
		"fatal: Authentication failed for 'https://gitlab.example.org/town/rewards.git/'":                                                                                         "a token or a key",
		"fatal: could not read Username for 'https://github.com': terminal prompts disabled":                                                                                      "a token or a key",
		"remote: Permission to town/rewards.git denied to github-actions[bot]. fatal: unable to access 'https://github.com/town/rewards/': The requested URL returned error: 403": "a token or a key",
		"git@github.com: Permission denied (publickey). fatal: Could not read from remote repository.":                                                                            "a token or a key",
		"remote: Repository not found. fatal: repository 'https://github.com/town/rewards.git/' not found":                                                                        "a token or a key",
		"No ED25519 host key is known for github.com and you have requested strict checking. Host key verification failed.":                                                       "known_hosts",
		"fatal: unable to access 'https://github.com/town/rewards.git/': Could not resolve host: github.com":                                                                      "When the repository's remote can be reached",
	} {
		err := fmt.Errorf("reading the ledger's branch: %w", fmt.Errorf("%w fetch: exit status 128: %s", gitlog.ErrGit, said))
		if hint := (&program{}).hint(err); !strings.Contains(hint, want) {
			t.Errorf("%s\nhint: %s", said, hint)
		}
	}
	hint := (&program{}).hint(fmt.Errorf("%w fetch: %w", gitlog.ErrGit, context.DeadlineExceeded))
	if !strings.Contains(hint, "two minutes") {
		t.Error(hint)
	}
}
