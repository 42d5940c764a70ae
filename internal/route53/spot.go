package route53

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// spot is one name of an entrance, exactly as it was read: a group for each of
// the entrance's types, and the mark that they share.
type spot struct {
	name   string // canonical
	groups []group
	// beside are the types of records at the name that the entrance doesn't name.
	beside []group
	markAt string // where the mark stands; canonical
	// marks are the TXT records there; more than one is unreadable.
	marks []types.ResourceRecordSet
	// markBlocked: a CNAME stands where the mark belongs.
	markBlocked bool
}

// spotOf sorts what was listed at a name and at its mark's into their places.
func spotOf(e shift.Route53Entrance, name string, at, atMark []types.ResourceRecordSet) spot {
	s := spot{name: canonical(name), markAt: canonical(e.MarkName(name))}
	for _, typ := range e.Types {
		s.groups = append(s.groups, groupOf(s.name, types.RRType(typ), at))
	}
	for _, typ := range []types.RRType{types.RRTypeA, types.RRTypeAaaa, types.RRTypeCname} {
		if g := groupOf(s.name, typ, at); len(g.members) > 0 && !slices.Contains(e.Types, string(typ)) {
			s.beside = append(s.beside, g)
		}
	}
	if e.Mark {
		s.marks = groupOf(s.markAt, types.RRTypeTxt, atMark).members
		s.markBlocked = len(groupOf(s.markAt, types.RRTypeCname, atMark).members) > 0
	}
	return s
}

// readMark gives the mark, nil when there is none.
func (s spot) readMark() (*shift.Mark, error) {
	switch {
	case s.markBlocked:
		return nil, fmt.Errorf("a CNAME record stands at %s, where the mark belongs", plain(s.markAt))
	case len(s.marks) == 0:
		return nil, nil //nolint:nilnil // no mark is a valid answer, as in EntranceReading
	case len(s.marks) > 1:
		return nil, fmt.Errorf("there are %d TXT records %s instead of one mark", len(s.marks), plain(s.markAt))
	}
	m, err := readMark(s.marks[0])
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// token is the digest of exactly what was read, every field of it: a swap made
// from this reading succeeds only while all of it still stands.
func token(spots []spot) string {
	type seen struct {
		Groups [][]types.ResourceRecordSet
		Marks  []types.ResourceRecordSet
	}
	var all []seen
	for _, s := range spots {
		one := seen{Marks: s.marks}
		for _, g := range s.groups {
			one.Groups = append(one.Groups, g.members)
		}
		all = append(all, one)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "" // no token equals it: rises are refused
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// legible gives the marks that can be read, and the error of the first that can't.
func legible(spots []spot) (marks []shift.Mark, err error) {
	for _, s := range spots {
		m, fault := s.readMark()
		switch {
		case fault != nil:
			err = cmp.Or(err, fault)
		case m != nil:
			marks = append(marks, *m)
		}
	}
	return marks, err
}
