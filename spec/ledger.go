package spec

import (
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"

	"filippo.io/age"
	"gopkg.in/yaml.v3"
)

// A Ledger says where the record of what was bought is kept.
type Ledger struct {
	File       string          // relative to the project's folder, with slashes
	Branch     string          // of a git repository, that holds the log too; "" for none
	Remote     string          // of that repository
	EncryptTo  []age.Recipient // to whom the log on the branch is encrypted; plain text if there are none
	Identity   KeySource       // of what opens it; zero for the environment's own variables
	Persistent bool            // the file outlives the machine, so that it may stand alone in CI
	URL        string          // of a PostgreSQL database that holds the ledger in the place of a file; "" for none
	Name       string          // of the ledger in that database; "" for the usual one
	Pos        Pos
}

// DefaultRemote is where a branch is pushed to if the project doesn't say.
const DefaultRemote = "origin"

var (
	branchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
	remoteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	tableName  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

// ledger reads a path, an address, or fields.
func (l *loader) ledger(d *doc, e entry) {
	at := &l.p.Ledger
	at.Pos = d.pos(e.key)
	if e.value.Kind != yaml.MappingNode {
		if strings.Contains(e.value.Value, "://") {
			l.ledgerURL(d, e.value)
		} else {
			l.ledgerFile(d, e.value)
		}
		return
	}
	fields := map[string]*yaml.Node{}
	for _, f := range d.mapping(e.value, "ledger", "") {
		fields[f.name] = f.key
		switch f.name {
		case "file":
			l.ledgerFile(d, f.value)
		case "url":
			l.ledgerURL(d, f.value)
		case "name":
			if s, ok := d.text(f.value, "name", "spring"); ok {
				at.Name = s
				if !tableName.MatchString(s) || strings.HasPrefix(s, "pg_") {
					d.bad(f.value, "name", "write lower-case letters, digits and _", "%s is no name for a ledger in a database", clip(s))
				}
			}
		case "sync":
			l.sync(d, f.value)
		case "remote":
			if s, ok := d.text(f.value, "remote", DefaultRemote); ok {
				at.Remote = s
				if !remoteName.MatchString(s) {
					d.bad(f.value, "remote", "write the name of a remote of this repository: "+DefaultRemote, "%s is no name of a remote", clip(s))
				}
			}
		case "encrypt_to":
			l.encryptTo(d, f.value)
		case "identity":
			l.r.sources[d.file].hide(d.pos(f.value)) // it may be the identity itself
			at.Identity = d.keySource(f.value, "ledger.identity", "the identities")
			if at.Identity.Kind == "exec" {
				d.bad(f.value, "key", "write env:NAME, file:PATH or age:PATH", "ledger.identity has no exec: plan opens the ledger too, and runs no programs")
			}
		case "persistent":
			switch {
			case f.value.Kind == yaml.ScalarNode && !quoted(f.value) && (f.value.Value == "true" || f.value.Value == "false"):
				at.Persistent = f.value.Value == "true"
			default:
				d.bad(f.value, "type", "write persistent: true", "persistent must be true or false")
			}
		default:
			d.unknown(f.key, "ledger", "file", "sync", "remote", "encrypt_to", "identity", "persistent", "url", "name")
		}
	}
	for _, other := range []string{"file", "sync", "remote", "encrypt_to", "identity", "persistent"} {
		if fields["url"] != nil && fields[other] != nil {
			d.bad(fields[other], "ledger", "keep one of the two", "a ledger is in a database (url) or in a file: %s doesn't go with url", other)
		}
	}
	for _, of := range []string{"encrypt_to", "identity"} {
		if fields[of] != nil && fields["sync"] == nil && fields["url"] == nil {
			d.bad(fields[of], "ledger", `write sync: "git:fragplan-ledger" beside it`, "%s is about the log on a branch, and there is no sync", of)
		}
	}
	if fields["name"] != nil && fields["url"] == nil {
		d.bad(fields["name"], "ledger", "write url: postgres://user@host/database beside it", "name is the name of a ledger in a database, and there is no url")
	}
}

// ledgerURL reads the address of a database. A password never stands in it.
func (l *loader) ledgerURL(d *doc, n *yaml.Node) {
	const example = "postgres://user@host/database"
	s, ok := d.text(n, "url", example)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil {
		l.r.sources[d.file].hide(d.pos(n)) // it may hold a password
	}
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || len(s) > 500 {
		d.bad(n, "url", "write for example "+example, "this is no address of a PostgreSQL database")
		return
	}
	if _, set := u.User.Password(); set || u.Query().Has("password") {
		d.bad(n, "secret", "take it out, and change it: it is known to whoever has seen this file. Put the new one into the variable PGPASSWORD, or into a file that PGPASSFILE names", "a password must not stand in a file of the project")
		return
	}
	l.p.Ledger.URL = s
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
