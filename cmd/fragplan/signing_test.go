package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xssnick/tonutils-go/ton/wallet"
)

// seed FILE writes the seed of the world's key in hexadecimal digits, as
// examples/signer wants it.
func seed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: seed FILE")
	}
	key, err := wallet.SeedToPrivateKeyWithOptions(strings.Fields(ts.Getenv("WORDS")))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(hex.EncodeToString(key.Seed())+"\n"), 0o600))
}

// secret FILE... fails if anything in the folder, but for these files and the
// sandbox's world, holds the words of $WORDS or the key that they make, in any
// usual form. What commands printed must be in files for that.
func secret(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: secret FILE...")
	}
	words := strings.Fields(ts.Getenv("WORDS"))
	key, err := wallet.SeedToPrivateKeyWithOptions(words)
	ts.Check(err)
	canaries := [][]byte{
		[]byte(strings.Join(words[:4], " ")), []byte(strings.Join(words[20:], " ")), []byte(strings.Join(words[:4], ",")), []byte(strings.Join(words[:4], `","`)),
		key.Seed(), []byte(hex.EncodeToString(key.Seed())), []byte(base64.StdEncoding.EncodeToString(key.Seed()))[:40],
		[]byte(base64.StdEncoding.EncodeToString([]byte(strings.Join(words, " "))))[:40],
	}
	known := map[string]bool{}
	for _, name := range args {
		known[ts.MkAbs(name)] = true
	}
	root, looked := ts.MkAbs("."), 0
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() || known[path] {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if strings.HasPrefix(name, filepath.Join(".fragplan", "sandbox")) && filepath.Base(name) != "ledger.db" {
			return nil // the world's own
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		for _, canary := range canaries {
			if bytes.Contains(b, canary) {
				ts.Fatalf("%s holds the secret", name)
			}
		}
		return nil
	}))
	if looked == 0 {
		ts.Fatalf("there was nothing to look at")
	}
}

// seal FILE IDENTITY writes the words of $WORDS as age encrypts them, and the
// identity that opens it. seal FILE -passphrase TEXT encrypts them with that.
func seal(ts *testscript.TestScript, neg bool, args []string) {
	locked := len(args) == 3 && args[1] == "-passphrase"
	if neg || len(args) != 2 && !locked {
		ts.Fatalf("usage: seal FILE IDENTITY or seal FILE -passphrase TEXT")
	}
	var to age.Recipient
	if locked {
		lock, err := age.NewScryptRecipient(args[2])
		ts.Check(err)
		lock.SetWorkFactor(10)
		to = lock
	} else {
		identity, err := age.GenerateX25519Identity()
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(identity.String()+"\n"), 0o600))
		to = identity.Recipient()
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	ts.Check(err)
	_, err = io.WriteString(w, ts.Getenv("WORDS"))
	ts.Check(errors.Join(err, w.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// identity FILE writes an identity of age, and sets $RECIPIENT to its recipient.
func identity(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: identity FILE")
	}
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(id.String()+"\n"), 0o600))
	ts.Setenv("RECIPIENT", id.Recipient().String())
	ts.Setenv("IDENTITY", id.String())
}
