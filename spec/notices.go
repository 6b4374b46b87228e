package spec

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// NoticeKinds are the kinds of notices, in the order in which they are
// documented.
var NoticeKinds = []string{"bought", "held", "refused", "stopped", "undelivered", "overdue", "low", "session", "silent"}

// Notices are where people are told what became of a run. A target that
// fragplan.yaml doesn't name is nil.
type Notices struct {
	Project  string        // how messages name the project; "" for not at all
	Silence  time.Duration // after which people are told that no run has ended well; DefaultSilence if nothing is written
	Telegram *TelegramNotices
	Slack    *SlackNotices
	Webhook  *WebhookNotices
	Alive    *AliveNotices
}

// DefaultSilence is the time without a run that ended well of which people are told.
const DefaultSilence = 48 * time.Hour

// Told are the fields that all targets have.
type Told struct {
	On      []string // kinds; empty for all
	Private bool     // the target is on this machine or in a private network
	Pos     Pos
}

// The targets. Each has a secret; a zero source is the environment's own
// variable for it.
type (
	// TelegramNotices go to a chat, from a bot.
	TelegramNotices struct {
		Told
		Chat  string    // number, or "@channel"
		Topic int64     // of a forum; 0 for none
		API   string    // an own Bot API server; "" for the public one
		Token KeySource // of the bot
	}
	// SlackNotices go to an incoming webhook.
	SlackNotices struct {
		Told
		Hook KeySource // its address
	}
	// WebhookNotices go to an address, signed.
	WebhookNotices struct {
		Told
		URL    string
		Secret KeySource // that signs
	}
	// AliveNotices are knocks after each good run.
	AliveNotices struct {
		Told
		Hook KeySource // the address
	}
)

// notices reads where people are told.
func (l *loader) notices(d *doc, e entry) {
	const example = `notices: {telegram: {chat: "-1001234567890"}}`
	n := &l.p.Notices
	for _, f := range d.mapping(e.value, "notices", "write "+example) {
		switch f.name {
		case "project":
			n.Project, _ = d.text(f.value, "the name of the project", "memes")
			if len(n.Project) > 100 || strings.ContainsFunc(n.Project, func(r rune) bool { return r < ' ' }) {
				d.bad(f.value, "notices", "write one short line", "the name of the project is too long, or not one line")
			}
		case "silence":
			s, ok := d.text(f.value, "notices.silence", "48h")
			t, err := time.ParseDuration(s)
			if ok && (err != nil || t < time.Hour || t > 366*24*time.Hour) {
				d.bad(f.value, "notices", "write 1h to 8784h, such as 48h", "notices.silence is not a time after which somebody is to be told")
				continue
			}
			n.Silence = t
		case "telegram":
			n.Telegram = &TelegramNotices{}
			l.telegram(d, f, n.Telegram)
		case "slack":
			n.Slack = &SlackNotices{}
			l.target(d, f, &n.Slack.Told, "slack", "hook", "the hook's address", &n.Slack.Hook, nil)
		case "webhook":
			n.Webhook = &WebhookNotices{}
			l.webhook(d, f, n.Webhook)
		case "alive":
			n.Alive = &AliveNotices{}
			l.target(d, f, &n.Alive.Told, "alive", "hook", "the address", &n.Alive.Hook, nil)
			if len(n.Alive.On) > 0 {
				d.bad(f.key, "notices", "take on: out", "alive is told of good runs, and of nothing else")
			}
		default:
			d.unknown(f.key, "notices", "project", "silence", "telegram", "slack", "webhook", "alive")
		}
	}
}

var chat = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$`)

func (l *loader) telegram(d *doc, e entry, t *TelegramNotices) {
	const example = `chat: "-1001234567890"`
	seen := l.target(d, e, &t.Told, "telegram", "token", "the bot's token", &t.Token, map[string]func(*yaml.Node){
		"chat": func(n *yaml.Node) {
			// A number is what people write here first.
			if t.Chat = strings.TrimSpace(n.Value); n.Kind != yaml.ScalarNode || !chat.MatchString(t.Chat) {
				d.bad(n, "notices", "write "+example+`, or chat: "@channel"`, "this is no chat")
			}
		},
		"topic": func(n *yaml.Node) {
			if v, ok := d.number(n, "topic", "write the number of a topic"); ok {
				t.Topic = v
			}
		},
		"api": func(n *yaml.Node) {
			if t.API, _ = d.text(n, "api", "https://bots.example.org"); !address(t.API, t.Private) {
				l.r.sources[d.file].hide(d.pos(n))
				d.bad(n, "notices", "write for example api: https://bots.example.org", "this is no address of a Bot API server")
			}
			t.API = strings.TrimRight(t.API, "/")
		},
	})
	if seen != nil {
		d.require(e.value, "telegram", seen, [][2]string{{"chat", example}})
	}
}

func (l *loader) webhook(d *doc, e entry, w *WebhookNotices) {
	const example = "url: https://example.org/fragplan"
	seen := l.target(d, e, &w.Told, "webhook", "secret", "the secret that signs", &w.Secret, map[string]func(*yaml.Node){
		"url": func(n *yaml.Node) {
			if w.URL, _ = d.text(n, "url", "https://example.org/fragplan"); !address(w.URL, w.Private) {
				l.r.sources[d.file].hide(d.pos(n)) // it may hold a password
				d.bad(n, "notices", "write for example "+example, "this is no address for a webhook")
			}
		},
	})
	if seen != nil {
		d.require(e.value, "webhook", seen, [][2]string{{"url", example}})
	}
}

// target reads the fields that all targets have, and those of its own. It
// returns which were there, and nil for what is no mapping.
func (l *loader) target(d *doc, e entry, t *Told, name, secret, what string, from *KeySource, own map[string]func(*yaml.Node)) map[string]bool {
	t.Pos = d.pos(e.key)
	if e.value.Kind == yaml.ScalarNode && (e.value.Value == "" || e.value.Tag == "!!null") {
		return map[string]bool{}
	}
	fields := d.mapping(e.value, name, "write "+name+": {}")
	if e.value.Kind != yaml.MappingNode {
		return nil
	}
	seen := map[string]bool{}
	known := []string{"on", "private", secret}
	for _, n := range []string{"chat", "topic", "api", "url"} {
		if own[n] != nil {
			known = append(known, n)
		}
	}
	for _, f := range fields { // the others are read by whether it is private
		if f.name == "private" {
			t.Private = f.value.Kind == yaml.ScalarNode && f.value.Value == "true"
			if !t.Private && f.value.Value != "false" {
				d.bad(f.value, "type", "write private: true", "private must be true or false")
			}
		}
	}
	for _, f := range fields {
		seen[f.name] = true
		switch {
		case f.name == "private":
		case f.name == "on":
			t.On = d.kinds(f.value)
		case f.name == secret:
			l.r.sources[d.file].hide(d.pos(f.value))
			*from = d.keySource(f.value, "notices."+name+"."+secret, what)
			if from.Kind == "exec" {
				d.bad(f.value, "key", "write env:NAME, file:PATH or age:PATH", "a notice's secret has no exec")
			}
		case own[f.name] != nil:
			own[f.name](f.value)
		default:
			d.unknown(f.key, name, known...)
		}
	}
	return seen
}

// kinds reads which notices a target gets.
func (d *doc) kinds(n *yaml.Node) (kinds []string) {
	members, _ := d.list(n, "on", "[held, stopped]")
	for _, m := range members {
		s, ok := d.text(m, "a kind of notice", "held")
		if !ok {
			continue
		}
		kinds = append(kinds, s)
		if !slices.Contains(NoticeKinds, s) {
			d.bad(m, "notices", "write one of "+strings.Join(NoticeKinds, ", "), "there are no notices %s", clip(s))
		}
	}
	return kinds
}

// address reports whether a text is an address that a notice may go to. Who
// means this machine says so.
func address(s string, private bool) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || private && u.Scheme == "http")
}
