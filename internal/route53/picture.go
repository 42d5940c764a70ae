package route53

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// picture is an entrance exactly as it was read.
type picture struct {
	// at is when the oldest of its listings began.
	at    time.Time
	spots []spot
}

// namesOf are the names whose records make up the entrance, canonical: its own
// and those of its marks.
func namesOf(e shift.Route53Entrance) []string {
	var names []string
	for _, n := range e.Names {
		names = append(names, canonical(n))
		if e.Mark {
			names = append(names, canonical(e.MarkName(n)))
		}
	}
	return names
}

// pictureOf puts an entrance together from what was seen of its names; the error
// is that of the first name that couldn't be read.
func pictureOf(e shift.Route53Entrance, seen map[string]sight) (picture, error) {
	var p picture
	for _, n := range namesOf(e) {
		s := seen[n]
		if s.err != nil {
			return picture{}, s.err
		}
		if p.at.IsZero() || s.began.Before(p.at) {
			p.at = s.began
		}
	}
	for _, n := range e.Names {
		p.spots = append(p.spots, spotOf(e, n, seen[canonical(n)].records, seen[canonical(e.MarkName(n))].records))
	}
	return p, nil
}

// reading tells the core what was seen. InSync and Owner are for the caller to
// add.
func (p picture) reading(e shift.Entrance) shift.EntranceReading {
	r := shift.EntranceReading{Name: e.Name, At: p.at, Token: token(p.spots)}
	entrance := *e.Route53
	if err := usable(entrance, p.spots); err != nil {
		r.Err = err.Error()
		return r
	}
	most, all := apart(entrance, p.spots)
	r.Weights = most
	if len(all) > 1 {
		r.Apart, r.Where = all, where(entrance, p.spots)
	}
	marks, _ := legible(p.spots)
	r.Mark = joinMarks(marks)
	for _, s := range p.spots {
		for _, g := range s.groups {
			r.TTL = max(r.TTL, g.ttl())
		}
	}
	r.Notes = notes(entrance, p.spots)
	return r
}
