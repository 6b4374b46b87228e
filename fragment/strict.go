package fragment

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds how deep an answer may be nested; real ones are 4 deep.
const maxDepth = 16

// strict reports why an answer is not one JSON value that every reader takes
// for the same: readers differ in which of two equal names counts, in whether
// case makes names differ, and in what broken text means. Package json takes
// the last of equal names, in any case, and mends the text.
func strict(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := strictValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it holds more than one value")
	}
	return nil
}

func strictValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errors.New("it is not JSON")
	}
	delim, nested := t.(json.Delim)
	if !nested {
		return nil
	}
	if depth == maxDepth {
		return errors.New("it is nested too deep")
	}
	var names map[string]bool
	for d.More() {
		if delim == '{' {
			t, err := d.Token()
			if err != nil {
				return errors.New("it is not JSON")
			}
			name := caseless(t.(string)) // nothing else stands before a colon
			if names[name] {
				return errors.New("a name stands twice in it")
			}
			if names == nil {
				names = map[string]bool{}
			}
			names[name] = true
		}
		if err := strictValue(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// caseless is the same for names that package json takes for the same.
func caseless(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for s := unicode.SimpleFold(r); s != r; s = unicode.SimpleFold(s) {
			least = min(least, s)
		}
		return least
	}, name)
}
