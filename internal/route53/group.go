package route53

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// group is all A records of one name and the mark beside them, exactly as they
// were read.
type group struct {
	name    string // canonical
	members []types.ResourceRecordSet
	mark    *types.ResourceRecordSet // nil: there is none, or the entrance has no mark
}

// token is the digest of exactly what was read, every field of it: a swap made
// from this reading succeeds only while all of it still stands.
func (g group) token() string {
	text, err := json.Marshal(struct {
		Members []types.ResourceRecordSet
		Mark    *types.ResourceRecordSet
	}{g.members, g.mark})
	if err != nil {
		return "" // no token equals it: rises are refused
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

func (g group) member(id string) (types.ResourceRecordSet, bool) {
	for _, m := range g.members {
		if aws.ToString(m.SetIdentifier) == id {
			return m, true
		}
	}
	return types.ResourceRecordSet{}, false
}

// weights reads the two declared records; false when they aren't both there
// with a weight.
func (g group) weights(e shift.Route53Entrance) (shift.Weights, bool) {
	blue, okBlue := g.member(e.BlueSetIdentifier)
	green, okGreen := g.member(e.GreenSetIdentifier)
	if !okBlue || !okGreen || blue.Weight == nil || green.Weight == nil {
		return shift.Weights{}, false
	}
	return shift.Weights{Blue: int(*blue.Weight), Green: int(*green.Weight)}, true
}

// ttl is that of the group: Route 53 demands one for all members.
func (g group) ttl() time.Duration {
	return time.Duration(aws.ToInt64(g.members[0].TTL)) * time.Second
}

// declared says what keeps even a rollback from swapping: the two records must
// be there, be different, and carry weights.
func (g group) declared(e shift.Route53Entrance) error {
	name := plain(g.name)
	if len(g.members) == 0 {
		return fmt.Errorf("there is no A record %s in zone %s: create two weighted ones with the set identifiers %q and %q",
			name, e.HostedZoneID, e.BlueSetIdentifier, e.GreenSetIdentifier)
	}
	if g.members[0].SetIdentifier == nil {
		return fmt.Errorf("%s is a simple record: replace it by two weighted ones with the set identifiers %q and %q",
			name, e.BlueSetIdentifier, e.GreenSetIdentifier)
	}
	if e.BlueSetIdentifier == e.GreenSetIdentifier {
		return fmt.Errorf("blue and green of %s have the same set identifier %q", name, e.BlueSetIdentifier)
	}
	for _, id := range []string{e.BlueSetIdentifier, e.GreenSetIdentifier} {
		m, ok := g.member(id)
		if !ok {
			return fmt.Errorf("%s has no A record with the set identifier %q: create it with weight 0, or correct the name (there are %s)", name, id, g.identifiers())
		}
		if m.Weight == nil {
			return fmt.Errorf("%s %q is not routed by weight: make it a weighted record", name, id)
		}
	}
	return nil
}

// usable says what keeps the group from being shifted, as one sentence with
// what to do.
func (g group) usable(e shift.Route53Entrance) error {
	if err := g.declared(e); err != nil {
		return err
	}
	name := plain(g.name)
	for _, m := range g.members {
		id := aws.ToString(m.SetIdentifier)
		switch {
		case id != e.BlueSetIdentifier && id != e.GreenSetIdentifier:
			return fmt.Errorf("%s has a third A record %q with weight %d: delete it, since shares are counted between %q and %q only",
				name, id, aws.ToInt64(m.Weight), e.BlueSetIdentifier, e.GreenSetIdentifier)
		case m.AliasTarget != nil:
			return fmt.Errorf("%s %q is an alias record, which is not supported yet: give it values", name, id)
		case aws.ToInt64(m.TTL) != aws.ToInt64(g.members[0].TTL):
			return fmt.Errorf("the A records of %s have different TTLs (%d s and %d s): give them one", name, aws.ToInt64(g.members[0].TTL), aws.ToInt64(m.TTL))
		}
	}
	if _, err := g.readMark(); err != nil {
		return fmt.Errorf("%w: look at it, then delete it", err)
	}
	return nil
}

// readMark gives the mark, nil when there is none.
func (g group) readMark() (*shift.Mark, error) {
	if g.mark == nil {
		return nil, nil //nolint:nilnil // no mark is a valid answer, as in EntranceReading
	}
	m, err := readMark(*g.mark)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

func (g group) identifiers() string {
	var ids []string
	for _, m := range g.members {
		ids = append(ids, fmt.Sprintf("%q", aws.ToString(m.SetIdentifier)))
	}
	return strings.Join(ids, ", ")
}

// found describes the group for a note on a conflict.
func (g group) found(e shift.Route53Entrance) string {
	if err := g.declared(e); err != nil {
		return err.Error()
	}
	w, _ := g.weights(e)
	mark := "no mark"
	if g.mark != nil {
		mark = "the mark can't be read"
		if m, err := g.readMark(); err == nil {
			mark = "mark: " + m.String()
		}
	}
	return fmt.Sprintf("it stands at %s, %s", w, mark)
}
