package filejournal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// mostAttempts is the highest attempt that can be asked for, as in the custom
// resource's schema.
const mostAttempts = 1_000_000

// decodeSpec reads what people ask for: an object with the fields of a
// TrafficSwitch's spec. fault says what of it makes no sense; then spec has those
// fields that do, so that a misspelt word beside it doesn't hide a rollback.
// whole: it was read to its end.
func decodeSpec(content []byte) (spec v1alpha1.TrafficSwitchSpec, whole bool, fault string) {
	in := json.NewDecoder(bytes.NewReader(content))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return spec, false, "it is no JSON object; {} asks for nothing"
	}
	faults := map[string]bool{}
	var said []string
	complain := func(format string, args ...any) {
		if f := fmt.Sprintf(format, args...); !faults[f] {
			faults[f], said = true, append(said, f)
		}
	}
	seen := map[string]bool{}
	for in.More() {
		var value json.RawMessage
		token, err := in.Token()
		key, _ := token.(string)
		if err == nil {
			err = in.Decode(&value)
		}
		if err != nil {
			complain("it isn't JSON to its end: %s", ended(err))
			return spec, false, strings.Join(said, "; ")
		}
		if seen[strings.ToLower(key)] {
			complain("%q is given twice", key)
		}
		seen[strings.ToLower(key)] = true
		if f := field(&spec, key, value); f != "" {
			complain("%s", f)
		}
	}
	if _, err := in.Token(); err != nil {
		complain("it isn't JSON to its end: %s", ended(err))
		return spec, false, strings.Join(said, "; ")
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		complain("more follows after the object")
	}
	return spec, true, strings.Join(said, "; ")
}

// ended says in words what io says of a text that ends too early.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}

// field reads one field, and says why it can't; then the field stays as it was,
// but for a rollback: that one is never lost to a second, contrary word.
func field(spec *v1alpha1.TrafficSwitchSpec, key string, value json.RawMessage) (fault string) {
	var into any
	next := *spec
	switch strings.ToLower(key) {
	case "paused":
		into = &next.Paused
	case "handsoff":
		into = &next.HandsOff
	case "rollback":
		into = &next.Rollback
	case "rollbackforce":
		into = &next.RollbackForce
	case "attempt":
		into = &next.Attempt
	case "approved":
		next.Approved = v1alpha1.Approval{}
		into = &next.Approved
	case "resolve":
		next.Resolve = v1alpha1.Resolution{}
		into = &next.Resolve
	case "vouch":
		next.Vouch = v1alpha1.Vouch{}
		into = &next.Vouch
	default:
		return fmt.Sprintf("%q is nothing that can be asked for", key)
	}
	strict := json.NewDecoder(bytes.NewReader(value))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		return fmt.Sprintf("%q can't be read: %s", key, err)
	}
	if fault := outOfBounds(next, key, value); fault != "" {
		return fault
	}
	next.Rollback = next.Rollback || spec.Rollback
	*spec = next
	return ""
}

// outOfBounds says what of a field the custom resource's schema would refuse.
func outOfBounds(s v1alpha1.TrafficSwitchSpec, key string, value json.RawMessage) string {
	if string(bytes.TrimSpace(value)) == "null" {
		return "" // it takes the field away
	}
	switch {
	case strings.EqualFold(key, "attempt") && (s.Attempt < 0 || s.Attempt > mostAttempts):
		return fmt.Sprintf("attempt is %d; use 0 to %d", s.Attempt, mostAttempts)
	case strings.EqualFold(key, "approved") && (s.Approved.Attempt < 1 || s.Approved.Step < 1):
		return "approved needs an attempt and a step, both from 1"
	case strings.EqualFold(key, "resolve") && (s.Resolve.ID == "" || s.Resolve.How != "adopt" && s.Resolve.How != "restore"):
		return "resolve needs the id of a question, and adopt or restore for how"
	case strings.EqualFold(key, "vouch") && (s.Vouch.Attempt < 1 || s.Vouch.Take != "blue" && s.Vouch.Take != "green"):
		return "vouch needs an attempt from 1, and blue or green to take"
	}
	return ""
}

// salvaged is what counts while a request makes no sense: what was asked for
// before, and of the new what stops rises or goes back. Nothing rises meanwhile,
// and nobody who wants back is kept waiting for a comma.
func salvaged(before, broken v1alpha1.TrafficSwitchSpec, whole bool) v1alpha1.TrafficSwitchSpec {
	next := before
	next.Rollback = before.Rollback || broken.Rollback
	next.RollbackForce = before.RollbackForce || broken.RollbackForce
	next.Paused = before.Paused || broken.Paused
	next.HandsOff = broken.HandsOff
	if !whole {
		next.HandsOff = before.HandsOff || broken.HandsOff
	}
	return next
}

// encodeSpec gives the content of a request file.
func encodeSpec(spec v1alpha1.TrafficSwitchSpec) ([]byte, error) {
	content, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing what is asked for as JSON: %w", err)
	}
	return append(content, '\n'), nil
}
