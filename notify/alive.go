package notify

import (
	"context"
	"net/url"
	"time"
)

// Alive knocks at an address after each good run. A service behind it (such as
// Healthchecks) raises the alarm when it hears nothing for as long as it was
// told: nothing that runs can tell of a run that never began.
type Alive struct {
	URL     string   // a secret: who knows it can feign a good run
	Private bool     // it is on this machine or in a private network
	Proxy   *url.URL // that it is reached through, unless Private; nil for none, whatever the environment says
}

// Knock says that a run went well.
func (a Alive) Knock(ctx context.Context) error {
	return poster{a.Private, a.Proxy, time.Second}.post(ctx, a.URL, nil, nil)
}
