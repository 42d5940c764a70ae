package route53

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var ignoreSerde = cmpopts.IgnoreUnexported(types.ResourceRecordSet{}, types.ResourceRecord{}, types.Change{}, types.AliasTarget{})

// anyGroup draws a weighted group with fields of every kind.
func anyGroup(t *rapid.T, typ types.RRType) []types.ResourceRecordSet {
	var members []types.ResourceRecordSet
	ids := append([]string{"blue", "green"}, rapid.SliceOfNDistinct(rapid.StringMatching(`x[a-z]{1,4}`), 0, 3, rapid.ID).Draw(t, "others")...)
	ttl := rapid.Int64Range(0, 86400).Draw(t, "ttl")
	for _, id := range ids {
		m := types.ResourceRecordSet{
			Name: aws.String(shop), Type: typ, SetIdentifier: aws.String(id),
			Weight: aws.Int64(rapid.Int64Range(0, 255).Draw(t, "weight")), TTL: &ttl,
		}
		for _, v := range rapid.SliceOfN(rapid.StringMatching(`192\.0\.2\.[1-9]`), 1, 3).Draw(t, "values") {
			m.ResourceRecords = append(m.ResourceRecords, types.ResourceRecord{Value: aws.String(v)})
		}
		if rapid.Bool().Draw(t, "checked") {
			m.HealthCheckId = aws.String("hc-" + id)
		}
		if rapid.Bool().Draw(t, "alias") {
			m.TTL, m.ResourceRecords = nil, nil
			m.AliasTarget = &types.AliasTarget{DNSName: aws.String(id + ".elb."), HostedZoneId: aws.String("ZELB"), EvaluateTargetHealth: true}
		}
		members = append(members, m)
	}
	return members
}

func TestASwapChangesNothingButTheWeights(t *testing.T) {
	t.Parallel()
	e := *entrance().Route53
	rapid.Check(t, func(t *rapid.T) {
		zone := []types.ResourceRecordSet{text("other.example.com.", "leave me alone")}
		share := shift.Share(rapid.IntRange(0, 100).Draw(t, "share"))
		var groups []planned
		for _, typ := range rapid.SampledFrom([][]types.RRType{{types.RRTypeA}, {types.RRTypeA, types.RRTypeAaaa}, {types.RRTypeCname}}).Draw(t, "types") {
			members := anyGroup(t, typ)
			zone = append(zone, members...)
			groups = append(groups, planned{group: groupOf(shop, typ, members), weights: share.Weights()})
		}
		var oldMark *types.ResourceRecordSet
		if rapid.Bool().Draw(t, "was marked") {
			oldMark = new(text(markShop, rapid.StringMatching(`[a-z =]{0,20}`).Draw(t, "old mark")))
			zone = append(zone, *oldMark)
		}
		var newMark *types.ResourceRecordSet
		if rapid.Bool().Draw(t, "marks") {
			newMark = new(markRecord(markShop, shift.Mark{Phase: shift.Shifting, Version: 7}))
		}
		asRead := fmt.Sprint(dump(zone))

		changes, err := planSwap(e, groups, oldMark, newMark)
		if err != nil {
			t.Fatalf("planning %s: %v", share, err)
		}
		if got := fmt.Sprint(dump(zone)); got != asRead {
			t.Fatalf("planning changed what was read:\n%s\n%s", asRead, got)
		}
		after, err := apply(zone, changes)
		if err != nil {
			t.Fatalf("AWS refuses the plan: %v", err)
		}
		if len(after) != len(zone)+count(newMark != nil && oldMark == nil) {
			t.Fatalf("%d record sets became %d", len(zone), len(after))
		}
		weights := map[string]int{"blue": share.Weights().Blue, "green": share.Weights().Green}
		for _, was := range zone {
			is := find(t, after, was)
			switch {
			case was.SetIdentifier != nil:
				if want, named := weights[*was.SetIdentifier]; named {
					was.Weight = aws.Int64(int64(want))
				}
			case was.Type == types.RRTypeTxt && newMark != nil && *was.Name == *newMark.Name:
				was = *newMark
			}
			if diff := cmp.Diff(was, is, ignoreSerde); diff != "" {
				t.Fatalf("more than the weight changed (-want +got):\n%s", diff)
			}
		}
	})
}

func TestASwapIsRefusedWhenAnythingOfItChangedSinceItWasRead(t *testing.T) {
	t.Parallel()
	edits := map[string]func(*types.ResourceRecordSet){
		"the weight": func(r *types.ResourceRecordSet) { r.Weight = aws.Int64((*r.Weight + 1) % 256) },
		"the TTL":    func(r *types.ResourceRecordSet) { r.TTL = aws.Int64(aws.ToInt64(r.TTL) + 1) },
		"the values": func(r *types.ResourceRecordSet) {
			r.ResourceRecords = []types.ResourceRecord{{Value: aws.String("198.51.100.9")}}
		},
		"the health check": func(r *types.ResourceRecordSet) { r.HealthCheckId = aws.String("hc-new") },
		"the alias":        func(r *types.ResourceRecordSet) { r.AliasTarget = &types.AliasTarget{DNSName: aws.String("new.elb.")} },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				members := anyGroup(t, types.RRTypeA)
				was := groupOf(shop, types.RRTypeA, members)
				changes, err := planSwap(*entrance().Route53, []planned{{group: was, weights: shift.Share(40).Weights()}}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				edited := append([]types.ResourceRecordSet(nil), members...)
				edit(&edited[rapid.IntRange(0, 1).Draw(t, "which")])
				if _, err := apply(edited, changes); err == nil {
					t.Fatal("AWS accepts a swap of what isn't there any more")
				}
				is := groupOf(shop, types.RRTypeA, edited)
				if token([]spot{{groups: []group{was}}}) == token([]spot{{groups: []group{is}}}) {
					t.Fatal("the token doesn't tell the two readings apart")
				}
			})
		})
	}
}

func TestAPlanIsRefused(t *testing.T) {
	t.Parallel()
	pair := []types.ResourceRecordSet{weighted(shop, "blue", 100, "192.0.2.1"), weighted(shop, "green", 0, "192.0.2.2")}
	simple := []types.ResourceRecordSet{{Name: aws.String(shop), Type: types.RRTypeA}}
	cases := map[string]struct {
		members []types.ResourceRecordSet
		weights shift.Weights
	}{
		"when all weights would be zero":        {pair, shift.Weights{}},
		"when a weight is negative":             {pair, shift.Weights{Blue: 101, Green: -1}},
		"when a weight is above Route 53's 255": {pair, shift.Weights{Blue: 256}},
		"when a declared record isn't there":    {pair[:1], shift.Weights{Blue: 100}},
		"when the record is a simple one":       {simple, shift.Weights{Blue: 100}},
		"when nothing is there":                 {nil, shift.Weights{Blue: 100}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := planned{group: groupOf(shop, types.RRTypeA, c.members), weights: c.weights}
			if changes, err := planSwap(*entrance().Route53, []planned{g}, nil, nil); err == nil {
				t.Fatalf("planned %v", dumpChanges(changes))
			}
		})
	}
}

func find(t *rapid.T, sets []types.ResourceRecordSet, like types.ResourceRecordSet) types.ResourceRecordSet {
	for _, s := range sets {
		if cmp.Equal(recordKey(s), recordKey(like)) {
			return s
		}
	}
	t.Fatalf("%s %q disappeared", *like.Name, aws.ToString(like.SetIdentifier))
	return types.ResourceRecordSet{}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func dump(sets []types.ResourceRecordSet) []string {
	var out []string
	for _, s := range sets {
		out = append(out, fmt.Sprintf("%s %s %s w=%d ttl=%d hc=%s alias=%v values=%d", *s.Name, s.Type, aws.ToString(s.SetIdentifier),
			aws.ToInt64(s.Weight), aws.ToInt64(s.TTL), aws.ToString(s.HealthCheckId), s.AliasTarget, len(s.ResourceRecords)))
	}
	return out
}

func dumpChanges(changes []types.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, string(c.Action)+" "+dump([]types.ResourceRecordSet{*c.ResourceRecordSet})[0])
	}
	return out
}
