package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/ledger"
	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

var (
	annThen    = ledger.Identity{Name: "Ann P.", Photo: ton.Hash{1}}
	annRenamed = ledger.Identity{Name: "Ann Q.", Photo: ton.Hash{1}}
	annPhotoed = ledger.Identity{Name: "Ann P.", Photo: ton.Hash{2}}
	notAnn     = ledger.Identity{Name: "Eve", Photo: ton.Hash{9}}
)

// meeting is a world whose market shows everybody as it is told.
type meeting struct {
	*world
	shown  ledger.Identity
	limits policy.Limits
}

func newMeeting(t *testing.T) *meeting {
	m := &meeting{world: newWorld(t, ton.V5R1), shown: annThen, limits: plenty}
	m.limits.Price = []policy.Ceiling{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: ton.TON.Amount()}} // what it costs
	m.limits.FirstTime = []ton.Amount{(2 * ton.TON).Amount()}                                                          // 200 Stars
	m.answer = func(f reconcile.Effect) reconcile.Event {
		if ask, ok := f.(reconcile.Ask); ok {
			offer := m.offer(ask)
			offer.Person = m.shown
			return reconcile.Offered{Order: ask.Order, Offer: offer}
		}
		return nil
	}
	return m
}

// buy applies what is wanted, and returns the codes of what was not bought, and
// what people were told.
func (m *meeting) buy(want ...spec.Occurrence) (codes []string, told string) {
	m.t.Helper()
	result, err := m.applyPlan(judged(want, m.book(), m.limits))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, p := range result.Problems {
		codes = append(codes, p.Code)
		told += p.Reason + "\n"
	}
	for _, f := range m.effects {
		if n, ok := f.(reconcile.Notice); ok && n.Progress.Stage == "changed" {
			codes = append(codes, "warned")
			told += n.Progress.Text + "\n"
		}
	}
	return codes, told
}

func (m *meeting) expect(is string, codes []string, want ...string) {
	m.t.Helper()
	if !slices.Equal(codes, want) {
		m.t.Errorf("%s: %q, want %q", is, codes, want)
	}
}

// One changed field is a warning with before and after, and is then what is
// known; two at once block the person until somebody confirms the name.
func TestChangesOfAPerson(t *testing.T) {
	for _, c := range []struct {
		is    string
		then  ledger.Identity
		codes []string
		says  []string
	}{
		{"the same", annThen, nil, nil},
		{"another name", annRenamed, []string{"warned"}, []string{`"Ann Q."`, `"Ann P."`}},
		{"another photo", annPhotoed, []string{"warned"}, []string{"0200000000", "0100000000"}},
		{"no photo any more", ledger.Identity{Name: "Ann P."}, []string{"warned"}, []string{"none", "0100000000"}},
		{"both", notAnn, []string{"identity"}, []string{`"Eve"`, `"Ann P."`, `confirmed: {"@ann": "Eve"}`}},
	} {
		m := newMeeting(t)
		first := wants("g/ann", product.Stars, 100)
		codes, _ := m.buy(first)
		m.expect("first use", codes)
		if pin := m.book().Pins["ann"]; pin.Identity != annThen || pin.Reason != ledger.PinFirst {
			t.Errorf("first use: %+v", pin)
		}
		m.shown = c.then
		codes, told := m.buy(first, wants("h/ann", product.Stars, 100))
		m.expect(c.is, codes, c.codes...)
		for _, text := range c.says {
			if !strings.Contains(told, text) {
				t.Errorf("%s: %q is not in %q", c.is, text, told)
			}
		}
		paid, pinned := 2, c.then
		if slices.Contains(c.codes, "identity") {
			paid, pinned = 1, annThen
		}
		if len(m.paid()) != paid || m.book().Pins["ann"].Identity != pinned {
			t.Errorf("%s: %d paid, %+v", c.is, len(m.paid()), m.book().Pins["ann"])
		}
		// It is said once: what was taken is what is known.
		codes, _ = m.buy(first, wants("h/ann", product.Stars, 100), wants("i/ann", product.Stars, 100))
		m.expect(c.is+", again", codes, slices.Repeat([]string{"identity"}, 2*(2-paid))...)
	}
}

// Who is confirmed in YAML is bought for, and the others go on meanwhile.
func TestConfirmedPersonIsBoughtFor(t *testing.T) {
	m := newMeeting(t)
	m.buy(wants("g/ann", product.Stars, 100))
	m.shown = notAnn
	again, bob := wants("h/ann", product.Stars, 100), wants("h/bob", product.Stars, 100)
	codes, _ := m.buy(wants("g/ann", product.Stars, 100), again, bob)
	m.expect("a notAnn", codes, "identity")
	if n := len(m.paid()); n != 2 {
		t.Errorf("%d paid, want ann's first and bob's", n)
	}
	again.Confirmed = "Eva"
	codes, _ = m.buy(wants("g/ann", product.Stars, 100), again, bob)
	m.expect("another name is confirmed", codes, "identity")
	again.Confirmed = " Eve "
	codes, _ = m.buy(wants("g/ann", product.Stars, 100), again, bob)
	m.expect("confirmed", codes)
	if pin := m.book().Pins["ann"]; pin.Identity != notAnn || pin.Reason != ledger.PinConfirmed || len(m.paid()) != 3 {
		t.Errorf("%+v, %d paid", pin, len(m.paid()))
	}
}

// Above limits.first_time one change is enough, and what a small order of the
// same run has taken with a warning doesn't vouch for the large one behind it.
func TestChangedNameAboveTheFirstTimeLimit(t *testing.T) {
	m := newMeeting(t)
	want := []spec.Occurrence{wants("g/ann", product.Stars, 100)}
	m.buy(want...)
	m.shown = annRenamed
	want = append(want, wants("h/ann", product.Stars, 100), wants("i/ann", product.Stars, 300))
	codes, told := m.buy(want...)
	m.expect("small and large", codes, "identity", "warned")
	if !strings.Contains(told, "limits.first_time allows 2 TON") {
		t.Errorf("%q doesn't say why", told)
	}
	m.shown = annPhotoed // nobody knows how long a photo's address lasts
	m.shown.Name = annRenamed.Name
	codes, _ = m.buy(want...)
	m.expect("another photo, and the name that only a warning took", codes, "identity")
	want[2].Confirmed = annRenamed.Name
	codes, _ = m.buy(want...)
	m.expect("confirmed", codes)
	want[2].Confirmed = ""
	codes, _ = m.buy(append(want, wants("j/ann", product.Stars, 300))...)
	m.expect("confirmed once", codes)
	if n := len(m.paid()); n != 4 {
		t.Errorf("%d paid", n)
	}
}

// Somebody to whom nothing came yet is given no more than limits.first_time, in
// one order or in several, until an order was acknowledged.
func TestFirstTimeLimit(t *testing.T) {
	m := newMeeting(t)
	codesOf := func(p *reconcile.Plan) (codes []string) {
		for _, a := range p.Actions {
			codes = append(codes, string(a.Code))
		}
		return codes
	}
	large, small := wants("g/ann", product.Stars, 300), wants("g/ann", product.Stars, 100)
	if got := codesOf(judged([]spec.Occurrence{large}, m.book(), m.limits)); !slices.Equal(got, []string{"first_time"}) {
		t.Errorf("a large first purchase: %q", got)
	}
	three := []spec.Occurrence{small, wants("h/ann", product.Stars, 100), wants("i/ann", product.Stars, 100), wants("i/bob", product.Stars, 100)}
	plan := judged(three, m.book(), m.limits)
	if got := codesOf(plan); !slices.Equal(got, []string{"", "", "first_time", ""}) {
		t.Errorf("three small ones: %q", got)
	}
	if text := plan.Actions[2].Reason; !strings.Contains(text, "something smaller first") || !strings.Contains(text, `confirmed: {"@ann": "…"}`) {
		t.Errorf("%q doesn't say how to go on", text)
	}
	if codes, _ := m.buy(three...); len(codes) != 0 {
		t.Errorf("%q", codes)
	}
	want := append([]spec.Occurrence{wants("g/ann", product.Stars, 500)}, three[1:]...)
	codes, _ := m.buy(want...)
	m.expect("somebody known", codes)
	if n := len(m.paid()); n != 5 {
		t.Errorf("%d paid, want five", n)
	}
}

// The plan's estimate is not what it costs: the offer is judged once more.
func TestFirstTimeLimitHoldsForTheOffer(t *testing.T) {
	m := newMeeting(t)
	m.limits.Price = []policy.Ceiling{{Item: product.Item{Kind: product.Stars, Quantity: 100}, Max: (3 * ton.TON).Amount()}}
	m.price = func(i product.Item) ton.Nano { return ton.Nano(i.Quantity) * 21_000_000 }
	book, want := m.book(), []spec.Occurrence{wants("g/ann", product.Stars, 100)}
	m.start(reconcile.Diff(want, book, reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, m.limits), book)
	result, err := m.finish()
	if err != nil || len(result.Problems) != 1 || result.Problems[0].Code != "first_time" || len(m.paid()) != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	m.price = func(i product.Item) ton.Nano { return ton.Nano(i.Quantity) * 12_000_000 }
	want = append(want, wants("h/ann", product.Stars, 100))
	m.start(reconcile.Diff(want, m.book(), reconcile.Prices{{Item: want[0].Item, Asset: ton.AssetTON}: ton.TON.Amount()}, m.limits), m.book())
	together, err := m.finish()
	if err != nil || len(together.Problems) != 1 || together.Problems[0].Code != "first_time" || len(m.paid()) != 1 {
		t.Fatalf("two of 1.2 TON: %+v, %v", together, err)
	}
	if text := result.Problems[0].Reason; !strings.Contains(text, `confirmed: {"@ann": "Ann P."}`) {
		t.Errorf("%q has no line to paste", text)
	}
}

// A large first purchase goes to who is confirmed, and to nobody else.
func TestConfirmedNewcomer(t *testing.T) {
	m := newMeeting(t)
	large := wants("g/ann", product.Stars, 500)
	large.Confirmed = "Ann P."
	m.shown = annRenamed
	codes, told := m.buy(large)
	m.expect("another name than the confirmed one", codes, "identity")
	if !strings.Contains(told, `"Ann P." is confirmed for @ann, and Fragment shows "Ann Q."`) {
		t.Errorf("%q", told)
	}
	m.shown = annThen
	codes, _ = m.buy(large)
	m.expect("the confirmed name", codes)
	if len(m.paid()) != 1 {
		t.Error("not bought")
	}
}

// The pin stays with a person whose handle changes, and is not another's who
// takes the old handle under no name of theirs.
func TestPinFollowsAnEarlierHandle(t *testing.T) {
	m := newMeeting(t)
	m.buy(wants("g/ann", product.Stars, 100))
	moved := wants("h/ann", product.Stars, 500)
	moved.Handle, moved.Was = "ann_new", []string{"ann"}
	m.shown = notAnn
	codes, _ := m.buy(wants("g/ann", product.Stars, 100), moved)
	m.expect("somebody else under the new handle", codes, "identity")
	m.shown = annThen
	codes, _ = m.buy(wants("g/ann", product.Stars, 100), moved)
	m.expect("the same person", codes)
	if pin := m.book().Pins["ann_new"]; pin.Identity != annThen || pin.N != 1 {
		t.Errorf("%+v", pin)
	}
}

// An earlier order vouches for nobody if it was bought before there were pins,
// or by hand.
func TestOrdersWithoutAPinVouchForNobody(t *testing.T) {
	m := newMeeting(t)
	m.buy(wants("g/ann", product.Stars, 100))
	m.log = slices.DeleteFunc(m.log, func(e ledger.Event) bool { _, pinned := e.(ledger.PersonPinned); return pinned })
	plan := judged([]spec.Occurrence{wants("h/ann", product.Stars, 300)}, m.book(), m.limits)
	if got := plan.Actions[0]; got.Code != reconcile.CodeFirstTime || got.Name != "" {
		t.Errorf("%+v", got)
	}
}

// What is printed to be pasted is YAML that says just that name.
func FuzzConfirmLineIsYAML(f *testing.F) {
	for _, name := range []string{"Ann P.", `"\`, "\x1b[2J\x07", "\u202eevil\u2066", "\u200b\u2060\ufeff", "=1+1", "a: b # c", "{}[]&*!|>%@`", "\U0001f468\u200d\U0001f469\ufe0f", "\u3164\u2800", "e\u0301\u0301\u0301", "\u0085\u2028", "\ufffd"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name = ledger.NormalName(name)
		line := reconcile.ConfirmLine("ann", name)
		var read struct{ Confirmed map[string]string }
		if err := yaml.Unmarshal([]byte(line), &read); err != nil || read.Confirmed["@ann"] != name {
			t.Errorf("%q becomes %q: %v", name, line, err)
		}
		for _, r := range line { // or a printer would escape it once more
			if !unicode.IsPrint(r) || unicode.In(r, unicode.Mn, unicode.Me, unicode.Bidi_Control, unicode.Variation_Selector) {
				t.Errorf("%q becomes %q, with %U", name, line, r)
			}
		}
	})
}
