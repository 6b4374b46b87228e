package signer_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/signer"
	"github.com/fragplan/fragplan/ton"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

func ours(v ton.WalletVersion) ton.Wallet {
	return ton.Wallet{Version: v, PublicKey: key.Public().(ed25519.PublicKey), NetworkID: ton.Mainnet}
}

func payload(w ton.Wallet) ton.Payload {
	body := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake("50 Stars \x1b[2J\nл").EndCell()
	return ton.Payload{Wallet: w.Version, WalletID: w.ID(), Seqno: 5, ValidUntil: 2_000_000_000,
		Transfers: []ton.Transfer{{To: firewall.DefaultDestinations()[0], Amount: 460_900_000, Body: ton.BoCOf(body)}}}
}

// answers is a program that keeps what it was asked and prints text.
func (f folder) answers(text string) signer.Program {
	f.file("answer", 0o600, text)
	return signer.Program{Command: []string{"sh", "-c", "cat >question; cat answer"}, In: f.in()}
}

// A program is told what it signs, on one line of ASCII, and its signature
// makes the message that a key of this process would have made.
func TestProgramSigns(t *testing.T) {
	for _, v := range []ton.WalletVersion{ton.V5R1, ton.V4R2} {
		for name, encode := range map[string]func([]byte) string{"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString, "url": base64.RawURLEncoding.EncodeToString} {
			f, w := newFolder(t), ours(v)
			p := payload(w)
			hash, err := p.Hash()
			if err != nil {
				t.Fatal(err)
			}
			program := f.answers(`{"signature":"` + encode(ed25519.Sign(key, hash[:])) + `"}` + "\n")
			message, err := program.Sign(t.Context(), w, p, true, []string{"g/ann"})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := firewall.CheckMessage(message, p, w, true); err != nil {
				t.Error(err)
			}
			asked, err := os.ReadFile(filepath.Join(f.dir, "question"))
			if err != nil {
				t.Fatal(err)
			}
			if line := strings.TrimSuffix(string(asked), "\n"); strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) || len(line)+1 != len(asked) {
				t.Errorf("not one line of ASCII: %q", asked)
			}
			var q map[string]any
			if err := json.Unmarshal(asked, &q); err != nil {
				t.Fatal(err)
			}
			first := q["transfers"].([]any)[0].(map[string]any)
			if q["fragplan"] != 1.0 || q["op"] != "sign" || q["hash"] != hash.String() || q["seqno"] != 5.0 || q["valid_until"] != 2e9 ||
				first["amount"] != "460900000" || first["comment"] != "50 Stars \x1b[2J\nл" || first["key"] != "g/ann" || first["to"] != p.Transfers[0].To.String() {
				t.Errorf("asked %s", asked)
			}
			boc, err := ton.ParseBase64(q["payload"].(string))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := boc.Hash(); err != nil || got != hash {
				t.Errorf("the payload has the hash %s, %v", got, err)
			}
		}
	}
}

// Of a transfer of jettons a program is told who is paid what, and which jetton
// it is where that is known, not only the gas that goes to the jetton wallet.
func TestProgramIsToldOfJettons(t *testing.T) {
	w := ours(ton.V5R1)
	note := cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake("50 Stars").EndCell()
	paid, usdt := ton.Address{Account: [32]byte{0xbb}}, ton.Address{Account: [32]byte{0xcc}}
	body, err := ton.JettonTransfer{QueryID: 1 << 63, Amount: 750_000, Destination: paid, Response: w.Address(), Forward: 1, Payload: ton.BoCOf(note)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p := ton.Payload{Wallet: w.Version, WalletID: w.ID(), Seqno: 5, ValidUntil: 2_000_000_000,
		Transfers: []ton.Transfer{{To: usdt, Amount: ton.TON / 20, Body: ton.BoCOf(body)}}}
	for name, known := range map[string]ton.Address{"USDT": usdt, "unknown": {}, "another": paid} {
		f := newFolder(t)
		program := f.answers(`{"error":"no"}`)
		program.USDT = known
		if _, err := program.Sign(t.Context(), w, p, false, nil); err == nil {
			t.Fatal("a refusal is a message")
		}
		asked, err := os.ReadFile(filepath.Join(f.dir, "question"))
		if err != nil {
			t.Fatal(err)
		}
		var q struct {
			Minor     int
			Transfers []struct {
				Amount string
				Jetton map[string]string
			}
		}
		if err := json.Unmarshal(asked, &q); err != nil {
			t.Fatalf("%s: %v in %s", name, err, asked)
		}
		want := map[string]string{"units": "750000", "to": paid.String(), "response": w.Address().String(), "forward": "1", "comment": "50 Stars", "query_id": "9223372036854775808"}
		if known == usdt {
			want["asset"] = "USDT"
		}
		if q.Minor != 1 || len(q.Transfers) != 1 || q.Transfers[0].Amount != "50000000" || !maps.Equal(q.Transfers[0].Jetton, want) {
			t.Errorf("%s: asked %s", name, asked)
		}
	}
}

// What is not the wallet's signature over this payload never becomes a
// message, and the error says what was wrong with it.
func TestProgramFails(t *testing.T) {
	w := ours(ton.V5R1)
	p := payload(w)
	hash, err := p.Hash()
	if err != nil {
		t.Fatal(err)
	}
	good := hex.EncodeToString(ed25519.Sign(key, hash[:]))
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))
	f := newFolder(t)
	for name, c := range map[string]struct {
		program signer.Program
		want    string
	}{
		"nothing":             {f.answers(""), "did not answer with one JSON object"},
		"no JSON":             {newFolder(t).answers("hello"), "did not answer with one JSON object"},
		"two answers":         {newFolder(t).answers(`{"signature":"` + good + `"}{}`), "something stands behind it"},
		"no signature":        {newFolder(t).answers(`{}`), "answered without a signature"},
		"half a signature":    {newFolder(t).answers(`{"signature":"` + good[:64] + `"}`), "answered without a signature"},
		"of something else":   {newFolder(t).answers(`{"signature":"` + hex.EncodeToString(ed25519.Sign(key, []byte("else"))) + `"}`), "not the wallet's over this payload"},
		"of another key":      {newFolder(t).answers(`{"signature":"` + hex.EncodeToString(ed25519.Sign(stranger, hash[:])) + `"}`), "not the wallet's over this payload"},
		"and another key":     {newFolder(t).answers(`{"signature":"` + good + `","public_key":"` + hex.EncodeToString(stranger.Public().(ed25519.PublicKey)) + `"}`), "another key than the wallet's"},
		"a refusal":           {newFolder(t).answers(`{"error":"over my \u001b[31mlimit"}`), `refused; it said "over my \x1b[31mlimit"`},
		"an error":            {signer.Program{Command: []string{"sh", "-c", "echo no card >&2; exit 1"}, In: f.in()}, `exit status 1; it said "no card"`},
		"too late":            {signer.Program{Command: []string{"sh", "-c", "sleep 30"}, Timeout: 100 * time.Millisecond, In: f.in()}, "did not end within 100ms"},
		"too late, with more": {signer.Program{Command: []string{"sh", "-c", "sleep 30 & echo '{}'; sleep 30"}, Timeout: 100 * time.Millisecond, In: f.in()}, "did not end within 100ms"},
		"none":                {signer.Program{In: f.in()}, "no program is named"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			message, err := c.program.Sign(t.Context(), w, p, false, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || message != nil {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// A program says which key it signs with.
func TestProgramNamesItsKey(t *testing.T) {
	f := newFolder(t)
	want := ours(ton.V5R1).PublicKey
	if got, err := f.answers(`{"public_key":"` + base64.StdEncoding.EncodeToString(want) + `"}`).PublicKey(t.Context()); err != nil || !got.Equal(want) {
		t.Errorf("%x, %v", got, err)
	}
	if asked, err := os.ReadFile(filepath.Join(f.dir, "question")); err != nil || string(asked) != `{"fragplan":1,"minor":1,"op":"public-key"}`+"\n" {
		t.Errorf("asked %q, %v", asked, err)
	}
	if _, err := newFolder(t).answers(`{"public_key":"abc"}`).PublicKey(t.Context()); err == nil {
		t.Error("no key is taken for one")
	}
}
