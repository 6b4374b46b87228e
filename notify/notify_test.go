package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var message = Message{ID: "msg_1", Project: "memes", Time: time.Unix(1_800_000_000, 0), Notices: []Notice{
	{Kind: "bought", Text: "Bought 2 gifts for 2.4 TON.", Keys: []string{"best/ann", "best/bob"}},
	{Kind: "held", Text: "best/<!channel> *bob* is held.", Next: "fragplan ledger resolve best/bob"},
}}

// taken is a request that a server took.
type taken struct {
	path   string
	header http.Header
	body   []byte
}

// server answers each request with the next of the codes, and then with 200.
func server(t *testing.T, codes ...int) (url string, requests *[]taken) {
	t.Helper()
	requests = new([]taken)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*requests = append(*requests, taken{r.URL.Path, r.Header, body})
		if n := len(*requests); n <= len(codes) {
			if codes[n-1]/100 == 3 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(codes[n-1])
			io.WriteString(w, `{"ok":false,"description":"Bad Request: chat not found"}`)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// A receiver can tell that a webhook is ours, when it was sent, and that it is
// the same message again.
func TestAWebhookIsSigned(t *testing.T) {
	url, got := server(t, 503, 429)
	const secret = "0123456789abcdef"
	w := Webhook{URL: url + "/hook", Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(secret)), Private: true,
		now: func() time.Time { return time.Unix(1_800_000_007, 0) }, pause: time.Millisecond}
	if err := w.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if len(*got) != 3 {
		t.Fatalf("%d requests", len(*got))
	}
	for _, r := range *got {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("msg_1.1800000007." + string(r.body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.header.Get("webhook-signature") != want || r.header.Get("webhook-id") != "msg_1" || r.header.Get("webhook-timestamp") != "1800000007" {
			t.Errorf("signed as %v", r.header)
		}
	}
	var body struct {
		FormatVersion int `json:"format_version"`
		Project, Time string
		Notices       []Notice
	}
	if err := json.Unmarshal((*got)[2].body, &body); err != nil || body.FormatVersion != 1 || body.Project != "memes" || body.Time != "2027-01-15T08:00:00Z" || len(body.Notices) != 2 || body.Notices[0].Keys[1] != "best/bob" {
		t.Errorf("%+v, %v", body, err)
	}
}

// What is refused for good is not sent again, and a redirect leads nowhere.
func TestARefusalIsFinal(t *testing.T) {
	for _, code := range []int{400, 401, 404, 302, 307} {
		url, got := server(t, code, 200)
		err := Webhook{URL: url, Secret: "0123456789abcdef", Private: true, pause: time.Millisecond}.Send(t.Context(), message)
		if !errors.Is(err, ErrTarget) || len(*got) != 1 {
			t.Errorf("%d: %v, %d requests", code, err, len(*got))
		}
	}
}

// A target that never takes it is given up after some attempts, and at once
// when the run ends.
func TestATargetThatIsDown(t *testing.T) {
	url, got := server(t, 500, 500, 500, 500, 500, 500)
	w := Webhook{URL: url, Secret: "0123456789abcdef", Private: true, pause: time.Millisecond}
	if err := w.Send(t.Context(), message); !errors.Is(err, ErrTarget) || len(*got) != attempts {
		t.Errorf("%v after %d", err, len(*got))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.pause = time.Hour
	if err := w.Send(ctx, message); err == nil {
		t.Error("sent after the end")
	}
}

// A name in YAML reaches nothing that only this machine can reach, in no
// spelling, unless that is said.
func TestPrivateAddressesAreRefused(t *testing.T) {
	for _, url := range []string{
		"https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://0.0.0.0/", "https://10.1.2.3/", "https://192.168.0.1/", "https://172.16.0.1/",
		"https://169.254.169.254/latest", "https://100.100.100.200/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/", "https://224.0.0.1/",
		"http://example.org/", "ftp://example.org/", "https://user:word@example.org/", "example.org", "https://", "",
	} {
		if err := (Webhook{URL: url, Secret: "0123456789abcdef", pause: time.Millisecond}).Send(t.Context(), message); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// Short secrets are no secrets.
func TestAWebhookHasASecret(t *testing.T) {
	url, got := server(t)
	for _, secret := range []string{"", "short", "whsec_", "whsec_!!!", "whsec_c2hvcnQ="} {
		if err := (Webhook{URL: url, Secret: secret, Private: true}).Send(t.Context(), message); !errors.Is(err, ErrTarget) || len(*got) > 0 {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

// Telegram gets plain text for one chat. What it says of a mistake is passed
// on; the token, which stands in the address, never is.
func TestTelegram(t *testing.T) {
	const token = "123456:AAexampleexampleexample_-"
	url, got := server(t)
	bot := Telegram{API: url, Token: token, Chat: "-1001", Topic: 7, Private: true}
	if err := bot.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal((*got)[0].body, &body); err != nil {
		t.Fatal(err)
	}
	if (*got)[0].path != "/bot"+token+"/sendMessage" || body["chat_id"] != "-1001" || body["message_thread_id"] != 7.0 || body["parse_mode"] != nil {
		t.Errorf("%s %v", (*got)[0].path, body)
	}
	const want = "fragplan · memes\nBought 2 gifts for 2.4 TON.\nbest/<!channel> *bob* is held.\n→ fragplan ledger resolve best/bob"
	if body["text"] != want {
		t.Errorf("%v", body["text"])
	}
	url, _ = server(t, 400)
	bot.API = url
	err := bot.Send(t.Context(), message)
	if err == nil || !strings.Contains(err.Error(), "chat not found") || strings.Contains(err.Error(), "AAexample") {
		t.Error(err)
	}
	bot.API = "https://bot.invalid"
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := bot.Send(ctx, message); err == nil || strings.Contains(err.Error(), "AAexample") {
		t.Error(err)
	}
	bot.Token = "my token"
	if err := bot.Send(t.Context(), message); err == nil || !strings.Contains(err.Error(), "@BotFather") || strings.Contains(err.Error(), "my token") {
		t.Error(err)
	}
}

// Slack shows what stands in a name as it is, and calls nobody.
func TestSlack(t *testing.T) {
	url, got := server(t)
	if err := (Slack{URL: url, Private: true}).Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	var body struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal((*got)[0].body, &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Blocks) != 1 || body.Blocks[0].Text.Type != "plain_text" || !strings.Contains(body.Blocks[0].Text.Text, "<!channel>") || strings.Contains(body.Text, "<") {
		t.Errorf("%+v", body)
	}
}

// A good run is said with a GET, and nothing else.
func TestAlive(t *testing.T) {
	url, got := server(t)
	if err := (Alive{URL: url + "/ping", Private: true}).Knock(t.Context()); err != nil || len(*got) != 1 || len((*got)[0].body) != 0 || (*got)[0].path != "/ping" {
		t.Errorf("%v, %+v", err, *got)
	}
}

// Too long a text loses lines at its end, and is never longer than a target
// takes.
func TestALongMessageIsCut(t *testing.T) {
	var m Message
	for range 300 {
		m.Notices = append(m.Notices, Notice{Text: strings.Repeat("🎁", 20)})
	}
	for _, most := range []int{10, 50, 100, 1000, maxSlack, maxTelegram, 1 << 20} {
		s := m.text(most)
		if units(s) > most {
			t.Errorf("%d units of %d", units(s), most)
		}
		if cut := strings.HasSuffix(s, "…"); cut != (most < 1<<20) {
			t.Errorf("%d: cut %t", most, cut)
		}
	}
	m = Message{Notices: []Notice{{Text: "12345"}}}
	if s := m.text(len("fragplan\n12345")); s != "fragplan\n12345" {
		t.Errorf("%q", s)
	}
}
