package route53

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// alias makes a record an alias to a load balancer.
func alias(r types.ResourceRecordSet, evaluate bool) types.ResourceRecordSet {
	r.TTL, r.ResourceRecords, r.HealthCheckId = nil, nil, nil
	r.AliasTarget = &types.AliasTarget{
		DNSName: aws.String(*r.SetIdentifier + ".elb.example.net."), HostedZoneId: aws.String("ZELB"), EvaluateTargetHealth: evaluate,
	}
	return r
}

func ofType(typ types.RRType, r types.ResourceRecordSet) types.ResourceRecordSet {
	r.Type = typ
	return r
}

// unchecked takes the health check away.
func unchecked(r types.ResourceRecordSet) types.ResourceRecordSet {
	r.HealthCheckId = nil
	return r
}

func readOne(t *testing.T, z *fakeZone, edit func(e *shift.Route53Entrance)) shift.EntranceReading {
	t.Helper()
	e := entrance()
	edit(e.Route53)
	return newAdapter(z).Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
}

func TestGroupsOfEveryShapeAreOneReading(t *testing.T) {
	t.Parallel()
	const api = "api.example.com."
	pair := func(name string, typ types.RRType, blue, green int64) []types.ResourceRecordSet {
		return []types.ResourceRecordSet{
			ofType(typ, unchecked(weighted(name, "blue", blue, "192.0.2.1"))), ofType(typ, unchecked(weighted(name, "green", green, "192.0.2.2"))),
		}
	}
	cases := map[string]struct {
		sets []types.ResourceRecordSet
		edit func(e *shift.Route53Entrance)
		want shift.EntranceReading
	}{
		"A and AAAA alike": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 75, 25), pair(shop, types.RRTypeAaaa, 75, 25)),
			edit: func(e *shift.Route53Entrance) { e.Types = []string{"A", "AAAA"} },
			want: shift.EntranceReading{Weights: shift.Weights{Blue: 75, Green: 25}, TTL: 30 * time.Second},
		},
		"the same proportion in other numbers is no difference": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 75, 25), pair(shop, types.RRTypeAaaa, 3, 1)),
			edit: func(e *shift.Route53Entrance) { e.Types = []string{"A", "AAAA"} },
			want: shift.EntranceReading{Weights: shift.Weights{Blue: 75, Green: 25}, TTL: 30 * time.Second},
		},
		"AAAA behind A": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 50, 50), pair(shop, types.RRTypeAaaa, 75, 25)),
			edit: func(e *shift.Route53Entrance) { e.Types = []string{"A", "AAAA"} },
			want: shift.EntranceReading{
				Weights: shift.Weights{Blue: 50, Green: 50}, Apart: []shift.Weights{{Blue: 50, Green: 50}, {Blue: 75, Green: 25}}, TTL: 30 * time.Second,
				Where: "shop.example.com A at blue 50, green 50; shop.example.com AAAA at blue 75, green 25",
			},
		},
		"a CNAME": {
			sets: pair(shop, types.RRTypeCname, 100, 0),
			edit: func(e *shift.Route53Entrance) { e.Types = []string{"CNAME"} },
			want: shift.EntranceReading{Weights: shift.Weights{Blue: 100}, TTL: 30 * time.Second},
		},
		"two names apart": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 90, 10), pair(api, types.RRTypeA, 100, 0)),
			edit: func(e *shift.Route53Entrance) { e.Names = append(e.Names, "api.example.com") },
			want: shift.EntranceReading{
				Weights: shift.Weights{Blue: 90, Green: 10}, Apart: []shift.Weights{{Blue: 90, Green: 10}, {Blue: 100}}, TTL: 30 * time.Second,
				Where: "shop.example.com A at blue 90, green 10; api.example.com A at blue 100, green 0",
			},
		},
		"an alias is kept for 60 s, which is longer than the other name": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 90, 10), []types.ResourceRecordSet{alias(weighted(api, "blue", 90, ""), false), alias(weighted(api, "green", 10, ""), false)}),
			edit: func(e *shift.Route53Entrance) { e.Names = append(e.Names, "api.example.com") },
			want: shift.EntranceReading{Weights: shift.Weights{Blue: 90, Green: 10}, TTL: 60 * time.Second},
		},
		"the newest mark tells of a rollback that an older one of its attempt tells of": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 100, 0), pair(api, types.RRTypeA, 100, 0), []types.ResourceRecordSet{
				markRecord(markShop, mark(2, 7, 50)),
				markRecord("_clusterswitch.api.example.com.", shift.Mark{Attempt: 1, Epoch: 2, Version: 6, Phase: shift.RollingBack, Rollback: true}),
			}),
			edit: func(e *shift.Route53Entrance) { e.Names = append(e.Names, "api.example.com") },
			want: shift.EntranceReading{
				Weights: shift.Weights{Blue: 100}, TTL: 30 * time.Second,
				Mark: &shift.Mark{Attempt: 1, Epoch: 2, Version: 7, Phase: shift.RollingBack, Rollback: true},
			},
		},
		"a rollback of an older attempt is over": {
			sets: slices.Concat(pair(shop, types.RRTypeA, 100, 0), pair(api, types.RRTypeA, 100, 0), []types.ResourceRecordSet{
				markRecord("_m.shop.example.com.", shift.Mark{Attempt: 2, Epoch: 2, Version: 7, Phase: shift.Shifting}),
				markRecord("_m.api.example.com.", shift.Mark{Attempt: 1, Epoch: 2, Version: 6, Phase: shift.RollingBack, Rollback: true}),
			}),
			edit: func(e *shift.Route53Entrance) { e.Names, e.MarkPrefix = append(e.Names, "api.example.com"), "_m" },
			want: shift.EntranceReading{
				Weights: shift.Weights{Blue: 100}, TTL: 30 * time.Second, Mark: &shift.Mark{Attempt: 2, Epoch: 2, Version: 7, Phase: shift.Shifting},
			},
		},
		"a wildcard": {
			sets: pair(`\052.example.com.`, types.RRTypeA, 60, 40),
			edit: func(e *shift.Route53Entrance) { e.Names = []string{"*.example.com"} },
			want: shift.EntranceReading{Weights: shift.Weights{Blue: 60, Green: 40}, TTL: 30 * time.Second},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readOne(t, &fakeZone{script: map[string][]fault{}, sets: c.sets}, c.edit)
			c.want.Name, c.want.At, c.want.InSync, c.want.SyncUnheard, c.want.Token = "dns", clock, true, true, got.Token
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatElseDecidesIsSaid(t *testing.T) {
	t.Parallel()
	plainPair := []types.ResourceRecordSet{unchecked(weighted(shop, "blue", 75, "192.0.2.1")), unchecked(weighted(shop, "green", 25, "192.0.2.2"))}
	cases := map[string]struct {
		sets []types.ResourceRecordSet
		want []string
	}{
		"nothing": {plainPair, nil},
		"another member, with what green really gets": {
			append(plainPair[:2:2], weighted(shop, "canary", 20, "192.0.2.3")),
			[]string{`"canary" 20`, "green really gets 25/(75+25+20), which is 20.8 %", "between blue and green only"},
		},
		"another member of weight 0": {append(plainPair[:2:2], unchecked(weighted(shop, "idle", 0, "192.0.2.3"))), []string{"other members have weight 0", `"idle" 0`}},
		"weight 0 beside a health check": {
			[]types.ResourceRecordSet{weighted(shop, "blue", 100, "192.0.2.1"), unchecked(weighted(shop, "green", 0, "192.0.2.2"))},
			[]string{"weight 0 is no guarantee for green", "blue (health check hc-blue)"},
		},
		"no failover to weight 0 where a member always counts as healthy": {
			[]types.ResourceRecordSet{unchecked(weighted(shop, "blue", 100, "192.0.2.1")), weighted(shop, "green", 0, "192.0.2.2")},
			[]string{"Route 53 looks at the health of green (health check hc-green)"},
		},
		"an alias that evaluates its target's health": {
			[]types.ResourceRecordSet{alias(weighted(shop, "blue", 100, ""), true), alias(weighted(shop, "green", 0, ""), true)},
			[]string{"green is an alias that evaluates its target's health", "weight 0 is no guarantee for green", "blue.elb.example.net"},
		},
		"records of another type beside": {append(plainPair[:2:2], ofType(types.RRTypeAaaa, plainPair[0])), []string{"shop.example.com AAAA: these records stand beside"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readOne(t, &fakeZone{script: map[string][]fault{}, sets: c.sets}, func(*shift.Route53Entrance) {})
			notes := strings.Join(got.Notes, "\n")
			for _, want := range c.want {
				if !strings.Contains(notes, want) {
					t.Errorf("the notes don't tell %q:\n%s", want, notes)
				}
			}
			if got.Err != "" || (len(c.want) == 0) != (notes == "") {
				t.Errorf("got %q, notes:\n%s", got.Err, notes)
			}
		})
	}
}

func TestManyNamesAreSaidShortly(t *testing.T) {
	t.Parallel()
	z := &fakeZone{script: map[string][]fault{}}
	e := pairOf(0, 200, true)
	for i, r := range recordsOf(e, 25) {
		if r.Type == types.RRTypeAaaa && i%7 == 0 {
			r.Weight = aws.Int64(*r.Weight + int64(i%50))
		}
		z.add(r)
	}
	got := newAdapter(z).Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
	if said := len(got.Where) + len(strings.Join(got.Notes, "")); got.Err != "" || got.Where == "" || said > 4000 {
		t.Errorf("%d characters, error %q, where %q, notes %q", said, got.Err, got.Where, got.Notes)
	}
}

// TestARescaledGroupCanBeShifted follows the advice for a group with other
// members, and finds it right.
func TestARescaledGroupCanBeShifted(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ blue, green, canary int64 }{
		"exactly":      {30, 20, 10},
		"nearly":       {2, 1, 1},
		"a trickle":    {255, 1, 3},
		"out of range": {1, 1, 200},
	}
	wants := map[string]string{
		"exactly":      `set "blue" to 60, "green" to 40, "canary" to 20, which keeps all proportions`,
		"nearly":       `set "blue" to 67, "green" to 33, "canary" to 33, the nearest to the same proportions`,
		"a trickle":    `set "blue" to 99, "green" to 1, "canary" to 1, the nearest to the same proportions`,
		"out of range": `set "blue" to 50, "green" to 50, "canary" to 255, the nearest to the same proportions`,
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := &fakeZone{script: map[string][]fault{}, sets: []types.ResourceRecordSet{
				weighted(shop, "blue", c.blue, "192.0.2.1"), weighted(shop, "green", c.green, "192.0.2.2"), weighted(shop, "canary", c.canary, "192.0.2.3"),
			}}
			got := readOne(t, z, func(*shift.Route53Entrance) {})
			if !strings.Contains(got.Err, wants[name]) {
				t.Fatalf("got %q", got.Err)
			}
			a := newAdapter(z)
			if back := a.Commit(t.Context(), []shift.Change{wish(got, 0, shift.Rollback)})[0]; back.Outcome != shift.Applied {
				t.Errorf("a rollback doesn't go: %+v", back)
			}
		})
	}
}

func TestASimpleRecordIsToldTheChangeToMake(t *testing.T) {
	t.Parallel()
	simple := types.ResourceRecordSet{Name: aws.String(shop), Type: types.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: aws.String("192.0.2.1")}}}
	aliased := types.ResourceRecordSet{Name: aws.String(shop), Type: types.RRTypeA, AliasTarget: &types.AliasTarget{DNSName: aws.String("old.elb."), HostedZoneId: aws.String("ZELB")}}
	for want, r := range map[string]types.ResourceRecordSet{
		`{"Action":"DELETE","ResourceRecordSet":{"Name":"shop.example.com.","Type":"A","TTL":60,"ResourceRecords":[{"Value":"192.0.2.1"}]}},` +
			`{"Action":"CREATE","ResourceRecordSet":{"Name":"shop.example.com.","Type":"A","SetIdentifier":"blue","Weight":100,"TTL":60,"ResourceRecords":[{"Value":"192.0.2.1"}]}},` +
			`{"Action":"CREATE","ResourceRecordSet":{"Name":"shop.example.com.","Type":"A","SetIdentifier":"green","Weight":0,"TTL":60,"ResourceRecords":[{"Value":"GREEN"}]}}`: simple,
		`"SetIdentifier":"green","Weight":0,"AliasTarget":{"HostedZoneId":"ZONE_OF_GREEN","DNSName":"GREEN","EvaluateTargetHealth":false}`: aliased,
	} {
		got := readOne(t, &fakeZone{script: map[string][]fault{}, sets: []types.ResourceRecordSet{r}}, func(*shift.Route53Entrance) {})
		if !strings.Contains(got.Err, want) || !strings.Contains(got.Err, "aws route53 change-resource-record-sets --hosted-zone-id Z1 --change-batch '") {
			t.Errorf("got %s", got.Err)
		}
	}
}

func TestAPolicyThatIsNotWeightedIsNamed(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(r *types.ResourceRecordSet){
		"by latency":      func(r *types.ResourceRecordSet) { r.Region = "eu-west-1" },
		"by failover":     func(r *types.ResourceRecordSet) { r.Failover = types.ResourceRecordSetFailoverPrimary },
		"by geolocation":  func(r *types.ResourceRecordSet) { r.GeoLocation = &types.GeoLocation{} },
		"by geoproximity": func(r *types.ResourceRecordSet) { r.GeoProximityLocation = &types.GeoProximityLocation{} },
		"by the client's": func(r *types.ResourceRecordSet) { r.CidrRoutingConfig = &types.CidrRoutingConfig{} },
		"by multivalue":   func(r *types.ResourceRecordSet) { r.MultiValueAnswer = aws.Bool(true) },
		"traffic policy": func(r *types.ResourceRecordSet) {
			r.Weight, r.TrafficPolicyInstanceId = aws.Int64(1), aws.String("tp-1")
		},
		"both have weight 0":    func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(0) },
		"same set identifier":   func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(1) },
		"a CNAME record stands": func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(1) },
	} {
		z := shopAt(50)
		for _, id := range []string{"blue", "green"} {
			z.set(shop, id, func(r *types.ResourceRecordSet) {
				r.Weight = nil
				edit(r)
			})
		}
		got := readOne(t, z, func(e *shift.Route53Entrance) {
			switch want {
			case "same set identifier":
				e.GreenSetIdentifier = "blue"
			case "a CNAME record stands":
				z.sets = slices.DeleteFunc(z.sets, func(r types.ResourceRecordSet) bool { return *r.Name == markShop })
				z.add(types.ResourceRecordSet{Name: aws.String(markShop), Type: types.RRTypeCname})
			}
		})
		if !strings.Contains(got.Err, want) {
			t.Errorf("%q is not told: %q", want, got.Err)
		}
	}
}
