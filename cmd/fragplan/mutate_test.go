package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/fragplan/fragplan/firewall"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/ton"
)

// Good answers that are changed at random, as text, as cells or in the words of
// the comment, are refused, or what would be signed is what the good ones ask
// for, to the bit, or asks besides to bounce where the address has the form that
// bounces: then money that nobody takes comes back. The one thing that only
// Fragment knows is the ref: a body that differs in nothing but that is its word.
// MUTATIONS says how many; `make attack` makes a million.
func TestMutationsAreRefused(t *testing.T) {
	n := 5000
	if s := os.Getenv("MUTATIONS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("MUTATIONS: %v", err)
		}
	}
	if testing.Short() {
		n = min(n, 1000)
	}
	baits := baits()
	good := make([]*ton.Payload, len(baits))
	for i, b := range baits {
		if good[i] = b.inspected(t.Context(), b.answers); good[i] == nil {
			t.Fatalf("the good answers for %s are refused", b.item)
		}
	}
	var next, refused, same, bouncing, otherRef, failed atomic.Int64
	kinds := make([]atomic.Int64, len(mutators))
	passed := make([]atomic.Int64, len(mutators))
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				seed := next.Add(1)
				if seed > int64(n) || failed.Load() > 10 {
					return
				}
				luck := rand.New(rand.NewPCG(uint64(seed), 1))
				i := luck.IntN(len(baits))
				b, kind := baits[i], luck.IntN(len(mutators))
				a := maps.Clone(b.answers)
				for range 1 + luck.IntN(3) {
					mutators[kind].change(luck, b, a)
				}
				kinds[kind].Add(1)
				p := b.inspected(t.Context(), a)
				if p == nil {
					refused.Add(1)
					continue
				}
				passed[kind].Add(1)
				switch verdict := meant(b, good[i], p); verdict {
				case "":
					same.Add(1)
				case "bounce":
					bouncing.Add(1)
				case "ref":
					otherRef.Add(1)
				default:
					failed.Add(1)
					t.Errorf("seed %d (%s, %s): %s\n%s", seed, b.item, mutators[kind].name, verdict, difference(b.answers, a))
				}
			}
		})
	}
	workers.Wait()
	var story strings.Builder
	for i, m := range mutators {
		fmt.Fprintf(&story, "\n%9d  %-28s %8d passed unchanged", kinds[i].Load(), m.name, passed[i].Load())
	}
	t.Logf("%d mutations: %d refused, %d mean the same, %d would bounce, %d have another ref, %d are wrong%s", n, refused.Load(), same.Load(), bouncing.Load(), otherRef.Load(), failed.Load(), &story)
	if same.Load() == 0 || refused.Load() < int64(n)/2 {
		t.Error("the mutations are all of one kind: the generator is broken")
	}
}

// meant compares what would be signed with what the good answers ask for: ""
// if it is the same to the bit, "bounce" if it would bounce besides, and "ref" if
// the ref is another one.
func meant(b bait, good, got *ton.Payload) string {
	if got.Wallet != good.Wallet || got.WalletID != good.WalletID || got.Seqno != good.Seqno || got.ValidUntil > good.ValidUntil || len(got.Transfers) != 1 {
		return fmt.Sprintf("it would be signed as %+v", got)
	}
	asked := *got
	asked.ValidUntil = good.ValidUntil // when an offer ends is Fragment's to say; a message never lives longer than ours would
	t, g := got.Transfers[0], good.Transfers[0]
	switch want := hashed(*good); {
	case hashed(asked) == want:
		return ""
	case t.Bounce:
		t.Bounce = false
		if asked.Transfers = []ton.Transfer{t}; hashed(asked) == want {
			return "bounce"
		}
	}
	body, err := t.Body.Cell()
	if err != nil {
		return err.Error()
	}
	text, err := ton.Comment(body)
	if err != nil {
		return err.Error()
	}
	before, _, _ := strings.Cut(b.comment, "#")
	ref, isRef := strings.CutPrefix(text, before+"#")
	again, err := packed(text, 35).Hash()
	if err != nil || t.To != g.To || t.Amount != g.Amount || t.Bounce != g.Bounce || !isRef || !firewall.ValidRef(ref) || again != ton.Hash(body.Hash()) {
		return fmt.Sprintf("%s TON to %s with %q", t.Amount, t.To, text)
	}
	return "ref"
}

// hashed is what the key would sign.
func hashed(p ton.Payload) ton.Hash {
	h, err := p.Hash()
	if err != nil {
		panic(err)
	}
	return h
}

func difference(before, after answers) string {
	for _, method := range slices.Sorted(maps.Keys(before)) {
		if before[method] != after[method] {
			return fmt.Sprintf("%s\n%q", method, after[method])
		}
	}
	return "the answers are the good ones"
}

// A mutator changes one thing in the answers for a purchase.
type mutator struct {
	name   string
	change func(*rand.Rand, bait, answers)
}

var mutators = []mutator{
	{"a letter of an answer", letters},
	{"a piece of an answer", pieces},
	{"a value of an answer", values},
	{"a field more", fields},
	{"spaces and escapes", spaces},
	{"bits of the cells", bits},
	{"cells of another shape", shapes},
	{"words of the comment", words},
}

// method draws which answer is changed: mostly the one that is signed.
func method(luck *rand.Rand, b bait) string {
	search, state, init, link := methodsOf(b.item.Kind)
	return []string{link, link, link, link, link, init, init, init, search, state}[luck.IntN(10)]
}

// drawn is a position in a text.
func drawn(luck *rand.Rand, s string) int { return luck.IntN(len(s) + 1) }

const alphabet = `{}[]:,"\/ 0123456789.eE+-abcdefxyzABCXYZ_=#` + "\n\t\x00\xff"

func letters(luck *rand.Rand, b bait, a answers) {
	m := method(luck, b)
	s := []byte(a[m])
	if len(s) == 0 {
		return
	}
	i := luck.IntN(len(s))
	switch luck.IntN(4) {
	case 0:
		s[i] ^= 1 << luck.IntN(8)
	case 1:
		s[i] = alphabet[luck.IntN(len(alphabet))]
	case 2:
		s = slices.Insert(s, i, alphabet[luck.IntN(len(alphabet))])
	case 3:
		s = slices.Delete(s, i, i+1)
	}
	a[m] = string(s)
}

func pieces(luck *rand.Rand, b bait, a answers) {
	m := method(luck, b)
	s := a[m]
	i, j := drawn(luck, s), drawn(luck, s)
	i, j = min(i, j), max(i, j)
	k := drawn(luck, s)
	switch luck.IntN(4) {
	case 0:
		s = s[:i] + s[j:]
	case 1:
		s = s[:j] + s[i:]
	case 2:
		s = s[:k] + s[i:j] + s[k:]
	case 3:
		s = s[:j]
	}
	a[m] = s[:min(len(s), 1<<14)]
}

// member is a name and its scalar value in an answer.
var member = regexp.MustCompile(`"(\w+)":("(?:[^"\\]|\\.)*"|[0-9.eE+-]+|true|false|null)`)

var (
	numbers = []string{"0", "1", "-1", "460900000", "460900001", "4.609e8", "1790000600", "1790000001", "4294967295", "4294967296", "9223372036854775807", "18446744073709551616", "0.4609", "460.9", "7", "7000000000", "1e400"}
	others  = []string{"null", "true", "false", `""`, `"0"`, `[]`, `{}`, `"-239"`, `"-3"`, `"\u0000"`, `"REQ_ID"`, `"confirmReq"`, `"stateInit"`}
)

// hostileValue is one that somebody would like to have signed, or a good one in
// another form.
func hostileValue(luck *rand.Rand, b bait, old string) string {
	switch luck.IntN(7) {
	case 0:
		return numbers[luck.IntN(len(numbers))]
	case 1:
		return `"` + numbers[luck.IntN(len(numbers))] + `"`
	case 2:
		return others[luck.IntN(len(others))]
	case 3:
		return strings.Trim(old, `"`) // a text becomes a number
	case 4:
		return `"` + strings.Trim(old, `"`) + `"`
	case 5:
		address := []ton.Address{ton.MustParseAddress(collector), hostileWallet.Address(), {Account: [32]byte{byte(luck.IntN(256))}}}[luck.IntN(3)]
		if luck.IntN(2) == 0 {
			address.Account[luck.IntN(32)] ^= 1 << luck.IntN(8)
		}
		return `"` + []string{address.String(), address.Raw(), strings.ToUpper(address.Raw()), address.TLB().Bounce(true).String()}[luck.IntN(4)] + `"`
	}
	return `"` + base64.StdEncoding.EncodeToString(packed(drawnText(luck, b), 35)) + `"`
}

func values(luck *rand.Rand, b bait, a answers) {
	m := method(luck, b)
	all := member.FindAllStringSubmatchIndex(a[m], -1)
	if len(all) == 0 {
		return
	}
	at := all[luck.IntN(len(all))]
	a[m] = a[m][:at[4]] + hostileValue(luck, b, a[m][at[4]:at[5]]) + a[m][at[5]:]
}

// fields adds a name that the answer has already, maybe in other letters, or
// one that a wallet would heed.
func fields(luck *rand.Rand, b bait, a answers) {
	m := method(luck, b)
	all := member.FindAllStringSubmatchIndex(a[m], -1)
	if len(all) == 0 {
		return
	}
	at := all[luck.IntN(len(all))]
	name := a[m][at[2]:at[3]]
	switch luck.IntN(5) {
	case 0:
		name = strings.ToUpper(name)
	case 1:
		name = strings.Replace(name, "s", "ſ", 1)
	case 2:
		name = []string{"stateInit", "network", "extraCurrency", "bounce", "mode", "error", "need_ton", "need_verify", "messages", "from", "validUntil"}[luck.IntN(11)]
	case 3:
		name = fmt.Sprintf(`\u%04x`, name[0]) + name[1:]
	}
	extra := `"` + name + `":` + hostileValue(luck, b, a[m][at[4]:at[5]])
	if luck.IntN(2) == 0 {
		a[m] = a[m][:at[0]] + extra + "," + a[m][at[0]:]
	} else {
		a[m] = a[m][:at[1]] + "," + extra + a[m][at[1]:]
	}
}

// spaces changes how an answer is written, and mostly not what it says.
func spaces(luck *rand.Rand, b bait, a answers) {
	m := method(luck, b)
	s := a[m]
	if len(s) == 0 {
		return
	}
	i := luck.IntN(len(s))
	switch luck.IntN(3) {
	case 0:
		s = s[:i] + []string{" ", "\n", "\t", "\r", "\u00a0", "\ufeff"}[luck.IntN(6)] + s[i:]
	case 1:
		s = strings.ReplaceAll(s, []string{",", ":", "{", "}"}[luck.IntN(4)], []string{" ,", ": ", "{\n", "}\t"}[luck.IntN(4)])
	case 2:
		if c := s[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			s = s[:i] + fmt.Sprintf(`\u%04x`, c) + s[i+1:]
		}
	}
	a[m] = s
}

// payloadOf is the payload in a link, and where it stands.
func payloadOf(a answers, link string) (s string, from, to int, ok bool) {
	_, rest, found := strings.Cut(a[link], `"payload":"`)
	if !found {
		return "", 0, 0, false
	}
	s, _, found = strings.Cut(rest, `"`)
	from = len(a[link]) - len(rest)
	return s, from, from + len(s), found
}

func repay(luck *rand.Rand, a answers, link string, payload []byte) {
	if _, from, to, ok := payloadOf(a, link); ok {
		encoding := []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}[luck.IntN(4)]
		a[link] = a[link][:from] + encoding.EncodeToString(payload) + a[link][to:]
	}
}

func bits(luck *rand.Rand, b bait, a answers) {
	_, _, _, link := methodsOf(b.item.Kind)
	s, _, _, ok := payloadOf(a, link)
	boc, err := ton.ParseBase64(s)
	if !ok || err != nil || len(boc) == 0 {
		return
	}
	p := slices.Clone([]byte(boc))
	i := luck.IntN(len(p))
	switch luck.IntN(6) {
	case 0, 1:
		p[i] ^= 1 << luck.IntN(8)
	case 2:
		p[i] = byte(luck.IntN(256))
	case 3:
		p = slices.Insert(p, i, byte(luck.IntN(256)))
	case 4:
		p = slices.Delete(p, i, i+1)
	case 5: // the same cells, packed otherwise
		if c, err := boc.Cell(); err == nil {
			p = c.ToBOCWithOptions(cell.BOCSerializeOptions{WithCRC32C: luck.IntN(2) == 0, WithIndex: luck.IntN(2) == 0, WithIntHashes: luck.IntN(4) == 0})
		}
	}
	repay(luck, a, link, p)
}

func shapes(luck *rand.Rand, b bait, a answers) {
	_, _, _, link := methodsOf(b.item.Kind)
	text := b.comment
	if luck.IntN(3) == 0 {
		text = drawnText(luck, b)
	}
	zeros := uint64(0)
	if luck.IntN(4) == 0 {
		zeros = []uint64{1, 0x0f8a7ea5, 0x5fcc3d14, 0x7369676e, 0x6578746e, 0x2167da4b}[luck.IntN(6)]
	}
	repay(luck, a, link, ton.BoCOf(shaped(luck, text, zeros, 32)))
}

// shaped packs a text into cells of any sizes, sometimes with something
// beside it.
func shaped(luck *rand.Rand, text string, head uint64, bits uint) *cell.Cell {
	c := cell.BeginCell().MustStoreUInt(head, bits)
	n := min(luck.IntN(min(len(text), 120)+1), len(text))
	if luck.IntN(2) == 0 {
		n = min(len(text), 35)
	}
	c.MustStoreSlice([]byte(text[:n]), uint(n)*8)
	if luck.IntN(8) == 0 {
		c.MustStoreUInt(1, uint(1+luck.IntN(8)))
	}
	if rest := text[n:]; rest != "" && luck.IntN(16) != 0 {
		c.MustStoreRef(shaped(luck, rest, 0, 0))
	}
	if luck.IntN(8) == 0 {
		c.MustStoreRef(cell.BeginCell().EndCell())
	}
	return c.EndCell()
}

func words(luck *rand.Rand, b bait, a answers) {
	_, _, _, link := methodsOf(b.item.Kind)
	repay(luck, a, link, packed(drawnText(luck, b), 35))
}

// drawnText is a comment that was changed a little, or that of another purchase.
func drawnText(luck *rand.Rand, b bait) string {
	s := b.comment
	switch i := drawn(luck, s); luck.IntN(7) {
	case 0:
		s = s[:i] + []string{"0", " ", "\n", "#", "Ref#", "\u200b", "\u202e", "\x00", "é", "\xff", "А"}[luck.IntN(11)] + s[i:]
	case 1:
		if i < len(s) {
			s = s[:i] + string(alphabet[luck.IntN(len(alphabet))]) + s[i+1:]
		}
	case 2:
		s = s[:i]
	case 3:
		s += s[i:]
	case 4:
		other := product.Item{Kind: b.item.Kind, Quantity: []int64{1, 3, 6, 7, 12, 49, 50, 51, 500, 10_000, 10_000_000}[luck.IntN(11)]}
		s = firewall.CommentOf(other, goodRef)
	case 5:
		s = strings.Replace(s, goodRef, []string{"", "abc", "AbCd_-123", strings.Repeat("r", 16), strings.Repeat("r", 17), "kpJ55h3B ", "кpJ55h3BW"}[luck.IntN(7)], 1)
	case 6:
		s = strings.Replace(s, "Telegram", []string{"telegram", "Telegrarn", "TеIegram", ""}[luck.IntN(4)], 1)
	}
	return s[:min(len(s), 150)]
}
