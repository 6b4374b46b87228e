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
	words   []string
	check   func(string) bool
	form    string // for people, when check is set
	initial string // when check is set
}

// counted are the keys that take *N.
var counted = []string{"api", "confirm", "link_address", "link_amount", "page", "payload", "price", "session"}

var onOff = []string{"on", "off"}

var knobs = []knob{
	{key: "api", check: isAPIFault, form: "ok, 403, 429, 502, html, lost or drop, then @METHOD if only one method"},
	{key: "commas", words: []string{"off", "on"}},
	{key: "confirm", words: []string{"ok", "lost", "refused", "required"}},
	{key: "deliver", words: []string{"done", "late", "never"}},
	{key: "grace", check: isSeconds, form: "a duration such as 60s", initial: "60s"},
	{key: "hash", words: []string{"renew"}},
	{key: "latency", check: isSeconds, form: "a duration such as 200ms", initial: "0s"},
	{key: "link_address", words: []string{"ok", "foreign"}},
	{key: "link_amount", words: []string{"ok", "wrong"}},
	{key: "pace", check: isCount, form: "requests a minute and session, 0 for any number", initial: "0"},
	{key: "padded", words: onOff},
	{key: "page", words: []string{"ok", "403", "429", "502", "drop"}},
	{key: "payload", words: []string{"ok", "corrupt", "binary", "other_text"}},
	{key: "price", check: isPrice, form: "a move such as +10% or -2.5%, or changed"},
	{key: "require_hash", words: onOff},
	{key: "require_state_sync", words: onOff},
	{key: "require_xhr", words: []string{"off", "on"}},
	{key: "session", words: []string{"ok", "expired", "kyc", "no_wallet", "denied"}},
	{key: "strict_payment_method", words: onOff},
	{key: "valid_for", check: isSeconds, form: "a duration such as 600s; negative for links that are over", initial: "600s"},
}

// Keys are all that Set takes, sorted.
func Keys() []string {
	names := make([]string, len(knobs))
	for i, k := range knobs {
		names[i] = k.key
	}
	return names
}

// Set tunes the market, and persists it. The value of a fault may end in *N: then
// it acts N times. An unknown key or value is an error that lists the known ones.
//
//	api                    a fault of API answers: 403, 429, 502, html (status 200), lost (not even read), drop
//	                       (done, but the connection dies), for one method with @METHOD: drop@confirmReq*2
//	commas                 on: amounts of init have thousands commas
//	confirm                lost (done, but the connection dies), refused, required (nothing is credited without it)
//	deliver                late: a minute after the payment; never; done
//	grace                  how long after validUntil a payment still counts
//	hash                   renew: all hashes of pages are stale
//	latency                added to every answer
//	link_address           foreign: links ask to pay somebody else
//	link_amount            wrong: links ask for more than the request
//	pace                   requests a minute and session before status 429
//	padded                 whether payloads end in =
//	page                   403, 429, 502 or drop for pages
//	payload                corrupt, binary (no comment), other_text
//	price                  +10% moves the TON prices; changed*2 refuses two requests with a changed price
//	require_hash, require_state_sync, require_xhr, strict_payment_method
//	                       how strict it is; all on but require_xhr
//	session                expired (all sessions so far), kyc, no_wallet, denied, ok
//	valid_for              how long links are valid
func (m *Market) Set(key, value string) error {
	i := slices.IndexFunc(knobs, func(k knob) bool { return k.key == key })
	if i < 0 {
		return fmt.Errorf("unknown setting %q: known are %s", key, strings.Join(Keys(), ", "))
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
	case s.Count > 0 && (move || !slices.Contains(counted, key)):
		return fmt.Errorf("setting %s=%q: it can't be counted", key, value)
	case k.check != nil && !k.check(s.Value):
		return fmt.Errorf("setting %s=%q: want %s", key, value, k.form)
	case k.check == nil && !slices.Contains(k.words, s.Value):
		return fmt.Errorf("setting %s=%q: known are %s", key, value, strings.Join(k.words, ", "))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record(event{Set: &s})
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
