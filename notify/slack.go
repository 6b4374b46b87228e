package notify

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// maxSlack is how long the text of a section may be.
const maxSlack = 3000

// Slack sends messages to an incoming webhook. The text is a block of plain
// text, so that what stands in it is never markup and mentions nobody.
//
// Sources: api.slack.com/messaging/webhooks; api.slack.com/reference/block-kit.
type Slack struct {
	URL     string   // of the hook; a secret
	Private bool     // it is on this machine or in a private network
	Proxy   *url.URL // that it is reached through, unless Private; nil for none, whatever the environment says
}

var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Send implements Target.
func (s Slack) Send(ctx context.Context, m Message) error {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type string `json:"type"`
		Text text   `json:"text"`
	}
	said := valid(m.text(maxSlack))
	body, err := json.Marshal(struct {
		Text   string  `json:"text"` // for the notification on a screen
		Blocks []block `json:"blocks"`
	}{slackEscapes.Replace(said), []block{{"section", text{"plain_text", said}}}})
	if err != nil {
		return err
	}
	return poster{s.Private, s.Proxy, time.Second}.post(ctx, s.URL, nil, body)
}
