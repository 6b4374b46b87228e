package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/ton"
)

// maxPayload bounds what decode reads; a real body has about 60 bytes.
const maxPayload = 64 << 10

func (p *program) fragmentDecode() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "decode PAYLOAD", Short: "Read the body of a transfer, without asking anybody", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			text := args[0]
			if text == "-" {
				b, err := io.ReadAll(io.LimitReader(p.stdin, maxPayload+1))
				if err != nil {
					return fmt.Errorf("payload: %w", err)
				}
				text = string(b)
			}
			body, err := decodeBody(text)
			if err != nil {
				return err
			}
			if asJSON {
				return report.DecodedBodyJSON(p.stdout, body)
			}
			return report.DecodedBody(p.stdout, body, p.style())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// decodeBody reads a bag of cells: base64 in either alphabet, hexadecimal
// digits, or the bytes themselves.
func decodeBody(text string) (report.Body, error) {
	if len(text) > maxPayload {
		return report.Body{}, fmt.Errorf("payload: it is larger than %d bytes", maxPayload)
	}
	payload := strings.TrimSpace(text)
	if b, err := hex.DecodeString(payload); err == nil {
		payload = ton.BoC(b).Base64()
	} else if strings.HasPrefix(text, "\xb5\xee\x9c\x72") {
		payload = ton.BoC(text).Base64()
	}
	decoded, err := fragment.DecodePayload(payload)
	if err != nil {
		return report.Body{}, fmt.Errorf("%w: give base64, hexadecimal digits, or - and the bytes on stdin", err)
	}
	root, err := decoded.Body.Cell()
	if err != nil {
		return report.Body{}, err
	}
	b := report.Body{Hash: decoded.Hash, Cells: count(root), Bits: int(root.BitsSize()), Ref: decoded.Ref}
	s, err := root.BeginParse()
	if err != nil {
		return b, nil // a special cell holds no operation
	}
	if op, err := s.LoadUInt(32); err == nil {
		b.Op = fmt.Sprintf("%08x", op)
	}
	inner := root
	if t, err := ton.ParseJettonTransfer(root); err == nil {
		b.Jetton = &t
		if inner, err = t.Payload.Cell(); err != nil {
			return b, nil
		}
	}
	if text, err := ton.Comment(inner); err == nil {
		b.Comment, b.Ref = &text, fragment.RefID(text)
		// A top-up's comment doesn't say how much.
		if item, _, ok := firewall.Recognize(text, ton.TON); ok && item.Kind != product.TopUp {
			b.Item = item
		}
	}
	return b, nil
}

// count is how many different cells there are.
func count(root *cell.Cell) int {
	seen := map[ton.Hash]bool{}
	var walk func(*cell.Cell)
	walk = func(c *cell.Cell) {
		if h := ton.Hash(c.Hash()); seen[h] {
			return
		} else {
			seen[h] = true
		}
		for i := range int(c.RefsNum()) {
			if child, err := c.PeekRef(i); err == nil {
				walk(child)
			}
		}
	}
	walk(root)
	return len(seen)
}
