package signer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	reference "github.com/xssnick/tonutils-go/ton/wallet"

	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/wallet"
)

// folder is a project's folder and an environment.
type folder struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newFolder(t *testing.T) folder { return folder{t, t.TempDir(), map[string]string{}} }

func (f folder) file(name string, mode os.FileMode, text string) string {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		f.t.Fatal(err)
	}
	return path
}

func (f folder) in() signer.Surroundings {
	environ := func() []string {
		list := []string{"PATH=" + os.Getenv("PATH")}
		for k, v := range f.env {
			list = append(list, k+"="+v)
		}
		return list
	}
	return signer.Surroundings{Dir: f.dir, Getenv: func(k string) string { return f.env[k] }, Environ: environ, Secret: []string{"TREASURY", "NIGHT"}}
}

// read wants either a key or an error that holds want, and never a word.
func (f folder) read(words string, s signer.Source, want string) {
	f.t.Helper()
	m, err := s.Mnemonic(f.t.Context(), f.in())
	if want == "" {
		if err != nil {
			f.t.Fatal(err)
		}
		if _, err := wallet.KeyFromMnemonic(m); err != nil {
			f.t.Fatal(err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		f.t.Fatalf("got %v, want %q", err, want)
	}
	said := letters(err.Error())
	for word := range strings.FieldsSeq(words) {
		if slices.Contains(said, word) && !strings.Contains(want, word) && !slices.Contains(ownWords(f.t), word) {
			f.t.Errorf("the error %q holds the word %q", err, word)
		}
	}
	list := strings.Fields(words)
	for i := range len(list) - 1 {
		if strings.Contains(strings.Join(said, " "), list[i]+" "+list[i+1]) {
			f.t.Errorf("the error %q holds the words %q and %q", err, list[i], list[i+1])
		}
	}
}

// letters are the words of a text.
func letters(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
}

// ownWords are those that messages hold by themselves: recovery phrases are
// made of plain words too, such as key and more.
func ownWords(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	own := []string{"exit", "such", "file"} // what the system says
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own = append(own, letters(string(text))...)
	}
	return own
}

// The environment gives exactly one mnemonic, and only a file that nobody else
// can read is taken.
func TestMnemonicFromTheEnvironment(t *testing.T) {
	words := strings.Join(reference.NewSeed(), " ")
	f := newFolder(t)
	good := f.file("good", 0o600, words+"\n")
	if err := os.Symlink(good, filepath.Join(f.dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		want string // of the error; "" for none
	}{
		"words":         {map[string]string{signer.EnvMnemonic: words}, ""},
		"file":          {map[string]string{signer.EnvMnemonicFile: good}, ""},
		"neither":       {nil, "neither FRAGPLAN_MNEMONIC nor FRAGPLAN_MNEMONIC_FILE is set"},
		"both":          {map[string]string{signer.EnvMnemonic: words, signer.EnvMnemonicFile: good}, "keep one"},
		"group may":     {map[string]string{signer.EnvMnemonicFile: f.file("group", 0o640, words)}, "chmod 600"},
		"all may":       {map[string]string{signer.EnvMnemonicFile: f.file("all", 0o604, words)}, "chmod 600"},
		"missing":       {map[string]string{signer.EnvMnemonicFile: filepath.Join(f.dir, "none")}, "no such file"},
		"folder":        {map[string]string{signer.EnvMnemonicFile: f.dir}, "no plain file"},
		"link":          {map[string]string{signer.EnvMnemonicFile: filepath.Join(f.dir, "link")}, "is a link"},
		"empty":         {map[string]string{signer.EnvMnemonicFile: f.file("empty", 0o600, "")}, "empty"},
		"large":         {map[string]string{signer.EnvMnemonicFile: f.file("large", 0o600, strings.Repeat("a ", 4096))}, "too large"},
		"owner may not": {map[string]string{signer.EnvMnemonicFile: f.file("owner", 0o400, words)}, ""},
	} {
		t.Run(name, func(t *testing.T) { folder{t, f.dir, c.env}.read(words, signer.Source{}, c.want) })
	}
	if _, err := (signer.Source{}).Mnemonic(t.Context(), folder{t, f.dir, nil}.in()); !errors.Is(err, signer.ErrNoMnemonic) {
		t.Errorf("got %v", err)
	}
}

// fragplan.yaml says where the words are: only there are they looked for, and
// what is wrong is said without them.
func TestSources(t *testing.T) {
	words := strings.Join(reference.NewSeed(), " ")
	f := newFolder(t)
	f.env["TREASURY"], f.env["NIGHT"] = words, "stel_token=Sup3r"
	f.env["HOME"] = f.dir
	f.file("words", 0o600, words)
	f.file("open", 0o644, words)
	f.file("mad.sh", 0o755, "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' 'a'\n")
	f.file("sorry.sh", 0o755, "#!/bin/sh\necho "+words+"\nprintf 'locked\\033[2J\\n' >&2\nexit 3\n")
	f.file("loud.sh", 0o755, "#!/bin/sh\necho unlocked: "+strings.Join(strings.Fields(words)[3:12], " ")+" >&2\nexit 4\n")
	f.file("told.sh", 0o755, "#!/bin/sh\necho 'cookie: stel_token=1f7a9c0b3d5e7f9a1b' >&2\nexit 4\n")
	f.file("env.sh", 0o755, "#!/bin/sh\nenv >seen\necho "+words+"\n")
	f.env[signer.EnvMnemonic], f.env["FRAGMENT_COOKIE"], f.env[signer.EnvAgePassphrase] = "not these", "stel_ssid=1", "secret"
	for name, c := range map[string]struct {
		source signer.Source
		want   string
	}{
		"env":              {signer.Source{Kind: signer.Env, Name: "TREASURY"}, ""},
		"env unset":        {signer.Source{Kind: signer.Env, Name: "NONE"}, "env:NONE, and that variable is not set"},
		"file":             {signer.Source{Kind: signer.File, Name: "words"}, ""},
		"file, absolute":   {signer.Source{Kind: signer.File, Name: filepath.Join(f.dir, "words")}, ""},
		"file, at home":    {signer.Source{Kind: signer.File, Name: "~/words"}, ""},
		"file for all":     {signer.Source{Kind: signer.File, Name: "open"}, "chmod 600"},
		"exec":             {signer.Source{Kind: signer.Exec, Command: []string{"cat", "words"}}, ""},
		"exec in folder":   {signer.Source{Kind: signer.Exec, Command: []string{"./env.sh"}}, ""},
		"no program":       {signer.Source{Kind: signer.Exec, Command: []string{"no-such-program-here"}}, `there is no program "no-such-program-here"`},
		"exec fails":       {signer.Source{Kind: signer.Exec, Command: []string{"./sorry.sh"}}, `exit status 3; it said "locked\x1b[2J"`},
		"exec says words":  {signer.Source{Kind: signer.Exec, Command: []string{"./loud.sh"}}, "exit status 4; it said something (hidden: it holds secret words)"},
		"exec says cookie": {signer.Source{Kind: signer.Exec, Command: []string{"./told.sh"}}, "exit status 4; it said something (hidden: it holds a session cookie)"},
		"exec without end": {signer.Source{Kind: signer.Exec, Command: []string{"./mad.sh"}}, "printed more than 4096 bytes"},
		"exec of nothing":  {signer.Source{Kind: signer.Exec, Command: []string{"true"}}, "it is empty"},
		"no shell":         {signer.Source{Kind: signer.Exec, Command: []string{"cat", "words; true"}}, "exit status 1"},
	} {
		t.Run(name, func(t *testing.T) { folder{t, f.dir, f.env}.read(words, c.source, c.want) })
	}
	seen, err := os.ReadFile(filepath.Join(f.dir, "seen"))
	if err != nil || !strings.Contains(string(seen), "HOME="+f.dir) {
		t.Fatalf("the child's environment is %q, %v", seen, err)
	}
	for _, name := range []string{"TREASURY", "NIGHT", "FRAGPLAN_", "FRAGMENT_"} {
		if strings.Contains(string(seen), name) {
			t.Errorf("a child saw %s: %q", name, seen)
		}
	}
}

// An age file opens with its identity or its passphrase, in either form, and
// with nothing else.
func TestAge(t *testing.T) {
	words := strings.Join(reference.NewSeed(), " ")
	f := newFolder(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := age.NewScryptRecipient("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	lock.SetWorkFactor(10)
	seal := func(to age.Recipient, text string, armored bool) string {
		t.Helper()
		var b bytes.Buffer
		w, shell := io.Writer(&b), io.WriteCloser(nil)
		if armored {
			shell = armor.NewWriter(&b)
			w = shell
		}
		sealed, err := age.Encrypt(w, to)
		if err == nil {
			_, err = io.WriteString(sealed, text)
		}
		err = errors.Join(err, sealed.Close())
		if armored {
			err = errors.Join(err, shell.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	f.file("x.age", 0o644, seal(identity.Recipient(), words, false))
	f.file("x.asc", 0o644, seal(identity.Recipient(), words, true))
	f.file("p.age", 0o644, seal(lock, words, true))
	f.file("large.age", 0o644, seal(lock, strings.Repeat("a ", 4096), false))
	f.file("torn.age", 0o644, seal(identity.Recipient(), words, false)[:220])
	mine := f.file("identity", 0o600, "# made for this test\n"+identity.String()+"\n")
	theirs := f.file("other", 0o600, other.String()+"\n")
	for name, c := range map[string]struct {
		file, identity, passphrase, want string
	}{
		"identity":              {"x.age", mine, "", ""},
		"identity, armored":     {"x.asc", mine, "", ""},
		"passphrase":            {"p.age", "", "correct horse", ""},
		"another identity":      {"x.age", theirs, "", "neither the identities nor the passphrase open it"},
		"another passphrase":    {"p.age", "", "wrong horse", "neither the identities nor the passphrase open it"},
		"neither":               {"x.age", "", "", "set FRAGPLAN_AGE_IDENTITY"},
		"both":                  {"x.age", mine, "correct horse", "keep one"},
		"identity for all":      {"x.age", f.file("open", 0o644, identity.String()), "", "chmod 600"},
		"no identity":           {"x.age", f.file("words", 0o600, words), "", "holds no identities"},
		"not encrypted":         {"words", mine, "", "not encrypted at all"},
		"torn":                  {"torn.age", mine, "", "no intact file"},
		"much too large inside": {"large.age", "", "correct horse", "too large"},
		"missing":               {"none.age", mine, "", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{signer.EnvAgeIdentity: c.identity, signer.EnvAgePassphrase: c.passphrase}
			folder{t, f.dir, env}.read(words, signer.Source{Kind: signer.Age, Name: c.file}, c.want)
			if c.want == "" {
				return
			}
			if _, err := (signer.Source{Kind: signer.Age, Name: c.file}).Mnemonic(t.Context(), folder{t, f.dir, env}.in()); strings.Contains(fmt.Sprint(err), "AGE-SECRET-KEY") {
				t.Error("the error holds the identity")
			}
		})
	}
}
