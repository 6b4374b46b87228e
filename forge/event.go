package forge

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// maxEvent bounds what is read of an event, in bytes.
const maxEvent = 16 << 20

// readEvent reads the file in which GitHub describes the event that a run is of.
func readEvent(name string, event any) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxEvent)).Decode(event); err != nil {
		return fmt.Errorf("GITHUB_EVENT_PATH: the event can't be read: %w", err)
	}
	return nil
}
