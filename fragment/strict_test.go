package fragment_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/fragment"
)

// An answer that two readers could take for different things is none.
func TestAmbiguousAnswers(t *testing.T) {
	good := link("460900000", stars50)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, answer := range map[string]string{
		"an amount twice":         strings.Replace(good, `"amount":`, `"amount":"1","amount":`, 1),
		"an amount in other case": strings.Replace(good, `"amount":`, `"AMOUNT":"1","amount":`, 1),
		"a name in long s":        strings.Replace(good, `"messages":`, `"meſsages":[],"messages":`, 1),
		"an escaped name twice":   strings.Replace(good, `"amount":`, `"\u0061mount":"1","amount":`, 1),
		"a transaction twice":     strings.Replace(good, `"transaction":`, `"transaction":{},"transaction":`, 1),
		"a name twice elsewhere":  strings.Replace(good, `"ok":true`, `"ok":true,"x":[{"y":1,"y":2}]`, 1),
		"a second value":          good + `{}`,
		"text behind it":          good + ` and so on`,
		"nested deep":             strings.Replace(good, `"ok":true`, `"ok":true,"x":`+deep, 1),
		"broken text":             strings.Replace(good, "REQ_ID", "REQ\xff", 1),
	} {
		s := serve(t)
		s.answers["getBuyStarsLink"] = []string{answer}
		if p, err := s.client().Buy(t.Context(), fragment.Stars, "ann", 50); !errors.Is(err, fragment.ErrBadAnswer) {
			t.Errorf("%s: %+v, %v", name, p.Transfer, err)
		}
	}
	s := serve(t)
	s.answers["getBuyStarsLink"] = []string{" \n" + strings.ReplaceAll(good, ",", " ,\t") + "\n"}
	if _, err := s.client().Buy(t.Context(), fragment.Stars, "ann", 50); err != nil {
		t.Errorf("spaces change nothing: %v", err)
	}
}
