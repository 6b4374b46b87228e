package wallet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha512"
	"errors"
	"fmt"
	"strings"
)

// Words is how many words a mnemonic has.
const Words = 24

// The parameters of TON's mnemonics without a password.
const (
	seedRounds  = 100_000
	seedSalt    = "TON default seed"
	checkRounds = seedRounds / 256
	checkSalt   = "TON seed version"
)

// ErrMnemonic is returned, wrapped, for words that make no key. It never holds
// a word.
var ErrMnemonic = errors.New("not a TON mnemonic")

// MnemonicOf takes the words from a text, in any case and with any spaces
// between them.
func MnemonicOf(text string) Mnemonic {
	words := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	return Mnemonic{func() string { return words }}
}

// KeyFromMnemonic derives the key of a 24-word TON mnemonic without a
// password. Another number of words, or words that fail the check that every
// TON mnemonic passes, are ErrMnemonic.
func KeyFromMnemonic(m Mnemonic) (Key, error) {
	words := ""
	if m.words != nil {
		words = m.words()
	}
	if n := len(strings.Fields(words)); n != Words {
		return Key{}, fmt.Errorf("%w: it has %d words instead of %d", ErrMnemonic, n, Words)
	}
	entropy := string(hmac.New(sha512.New, []byte(words)).Sum(nil))
	check, err := pbkdf2.Key(sha512.New, entropy, []byte(checkSalt), checkRounds, 1)
	if err != nil {
		return Key{}, fmt.Errorf("mnemonic: %w", err)
	}
	if check[0] != 0 {
		return Key{}, fmt.Errorf("%w: the words do not pass its check; one is misspelt or out of order, or a password belongs to it", ErrMnemonic)
	}
	seed, err := pbkdf2.Key(sha512.New, entropy, []byte(seedSalt), seedRounds, ed25519.SeedSize)
	if err != nil {
		return Key{}, fmt.Errorf("mnemonic: %w", err)
	}
	return KeyOf(ed25519.NewKeyFromSeed(seed))
}
