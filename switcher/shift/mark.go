package shift

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Mark is the journal's copy at AWS: a TXT record beside the weighted group, a
// tag on the rule. It guards against A-B-A and lets a rollback that went
// without the journal leave its trace.
type Mark struct {
	Attempt  int
	Epoch    int64
	Version  int64
	Phase    Phase
	Share    Share
	Rollback bool
}

const markSchema = "clusterswitch/v1"

// maxCount is more than any daemon can count, and leaves room for counting on.
const maxCount = 1 << 62

// String gives the text that is stored. It uses only characters that TXT
// records, tags and people take without quoting.
func (m Mark) String() string {
	return fmt.Sprintf("%s attempt=%d epoch=%d version=%d phase=%s share=%d rollback=%t",
		markSchema, m.Attempt, m.Epoch, m.Version, m.Phase, m.Share, m.Rollback)
}

// ParseMark reads what String wrote. Anything else is an error: a mark that
// can't be read must never pass for none.
func ParseMark(text string) (Mark, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || fields[0] != markSchema {
		return Mark{}, fmt.Errorf("mark %q doesn't begin with %s", text, markSchema)
	}
	var m Mark
	seen := map[string]bool{}
	for _, f := range fields[1:] {
		key, value, ok := strings.Cut(f, "=")
		if !ok || seen[key] {
			return Mark{}, fmt.Errorf("mark %q: %q is not one key=value", text, f)
		}
		seen[key] = true
		if err := m.set(key, value); err != nil {
			return Mark{}, fmt.Errorf("mark %q: %w", text, err)
		}
	}
	for _, key := range []string{"attempt", "epoch", "version", "phase", "share", "rollback"} {
		if !seen[key] {
			return Mark{}, fmt.Errorf("mark %q lacks %s", text, key)
		}
	}
	for _, n := range []int64{int64(m.Attempt), m.Epoch, m.Version} {
		if n < 0 || n > maxCount {
			return Mark{}, fmt.Errorf("mark %q has the count %d, which is not within 0 and %d", text, n, int64(maxCount))
		}
	}
	return m, nil
}

func (m *Mark) set(key, value string) (err error) {
	switch key {
	case "attempt":
		m.Attempt, err = strconv.Atoi(value)
	case "epoch":
		m.Epoch, err = strconv.ParseInt(value, 10, 64)
	case "version":
		m.Version, err = strconv.ParseInt(value, 10, 64)
	case "phase":
		m.Phase = Phase(value)
		if !m.Phase.known() {
			return fmt.Errorf("unknown phase %q", value)
		}
	case "share":
		var n int
		n, err = strconv.Atoi(value)
		m.Share = Share(n)
		if err == nil && !m.Share.Valid() {
			return fmt.Errorf("share %d is not a percentage", n)
		}
	case "rollback":
		m.Rollback, err = strconv.ParseBool(value)
	default:
		// A newer version may write more; what this one knows still counts.
	}
	return err
}

// rollbackRecord is what a mark can tell of a rollback. Only an automatic one
// stops above 0, so only that is limited by blue's capacity when it goes on.
func (m Mark) rollbackRecord() RollbackRecord {
	return RollbackRecord{
		By: "the mark at AWS", Automatic: m.Share > 0,
		Why: "a rollback was written while the journal was away",
	}
}

// outranks tells whether something was written that the state doesn't know of.
// A state with a newer epoch but an older version comes from an old journal,
// recovered while the mark could not be read. One of a newer epoch refuses all that
// this one would write, also of an attempt before.
func (m Mark) outranks(s State) bool {
	return m.Compare(s.Mark()) > 0 || m.Attempt == s.Attempt && m.Version > s.Version || m.Epoch > s.Epoch
}

// Compare orders marks by (attempt, epoch, version), the order of truth.
func (m Mark) Compare(n Mark) int {
	return cmp.Or(cmp.Compare(m.Attempt, n.Attempt), cmp.Compare(m.Epoch, n.Epoch), cmp.Compare(m.Version, n.Version))
}
