package leak

import (
	"bytes"
	"regexp"
)

// A cookie's name and value: as in a header, in JSON, in cookies.txt, or as an
// extension exports it, the value behind the name.
var cookieForms = []*regexp.Regexp{
	regexp.MustCompile(`stel_(?:ssid|token|ton_token)["'\\]{0,2}\s{0,3}[=:\t,]\s{0,3}["'\\]{0,2}([A-Za-z0-9_%.~+/-]{12,})`),
	regexp.MustCompile(`(?s)"stel_(?:ssid|token|ton_token)"[^{}]{0,300}?"value"\s{0,3}:\s{0,3}"([A-Za-z0-9_%.~+/-]{12,})"`),
	regexp.MustCompile(`(?s)"value"\s{0,3}:\s{0,3}"([A-Za-z0-9_%.~+/-]{12,})"[^{}]{0,300}?"stel_(?:ssid|token|ton_token)"`),
}

// cookies returns where values of cookies stand. What has no digit or no
// letter, or repeats few characters, stands for a value.
func cookies(text []byte) []int {
	if !bytes.Contains(text, []byte("stel_")) {
		return nil
	}
	return matches(text, cookieForms, 5)
}

// Keys that say themselves what they are.
var sealedForms = []*regexp.Regexp{
	// The line that begins a key in PEM, and enough of its body.
	regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----[\s"'+\\nr]{1,20}(?:[A-Z][A-Za-z-]{2,20}: [^\n]{1,100}\n\s{0,20}){0,3}([A-Za-z0-9+/=]{32,})`),
	regexp.MustCompile(`(AGE-SECRET-KEY-1[0-9A-Z]{58})`),
}

// Keys of 32 or 64 bytes, with a name that says what they are. The text is in
// small letters, but for base64.
var namedForms = []*regexp.Regexp{
	regexp.MustCompile(`^(?:private|secret|signing|priv)[_\- ]?(?:key|seed)["']?\s{0,3}(?::=|[:=])\s{0,3}["'` + "`" + `]?(?:0x)?([0-9a-f]{128}|[0-9a-f]{64})(?:[^0-9a-z]|$)`),
	regexp.MustCompile(`^(?:private|secret|signing|priv)[_\- ]?(?:key|seed)["']?\s{0,3}(?::=|[:=])\s{0,3}["'` + "`" + `]?([a-z0-9+/]{86}==|[a-z0-9+/]{43}=)`),
}

// keys returns where private keys stand.
func keys(text []byte) (at []int) {
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) || bytes.Contains(text, []byte("AGE-SECRET-KEY-1")) {
		at = matches(text, sealedForms, 8)
	}
	small := make([]byte, len(text))
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		small[i] = c
	}
	for _, name := range []string{"priv", "secret", "signing"} {
		for from := 0; ; from += len(name) {
			i := bytes.Index(small[from:], []byte(name))
			if i < 0 {
				break
			}
			from += i
			if len(matches(small[from:min(from+longestNamed, len(small))], namedForms, 8)) > 0 {
				at = append(at, from)
			}
		}
	}
	return at
}

// longestNamed is more than a name and its key take up, in bytes.
const longestNamed = 256

// matches returns where the forms match whose value looks drawn by lot: it has
// letters and digits, and at least so many different characters.
func matches(text []byte, forms []*regexp.Regexp, distinct int) (at []int) {
	for _, form := range forms {
		for _, m := range form.FindAllSubmatchIndex(text, -1) {
			if lottery(text[m[2]:m[3]], distinct) {
				at = append(at, m[0])
			}
		}
	}
	return at
}

func lottery(value []byte, distinct int) bool {
	var seen [256]bool
	n, digits, letters := 0, false, false
	for _, c := range value {
		if !seen[c] {
			seen[c] = true
			n++
		}
		digits = digits || c >= '0' && c <= '9'
		letters = letters || letter(c)
	}
	return n >= distinct && digits && letters
}
