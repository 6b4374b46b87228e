package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/reconcile"
)

// Waiting mends no history that servers have forgotten: the hint says what does.
func TestForgottenHistoryHasItsOwnHint(t *testing.T) {
	err := fmt.Errorf("%w: %w", reconcile.ErrChain, fmt.Errorf("history: %w", chain.ErrPruned))
	if hint := (&program{}).hint(err); !strings.Contains(hint, "archive") || !strings.Contains(hint, "global.config.json") {
		t.Error(hint)
	}
}
