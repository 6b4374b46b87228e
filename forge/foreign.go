package forge

import (
	"errors"
	"fmt"
	"strings"
)

// Foreign names the repository whose code this CI run may have checked out, if
// that is not the repository to which the run's secrets belong: that of a pull
// request from a fork. It is "" for own code, and outside of CI. An error says
// that it can't be told: the run is of a pull request, and doesn't say whose.
//
// On GitHub that counts for pull_request_target and workflow_run, too, though
// they begin with code of the repository's own: they are what people check a
// fork's code out in.
//
// Sources: GitHub, "Webhook events and payloads" and "Events that trigger
// workflows"; GitLab, "Predefined CI/CD variables reference".
func Foreign(getenv func(string) string) (string, error) {
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		return foreignOnGitHub(getenv)
	case getenv("GITLAB_CI") == "true":
		return foreignOnGitLab(getenv)
	}
	return "", nil
}

// repo is null in an event if the repository was deleted.
type repo struct {
	FullName string `json:"full_name"`
}

func foreignOnGitHub(getenv func(string) string) (string, error) {
	kind := getenv("GITHUB_EVENT_NAME")
	if kind != "workflow_run" && !strings.HasPrefix(kind, "pull_request") {
		return "", nil
	}
	name := getenv("GITHUB_EVENT_PATH")
	if name == "" {
		return "", fmt.Errorf("the event is %s, and GITHUB_EVENT_PATH is not set", kind)
	}
	var event struct {
		PullRequest struct {
			Head, Base struct{ Repo repo }
		} `json:"pull_request"`
		WorkflowRun struct {
			Head repo `json:"head_repository"`
		} `json:"workflow_run"`
		Repository repo
	}
	if err := readEvent(name, &event); err != nil {
		return "", err
	}
	from, own := event.PullRequest.Head.Repo.FullName, event.PullRequest.Base.Repo.FullName
	if kind == "workflow_run" {
		from, own = event.WorkflowRun.Head.FullName, event.Repository.FullName
	}
	switch {
	case !repository.MatchString(own):
		return "", fmt.Errorf("the event %s does not name its repository", kind)
	case !repository.MatchString(from):
		return "", fmt.Errorf("the event %s does not say from which repository the code is: it may have been deleted", kind)
	case strings.EqualFold(from, own): // GitHub's names are the same in capitals
		return "", nil
	}
	return from, nil
}

func foreignOnGitLab(getenv func(string) string) (string, error) {
	from, own := getenv("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), getenv("CI_MERGE_REQUEST_PROJECT_ID")
	if from == "" && own == "" && getenv("CI_MERGE_REQUEST_IID") == "" && getenv("CI_PIPELINE_SOURCE") != "merge_request_event" {
		return "", nil
	}
	if own == "" {
		own = getenv("CI_PROJECT_ID")
	}
	switch {
	case from == "" || own == "":
		return "", errors.New("this is a pipeline of a merge request, and CI_MERGE_REQUEST_SOURCE_PROJECT_ID and CI_MERGE_REQUEST_PROJECT_ID don't say between which projects")
	case from == own:
		return "", nil
	}
	if path := getenv("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"); path != "" {
		return path, nil
	}
	return "project " + from, nil
}
