package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"
)

// TelegramAPI is the public Bot API.
const TelegramAPI = "https://api.telegram.org"

// maxTelegram is how long a text may be, in UTF-16 units.
const maxTelegram = 4096

// Telegram sends messages as a bot. The text is plain: what stands in it is
// never markup.
//
// Source: core.telegram.org/bots/api, sendMessage.
type Telegram struct {
	API     string   // TelegramAPI, or an own Bot API server
	Token   string   // of the bot; a secret
	Chat    string   // number of the chat, or "@channel"
	Topic   int64    // of a forum; 0 for none
	Private bool     // API is on this machine or in a private network
	Proxy   *url.URL // that it is reached through, unless Private; nil for none, whatever the environment says
}

var botToken = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{10,100}$`)

// Send implements Target.
func (t Telegram) Send(ctx context.Context, m Message) error {
	if !botToken.MatchString(t.Token) {
		return fmt.Errorf("%w: this is no token of a bot; @BotFather gives them", ErrTarget)
	}
	body, err := json.Marshal(struct {
		Chat    string `json:"chat_id"`
		Topic   int64  `json:"message_thread_id,omitempty"`
		Text    string `json:"text"`
		Preview struct {
			Disabled bool `json:"is_disabled"`
		} `json:"link_preview_options"`
	}{t.Chat, t.Topic, valid(m.text(maxTelegram)), struct {
		Disabled bool `json:"is_disabled"`
	}{true}})
	if err != nil {
		return err
	}
	err = poster{t.Private, t.Proxy, time.Second}.post(ctx, t.API+"/bot"+t.Token+"/sendMessage", nil, body)
	var status *statusError
	if errors.As(err, &status) {
		// The bot was not added to the chat, or the chat is another one.
		if said := telegramSays(status.answer); said != "" {
			return fmt.Errorf("%w: Telegram says: %s", err, said)
		}
	}
	return err
}

type telegramAnswer struct {
	Description string `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

func telegramSays(answer []byte) string {
	var a telegramAnswer
	if json.Unmarshal(answer, &a) != nil {
		return ""
	}
	const most = 200
	said := []rune(a.Description)
	return string(said[:min(len(said), most)])
}

// telegramRetry is how many seconds Telegram asks to wait; 0 if it does not.
func telegramRetry(answer []byte) int {
	var a telegramAnswer
	if json.Unmarshal(answer, &a) != nil {
		return 0
	}
	return a.Parameters.RetryAfter
}
