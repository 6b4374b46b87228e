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
	Ref     string       // Fragment's, at the end of the comment
	Item    product.Item // that the comment says was bought; zero if it is none of Fragment's
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

func (b Body) kind() string {
	switch {
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
		Kind          string  `json:"kind"` // comment, other
		Op            string  `json:"op,omitempty"`
		Comment       *string `json:"comment,omitempty"`
		Ref           string  `json:"ref,omitempty"`
		Product       string  `json:"product,omitempty"`
		Quantity      int64   `json:"quantity,omitempty"` // Stars or months
		Cells         int     `json:"cells"`
		Hash          string  `json:"hash"`
	}{JSONFormat, "other", b.Op, b.Comment, b.Ref, string(b.Item.Kind), b.Item.Quantity, b.Cells, b.Hash.String()}
	if b.Comment != nil {
		j.Kind = "comment"
	}
	return writeJSON(w, j)
}
