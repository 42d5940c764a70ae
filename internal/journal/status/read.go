package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ErrTooLarge says that the state is over MaxSize.
var ErrTooLarge = errors.New("the state is too large for the journal")

// MaxSize is how many bytes of JSON a state may take: 32 KiB for the evidence of
// request gates, and as much for all else. etcd refuses objects over 1.5 MiB; a state
// that is anywhere near that is a fault.
const MaxSize = 64 << 10

// oldest is the lowest schema that this binary reads: its own and the one
// before.
const oldest = max(1, shift.Schema-1)

// encode gives the JSON of a state, within MaxSize.
func encode(s shift.State) ([]byte, error) {
	content, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if len(content) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d fit", ErrTooLarge, len(content), MaxSize)
	}
	return content, nil
}

// Decode reads the JSON of a state. What is there but makes no sense is
// unreadable, never absent.
func Decode(content []byte) shift.Found {
	if len(content) == 0 || bytes.Equal(content, []byte("null")) {
		return shift.Found{}
	}
	var version struct {
		Schema *int `json:"schema"`
	}
	if err := json.Unmarshal(content, &version); err != nil {
		return unreadable("it is no JSON object with a schema number: %s", err)
	}
	switch {
	case version.Schema == nil:
		return unreadable("it has no schema number")
	case *version.Schema < oldest || *version.Schema > shift.Schema:
		return unreadable("its schema is %d, this version of clusterswitch reads %d to %d", *version.Schema, oldest, shift.Schema)
	}
	var s shift.State
	if err := json.Unmarshal(content, &s); err != nil {
		return unreadable("it doesn't have the form of schema %d: %s", *version.Schema, err)
	}
	if fault := inspect(s); fault != "" {
		return unreadable("%s", fault)
	}
	if *version.Schema == 3 {
		var before struct {
			BlueBaseline int `json:"blueBaseline"`
		}
		if err := json.Unmarshal(content, &before); err != nil {
			return unreadable("it doesn't have the form of schema 3: %s", err)
		}
		s.Baseline.Ready = before.BlueBaseline
	}
	s.Schema = shift.Schema
	return shift.Found{State: s, Present: true}
}

// inspect finds what no daemon writes and the core couldn't go on from.
func inspect(s shift.State) (fault string) {
	switch {
	case !slices.Contains(shift.Phases(), s.Phase):
		return fmt.Sprintf("its phase %q is unknown", s.Phase)
	case !s.Share.Valid():
		return fmt.Sprintf("its share %d is not a percentage", s.Share)
	case s.Step < 0 || s.Step > len(s.Steps):
		return fmt.Sprintf("it stands at step %d of %d", s.Step, len(s.Steps))
	}
	for _, e := range s.Entrances {
		if !e.Share.Valid() {
			return fmt.Sprintf("the share %d of its entrance %s is not a percentage", e.Share, e.Name)
		}
	}
	return ""
}

func unreadable(format string, args ...any) shift.Found {
	return shift.Found{Unreadable: fmt.Sprintf(format, args...)}
}
