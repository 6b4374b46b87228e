package fragment

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// verbatim is a scalar as a form of the page would send it back: false is
// "false". It is empty for what is no scalar.
func verbatim(raw json.RawMessage) string {
	var text loose
	if string(raw) == "false" || len(raw) == 0 || json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return string(text)
}

// badAnswer is the error for an answer that was read and lacks something.
func badAnswer(method, why string) error {
	return &Error{Method: method, Status: http.StatusOK, Kind: ErrBadAnswer, Cause: errors.New(why)}
}

// loose is a scalar whose type the service isn't strict about: a string is its
// text, a number its digits, true "true", and null and false are empty.
type loose string

// UnmarshalJSON accepts any value; objects and arrays are empty.
func (l *loose) UnmarshalJSON(b []byte) error {
	*l = ""
	switch text := string(b); {
	case text == "null" || text == "false" || b[0] == '{' || b[0] == '[':
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*l = loose(s)
	default:
		*l = loose(text)
	}
	return nil
}

func (l loose) bool() bool { return l != "" && l != "0" && !strings.EqualFold(string(l), "false") }
