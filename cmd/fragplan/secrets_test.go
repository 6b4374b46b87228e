package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"

	"github.com/fragplan/fragplan/sandbox"
)

// Every script watches for secrets: when it ends, what its commands have
// printed and every file that they left, ledgers and plans among them, are
// searched for the words, the key and the session of each world that was made,
// with which the commands have worked. They are looked for as they are, in
// base64 at each alignment, in hexadecimal, as in a URL, and backwards. Only the
// world's own files, which hold them on purpose, and those that a script fills
// with them itself are left out.

// watched is a test whose output is searched.
type watched struct {
	*testing.T
	said *strings.Builder
}

// searches counts what was searched, so that a search of nothing is noticed.
var searches, searchedSecrets atomic.Int64

func (w watched) Verbose() bool { return true } // all output is wanted, not only that of a failure

func (w watched) Log(args ...any) {
	w.Helper()
	w.said.WriteString(fmt.Sprintln(args...))
	if testing.Verbose() || w.Failed() {
		w.T.Log(args...)
	}
}

// FailNow prints what was kept back.
func (w watched) FailNow() {
	w.Helper()
	w.T.Log(w.said.String())
	w.T.FailNow()
}

func (w watched) Run(name string, f func(testscript.T)) {
	w.T.Run(name, func(t *testing.T) {
		said := &strings.Builder{}
		t.Cleanup(func() {
			secrets, _ := canaries.Load(name)
			list, _ := secrets.([]canary)
			for _, leak := range leaks(printed(said.String()), list) {
				t.Errorf("the output of %s holds %s", name, leak)
			}
		})
		f(watched{t, said})
	})
}

// A canary is a secret: a text that must stay inside.
type canary struct{ name, text string }

// forms are those in which a secret is searched for.
func (s canary) forms() map[string]string {
	forms := map[string]string{
		"as it is": s.text, "in hexadecimal": hex.EncodeToString([]byte(s.text)), "in capital hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(s.text))),
		"backwards": reversed(s.text), "as in a URL": url.QueryEscape(s.text), "as in a path": url.PathEscape(s.text), "as a list of JSON": strings.ReplaceAll(s.text, " ", `","`), "with other spaces": strings.ReplaceAll(s.text, " ", "\n"), "as bytes of Go": strings.Trim(fmt.Sprint([]byte(s.text)), "[]"),
	}
	for shift := range 3 {
		// The first and the last letter depend on what stands beside it.
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "the base64 of URLs": base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, shift), s.text...))
			forms[fmt.Sprintf("in %s after %d bytes", name, shift)] = text[(shift*8+5)/6 : len(text)-1]
		}
	}
	return forms
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// leaks names the secrets that a text holds, and how.
func leaks(text string, secrets []canary) (found []string) {
	searches.Add(1)
	for _, s := range secrets {
		for how, form := range s.forms() {
			if strings.Contains(text, form) {
				found = append(found, s.name+" "+how)
				break
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// wordsOf are a recovery phrase as a whole, each run of four of its words, and
// the key that they make.
func wordsOf(name string, words []string) []canary {
	list := []canary{{name, strings.Join(words, " ")}}
	for i := 0; i+4 <= len(words); i++ {
		list = append(list, canary{fmt.Sprintf("words %d to %d of %s", i+1, i+4, name), strings.Join(words[i:i+4], " ")})
	}
	if key, err := tonwallet.SeedToPrivateKeyWithOptions(words); err == nil {
		list = append(list, canary{"the key of " + name, string(key.Seed())})
	}
	return list
}

// worldMade are the files from which a world's secrets are read, and given those
// into which scripts put secrets themselves, as people do.
var (
	worldMade = []string{"world.json", "running.json"}
	given     = []string{"words", "key", "session.json", "cookies", "cookies.json", "one.txt", "over.json", "two.json"}
)

// canaries are the secrets of each script's worlds, which are gone when its
// output is searched.
var canaries sync.Map // of []canary, by script

// printed is what commands have printed: without the script's own lines.
func printed(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(strings.TrimSpace(line), "> ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// watchSecrets searches the files of a script when it ends, before they are
// removed.
func watchSecrets(e *testscript.Env, t *testing.T) {
	script := strings.TrimPrefix(filepath.Base(e.WorkDir), "script-")
	e.Defer(func() {
		var secrets []canary
		each(e.WorkDir, func(path string, body []byte) {
			var facts sandbox.Facts
			if !slices.Contains(worldMade, filepath.Base(path)) || json.Unmarshal(body, &facts) != nil || len(facts.Mnemonic) == 0 {
				return
			}
			secrets = append(secrets, wordsOf("a world's recovery phrase", facts.Mnemonic)...)
			for cookie := range strings.SplitSeq(facts.Cookie, "; ") {
				if _, value, _ := strings.Cut(cookie, "="); len(value) >= 8 {
					secrets = append(secrets, canary{"a session's cookie", value})
				}
			}
		})
		canaries.Store(script, secrets)
		searchedSecrets.Add(int64(len(secrets)))
		each(e.WorkDir, func(path string, body []byte) {
			own := strings.Contains(filepath.ToSlash(path), "/.fragplan/sandbox/") && !strings.HasPrefix(filepath.Base(path), "ledger")
			if own || slices.Contains(given, filepath.Base(path)) {
				return
			}
			for _, leak := range leaks(string(body), secrets) {
				t.Errorf("%s: the file %s holds %s", script, path, leak)
			}
		})
	})
}

// each reads every file below a folder.
func each(dir string, do func(path string, body []byte)) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if body, err := os.ReadFile(path); err == nil {
			do(path, body)
		}
		return nil
	})
}

// A secret is found in each of its forms, in the midst of other text.
func TestSecretsAreFound(t *testing.T) {
	s := canary{"canary", "tower-Ümlaut+and/42"}
	for how, form := range s.forms() {
		if found := leaks("before "+form+" behind", []canary{s}); len(found) == 0 {
			t.Errorf("%s: not found", how)
		}
	}
	for shift := range 3 {
		text := strings.Repeat("x", shift) + s.text + "and more"
		for name, encoded := range map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(text)), "URL's base64": base64.URLEncoding.EncodeToString([]byte(text))} {
			if found := leaks(encoded, []canary{s}); len(found) == 0 {
				t.Errorf("%s at %d: not found", name, shift)
			}
		}
	}
	if found := leaks("nothing of it", []canary{s}); len(found) > 0 {
		t.Errorf("found %v in nothing", found)
	}
}

// panics is fragplan with a fault: it has read its secrets, and falls over with
// everything that it holds in its last words.
func panics() {
	p := &program{fragmentURL: os.Getenv("FRAGMENT_URL"), stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, dir: "."}
	project, err := p.load()
	if err == nil {
		err = project.openLedger(context.Background())
	}
	if err == nil {
		_, err = project.seats(context.Background())
	}
	if err == nil {
		_, err = project.signer(context.Background())
	}
	if err != nil || len(project.market) == 0 || project.key == nil {
		fmt.Fprintln(os.Stderr, "no secret was read:", err)
		os.Exit(1)
	}
	c := project.market[0].client
	panic(fmt.Sprintf("%v %+v %#v %s %q %x | %+v %#v | %+v %#v %q %x | %+v %#v", project.key, project.key, project.key, project.key, project.key, project.key, project.market, project.market, c.Cookie, c.Cookie, c.Cookie, c.Cookie, *project, project))
}
