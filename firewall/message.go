package firewall

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/xssnick/tonutils-go/tlb"

	"github.com/fragplan/fragplan/ton"
)

// CheckMessage parses the final bytes again, as they came from the signer, and
// returns why they must not leave, as a *Refusal, or nil if they bring exactly
// the payload to exactly the wallet, with its valid signature, and deploy it
// just where that is expected.
func CheckMessage(message ton.BoC, p ton.Payload, w ton.Wallet, deploys bool) error {
	const rule = "what leaves must be what was recorded, signed with the wallet's key"
	no := func(expected, format string, received ...any) error {
		return refuse(WrongMessage, rule, expected, format, received...)
	}
	to, deployed, body, err := ton.ParseExternal(message)
	if err != nil {
		return no("an external message", "%v", err)
	}
	if to != w.Address() {
		return no("a message to "+w.Address().String(), "%s", to)
	}
	if deployed != deploys {
		return no(fmt.Sprintf("deployment: %t", deploys), "%t", deployed)
	}
	payload, signature, err := ton.SplitBody(w.Version, body)
	if err != nil {
		return no("a signed payload", "%v", err)
	}
	want, err := p.Hash()
	if err != nil {
		return no("a payload that encodes", "%v", err)
	}
	if got := ton.Hash(payload.Hash()); got != want {
		return no("payload "+want.String(), "%s", got)
	}
	// Rebuilt from what was read it must be the same, byte for byte: nothing
	// else is in it, and no second form of it goes out.
	var init *tlb.StateInit
	if deploys {
		init = w.StateInit()
	}
	again, err := ton.External(to, init, body)
	if err != nil {
		return no("a message that encodes", "%v", err)
	}
	if !bytes.Equal(again, message) {
		return no("a plain envelope", "one with more in it, or packed otherwise")
	}
	if len(w.PublicKey) != ed25519.PublicKeySize || !ed25519.Verify(w.PublicKey, want[:], signature) {
		return no("a valid signature", "one that the wallet would refuse")
	}
	return nil
}
