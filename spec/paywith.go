package spec

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// payWith is the money that pays, and where that is written. What stands in a
// grant goes before what stands on the top of its file, and that before
// fragplan.yaml; TON pays where nothing is written.
type payWith struct {
	asset ton.Asset // "" is TON
	pos   Pos       // zero if nothing is written
}

// money reads the value of pay_with.
func (d *doc) money(n *yaml.Node) (payWith, bool) {
	s, ok := d.text(n, "pay_with", "ton or usdt")
	if !ok {
		return payWith{}, false
	}
	asset, err := ton.ParseAsset(s)
	if err != nil || s != strings.ToLower(s) {
		d.bad(n, "pay_with", "write ton or usdt", "unknown money %s", clip(s))
		return payWith{}, false
	}
	if asset == ton.AssetTON {
		asset = ""
	}
	return payWith{asset, d.pos(n)}, true
}

// sellable refuses what Fragment is not known to sell for that money: at the
// product, because it is there that pay_with can be given another value.
func (d *doc) sellable(g *pendingGrant, of payWith, items []entry) {
	if of.asset != ton.AssetUSDT {
		return
	}
	if g.csv != nil && g.csv.product != "" {
		items = append(items, entry{name: g.csv.product, key: g.csv.at})
	}
	for _, i := range items {
		if kind, err := product.ParseKind(i.name); err == nil && kind == product.TopUp {
			d.bad(i.key, "pay_with", "write pay_with: ton in grant "+g.Name,
				"a top-up is paid in TON: nobody has seen Fragment sell one for USDT, and pay_with: usdt holds here, from %s", of.pos)
		}
	}
}
