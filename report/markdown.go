package report

import (
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/ton"
)

// Comments on code hosts end at 65,536 characters. The counts are of bytes,
// which are never fewer.
const (
	markdownLimit = 60_000
	neededLimit   = 12_000 // of them, for what is still required
	maxSeries     = 20     // grants whose last dates are compared
	maxCampaigns  = 10     // whose budgets are named
)

// PlanMarkdown writes a plan as a comment for a code review: what it costs and
// at most costs beside the last period, what is still required, and a table of
// who gets what. Every text from the plan stands in a code span, and nothing
// else of it does anything. Where the comment would be too long, lines from the
// middle of the table are counted instead. signed is what is known of its
// signatures, nil where nobody has looked.
func PlanMarkdown(w io.Writer, p *reconcile.Plan, signed *Signed) error {
	var b strings.Builder
	b.WriteString("### fragplan\n\n**" + inline(summary(p)) + "**\n\n")
	b.WriteString(merging(p) + "\n")
	if p.Sandbox {
		b.WriteString("\nSandbox: no real money moves.\n")
	}
	if text := priceNote(p); text != "" {
		b.WriteString("\n" + text + "\n")
	}
	if text := period(p); text != "" {
		b.WriteString("\n" + text + "\n")
	}
	bullets(&b, "Still required", required(p, signed), neededLimit)
	bullets(&b, "Worth a look", cautions(p), neededLimit)
	end := fmt.Sprintf("\nDigest: `%s`\n", p.Digest())
	if signed != nil && signed.Lacks == "" {
		end += "\nSigned by " + spans(signed.By) + ".\n"
	}
	actionTable(&b, p, markdownLimit-len(end))
	_, err := io.WriteString(w, b.String()+end)
	return err
}

// Signed says who has signed a plan, and what is lacking, "" if nothing is.
type Signed struct {
	By    []string // addresses
	Lacks string
}

func spans(list []string) string {
	texts := make([]string, len(list))
	for i, text := range list {
		texts[i] = span(text)
	}
	return strings.Join(texts, ", ")
}

// merging says what merging allows: at once, and on the dates that come later.
func merging(p *reconcile.Plan) string {
	w := p.Worst()
	most := "nothing"
	if len(w.Total) > 0 {
		most = "at most " + join(w.Total)
	}
	text := "Merging allows **" + inline(most) + "**"
	if len(w.Total) > 0 {
		text += ": " + inline(strings.Join(worstParts(w), ", "))
	}
	text += "."
	if len(p.Next) > 0 {
		text += " Later dates come on top, up to " + inline(orNone(p.Limits.Month)) + " each month for all that is bought."
	}
	list := budgets(p)
	for _, c := range list[:min(len(list), maxCampaigns)] {
		var parts []string
		for _, b := range c.Max {
			parts = append(parts, b.String())
		}
		text += " Campaign " + span(c.Name) + " has a budget of " + inline(strings.Join(parts, " and ")) + "."
	}
	if more := len(list) - maxCampaigns; more > 0 {
		text += " And " + Count(more, "campaign") + " more."
	}
	return text
}

// budgets are the campaigns with a budget for which the plan has a line or a
// date that comes.
func budgets(p *reconcile.Plan) (list []policy.Campaign) {
	scopes, coming := map[string]bool{}, map[string]bool{}
	for _, a := range p.Actions {
		for _, scope := range a.Scopes {
			scopes[scope] = true
		}
	}
	for _, n := range p.Next {
		coming[n.Grant] = true
	}
	for _, c := range p.Limits.Campaigns {
		later := slices.ContainsFunc(c.Grants, func(g string) bool { return coming[g] })
		if len(c.Grants) == 0 { // a saved plan doesn't say which those are
			later = len(p.Next) > 0
		}
		if len(c.Max) > 0 && (later || scopes[policy.CampaignScope(c.Name)]) {
			list = append(list, c)
		}
	}
	return list
}

func orNone(list []ton.Amount) string {
	if len(list) == 0 {
		return "nothing"
	}
	return join(list)
}

// priceNote says where the prices come from and how old they are.
func priceNote(p *reconcile.Plan) string {
	t, known := p.Summary(), 0
	if t.Buy+t.TopUp == 0 || sumsOf(p).exact || p.Created == 0 {
		return ""
	}
	if p.Priced {
		return "Prices were asked " + moment(p.Created) + "."
	}
	var oldest int64
	last := lastPrices(p)
	for _, a := range p.Actions {
		if l, ok := last[goods(a)]; ok && a.Buys() {
			known++
			if oldest == 0 || l.Time < oldest {
				oldest = l.Time
			}
		}
	}
	if known == 0 {
		return "Prices are ceilings, the worst case: today's prices were not asked for."
	}
	return fmt.Sprintf("Today's prices were not asked for. \"About\" is what was paid last, at the longest %s before; without it, the ceiling stands.", age(p.Created-oldest))
}

func goods(a reconcile.Action) reconcile.Goods {
	return reconcile.Goods{Item: a.Item, Asset: a.Cap.Asset}
}

func lastPrices(p *reconcile.Plan) map[reconcile.Goods]reconcile.LastPrice {
	last := map[reconcile.Goods]reconcile.LastPrice{}
	if p.Behind != nil {
		for _, l := range p.Behind.Prices {
			last[reconcile.Goods{Item: l.Item, Asset: l.Price.Asset}] = l
		}
	}
	return last
}

// moment is an instant as a comment shows it, which is read anywhere.
func moment(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04") + " UTC"
}

// age is a span of time in its largest whole unit.
func age(seconds int64) string {
	for _, unit := range []struct {
		seconds int64
		name    string
	}{{86_400, "day"}, {3600, "hour"}, {60, "minute"}} {
		if seconds >= unit.seconds {
			return Count(int(seconds/unit.seconds), unit.name)
		}
	}
	return "less than a minute"
}

// period sets what this month costs beside the last one, and a date of a grant
// beside the date before.
func period(p *reconcile.Plan) string {
	b := p.Behind
	t := p.Summary()
	if b == nil || t.Buy+t.TopUp == 0 || len(p.Violations) > 0 {
		return ""
	}
	s := sumsOf(p)
	with, most := slices.Clone(b.Paid), ""
	for _, a := range s.cost {
		with = plus(with, a)
	}
	if !p.Priced && !s.exact {
		most = "up to "
	}
	text := fmt.Sprintf("In %s: %s paid so far, %s%s with this plan; %s in the month before%s.", inline(b.Month), orNone(b.Paid), most, orNone(with), orNone(b.Before), against(with, b.Before))
	text = inline(text)
	for i, c := range b.Series {
		if i == maxSeries {
			text += fmt.Sprintf("\n- and %d more grants that recur", len(b.Series)-i)
			break
		}
		if i == 0 {
			text += "\n"
		}
		text += fmt.Sprintf("\n- %s: %s on %s", span(c.Grant), inline(gives(c.Now)), c.Now.Date)
		if was := gives(c.Then); was != gives(c.Now) {
			text += fmt.Sprintf("; **before: %s** on %s", inline(was), c.Then.Date)
		} else {
			text += fmt.Sprintf(", as on %s", c.Then.Date)
		}
	}
	return text
}

func gives(g reconcile.Given) string {
	var parts []string
	for _, i := range g.Items {
		parts = append(parts, total(i))
	}
	return strings.Join(parts, " and ") + " for " + Count(g.People, "person")
}

// total is an item that may be the sum of several.
func total(i product.Item) string {
	if i.Kind == product.Premium {
		return fmt.Sprintf("%d months of Premium", i.Quantity)
	}
	return i.String()
}

// against is the difference in percent, where both sides are of one asset.
func against(now, before []ton.Amount) string {
	if len(now) != 1 || len(before) != 1 || now[0].Asset != before[0].Asset || before[0].Units <= 0 {
		return ""
	}
	x := new(big.Int).Sub(big.NewInt(now[0].Units), big.NewInt(before[0].Units))
	x.Mul(x, big.NewInt(100)).Quo(x, big.NewInt(before[0].Units))
	return fmt.Sprintf(" (%+d %%)", x)
}

// required lists what keeps lines of the plan from being bought, for somebody
// to mend.
func required(p *reconcile.Plan, signed *Signed) (items []string) {
	switch need := p.Signatures(); {
	case signed != nil && signed.Lacks != "":
		item := span(signed.Lacks) + ": `fragplan approve`"
		if len(signed.By) > 0 {
			item += "; signed by " + spans(signed.By)
		}
		items = append(items, item)
	case signed == nil && need > 0:
		items = append(items, fmt.Sprintf("%s over the digest below, not only the author's: `fragplan approve`", Count(need, "signature")))
	}
	for _, v := range p.Violations {
		items = append(items, "**Stopped** by "+span(v.Rule)+": "+span(commands(p, v.Message))+place(v.Place)+fenced(v.Paste))
	}
	for _, a := range p.Actions {
		if a.Verb == reconcile.Blocked || a.Verb == reconcile.Unknown {
			items = append(items, span(string(a.Verb))+" "+span(a.Key)+": "+span(remark(p, a)))
		}
	}
	return items
}

// cautions lists what is bought all the same, and worth a look.
func cautions(p *reconcile.Plan) (items []string) {
	for _, a := range p.Actions {
		for _, w := range a.Warn {
			if a.Buys() {
				items = append(items, span(a.Key)+": "+span(w))
			}
		}
	}
	for _, v := range p.Warnings {
		items = append(items, span(v.Rule)+": "+span(commands(p, v.Message))+place(strings.Join(v.Places, ", ")))
	}
	return items
}
