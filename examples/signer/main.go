// Command signer is an example of a program that signs for fragplan: it holds
// the key in a file, as a real one does in an HSM, a KMS or a device, and looks
// for itself at what it signs.
//
//	wallet:
//	  signer: {exec: [signer, -max, "20", -max-usdt, "50", -usdt-wallet, UQ..., /etc/fragplan/key]}
//
// It signs text comments and transfers of USDT, and nothing else. No USDT is
// signed without -usdt-wallet, the jetton wallet in which the paying wallet has
// its USDT: a transfer says nothing of which jetton it is.
//
// The file holds the 32 bytes of an Ed25519 seed in hexadecimal digits. What is
// said on stdin and stdout is described in docs/signers.md.
package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

type question struct {
	Version int    `json:"fragplan"`
	Op      string `json:"op"`
	Hash    string `json:"hash"`
	Payload string `json:"payload"`
	Wallet  struct {
		Version ton.WalletVersion `json:"version"`
	} `json:"wallet"`
}

type answer struct {
	PublicKey string `json:"public_key,omitempty"`
	Signature string `json:"signature,omitempty"`
	Error     string `json:"error,omitempty"`
}

func main() {
	most := flag.String("max", "20", "the most TON that one message may pay")
	mostUSDT := flag.String("max-usdt", "0", "the most USDT that one message may pay")
	usdtWallet := flag.String("usdt-wallet", "", "the address of the paying wallet's jetton wallet of USDT")
	flag.Parse()
	var a answer
	l, err := parseLimits(*most, *mostUSDT, *usdtWallet)
	if err == nil {
		a, err = reply(l, flag.Arg(0))
	}
	if err != nil {
		a = answer{Error: err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		os.Exit(1)
	}
}

// limits are this signer's own, for one message.
type limits struct {
	ton    ton.Nano
	usdt   ton.Amount
	wallet ton.Address // of the paying wallet's USDT; zero for none
}

func parseLimits(most, mostUSDT, wallet string) (l limits, err error) {
	if l.ton, err = ton.ParseNano(most); err != nil {
		return l, err
	}
	if l.usdt, err = ton.ParseAmount(mostUSDT + " USDT"); err != nil {
		return l, err
	}
	if wallet != "" {
		l.wallet, _, err = ton.ParseAddress(wallet)
	}
	return l, err
}

func reply(l limits, file string) (answer, error) {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		return answer{}, err
	}
	key, err := readKey(file)
	if err != nil {
		return answer{}, err
	}
	public := hex.EncodeToString(key.Public().(ed25519.PublicKey))
	switch {
	case q.Version != 1:
		return answer{}, fmt.Errorf("this signer speaks version 1, not %d", q.Version)
	case q.Op == "public-key":
		return answer{PublicKey: public}, nil
	case q.Op != "sign":
		return answer{}, fmt.Errorf("unknown op %q", q.Op)
	}
	hash, err := inspect(q, l)
	if err != nil {
		return answer{}, err
	}
	return answer{PublicKey: public, Signature: hex.EncodeToString(ed25519.Sign(key, hash[:]))}, nil
}

// inspect returns the hash to sign, of what it has read itself: what fragplan
// says of a payload is for people, and a signer that trusts it guards nothing.
func inspect(q question, l limits) (ton.Hash, error) {
	boc, err := ton.ParseBase64(q.Payload)
	if err != nil {
		return ton.Hash{}, err
	}
	c, err := boc.Cell()
	if err != nil {
		return ton.Hash{}, err
	}
	p, err := ton.ParsePayload(q.Wallet.Version, c)
	if err != nil {
		return ton.Hash{}, err
	}
	var sum ton.Nano
	usdt := ton.Amount{Asset: ton.AssetUSDT}
	for _, t := range p.Transfers {
		if t.Amount > l.ton {
			return ton.Hash{}, fmt.Errorf("%s TON to %s is more than this signer allows", t.Amount, t.To)
		}
		if sum += t.Amount; sum > l.ton {
			return ton.Hash{}, fmt.Errorf("the message pays more than the %s TON that this signer allows", l.ton)
		}
		units, err := inUSDT(t, l)
		if err != nil {
			return ton.Hash{}, err
		}
		if usdt.Units += units; usdt.Units > l.usdt.Units {
			return ton.Hash{}, fmt.Errorf("the message pays more than the %s that this signer allows", l.usdt)
		}
	}
	hash := ton.Hash(c.Hash())
	if hash.String() != q.Hash {
		return ton.Hash{}, fmt.Errorf("the hash is not the payload's")
	}
	return hash, nil
}

// inUSDT is what a transfer pays in micro-USDT. A body that this signer can't read
// could do anything, and is an error.
func inUSDT(t ton.Transfer, l limits) (int64, error) {
	body, err := t.Body.Cell()
	if err != nil {
		return 0, err
	}
	if _, err := ton.Comment(body); err == nil {
		return 0, nil
	}
	j, err := ton.ParseJettonTransfer(body)
	if err != nil {
		return 0, fmt.Errorf("the body for %s is neither a text comment nor a transfer of USDT", t.To)
	}
	pays := ton.Amount{Asset: ton.AssetUSDT, Units: j.Amount}
	switch {
	case l.wallet.IsZero() || t.To != l.wallet:
		return 0, fmt.Errorf("this signer doesn't know %s as the wallet's jetton wallet of USDT: if it is, say so with -usdt-wallet", t.To)
	case j.Amount > l.usdt.Units:
		return 0, fmt.Errorf("%s to %s is more than this signer allows", pays, j.Destination)
	}
	return j.Amount, nil
}

func readKey(file string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read %s: chmod 600 it", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s holds no seed of 32 bytes in hexadecimal digits", file)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
