// Package wallet holds the key and signs payloads with it.
//
// It has no network and no clock, and chooses nothing: seqno, deadline and
// transfers are all in the payload that it is given.
package wallet

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tlb"
)

// A Wallet is a wallet contract and the key that moves its money.
type Wallet struct {
	public  ton.Wallet
	address ton.Address
	key     Key
}

// New returns the wallet of this contract version and key on the network with
// this global id. Only V5R1 depends on the network.
func New(version ton.WalletVersion, key Key, network int32) (*Wallet, error) {
	if _, err := ton.ParseWalletVersion(string(version)); err != nil {
		return nil, err
	}
	if key.private == nil {
		return nil, errors.New("wallet without a key")
	}
	w := &Wallet{key: key, public: ton.Wallet{Version: version, PublicKey: key.Public(), NetworkID: network}}
	w.address = w.public.Address()
	return w, nil
}

// Address is the account that the version, the key and, for V5R1, the network
// determine.
func (w *Wallet) Address() ton.Address { return w.address }

// Public is everything about the wallet that is no secret.
func (w *Wallet) Public() ton.Wallet { return w.public }

// ErrForeign is returned, wrapped, for a payload of another wallet or network.
var ErrForeign = errors.New("the payload is another wallet's")

// Sign returns the external message that carries out p. With deploy it also
// holds the wallet's code and first data, which a wallet that is not on the
// chain yet needs. Equal arguments give equal bytes. A payload of another
// wallet or network is ErrForeign.
func (w *Wallet) Sign(p ton.Payload, deploy bool) (ton.BoC, error) {
	if err := own(w.public, p); err != nil {
		return nil, err
	}
	hash, err := p.Hash()
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return Assemble(w.public, p, deploy, ed25519.Sign(w.key.private(), hash[:]))
}

// ErrSignature is returned, wrapped, for a signature that is not the wallet's
// over the payload.
var ErrSignature = errors.New("the signature is not the wallet's over this payload")

// Assemble returns the external message that carries out p, with a signature
// that was made elsewhere. One that the wallet would refuse is ErrSignature.
func Assemble(w ton.Wallet, p ton.Payload, deploy bool, signature []byte) (ton.BoC, error) {
	if err := own(w, p); err != nil {
		return nil, err
	}
	hash, err := p.Hash()
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if len(signature) != ed25519.SignatureSize || !ed25519.Verify(w.PublicKey, hash[:], signature) {
		return nil, ErrSignature
	}
	body, err := p.Sign(signature)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	var init *tlb.StateInit
	if deploy {
		init = w.StateInit()
	}
	signed, err := ton.External(w.Address(), init, body)
	if err != nil {
		return nil, fmt.Errorf("external message: %w", err)
	}
	// What leaves is judged by its bytes, not by what they were made from.
	if err := check(w, signed, hash, deploy); err != nil {
		return nil, fmt.Errorf("signed message: %w", err)
	}
	return signed, nil
}

func own(w ton.Wallet, p ton.Payload) error {
	if p.Wallet != w.Version || p.WalletID != w.ID() {
		return fmt.Errorf("%w: it names %s wallet %d, the key is for %s wallet %d", ErrForeign, p.Wallet, p.WalletID, w.Version, w.ID())
	}
	return nil
}

func check(w ton.Wallet, signed ton.BoC, want ton.Hash, deploy bool) error {
	to, deploys, body, err := ton.ParseExternal(signed)
	if err != nil {
		return err
	}
	if to != w.Address() || deploys != deploy {
		return errors.New("it goes elsewhere or deploys something else")
	}
	c, signature, err := ton.SplitBody(w.Version, body)
	if err != nil {
		return err
	}
	p, err := ton.ParsePayload(w.Version, c)
	if err != nil {
		return err
	}
	got, err := p.Hash()
	if err != nil {
		return err
	}
	if got != want || !ed25519.Verify(w.PublicKey, got[:], signature) {
		return errors.New("it does not hold the payload, or its signature is wrong")
	}
	return nil
}
