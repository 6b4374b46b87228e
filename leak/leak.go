// Package leak finds secrets that were pasted into texts: the words of a
// wallet, cookies of a Fragment session, private keys.
//
// It reads no files, and nothing that it returns holds a secret.
package leak

import (
	"bytes"
	"slices"
)

// Kind is what a secret is.
type Kind string

// The kinds.
const (
	Words  Kind = "seed words"
	Cookie Kind = "session cookie"
	Key    Kind = "private key"
)

// Finding is where a secret begins.
type Finding struct {
	Line int // from 1
	Kind Kind
}

// Most is how many secrets of a text are named. A text with more has them in
// other places too.
const Most = 100

// Find returns the secrets in a text, by line, at most Most of them; two of a
// kind on a line count once.
func Find(text []byte) []Finding {
	var found []Finding
	for _, line := range seeds(text) {
		found = append(found, Finding{line, Words})
	}
	found = append(found, lines(text, cookies(text), Cookie)...)
	found = append(found, lines(text, keys(text), Key)...)
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Line - b.Line })
	found = slices.Compact(found)
	return found[:min(len(found), Most)]
}

// lines counts line ends once for all places in the text.
func lines(text []byte, places []int, kind Kind) (found []Finding) {
	slices.Sort(places)
	line, counted := 1, 0
	for _, at := range places {
		line += bytes.Count(text[counted:at], []byte("\n"))
		counted = at
		found = append(found, Finding{line, kind})
	}
	return found
}
