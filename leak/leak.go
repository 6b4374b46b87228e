// Package leak finds secrets that were pasted into texts: the words of a
// wallet, cookies of a Fragment session, private keys.
//
// It reads no files, and nothing that it returns holds a secret.
package leak

import "slices"

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

// Find returns the secrets in a text, by line; two of a kind on a line count
// once.
func Find(text []byte) []Finding {
	var found []Finding
	for _, at := range seeds(text) {
		found = append(found, Finding{at, Words})
	}
	for _, at := range cookies(text) {
		found = append(found, Finding{lineOf(text, at), Cookie})
	}
	for _, at := range keys(text) {
		found = append(found, Finding{lineOf(text, at), Key})
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Line - b.Line })
	return slices.Compact(found)
}

func lineOf(text []byte, at int) int {
	n := 1
	for _, b := range text[:at] {
		if b == '\n' {
			n++
		}
	}
	return n
}
