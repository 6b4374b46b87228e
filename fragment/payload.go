package fragment

import (
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

// Payload is what stands in the body of a transfer that Fragment asks for.
type Payload struct {
	Comment string   // the text; empty if the body is no text comment, as those of USDT: see the function Comment
	Ref     string   // Fragment's reference at the end of the comment; empty if there is none
	Body    ton.BoC  // the body itself, which has to be sent unchanged
	Hash    ton.Hash // of the body's root cell
}

// maxPayload bounds the base64 text of a body; a real one has about 200
// characters.
const maxPayload = 64 << 10

// DecodePayload reads the payload of a TON Connect message: base64 in either
// alphabet, padded or not, of a bag of cells. A body that is no comment is no
// error. Malformed texts are, and never a panic: [ErrPayload], and ErrBoC of
// package ton too if the base64 was sound.
func DecodePayload(s string) (Payload, error) {
	if len(s) > maxPayload {
		return Payload{}, fmt.Errorf("%w: %d characters are too many", ErrPayload, len(s))
	}
	boc, err := ton.ParseBase64(s)
	if err != nil {
		return Payload{}, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	c, err := boc.Cell()
	if err != nil {
		return Payload{}, fmt.Errorf("%w: %w", ErrPayload, ton.ErrBoC) // what was wrong in it helps nobody
	}
	p := Payload{Body: boc, Hash: ton.Hash(c.Hash())}
	// ErrNoComment is the only error: another kind of body.
	if p.Comment, err = ton.Comment(c); err == nil {
		p.Ref = RefID(p.Comment)
	}
	return p, nil
}

// Comment returns the text that a body takes to Fragment, however it is split
// into cells: that of a text comment, or the one that goes on with a transfer
// of jettons, which is how USDT is paid. Another body is ErrNoComment of
// package ton, and bytes that are no cells are its ErrBoC.
func Comment(body ton.BoC) (string, error) {
	c, err := body.Cell()
	if err != nil {
		return "", err
	}
	if t, err := ton.ParseJettonTransfer(c); err == nil {
		if c, err = t.Payload.Cell(); err != nil {
			return "", err
		}
	}
	return ton.Comment(c)
}

// RefID returns the reference at the end of a comment: what follows the last
// "Ref#", if that is 6 to 16 characters of A-Z, a-z, 0-9, "_" and "-". It is
// empty if there is none.
func RefID(comment string) string {
	i := strings.LastIndex(comment, "Ref#")
	if i < 0 {
		return ""
	}
	ref := comment[i+len("Ref#"):]
	if len(ref) < 6 || len(ref) > 16 || strings.ContainsFunc(ref, func(r rune) bool { return !isWord(r) && r != '-' }) {
		return ""
	}
	return ref
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}
