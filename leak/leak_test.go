package leak_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fragplan/fragplan/leak"
)

func wordList(t testing.TB) []string {
	b, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// The list is the English one of BIP-39, to the byte.
func TestWordList(t *testing.T) {
	const published = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
	b, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != published {
		t.Errorf("its SHA-256 is %s", got)
	}
}

// The ways in which people paste a phrase into files. Each returns a text
// without it before and behind.
var forms = map[string]func(words []string) string{
	"line":       func(w []string) string { return strings.Join(w, " ") },
	"upper case": func(w []string) string { return strings.ToUpper(strings.Join(w, " ")) },
	"capitals":   func(w []string) string { return "Seed: " + capitals(w) },
	"env file":   func(w []string) string { return `FRAGPLAN_MNEMONIC="` + strings.Join(w, " ") + `"` },
	"shell":      func(w []string) string { return "export WORDS='" + strings.Join(w, " ") + "' && run" },
	"Go":         func(w []string) string { return "\twords := strings.Fields(`" + strings.Join(w, " ") + "`)" },
	"Go slice":   func(w []string) string { return `var words = []string{"` + strings.Join(w, `", "`) + `"}` },
	"JSON":       func(w []string) string { b, _ := json.Marshal(map[string]any{"mnemonic": w}); return string(b) },
	"JSON lines": func(w []string) string { b, _ := json.MarshalIndent(w, "", "  "); return string(b) },
	"YAML list":  func(w []string) string { return "words:\n  - " + strings.Join(w, "\n  - ") },
	"YAML block": func(w []string) string {
		return "words: >\n  " + strings.Join(w[:6], " ") + "\n  " + strings.Join(w[6:], " ")
	},
	"one a line": func(w []string) string { return strings.Join(w, "\n") },
	"Windows":    func(w []string) string { return strings.Join(w, "\r\n") },
	"commas":     func(w []string) string { return strings.Join(w, ",") },
	"tabs":       func(w []string) string { return strings.Join(w, "\t") },
	"escaped":    func(w []string) string { return `"` + strings.Join(w, `\n`) + `"` },
	"numbered": func(w []string) string {
		return each(w, func(i int, s string) string { return fmt.Sprintf("%d. %s\n", i+1, s) })
	},
	"numbered )": func(w []string) string {
		return each(w, func(i int, s string) string { return fmt.Sprintf("%2d) %s   ", i+1, s) })
	},
	"JSON object": func(w []string) string {
		return each(w, func(i int, s string) string { return fmt.Sprintf("\"%d\": \"%s\",\n", i+1, s) })
	},
	"# comment": func(w []string) string { return each(w, func(_ int, s string) string { return "# " + s + "\n" }) },
	"// comment": func(w []string) string {
		return "// " + strings.Join(w[:5], " ") + "\n\t// " + strings.Join(w[5:], " ")
	},
	"table": func(w []string) string {
		return each(w, func(i int, s string) string { return fmt.Sprintf("| %d | %s |\n", i+1, s) })
	},
	"hyphens":     func(w []string) string { return strings.Join(w, "-") },
	"underscores": func(w []string) string { return strings.Join(w, "_") },
	"URL":         func(w []string) string { return "https://x.example/?seed=" + strings.Join(w, "%20") },
	"prose":       func(w []string) string { return "Please keep safe: " + strings.Join(w, " ") + ". Thank you" },
}

func capitals(words []string) string {
	var list []string
	for _, w := range words {
		list = append(list, strings.ToUpper(w[:1])+w[1:])
	}
	return strings.Join(list, " ")
}

func each(words []string, line func(int, string) string) string {
	var b strings.Builder
	for i, w := range words {
		b.WriteString(line(i, w))
	}
	return b.String()
}

// Every phrase of 12, 18 or 24 words is found, in whatever form it was pasted
// (safety: a corpus of fake seeds, all of them found), at its line.
func TestSeedsAreFound(t *testing.T) {
	list := wordList(t)
	r := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for name, form := range forms {
		for _, n := range []int{12, 18, 24} {
			for range 20 {
				words := make([]string, n)
				for i := range words {
					words[i] = list[r.IntN(len(list))]
				}
				text := "<html>\n\n" + form(words) + "\n\n}\n"
				tried++
				if got := leak.Find([]byte(text)); len(got) != 1 || got[0].Kind != leak.Words || got[0].Line < 3 || got[0].Line > 4 {
					t.Errorf("%s of %d: found %v in\n%s", name, n, got, text)
				}
			}
		}
	}
	t.Logf("%d of %d fake phrases found", tried, tried)
}

// What looks alike and opens nothing: the list itself, prose, test phrases of
// one word, eleven words.
func TestNoSeeds(t *testing.T) {
	list := wordList(t)
	for name, text := range map[string]string{
		"the list":     strings.Join(list, "\n"),
		"a part of it": strings.Join(list[100:124], " "),
		"one word":     strings.Repeat("test ", 23) + "junk",
		"eleven":       strings.Join([]string{"zoo", "abandon", "ability", "able", "travel", "absent", "absorb", "zone", "absurd", "abuse", "access"}, " "),
		"prose": `You will have this only when you try: that system can make money, and there is
more than enough time, such as when people come early, keep
quick notes about what will happen next year, like always.`,
		"code": `switch kind { case open, close, type, return, this, that: file.table.order.index.item.code.list(when, what, where) }`,
	} {
		if got := leak.Find([]byte(text)); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A part of a phrase is noticed where one is at hand, as programs say it; what
// they say otherwise is not hidden.
func TestPartsOfPhrases(t *testing.T) {
	for text, want := range map[string]bool{
		"drink level extra angle":                                             true,
		"invalid mnemonic: \"drink level extra angle spoil stumble\"":         true,
		"1. drink\n2. level\n3. extra\n4. angle\n":                            true,
		"drink level extra":                                                   false,
		"the vault is locked":                                                 false,
		"error: no card; wait and try again":                                  false,
		"you will have this time when that happens":                           false,
		"gpg: public key decryption failed: Inappropriate ioctl":              false,
		"[ERROR] 2026/01/02 session expired, sign in to create a new session": false,
	} {
		if got := leak.WordsIn([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// Cookies and keys are found in the forms in which they are copied, and what
// only names them is not.
func TestCookiesAndKeys(t *testing.T) {
	_, private, err := ed25519.GenerateKey(bytes.NewReader(bytes.Repeat([]byte("seed of a test. "), 4)))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	seed := private.Seed()
	const id, token = "9f1c0de4a7b35520aa_1234567890123456789", "q7Zk3vXw9Lm2Np8Rt5Ys"
	for name, c := range map[string]struct {
		text string
		want []leak.Finding
	}{
		"header":            {"x\nCookie: stel_ssid=" + id + "; stel_dt=-180", []leak.Finding{{2, leak.Cookie}}},
		"quoted":            {`curl -H "Cookie: stel_token=` + token + `"`, []leak.Finding{{1, leak.Cookie}}},
		"JSON":              {`{"stel_dt": "-180", "stel_ton_token": "` + token + `"}`, []leak.Finding{{1, leak.Cookie}}},
		"YAML":              {"cookies:\n  stel_token: " + token, []leak.Finding{{2, leak.Cookie}}},
		"Python":            {`cookies['stel_token'] = '` + token + `'`, nil}, // a bracket stands between; see below
		"dict":              {`{'stel_token': '` + token + `'}`, []leak.Finding{{1, leak.Cookie}}},
		"cookies.txt":       {"#HttpOnly_.fragment.com\tTRUE\t/\tTRUE\t0\tstel_ssid\t" + id, []leak.Finding{{1, leak.Cookie}}},
		"export":            {"[\n{\n\"domain\": \"fragment.com\",\n\"name\": \"stel_token\",\n\"path\": \"/\",\n\"value\": \"" + token + "\"\n}]", []leak.Finding{{4, leak.Cookie}}},
		"export, reversed":  {`[{"value":"` + token + `","name":"stel_token"}]`, []leak.Finding{{1, leak.Cookie}}},
		"its name only":     {"the cookies stel_ssid, stel_dt, stel_token and stel_ton_token of a session", nil},
		"a stand-in":        {"stel_ssid=<your session>; stel_token=xxxxxxxxxxxxxxxx; stel_ton_token=YOUR_TOKEN_HERE", nil},
		"PEM":               {"key:\n" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), []leak.Finding{{2, leak.Key}}},
		"PEM in a string":   {`k = "-----BEGIN EC PRIVATE KEY-----\n` + base64.StdEncoding.EncodeToString(der) + `\n"`, []leak.Finding{{1, leak.Key}}},
		"PEM's name":        {`if strings.Contains(s, "-----BEGIN PRIVATE KEY-----") {`, nil},
		"age":               {"AGE-SECRET-KEY-1" + strings.Repeat("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA", 2)[:58], []leak.Finding{{1, leak.Key}}},
		"hexadecimal":       {"PRIVATE_KEY=" + hex.EncodeToString(seed), []leak.Finding{{1, leak.Key}}},
		"hexadecimal, 64":   {`secretKey := "` + hex.EncodeToString(private) + `"`, []leak.Finding{{1, leak.Key}}},
		"base64":            {`"private_key": "` + base64.StdEncoding.EncodeToString(seed) + `"`, []leak.Finding{{1, leak.Key}}},
		"a public key":      {"public_key: " + hex.EncodeToString(private.Public().(ed25519.PublicKey)), nil},
		"a hash":            {"seed of sha256 " + hex.EncodeToString(seed), nil},
		"two on one line":   {"PRIVATE_KEY=" + hex.EncodeToString(seed) + " SECRET_KEY=" + hex.EncodeToString(seed), []leak.Finding{{1, leak.Key}}},
		"nothing but zeros": {"private_key=" + strings.Repeat("0", 64), nil},
	} {
		if d := cmp.Diff(c.want, leak.Find([]byte(c.text))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Of a thousand ordinary files, taken evenly from Go's own source tree, fewer
// than ten are called out. Those that hold keys for tests do hold keys.
func TestFalseAlarms(t *testing.T) {
	files := ordinary(t)
	alarms, keys := 0, 0
	for i := range 1000 {
		name := files[i*len(files)/1000]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range leak.Find(b) {
			if f.Kind == leak.Key && bytes.Contains(b, []byte("PRIVATE KEY-----")) {
				keys++
				break
			}
			alarms++
			t.Logf("%s:%d: %s", name, f.Line, f.Kind)
			break
		}
	}
	t.Logf("of 1000 files, %d false alarms, and %d with keys for tests", alarms, keys)
	if alarms >= 10 {
		t.Errorf("%d false alarms in 1000 files", alarms)
	}
}

func ordinary(t testing.TB) (files []string) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains([]string{".go", ".md", ".txt", ".s", ".html", ".json", ".yaml", ".sh", ".c", ".h", ".js"}, filepath.Ext(path)) {
			files = append(files, path)
		}
		return nil
	})
	if len(files) < 1000 {
		t.Skipf("%s holds %d files only", root, len(files))
	}
	return files
}

// A text that is full of secrets takes no longer than its length, and its first
// hundred are named, each on its line.
func TestManySecrets(t *testing.T) {
	const many = 200_000
	text := []byte(strings.Repeat("stel_ssid=a1b2c3d4e5f6a7b8c9\n", many))
	began := time.Now()
	found := leak.Find(text)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("%d secrets took %v", many, took)
	}
	if len(found) != leak.Most {
		t.Fatalf("%d secrets are named, want %d", len(found), leak.Most)
	}
	for i, f := range found {
		if want := (leak.Finding{Line: i + 1, Kind: leak.Cookie}); f != want {
			t.Fatalf("%v, want %v", f, want)
		}
	}
}

// No text takes long or breaks it, lines are lines of the text, and a text that
// holds a phrase still holds it behind any other line.
func FuzzFind(f *testing.F) {
	f.Add([]byte("stel_token=q7Zk3vXw9Lm2Np8Rt5Ys\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"))
	phrase := "drink level extra angle spoil stumble juice choose search divide sail need"
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, found := range leak.Find(text) {
			if found.Line < 1 || found.Line > bytes.Count(text, []byte("\n"))+1 {
				t.Errorf("line %d", found.Line)
			}
		}
		whole := append(slices.Clone(text), "\n(\n"+phrase...)
		at := bytes.Count(text, []byte("\n")) + 3
		if !slices.Contains(leak.Find(whole), leak.Finding{Line: at, Kind: leak.Words}) {
			t.Errorf("the phrase on line %d is lost", at)
		}
	})
}

// How fast a tree is read.
func BenchmarkFind(b *testing.B) {
	var text []byte
	for i, name := range ordinary(b) {
		if i%50 == 0 {
			part, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			text = append(text, part...)
		}
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		leak.Find(text)
	}
}
