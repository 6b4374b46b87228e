package spec

import (
	"fmt"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/product"
)

var months = regexp.MustCompile(`^([1-9][0-9]{0,3}) months?$`)

// sold says what a product's field takes.
func sold(kind product.Kind, name string) string {
	switch kind {
	case product.Premium:
		return "premium takes 3 months, 6 months or 12 months"
	case product.Stars:
		return fmt.Sprintf("%s takes a whole number in plain digits, from %d to %d", name, product.MinStars, product.MaxTotalStars)
	}
	return fmt.Sprintf("%s takes a whole number in plain digits, from 1 to %d", name, product.MaxTopUp)
}

func (d *doc) item(e entry) product.Item {
	var i product.Item
	kind, _ := product.ParseKind(e.name)
	hint := sold(kind, e.name)
	if kind == product.Premium {
		if e.value.Kind == yaml.ScalarNode && plainNumber.MatchString(e.value.Value) {
			d.bad(e.value, "product", hint, "premium needs its unit, not %s alone", clip(e.value.Value))
			return i
		}
		s, ok := d.text(e.value, "premium", "a number of months: "+hint)
		if !ok {
			return i
		}
		m := months.FindStringSubmatch(s)
		if m == nil {
			d.bad(e.value, "product", hint, "premium must be a number of months, not %s", clip(s))
			return i
		}
		i = product.Item{Kind: kind, Quantity: mustInt(m[1])}
	} else {
		n, ok := d.number(e.value, e.name, hint)
		if !ok {
			return i
		}
		i = product.Item{Kind: kind, Quantity: n}
	}
	if message := unsold(i); message != "" {
		d.bad(e.value, "product", hint, "%s", message)
	}
	return i
}

// unsold says why no purchases add up to an item, "" if some do.
func unsold(i product.Item) string {
	if _, ok := i.Parts(); ok {
		return ""
	}
	if i.Kind == product.Stars && i.Quantity < product.MinStars {
		return fmt.Sprintf("%d Stars in one grant are too few: the least is %d", i.Quantity, int64(product.MinStars))
	}
	if err := i.Check(); err != nil && i.Quantity <= product.MaxTotalStars {
		return err.Error()
	} else if i.Kind == product.TopUp {
		return fmt.Sprintf("%d TON are too many: the most is %d", i.Quantity, int64(product.MaxTopUp))
	}
	return fmt.Sprintf("%d Stars in one grant are too many: the most is %d", i.Quantity, int64(product.MaxTotalStars))
}

func mustInt(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		panic("spec: the caller promised digits: " + err.Error())
	}
	return n
}

// item is what a recipient is given: what its row says, or the grant.
func (g Grant) item(r Recipient) product.Item {
	if r.Item.Quantity != 0 {
		return r.Item
	}
	return g.Item
}
