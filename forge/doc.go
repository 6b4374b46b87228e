// Package forge puts a text under a pull request of GitHub or a merge request
// of GitLab, once: what stands there from an earlier run is renewed.
//
// It knows nothing of plans: what the text says is its caller's matter.
package forge
