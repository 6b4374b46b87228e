package forge

import (
	"fmt"
	"os"
)

// maxSummary is what GitHub takes of all summaries of a step; a larger upload
// is dropped whole.
const maxSummary = 1 << 20

// Summary appends a text to the page of this step, where the service has one:
// GitHub Actions names a file for it. It reports whether it did.
func Summary(getenv func(string) string, body string) (done bool, err error) {
	name := getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return false, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return false, fmt.Errorf("the step's summary: %w", err)
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if info, err := f.Stat(); err != nil || info.Size()+int64(len(body)) > maxSummary {
		return false, err
	}
	_, err = f.WriteString(body)
	return err == nil, err
}
