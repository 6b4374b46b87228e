package forge

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// ErrNoReview says that this run belongs to no pull request and no merge
// request: there is nothing to comment on.
var ErrNoReview = errors.New("this run belongs to no pull request")

// A Token is a secret of a forge. It prints as nothing.
type Token struct{ value string }

// TokenOf keeps a secret.
func TokenOf(s string) Token { return Token{s} }

// String hides the token.
func (Token) String() string { return "(hidden)" }

// GoString hides the token.
func (Token) GoString() string { return "(hidden)" }

// MarshalJSON hides the token.
func (Token) MarshalJSON() ([]byte, error) { return []byte(`"(hidden)"`), nil }

// Kind says whose API a place has.
type Kind string

// The kinds.
const (
	GitHub Kind = "github"
	GitLab Kind = "gitlab"
)

// A Place is one pull request or merge request.
type Place struct {
	Kind    Kind
	API     string // "https://api.github.com", "https://gitlab.com/api/v4"
	Project string // "owner/name" or GitLab's number
	Number  int64  // of the request
	Token   Token
	// Author is the user name whose comments are ours, such as "my-app[bot]" for
	// the token of a GitHub App, which may not ask for its own; "" takes those of
	// the token's user, or of a workflow's token.
	Author string
	// Proxy is what calls go through; nil means none, whatever the environment
	// says.
	Proxy *url.URL
}

// EnvAuthor names the variable with a [Place]'s Author.
const EnvAuthor = "FRAGPLAN_COMMENT_AUTHOR"

var (
	repository = regexp.MustCompile(`^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$`)
	pullRef    = regexp.MustCompile(`^refs/pull/([0-9]+)/`)
)

// PlaceFromEnv finds the request that this CI run belongs to, from the
// variables that GitHub Actions and GitLab CI set. The token is GITHUB_TOKEN,
// or GITLAB_TOKEN, and FRAGPLAN_COMMENT_AUTHOR says as whom it writes, if that
// has to be said. With ErrNoReview the place is whole but for its Number.
//
// Sources: GitHub, "Variables"; GitLab, "Predefined CI/CD variables reference".
func PlaceFromEnv(getenv func(string) string) (Place, error) {
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		return fromGitHub(getenv)
	case getenv("GITLAB_CI") == "true":
		return fromGitLab(getenv)
	}
	return Place{}, fmt.Errorf("%w: neither GITHUB_ACTIONS nor GITLAB_CI is set", ErrNoReview)
}

func fromGitHub(getenv func(string) string) (Place, error) {
	p := Place{Kind: GitHub, API: getenv("GITHUB_API_URL"), Project: getenv("GITHUB_REPOSITORY"), Token: TokenOf(getenv("GITHUB_TOKEN")), Author: getenv(EnvAuthor)}
	if p.API == "" {
		p.API = "https://api.github.com"
	}
	if !repository.MatchString(p.Project) {
		return p, fmt.Errorf("GITHUB_REPOSITORY is %q, and owner/name is wanted", p.Project)
	}
	p, err := p.complete("GITHUB_TOKEN")
	if err == nil {
		p.Number, err = pullNumber(getenv)
	}
	return p, err
}

// pullNumber is that of the event, or of the ref that is built.
func pullNumber(getenv func(string) string) (int64, error) {
	if m := pullRef.FindStringSubmatch(getenv("GITHUB_REF")); m != nil {
		return strconv.ParseInt(m[1], 10, 64)
	}
	name := getenv("GITHUB_EVENT_PATH")
	if name == "" {
		return 0, ErrNoReview
	}
	var event struct {
		PullRequest struct {
			Number int64 `json:"number"`
		} `json:"pull_request"`
	}
	if err := readEvent(name, &event); err != nil {
		return 0, err
	}
	if event.PullRequest.Number < 1 {
		return 0, ErrNoReview
	}
	return event.PullRequest.Number, nil
}

func fromGitLab(getenv func(string) string) (Place, error) {
	p := Place{Kind: GitLab, API: getenv("CI_API_V4_URL"), Project: getenv("CI_PROJECT_ID"), Token: TokenOf(getenv("GITLAB_TOKEN")), Author: getenv(EnvAuthor)}
	if _, err := strconv.ParseUint(p.Project, 10, 63); err != nil {
		return p, fmt.Errorf("CI_PROJECT_ID is %q, and a number is wanted", p.Project)
	}
	p, err := p.complete("GITLAB_TOKEN")
	iid := getenv("CI_MERGE_REQUEST_IID")
	switch {
	case err != nil:
	case iid == "":
		err = fmt.Errorf("%w: CI_MERGE_REQUEST_IID is not set; run the job in merge request pipelines", ErrNoReview)
	default:
		if p.Number, err = strconv.ParseInt(iid, 10, 64); err != nil || p.Number < 1 {
			err = fmt.Errorf("CI_MERGE_REQUEST_IID is %q, and a number is wanted", iid)
		}
	}
	return p, err
}

// complete checks what goes into every call.
func (p Place) complete(variable string) (Place, error) {
	u, err := url.Parse(p.API)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Hostname() != "127.0.0.1" {
		return p, fmt.Errorf("the address of the API is %q, and one with https is wanted", p.API)
	}
	if p.Token.value == "" {
		return p, fmt.Errorf("%s is not set: it is the token that may write comments", variable)
	}
	p.API = strings.TrimSuffix(p.API, "/")
	return p, nil
}
