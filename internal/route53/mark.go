package route53

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// markTTL is how long resolvers keep a mark. It is for people with dig; the
// daemon reads the API.
const markTTL = 60

// markRecord is the TXT record that carries a mark at a name.
func markRecord(at string, m shift.Mark) types.ResourceRecordSet {
	return types.ResourceRecordSet{
		Name: &at, Type: types.RRTypeTxt, TTL: aws.Int64(markTTL),
		ResourceRecords: []types.ResourceRecord{{Value: aws.String(`"` + m.String() + `"`)}},
	}
}

// readMark reads what markRecord wrote. A record that is anything else is an
// error: it must never pass for none.
func readMark(r types.ResourceRecordSet) (shift.Mark, error) {
	if r.SetIdentifier != nil || r.AliasTarget != nil || len(r.ResourceRecords) != 1 {
		return shift.Mark{}, fmt.Errorf("the TXT record %s is not one plain value", plain(aws.ToString(r.Name)))
	}
	quoted := aws.ToString(r.ResourceRecords[0].Value)
	text, ok := strings.CutPrefix(quoted, `"`)
	if ok {
		text, ok = strings.CutSuffix(text, `"`)
	}
	if !ok || strings.ContainsAny(text, `"\`) {
		return shift.Mark{}, fmt.Errorf("the TXT record %s is not one quoted string: %s", plain(aws.ToString(r.Name)), quoted)
	}
	return shift.ParseMark(text)
}

// joinMarks gives the newest of an entrance's marks. Where a name's mark tells
// of a rollback in the same attempt, the newest tells of it too: it is what the
// attempt ends with, whichever names the write of it reached.
func joinMarks(marks []shift.Mark) *shift.Mark {
	if len(marks) == 0 {
		return nil
	}
	newest := marks[0]
	for _, m := range marks[1:] {
		if m.Compare(newest) > 0 {
			newest = m
		}
	}
	var back *shift.Mark
	for _, m := range marks {
		if m.Rollback && m.Attempt == newest.Attempt && (back == nil || m.Compare(*back) > 0) {
			back = &m
		}
	}
	if back != nil && !newest.Rollback {
		newest.Rollback, newest.Phase, newest.Share = true, back.Phase, back.Share
	}
	return &newest
}
