package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// audit counts the requests that an API server writes down.
type audit struct {
	path string
	// read is how many bytes of the file were counted already.
	read int64
}

// heard is what was asked of an API server.
type heard struct {
	requests int
	// listed are the kinds that were listed, as kubectl names them.
	listed []string
}

// next counts what a user asked for since the last time.
func (a *audit) next(user string) (h heard, err error) {
	file, err := os.Open(a.path)
	if err != nil {
		return h, fmt.Errorf("reading the audit log: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(a.read, 0); err != nil {
		return h, fmt.Errorf("reading the audit log: %w", err)
	}
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil { // what is behind the last line's end is read the next time
			slices.Sort(h.listed)
			h.listed = slices.Compact(h.listed)
			return h, nil
		}
		a.read += int64(len(line))
		if err := h.add(line, user); err != nil {
			return h, err
		}
	}
}

func (h *heard) add(line []byte, user string) error {
	var event struct {
		Verb      string
		User      struct{ Username string }
		ObjectRef struct{ APIGroup, Resource string }
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	if event.User.Username != user {
		return nil
	}
	h.requests++
	if event.Verb == "list" {
		kind := event.ObjectRef.Resource
		if event.ObjectRef.APIGroup != "" {
			kind += "." + event.ObjectRef.APIGroup
		}
		h.listed = append(h.listed, kind)
	}
	return nil
}
