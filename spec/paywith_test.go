package spec_test

import (
	"testing"

	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// What a grant says of its money goes before the defaults of its file, these
// before the file's top, and that before fragplan.yaml; nothing written is TON.
func TestTheInnermostPayWithHolds(t *testing.T) {
	grants := `grants:
  mine: {to: ann, stars: 50, pay_with: ton}
  theirs: {to: ann, stars: 50}
`
	for name, c := range map[string]struct {
		project, file string
		want          ton.Asset // of theirs
	}{
		"nothing":              {"", "", ton.AssetTON},
		"the project":          {"pay_with: usdt\n", "", ton.AssetUSDT},
		"the file":             {"", "pay_with: usdt\n", ton.AssetUSDT},
		"the file goes before": {"pay_with: usdt\n", "pay_with: gram\n", ton.AssetTON},
		"defaults":             {"", "defaults: {pay_with: usdt}\n", ton.AssetUSDT},
		"defaults go before":   {"", "pay_with: usdt\ndefaults: {pay_with: ton}\n", ton.AssetTON},
	} {
		p, err := spec.Load(project(t, "fragplan.yaml", mainFile+c.project, "people.yaml", peopleFile, "grants/a.yaml", grants+c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list := p.Occurrences(0)
		if list[0].Asset() != ton.AssetTON || list[1].Asset() != c.want {
			t.Errorf("%s: %s and %s, want TON and %s", name, list[0].Asset(), list[1].Asset(), c.want)
		}
	}
}
