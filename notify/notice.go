package notify

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// A Notice is one thing that a person should know.
type Notice struct {
	Kind string   `json:"kind"`           // "bought", "held", …: what targets choose by
	Text string   `json:"text"`           // one line, plain text
	Keys []string `json:"keys,omitempty"` // of the grants that it is about; maybe not all
	Next string   `json:"next,omitempty"` // what a person can do
}

// A Message is what one run has to tell.
type Message struct {
	ID      string    // a new one a message; a receiver that has seen it ignores it
	Project string    // whose run it was; may be empty
	Time    time.Time // by this machine's clock
	Notices []Notice
}

// A Target is where messages go.
type Target interface {
	// Send returns nil if the target has taken the message. Its errors hold no
	// secret.
	Send(ctx context.Context, m Message) error
}

// text writes a message for people, in at most so many UTF-16 units, which is
// how Telegram counts. Too long a message loses whole lines, and says so.
func (m Message) text(most int) string {
	lines := []string{"fragplan"}
	if m.Project != "" {
		lines[0] += " · " + m.Project
	}
	for _, n := range m.Notices {
		lines = append(lines, n.Text)
		if n.Next != "" {
			lines = append(lines, "→ "+n.Next)
		}
	}
	const more = "…"
	left := most + 1 // the last line has no end
	for i, line := range lines {
		size := units(line) + 1
		if size > left || i < len(lines)-1 && size+units(more)+1 > left {
			if i == 0 {
				return more
			}
			return strings.Join(append(lines[:i:i], more), "\n")
		}
		left -= size
	}
	return strings.Join(lines, "\n")
}

// units counts UTF-16 units.
func units(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// valid is s without what no JSON text holds.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
