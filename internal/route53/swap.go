package route53

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// swap is one change on its way.
type swap struct {
	shift.Change
	ctx    context.Context // kept, since a batch is made of changes of many callers
	result *shift.Result

	// bare says by name why the mark is left out there; without an entry it goes
	// with the weights.
	bare map[string]string
	// wrote is when AWS last acknowledged a part; zero: none was written.
	wrote time.Time
	// unsure: a write was sent and its answer lost.
	unsure bool
	// left says which other members an applied swap passed over.
	left []string
}

func (s *swap) entrance() shift.Route53Entrance { return *s.Entrance.Route53 }

func (s *swap) answer(o shift.Outcome, at time.Time, format string, args ...any) {
	s.result.Outcome, s.result.At, s.result.Note = o, at, fmt.Sprintf(format, args...)
}

// name names the entrance for sentences.
func (s *swap) name() string { return listed(s.entrance().Names) }

// part is what must be written together: one or more names of one change.
type part struct {
	wanted  []wished
	names   []string // whatever the part writes, the marks' names included
	reads   []string // what must be listed to read the names back
	changes []types.Change
	size    BatchSize

	priority shift.Priority
	// group keeps apart what a refused batch was divided into; empty: none was.
	group string
	// ctx is the change's; what is over isn't sent.
	ctx context.Context

	flight *flight // guarded by queue.mu; nil: it waits
}

// wished is one name with the weights that its groups shall have.
type wished struct {
	spot
	groups []planned // those that are written; none: the mark only
}

// spots are what the part was made from.
func (p *part) spots() []spot {
	spots := make([]spot, len(p.wanted))
	for i, w := range p.wanted {
		spots[i] = w.spot
	}
	return spots
}

// key tells the part from the change's others.
func (p *part) key() string { return p.wanted[0].name }

// marked tells whether this part writes any mark.
func (s *swap) marked(p *part) bool {
	for _, w := range p.wanted {
		if s.marks(w.name) {
			return true
		}
	}
	return false
}

func (s *swap) marks(name string) bool { return s.entrance().Mark && s.bare[name] == "" }

// plan divides the wishes into parts that each fit into a batch: one, unless the
// entrance is larger than that. A name is never divided.
func (s *swap) plan(wishes []wished) ([]*part, error) {
	var parts []*part
	for _, w := range wishes {
		changes, err := s.planName(w)
		if err != nil {
			return nil, fmt.Errorf("planning the swap of %s: %w", plain(w.name), err)
		}
		if len(changes) == 0 {
			continue
		}
		size := SizeOf(changes)
		if !size.Fits() {
			return nil, fmt.Errorf("the records of %s alone are more than Route 53 takes in one batch", plain(w.name))
		}
		if n := len(parts); n == 0 || !parts[n-1].size.Plus(size).Fits() {
			parts = append(parts, &part{priority: s.Priority, ctx: s.ctx})
		}
		p := parts[len(parts)-1]
		p.wanted = append(p.wanted, w)
		p.names, p.reads = append(p.names, w.name), append(p.reads, w.name)
		if s.entrance().Mark {
			p.reads = append(p.reads, w.markAt)
		}
		if s.marks(w.name) {
			p.names = append(p.names, w.markAt)
		}
		p.changes, p.size = append(p.changes, changes...), p.size.Plus(size)
	}
	return parts, nil
}

func (s *swap) planName(w wished) ([]types.Change, error) {
	var oldMark, newMark *types.ResourceRecordSet
	if s.marks(w.name) {
		newMark = new(markRecord(w.markAt, s.Control))
		if len(w.marks) > 0 {
			oldMark = &w.marks[0]
		}
	}
	return planSwap(s.entrance(), w.groups, oldMark, newMark)
}

// replan plans a part again after something about it was learned; empty: nothing
// is left to write, since it was nothing but marks that are left out now.
func (s *swap) replan(p *part) (empty bool, err error) {
	parts, err := s.plan(p.wanted)
	switch {
	case err != nil:
		return false, err
	case len(parts) > 1:
		return false, fmt.Errorf("%d parts came of one", len(parts))
	case len(parts) == 0:
		return true, nil
	}
	p.names, p.changes, p.size = parts[0].names, parts[0].changes, parts[0].size
	return false, nil
}

// shows tells whether a reading is what the part wanted, its own marks included.
func (s *swap) shows(p *part, spots []spot) bool {
	for i, w := range p.wanted {
		for _, g := range w.groups {
			is := groupOf(g.name, g.typ, nil)
			for _, read := range spots[i].groups {
				if read.typ == g.typ {
					is = read
				}
			}
			if weights, ok := is.weights(s.entrance()); !ok || weights != g.weights {
				return false
			}
		}
		if !s.marks(w.name) {
			continue
		}
		if m, err := spots[i].readMark(); err != nil || m == nil || *m != s.Control {
			return false
		}
	}
	return true
}

// landed notes a part that AWS took.
func (s *swap) landed(p *part, at time.Time) {
	s.wrote = at
	for _, w := range p.wanted {
		for _, g := range w.groups {
			for _, m := range g.others(s.entrance()) {
				s.left = append(s.left, fmt.Sprintf("the record %s %q with weight %d was left as it is", g, aws.ToString(m.SetIdentifier), aws.ToInt64(m.Weight)))
			}
		}
	}
}

// remarks says what an applied swap left out or passed over.
func (s *swap) remarks() string {
	var said []string
	if s.entrance().Mark {
		reasons := map[string][]string{}
		for _, n := range s.entrance().Names {
			if reason := s.bare[canonical(n)]; reason != "" {
				if len(reasons[reason]) == 0 {
					said = append(said, reason)
				}
				reasons[reason] = append(reasons[reason], n)
			}
		}
		for i, reason := range said {
			said[i] = "without the mark: " + reason
			if names := reasons[reason]; len(names) < len(s.entrance().Names) {
				said[i] = listed(names) + " " + said[i]
			}
		}
	}
	if len(s.left) > 0 {
		said = append(said, listed(s.left))
	}
	return strings.Join(said, "; ")
}

// refusal says what to do about AWS's no.
func (s *swap) refusal(f awsapi.Failure) string {
	return f.String() + f.Remedy(fmt.Sprintf("route53:ChangeResourceRecordSets with CREATE and DELETE of %s and TXT on hosted zone %s",
		strings.Join(s.entrance().Types, ", "), s.entrance().HostedZoneID))
}
