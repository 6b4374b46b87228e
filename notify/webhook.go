package notify

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FormatVersion is that of a webhook's body.
const FormatVersion = 1

// leastSecret is how many bytes a webhook's secret has at least.
const leastSecret = 16

// Webhook sends messages as JSON, signed as Standard Webhooks has it: the
// headers webhook-id, webhook-timestamp (Unix seconds) and webhook-signature,
// which is "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body". Whoever
// receives it compares the signature, and refuses old times and ids that it has
// seen.
//
// Source: github.com/standard-webhooks/standard-webhooks, spec.
type Webhook struct {
	URL     string
	Secret  string   // "whsec_" and base64, or any text of 16 bytes or more
	Private bool     // URL is on this machine or in a private network
	Proxy   *url.URL // that it is reached through, unless Private; nil for none, whatever the environment says

	now   func() time.Time // nil: time.Now
	pause time.Duration    // before the second attempt; 0: a second
}

// Send implements Target.
func (w Webhook) Send(ctx context.Context, m Message) error {
	key := []byte(w.Secret)
	if encoded, ok := strings.CutPrefix(w.Secret, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return fmt.Errorf("%w: after whsec_ the secret is no base64", ErrTarget)
		}
	}
	if len(key) < leastSecret {
		return fmt.Errorf("%w: its secret is shorter than %d bytes", ErrTarget, leastSecret)
	}
	m.Notices = slices.Clone(m.Notices)
	for i := range m.Notices {
		n := &m.Notices[i]
		n.Text, n.Next = valid(n.Text), valid(n.Next)
	}
	body, err := json.Marshal(struct {
		FormatVersion int       `json:"format_version"`
		Project       string    `json:"project"`
		Time          time.Time `json:"time"`
		Notices       []Notice  `json:"notices"`
	}{FormatVersion, valid(m.Project), m.Time.UTC().Truncate(time.Second), m.Notices})
	if err != nil {
		return err
	}
	now := w.now
	if now == nil {
		now = time.Now
	}
	at := strconv.FormatInt(now().Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(m.ID + "." + at + "."))
	mac.Write(body)
	return poster{w.Private, w.Proxy, cmp.Or(w.pause, time.Second)}.post(ctx, w.URL, map[string]string{
		"webhook-id": m.ID, "webhook-timestamp": at,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}, body)
}
