package spec

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Ledger says where the record of what was bought is kept.
type Ledger struct {
	File       string // relative to the project's folder, with slashes
	Branch     string // of a git repository, that holds the log too; "" for none
	Remote     string // of that repository
	Persistent bool   // the file outlives the machine, so that it may stand alone in CI
	Pos        Pos
}

// DefaultRemote is where a branch is pushed to if the project doesn't say.
const DefaultRemote = "origin"

var (
	branchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
	remoteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

// ledger reads a path, or fields.
func (l *loader) ledger(d *doc, e entry) {
	at := &l.p.Ledger
	at.Pos = d.pos(e.key)
	if e.value.Kind != yaml.MappingNode {
		l.ledgerFile(d, e.value)
		return
	}
	for _, f := range d.mapping(e.value, "ledger", "") {
		switch f.name {
		case "file":
			l.ledgerFile(d, f.value)
		case "sync":
			l.sync(d, f.value)
		case "remote":
			if s, ok := d.text(f.value, "remote", DefaultRemote); ok {
				at.Remote = s
				if !remoteName.MatchString(s) {
					d.bad(f.value, "remote", "write the name of a remote of this repository: "+DefaultRemote, "%s is no name of a remote", clip(s))
				}
			}
		case "persistent":
			switch {
			case f.value.Kind == yaml.ScalarNode && !quoted(f.value) && (f.value.Value == "true" || f.value.Value == "false"):
				at.Persistent = f.value.Value == "true"
			default:
				d.bad(f.value, "type", "write persistent: true", "persistent must be true or false")
			}
		default:
			d.unknown(f.key, "ledger", "file", "sync", "remote", "persistent")
		}
	}
}

func (l *loader) ledgerFile(d *doc, n *yaml.Node) {
	s, ok := d.text(n, "ledger", DefaultLedger)
	if !ok {
		return
	}
	l.p.Ledger.File = s
	if !fs.ValidPath(s) || strings.ContainsAny(s, "\\\x00:") || path.Ext(s) == ".yaml" || s == "." || len(s) > 200 {
		d.bad(n, "path", "write for example "+DefaultLedger, "%s is not a path for a ledger inside the project's folder", clip(s))
	}
}

// sync reads where the log is kept beside the file.
func (l *loader) sync(d *doc, n *yaml.Node) {
	const example = `"git:fragplan-ledger"`
	s, ok := d.text(n, "sync", example)
	if !ok {
		return
	}
	branch, isGit := strings.CutPrefix(s, "git:")
	if !isGit || !branchName.MatchString(branch) || strings.HasSuffix(branch, ".lock") || strings.Contains(branch, "..") || len(branch) > 100 {
		d.bad(n, "sync", "write for example "+example, "%s is no branch to keep the ledger on", clip(s))
		return
	}
	l.p.Ledger.Branch = branch
}
