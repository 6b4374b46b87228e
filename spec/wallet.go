package spec

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/ton"
)

// The longest time that a signer may be given, in seconds: a message lives for
// three minutes.
const maxTimeout = 150

func (l *loader) wallet(d *doc, e entry) {
	const example = "wallet: {version: v5r1, address: UQ…}"
	w := &l.p.Wallet
	w.Pos = d.pos(e.key)
	seen := map[string]bool{}
	var key *yaml.Node
	for _, f := range d.mapping(e.value, "wallet", "write "+example) {
		seen[f.name] = true
		switch f.name {
		case "version":
			if s, ok := d.text(f.value, "the wallet's version", "v5r1 or v4r2"); ok {
				v, err := ton.ParseWalletVersion(s)
				if err != nil {
					d.bad(f.value, "wallet", "write v5r1 or v4r2", "unknown wallet version %s", clip(s))
				}
				w.Version = v
			}
		case "address":
			w.Address, _ = d.address(f.value, "the wallet's address")
		case "public_key":
			w.PublicKey = d.publicKey(f.value)
		case "key":
			key, w.Key = f.key, d.keySource(f.value, "wallet.key", "the words")
		case "signer":
			w.Signer = d.signer(f.value)
		default:
			d.unknown(f.key, "wallet", "version", "address", "public_key", "key", "signer")
		}
	}
	if e.value.Kind == yaml.MappingNode {
		d.require(e.value, "wallet", seen, [][2]string{{"version", "version: v5r1"}, {"address", "address: UQ…"}})
	}
	if seen["key"] && seen["signer"] {
		d.bad(key, "wallet", "take one of them out", "wallet has a key and a signer: one of them signs")
	}
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// keySource reads where a secret is. What is not understood may be the secret
// itself, so no message holds it.
func (d *doc) keySource(n *yaml.Node, field, what string) KeySource {
	hint := "write env:NAME, file:PATH, age:PATH or {exec: [PROGRAM, ARGUMENT]}. If " + what + " stood here, take them out of the file and of its history"
	if n.Kind == yaml.MappingNode {
		return KeySource{Kind: "exec", Command: d.program(n, field).Command}
	}
	if n.Kind != yaml.ScalarNode {
		d.bad(n, "key", hint, "%s must say where %s are", field, what)
		return KeySource{}
	}
	kind, name, ok := strings.Cut(n.Value, ":")
	name = strings.TrimSpace(name)
	switch {
	case !ok || name == "" || strings.ContainsRune(name, 0):
	case kind == "env" && variable.MatchString(name), kind == "file", kind == "age":
		return KeySource{Kind: kind, Name: name}
	case kind == "exec":
		return KeySource{Kind: kind, Command: strings.Fields(name)}
	}
	d.bad(n, "key", hint, "%s doesn't say where %s are", field, what)
	return KeySource{}
}

func (d *doc) signer(n *yaml.Node) Program {
	if n.Kind != yaml.MappingNode {
		d.bad(n, "type", "write signer: {exec: [PROGRAM, ARGUMENT]}", "wallet.signer must be fields, not %s", kind(n))
		return Program{}
	}
	return d.program(n, "wallet.signer", "timeout")
}

// program reads {exec: [PROGRAM, ARGUMENT]}, with a timeout where that is known.
func (d *doc) program(n *yaml.Node, what string, more ...string) (p Program) {
	example := "exec: [PROGRAM, ARGUMENT]"
	seen := map[string]bool{}
	for _, f := range d.mapping(n, what, "write "+example) {
		seen[f.name] = true
		switch {
		case f.name == "exec":
			members, _ := d.list(f.value, what+".exec", example)
			for _, m := range members {
				switch {
				case m.Kind != yaml.ScalarNode:
					d.bad(m, "type", "write "+example, "%s.exec must be a program and its arguments", what)
				case m.Value == "" && len(p.Command) == 0, strings.ContainsRune(m.Value, 0):
					d.bad(m, "type", "write "+example, "%s.exec names no program", what)
				default:
					p.Command = append(p.Command, m.Value)
				}
			}
		case f.name == "timeout" && len(more) > 0:
			s, ok := d.text(f.value, what+".timeout", "60s")
			t, err := time.ParseDuration(s)
			if ok && (err != nil || t < time.Second || t > maxTimeout*time.Second) {
				d.bad(f.value, "timeout", "write 1s to 150s: a message lives for three minutes", "%s.timeout is not a time that a signer can be given", what)
			}
			p.Timeout = t
		default:
			d.unknown(f.key, what, append([]string{"exec"}, more...)...)
		}
	}
	d.require(n, what, seen, [][2]string{{"exec", example}})
	return p
}

func (d *doc) publicKey(n *yaml.Node) ed25519.PublicKey {
	const hint = "write 64 hexadecimal digits or base64, as the signer shows it"
	s, ok := d.text(n, "the wallet's public key", "64 hexadecimal digits")
	if !ok {
		return nil
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(b) != ed25519.PublicKeySize {
		d.bad(n, "public-key", hint, "public_key is no public key of 32 bytes")
		return nil
	}
	return b
}
