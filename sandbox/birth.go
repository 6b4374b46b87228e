package sandbox

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/xssnick/tonutils-go/ton/wallet"

	"github.com/fragplan/fragplan/ton"
)

// birth is what a world is made from, once.
type birth struct {
	Seed     int64             `json:"seed"`
	Version  ton.WalletVersion `json:"wallet_version"`
	Mnemonic []string          `json:"mnemonic"`
	Balance  ton.Nano          `json:"balance,string"`
	Cookie   string            `json:"cookie,omitempty"`

	// PublicKey follows from the words, by a tenth of a second of hashing that
	// no later start needs.
	PublicKey ed25519.PublicKey `json:"public_key"`
}

// bear reads the folder's world, or decides what a new one is made of. A world
// that was not funded to the end has no file and is made anew.
func bear(o Options) (b birth, born bool, err error) {
	err = readJSON(filepath.Join(o.Dir, birthFile), &b)
	if err == nil && len(b.PublicKey) != ed25519.PublicKeySize {
		return birth{}, false, fmt.Errorf("%s: it has no public_key: another version made it; remove the folder to begin a new world", birthFile)
	}
	if err == nil {
		return b, false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return birth{}, false, err
	}
	for _, half := range []string{"network.jsonl", "market.jsonl"} {
		if err := os.Remove(filepath.Join(o.Dir, half)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return birth{}, false, err
		}
	}
	var n [8]byte
	if _, err := rand.Read(n[:]); err != nil {
		return birth{}, false, err
	}
	b = birth{Seed: int64(binary.BigEndian.Uint64(n[:]) >> 1), Version: o.Version, Mnemonic: wallet.NewSeed(), Balance: o.Balance}
	key, err := wallet.SeedToPrivateKeyWithOptions(b.Mnemonic)
	if err != nil {
		return birth{}, false, err
	}
	b.PublicKey = key.Public().(ed25519.PublicKey)
	if b.Version == "" {
		b.Version = ton.V5R1
	}
	switch {
	case o.Empty:
		b.Balance = 0
	case b.Balance == 0:
		b.Balance = 1000 * ton.TON
	}
	return b, true, nil
}

func seed(n int64) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("network"), uint64(n)))
}
