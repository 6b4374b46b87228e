package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fragplan/fragplan/report"
)

// envSandbox turns rehearsals on without -sandbox.
const envSandbox = "FRAGPLAN_SANDBOX"

// rehearses reads FRAGPLAN_SANDBOX. What is neither a yes nor a no is an
// error: whoever set it means a rehearsal, and the other mode spends money.
func (p *program) rehearses() (bool, error) {
	value := p.getenv(envSandbox)
	if value == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("%s=%q is neither a yes nor a no: set it to 1 to rehearse, or to 0 or nothing for real money", envSandbox, value)
	}
	return on, nil
}

// mode is the flags with which another command works on the same folder and
// the same ledger as this one.
func (p *program) mode() string {
	flags := p.place()
	if p.sandbox {
		flags += " -sandbox"
	}
	return flags
}

func (p *program) place() string {
	if p.dir == "." {
		return ""
	}
	return " -chdir=" + shell(p.dir)
}

// ownCommand finds the commands that a text of fragplan's own names, and tells
// where it is only about their usage.
var ownCommand = regexp.MustCompile(`(?:Usage: |See: |\b)fragplan (?:-sandbox )?(init|validate|fmt|plan|show|approve|apply|explain|forecast|report|receipt|fragment|doctor|ci|ledger|payment|reissue|sandbox)\b`)

// ofFolder are the commands that need no -sandbox: they touch no ledger, or the
// sandbox's world alone.
var ofFolder = []string{"init", "validate", "fmt", "ci", "sandbox"}

// complete gives the commands in a text the flags of this run. Without them,
// what is copied out of a rehearsal would act on the real ledger.
func (p *program) complete(text string) string {
	return ownCommand.ReplaceAllStringFunc(text, func(command string) string {
		word, own := strings.CutPrefix(command, "fragplan ")
		if !own {
			return command
		}
		if slices.Contains(ofFolder, word) || strings.HasPrefix(word, "-sandbox ") {
			return "fragplan" + p.place() + " " + word
		}
		return "fragplan" + p.mode() + " " + word
	})
}

// shell quotes a word for a shell, if it has to be.
func shell(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(report.Clean(word, 0), "'", `'\''`) + "'"
}
