package spec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fragplan/fragplan/spec"
)

// Who is told stands in fragplan.yaml; a target without fields is one with the
// environment's own secret.
func TestNotices(t *testing.T) {
	p, err := spec.Load(project(t, "fragplan.yaml", mainFile+`notices:
  project: memes
  silence: 30h
  telegram: {chat: -1001, topic: 7, on: [held, stopped], token: file:token}
  slack:
  webhook: {url: "http://10.0.0.1/hook", private: true}
  alive: {}
`))
	if err != nil {
		t.Fatal(err)
	}
	n := p.Notices
	if n.Project != "memes" || n.Silence != 30*time.Hour || n.Telegram.Chat != "-1001" || n.Telegram.Topic != 7 || len(n.Telegram.On) != 2 || n.Telegram.Token.Name != "token" {
		t.Errorf("%+v", n.Telegram)
	}
	if n.Slack == nil || n.Slack.Hook.Kind != "" || !n.Webhook.Private || n.Alive == nil {
		t.Errorf("%+v %+v %+v", n.Slack, n.Webhook, n.Alive)
	}
}

// A mistake is named, and a secret that stands in the file is not repeated.
func TestNoticesErrors(t *testing.T) {
	for field, want := range map[string]string{
		`{telegram: {token: "12:s3cret"}}`:                           "notices.telegram.token doesn't say where the bot's token",
		`{telegram: {token: env:T}}`:                                 "chat",
		`{telegram: {chat: the chat}}`:                               "this is no chat",
		`{telegram: {chat: "1", topic: x}}`:                          "topic",
		`{telegram: {chat: "1", api: "http://bots"}}`:                "no address of a Bot API server",
		`{telegram: {chat: "1", on: [hold]}}`:                        `there are no notices "hold"`,
		`{telegram: {chat: "1", chats: 2}}`:                          "chats",
		`{telegram: [1]}`:                                            "telegram",
		`{slack: {hook: "https://hooks.slack.com/services/s3cret"}}`: "notices.slack.hook doesn't say where the hook's address",
		`{slack: {hook: {exec: [cat, s3cret]}}}`:                     "has no exec",
		`{slack: {private: yes please}}`:                             "private must be true or false",
		`{webhook: {}}`:                                              "url",
		`{webhook: {url: "http://example.org"}}`:                     "no address for a webhook",
		`{webhook: {url: "https://u:s3cret@example.org"}}`:           "no address for a webhook",
		`{alive: {on: [held]}}`:                                      "alive is told of good runs",
		`{silence: two days}`:                                        "not a time after which somebody is to be told",
		`{silence: 5m}`:                                              "not a time after which somebody is to be told",
		`{email: me}`:                                                "email",
	} {
		_, err := spec.Load(project(t, "fragplan.yaml", mainFile+"notices: "+field+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", field, err, want)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the secret is repeated: %v", field, err)
		}
	}
}
