package forge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// MaxBody is how long a comment may be, in bytes. GitHub takes 65,536
// characters.
const MaxBody = 65_000

// ErrAPI is matched by answers that are no success.
var ErrAPI = errors.New("the forge's API")

const (
	timeout   = 30 * time.Second
	maxAnswer = 16 << 20
	perPage   = 100
	maxPages  = 30 // of comments that are looked through for our own
)

// Result says what Put did.
type Result struct {
	URL  string // of the comment; "" if there is none
	Done string // "made", "renewed", "unchanged", "none"
	// Other is who has made the comment, where it is not who was looked for: the
	// next run won't find it without that name.
	Other string
}

// Put makes or renews the comment that carries the marker. Without a body, a
// comment from an earlier run is renewed with what otherwise says, and none is
// made.
//
// marker is a word that tells the comments of several projects in a repository
// apart. Comments of other people are never touched, whatever they hold.
func (p Place) Put(ctx context.Context, marker, body, otherwise string) (Result, error) {
	tag := "<!-- fragplan:" + marker + " -->\n"
	author, err := p.author(ctx)
	if err != nil {
		return Result{}, err
	}
	own, err := p.find(ctx, tag, author)
	if err != nil {
		return Result{}, err
	}
	switch {
	case body == "" && own == nil:
		return Result{Done: "none"}, nil
	case body == "":
		body = otherwise
	}
	body = tag + body
	if len(body) > MaxBody {
		return Result{}, fmt.Errorf("the comment has %d bytes, and %d is the most", len(body), MaxBody)
	}
	if own == nil {
		made, err := p.call(ctx, http.MethodPost, p.path("comments"), body)
		r := Result{URL: made.url(p), Done: "made"}
		if made.author() != "" && made.author() != author {
			r.Other = made.author()
		}
		return r, err
	}
	if own.Body == body {
		return Result{URL: own.url(p), Done: "unchanged"}, nil
	}
	renewed, err := p.call(ctx, p.method(), p.path(fmt.Sprintf("comments/%d", own.ID)), body)
	return Result{URL: renewed.url(p), Done: "renewed"}, err
}

// comment is what both APIs say of one.
type comment struct {
	ID      int64  `json:"id"`
	Body    string `json:"body"`
	HTMLURL string `json:"html_url"` // GitHub only
	System  bool   `json:"system"`   // GitLab: written by itself
	User    struct {
		Login string `json:"login"`
	} `json:"user"` // GitHub
	Author struct {
		Username string `json:"username"`
	} `json:"author"` // GitLab
}

func (c comment) author() string {
	return cmp.Or(c.User.Login, c.Author.Username)
}

func (c comment) url(p Place) string {
	if c.HTMLURL != "" || c.ID == 0 {
		return c.HTMLURL
	}
	return fmt.Sprintf("note %d of merge request %d", c.ID, p.Number)
}

// find looks for the comment of an author with the tag, the oldest first.
func (p Place) find(ctx context.Context, tag, author string) (*comment, error) {
	for page := 1; page <= maxPages; page++ {
		var list []comment
		path := fmt.Sprintf("%s?per_page=%d&page=%d", p.path("comments"), perPage, page)
		if p.Kind == GitLab {
			path += "&sort=asc&order_by=created_at"
		}
		if err := p.ask(ctx, http.MethodGet, path, nil, &list); err != nil {
			return nil, err
		}
		for _, c := range list {
			// GitLab and browsers may give the text back with other line ends.
			if text := strings.ReplaceAll(c.Body, "\r\n", "\n"); strings.HasPrefix(text, tag) && c.author() == author && !c.System {
				c.Body = text
				return &c, nil
			}
		}
		if len(list) < perPage {
			break
		}
	}
	return nil, nil
}

// workflow is who writes with the token that GitHub gives a workflow.
const workflow = "github-actions[bot]"

// author is the user name under which the token writes. On GitHub the token of
// a workflow or of another App is not a user's, and may not ask.
func (p Place) author(ctx context.Context) (string, error) {
	if p.Author != "" {
		return p.Author, nil
	}
	var me struct{ Login, Username string }
	err := p.ask(ctx, http.MethodGet, "/user", nil, &me)
	switch name := cmp.Or(me.Login, me.Username); {
	case err == nil && name != "":
		return name, nil
	case err != nil && p.Kind == GitHub:
		return workflow, nil
	case err == nil:
		return "", fmt.Errorf("%w does not say whose the token is", ErrAPI)
	}
	return "", err
}

func (p Place) path(what string) string {
	if p.Kind == GitLab {
		return fmt.Sprintf("/projects/%s/merge_requests/%d/%s", p.Project, p.Number, strings.Replace(what, "comments", "notes", 1))
	}
	if what == "comments" {
		return fmt.Sprintf("/repos/%s/issues/%d/comments", p.Project, p.Number)
	}
	return fmt.Sprintf("/repos/%s/issues/%s", p.Project, what)
}

func (p Place) method() string {
	if p.Kind == GitLab {
		return http.MethodPut
	}
	return http.MethodPatch
}

func (p Place) call(ctx context.Context, method, path, body string) (comment, error) {
	var made comment
	err := p.ask(ctx, method, path, map[string]string{"body": body}, &made)
	return made, err
}

// ask makes one call. Redirects are not followed: they could lead the token
// elsewhere.
func (p Place) ask(ctx context.Context, method, path string, send, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if send != nil {
		raw, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.API+path, body)
	if err != nil {
		return fmt.Errorf("%w: %s is no address", ErrAPI, p.API)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "fragplan")
	if send != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.Kind == GitLab {
		r.Header.Set("PRIVATE-TOKEN", p.Token.value)
	} else {
		r.Header.Set("Authorization", "Bearer "+p.Token.value)
		r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(p.Proxy), DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%w can't be reached: %w", ErrAPI, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w broke off: %w", ErrAPI, err)
	}
	if resp.StatusCode/100 != 2 {
		var said struct{ Message any }
		_ = json.Unmarshal(raw, &said)
		return fmt.Errorf("%w answered %s to %s %s: %.200v", ErrAPI, resp.Status, method, path, said.Message)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("%w answered %s %s with something else than JSON: %w", ErrAPI, method, path, err)
	}
	return nil
}
