package report

import (
	"fmt"
	"io"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Body is what stands in the body of a message. Its texts come from outside.
type Body struct {
	Hash    ton.Hash // of the root cell
	Cells   int
	Bits    int    // of the root cell
	Op      string // the first 32 bits as hexadecimal digits; empty if there are fewer
	Comment *string
	Ref     string              // Fragment's, at the end of the comment
	Item    product.Item        // that the comment says was bought; zero if it is none of Fragment's
	Jetton  *ton.JettonTransfer // nil for another body; the comment is then that of its payload
}

// DecodedBody writes a fact a line.
func DecodedBody(w io.Writer, b Body, s Style) error {
	rows := [][]string{{"body", b.kind()}}
	add := func(label, text string) {
		if text != "" {
			rows = append(rows, []string{label, text})
		}
	}
	if b.Op != "" {
		add("op", "0x"+b.Op)
	}
	if j := b.Jetton; j != nil {
		add("sum", fmt.Sprintf("%d units, which are %s if it is USDT", j.Amount, ton.Amount{Asset: ton.AssetUSDT, Units: j.Amount}))
		add("to", j.Destination.String())
		add("rest to", orNothing(j.Response))
		add("forwards", j.Forward.String()+" TON")
		add("query id", fmt.Sprintf("%d", j.QueryID))
	}
	if b.Comment != nil {
		// Quoted, because spaces and line breaks are part of what is signed.
		add("comment", fmt.Sprintf("%q", *b.Comment))
	}
	add("ref", b.Ref)
	if b.Item.Quantity > 0 {
		add("pays for", b.Item.String())
	}
	add("cells", fmt.Sprintf("%d, the first of %d bits", b.Cells, b.Bits))
	add("hash", b.Hash.String())
	return s.rows(w, rows, nil)
}

// orNothing is an address, or nothing for none.
func orNothing(a ton.Address) string {
	if a.IsZero() {
		return ""
	}
	return a.String()
}

func (b Body) kind() string {
	switch {
	case b.Jetton != nil:
		return "transfer of jettons (TEP-74)"
	case b.Comment != nil:
		return "text comment"
	case b.Bits == 0 && b.Cells == 1:
		return "empty"
	}
	return "of another kind than fragplan reads"
}

// DecodedBodyJSON writes the same as one JSON object with format_version, on
// one line of ASCII.
func DecodedBodyJSON(w io.Writer, b Body) error {
	j := struct {
		FormatVersion string  `json:"format_version"`
		Kind          string  `json:"kind"` // comment, jetton_transfer, other
		Op            string  `json:"op,omitempty"`
		Comment       *string `json:"comment,omitempty"`
		Ref           string  `json:"ref,omitempty"`
		Product       string  `json:"product,omitempty"`
		Quantity      int64   `json:"quantity,omitempty"`    // Stars or months
		Units         string  `json:"units,omitempty"`       // of the jetton, an integer
		Destination   string  `json:"destination,omitempty"` // of the jettons
		Response      string  `json:"response,omitempty"`    // gets what is left of the gas
		Forward       string  `json:"forward,omitempty"`     // nanoTON, an integer
		QueryID       string  `json:"query_id,omitempty"`
		Cells         int     `json:"cells"`
		Hash          string  `json:"hash"`
	}{
		FormatVersion: JSONFormat, Kind: "other", Op: b.Op, Comment: b.Comment, Ref: b.Ref,
		Product: string(b.Item.Kind), Quantity: b.Item.Quantity, Cells: b.Cells, Hash: b.Hash.String(),
	}
	switch t := b.Jetton; {
	case t != nil:
		j.Kind, j.Units, j.Destination, j.Response = "jetton_transfer", fmt.Sprint(t.Amount), t.Destination.String(), orNothing(t.Response)
		j.Forward, j.QueryID = fmt.Sprint(int64(t.Forward)), fmt.Sprint(t.QueryID)
	case b.Comment != nil:
		j.Kind = "comment"
	}
	return writeJSON(w, j)
}
