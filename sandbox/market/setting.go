package market

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is a value of one key. Count is how often it still acts, 0 for
// always.
type setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Count int    `json:"count,omitempty"`
}

// knob says what a key takes: words, of which the first is what holds when
// nothing is set, or a check of its own.
type knob struct {
	key     string
	effect  string // for people
	words   []string
	check   func(string) bool
	form    string // for people, when check is set
	initial string // when check is set
	counted bool   // takes *N
}

var onOff = []string{"on", "off"}

var knobs = []knob{
	{key: "api", check: isAPIFault, form: "ok, 403, 429, 502, html, lost or drop, then @METHOD if only one method", counted: true,
		effect: "answers of the API: an HTTP status, a page (html), nothing (lost), or nothing though it was done (drop)"},
	{key: "commas", words: []string{"off", "on"}, effect: "amounts of requests have commas: 1,234.5"},
	{key: "confirm", words: []string{"ok", "lost", "refused", "required"}, counted: true,
		effect: "confirmations get no answer though they were taken (lost), an error, or are needed before anything is credited"},
	{key: "deliver", words: []string{"done", "late", "never"}, effect: "when paid orders are credited: at once, a minute after the payment, never"},
	{key: "grace", check: isSeconds, form: "a duration such as 60s", initial: "60s", effect: "how long after the end of a link's time a payment still counts"},
	{key: "hash", words: []string{"renew"}, effect: "makes stale what pages have told about the API"},
	{key: "history", words: []string{"ok", "late", "missing", "repeated", "shuffled"}, counted: true,
		effect: "pages of what an account bought list it a minute late, without the newest, twice, or in no order"},
	{key: "jetton", words: []string{"ok", "foreign_destination", "foreign_wallet", "foreign_response", "more", "much_gas", "little_gas", "forward", "custom"}, counted: true,
		effect: "what links for USDT get wrong: who is paid, asked or answered, how much, the gas, the coins that go on, a payload too many"},
	{key: "latency", check: isSeconds, form: "a duration such as 200ms", initial: "0s", effect: "is added to every answer"},
	{key: "link_address", words: []string{"ok", "foreign", "bouncing"}, counted: true,
		effect: "links ask to pay somebody else, or in the form that has the shop's account send the money back"},
	{key: "link_amount", words: []string{"ok", "wrong", "less"}, counted: true, effect: "links ask for more, or for less, than the request said"},
	{key: "link_extra", words: []string{"ok", "message", "state_init"}, counted: true,
		effect: "links ask for a second message, to somebody else, or bring a contract to deploy"},
	{key: "link_ref", words: []string{"ok", "reused"}, counted: true, effect: "links name the reference of the order that was paid last, once there is one"},
	{key: "pace", check: isCount, form: "requests a minute and session, 0 for any number", initial: "0", effect: "more than so many are answered with 429"},
	{key: "padded", words: onOff, effect: "payloads of links end in = where base64 has it"},
	{key: "page", words: []string{"ok", "403", "429", "502", "html", "drop"}, counted: true, effect: "pages instead of what they show"},
	{key: "payload", words: []string{"ok", "corrupt", "binary", "other_text", "actions"}, counted: true,
		effect: "what links ask to sign: no cell, no comment, a comment about another number, or an order to a W5 wallet"},
	{key: "people", check: isLook, form: "ok, renamed, photo, token or swapped, then @NAME if only one person", initial: "ok",
		effect: "searches show people with another name, with another photo, give somebody else's token, or find somebody else"},
	{key: "price", check: isPrice, form: "a move such as +10% or -2.5%, or changed", counted: true,
		effect: "moves all prices in TON for good, or refuses requests because the price has changed"},
	{key: "require_hash", words: onOff, effect: "the API wants the hash of the session's page"},
	{key: "require_state_sync", words: onOff, effect: "requests want the state to be asked for first, at the present prices"},
	{key: "require_xhr", words: []string{"off", "on"}, effect: "the API wants the header of a script's request"},
	{key: "retry_after", check: isSeconds, form: "a duration such as 30s", initial: "0s", effect: "how long answers with status 429 ask to wait; 0s for saying nothing of it"},
	{key: "session", words: []string{"ok", "expired", "ends", "kyc", "no_wallet", "other_wallet", "denied"}, counted: true,
		effect: "all sessions so far are over, are over after *N calls, must be verified, have no wallet or another one, may do nothing"},
	{key: "strict_payment_method", words: onOff, effect: "requests for Stars and Premium must say that TON pays"},
	{key: "valid_for", check: isSeconds, form: "a duration such as 600s; negative for links that are over", initial: "600s", effect: "how long links are valid"},
}

// Setting describes a key for people.
type Setting struct {
	Key    string
	Values string // what it takes; the first of several words holds when nothing is set
	Effect string
	Times  bool // the value may end in *N and then acts N times
}

// Settings are all that Set takes, by key.
func Settings() []Setting {
	list := make([]Setting, len(knobs))
	for i, k := range knobs {
		values := k.form
		if k.check == nil {
			values = strings.Join(k.words, ", ")
		}
		list[i] = Setting{k.key, values, k.effect, k.counted}
	}
	return list
}

// Set tunes the market, as Settings lists it, and persists it. The value of
// a fault may end in *N: then it acts N times, as in api=drop@confirmReq*2. An
// unknown key or value is an error that lists the known ones.
func (m *Market) Set(key, value string) error {
	i := slices.IndexFunc(knobs, func(k knob) bool { return k.key == key })
	if i < 0 {
		return fmt.Errorf("unknown setting %q: known are %s", key, strings.Join(keys(), ", "))
	}
	s := setting{Key: key, Value: value}
	if v, count, ok := strings.Cut(value, "*"); ok {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return fmt.Errorf("setting %s=%q: after the * stands how often, 1 or more", key, value)
		}
		s.Value, s.Count = v, n
	}
	_, move := basisPoints(s.Value)
	switch k := knobs[i]; {
	case s.Count > 0 && (move || !k.counted):
		return fmt.Errorf("setting %s=%q: it can't be counted", key, value)
	case s.Value == "ends" && s.Count == 0:
		return fmt.Errorf("setting %s=%q: say after how many calls, as in ends*8", key, value)
	case k.check != nil && !k.check(s.Value):
		return fmt.Errorf("setting %s=%q: want %s", key, value, k.form)
	case k.check == nil && !slices.Contains(k.words, s.Value):
		return fmt.Errorf("setting %s=%q: known are %s", key, value, strings.Join(k.words, ", "))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record(event{Set: &s})
}

func keys() (names []string) {
	for _, k := range knobs {
		names = append(names, k.key)
	}
	return names
}

func (m *Market) applySetting(s setting) {
	switch {
	case s.Key == "price" && s.Value != "changed" && s.Value != "ok":
		bp, _ := basisPoints(s.Value)
		m.prices = m.prices.move(bp)
	case s.Key == "hash":
		m.hashes++
	case s.Key == "session" && s.Value == "expired":
		m.expired = len(m.sessions)
	default:
		if s.Key == "session" && s.Value == "ok" {
			m.expired = 0
		}
		m.settings[s.Key] = s
	}
	if s.Key == "deliver" || s.Key == "confirm" {
		m.requeue()
	}
}

// value is what holds for a key now.
func (m *Market) value(key string) string {
	if s, ok := m.settings[key]; ok {
		return s.Value
	}
	for _, k := range knobs {
		if k.key == key {
			if k.check != nil {
				return k.initial
			}
			return k.words[0]
		}
	}
	panic("market: no setting " + key)
}

// use is value for something that acts now: it lowers the count.
func (m *Market) use(key string) (string, error) {
	v := m.value(key)
	if m.settings[key].Count > 0 {
		return v, m.record(event{Used: key})
	}
	return v, nil
}

func (m *Market) on(key string) bool { return m.value(key) == "on" }

func (m *Market) duration(key string) time.Duration {
	d, _ := time.ParseDuration(m.value(key))
	return d
}

func (m *Market) seconds(key string) int64 { return int64(m.duration(key) / time.Second) }

func (m *Market) count(key string) int {
	n, _ := strconv.Atoi(m.value(key))
	return n
}

func isAPIFault(v string) bool {
	kind, _, _ := strings.Cut(v, "@")
	return slices.Contains([]string{"ok", "403", "429", "502", "html", "lost", "drop"}, kind)
}

func isLook(v string) bool {
	kind, name, only := strings.Cut(v, "@")
	return slices.Contains([]string{"ok", "renamed", "photo", "token", "swapped"}, kind) && (!only || handlePattern.MatchString(name))
}

func isSeconds(v string) bool { _, err := time.ParseDuration(v); return err == nil }

func isCount(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= 0 }

func isPrice(v string) bool {
	_, ok := basisPoints(v)
	return ok || v == "changed" || v == "ok"
}

// basisPoints reads "+10%" or "-2.5%". Moves are between -90 % and +900 %.
func basisPoints(v string) (int64, bool) {
	if v == "ok" || len(v) < 3 || v[0] != '+' && v[0] != '-' || v[len(v)-1] != '%' {
		return 0, false
	}
	whole, frac, _ := strings.Cut(v[1:len(v)-1], ".")
	if len(frac) > 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+(frac + "00")[:2], 10, 31)
	bp := int64(n)
	if v[0] == '-' {
		bp = -bp
	}
	return bp, err == nil && bp >= -9_000 && bp <= 90_000
}
