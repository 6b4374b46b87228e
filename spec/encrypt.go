package spec

import (
	"errors"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"gopkg.in/yaml.v3"
)

// encryptTo reads to whom the log on a branch is encrypted. What they open it
// with never stands in a file of the project.
func (l *loader) encryptTo(d *doc, n *yaml.Node) {
	const example = "encrypt_to: [age1…]"
	hint := "write what age-keygen prints as the public key (age1…), or the public half of an SSH key (ssh-ed25519 …)"
	members := d.listOf(n, "encrypt_to", "[age1…]")
	if n.Kind == yaml.SequenceNode && len(members) == 0 {
		d.bad(n, "empty-list", "write "+example+", or take the field out", "encrypt_to names nobody")
	}
	for _, m := range members {
		if private(m.Value) {
			l.r.sources[d.file].hide(d.pos(m))
			d.bad(m, "secret", "take it out, and make another one: it is known to whoever has seen this file. "+strings.ToUpper(hint[:1])+hint[1:], "a private key must not stand in a file of the project")
			continue
		}
		s, ok := d.text(m, "encrypt_to", example)
		if !ok {
			continue
		}
		recipient, err := parseRecipient(s)
		if err != nil {
			d.bad(m, "encrypt_to", hint, "%s is no recipient of age", clip(s))
			continue
		}
		l.p.Ledger.EncryptTo = append(l.p.Ledger.EncryptTo, recipient)
	}
	if to := l.p.Ledger.EncryptTo; len(to) > 0 && len(to) == len(members) {
		if _, err := age.Encrypt(io.Discard, to...); err != nil {
			d.bad(n, "encrypt_to", "take either only post-quantum ones (age1pq1…) or none", "age can't encrypt to all of these at once")
		}
	}
}

func private(s string) bool {
	s = strings.ToUpper(s)
	return strings.Contains(s, "AGE-SECRET-KEY-") || strings.Contains(s, "PRIVATE KEY")
}

var errRecipient = errors.New("no recipient")

// parseRecipient reads one recipient: of age itself, or an SSH public key.
func parseRecipient(s string) (age.Recipient, error) {
	if strings.HasPrefix(s, "ssh-") {
		return agessh.ParseRecipient(s)
	}
	if strings.ContainsAny(s, "\r\n") {
		return nil, errRecipient
	}
	list, err := age.ParseRecipients(strings.NewReader(s))
	if err == nil && len(list) != 1 {
		err = errRecipient
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}
