package awscontract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// zone makes a hosted zone of the contract's own.
func (b *backend) zone(t *testing.T) (id, domain string) {
	t.Helper()
	domain = b.unique + ".example.com"
	out := must[*sdkroute53.CreateHostedZoneOutput](t)(b.route53.CreateHostedZone(t.Context(), &sdkroute53.CreateHostedZoneInput{Name: &domain, CallerReference: &b.unique}))
	return strings.TrimPrefix(*out.HostedZone.Id, "/hostedzone/"), domain
}

func (b *backend) change(t *testing.T, zone string, changes ...types.Change) error {
	t.Helper()
	_, err := b.route53.ChangeResourceRecordSets(t.Context(), &sdkroute53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{Changes: changes}})
	return err
}

// group lists the sets of one name, in the order of their type and identifier.
func (b *backend) group(t *testing.T, zone, name string) []types.ResourceRecordSet {
	t.Helper()
	out := must[*sdkroute53.ListResourceRecordSetsOutput](t)(b.route53.ListResourceRecordSets(t.Context(), &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: &zone}))
	sets := slices.DeleteFunc(out.ResourceRecordSets, func(r types.ResourceRecordSet) bool { return strings.TrimSuffix(*r.Name, ".") != name })
	slices.SortFunc(sets, func(x, y types.ResourceRecordSet) int {
		return strings.Compare(string(x.Type)+" "+sdk.ToString(x.SetIdentifier), string(y.Type)+" "+sdk.ToString(y.SetIdentifier))
	})
	return sets
}

func weightsOf(sets []types.ResourceRecordSet) string {
	var said []string
	for _, r := range sets {
		if r.Weight != nil {
			said = append(said, fmt.Sprintf("%s %s %d", r.Type, *r.SetIdentifier, *r.Weight))
		}
	}
	return strings.Join(said, ", ")
}

// pair is both members of a name.
func pair(name, typ string, blue, green int) []types.ResourceRecordSet {
	return []types.ResourceRecordSet{weigh(named(name, values(nil, typ, "blue")), blue), weigh(named(name, values(nil, typ, "green")), green)}
}

func all(action types.ChangeAction, sets ...types.ResourceRecordSet) (changes []types.Change) {
	for _, s := range sets {
		changes = append(changes, types.Change{Action: action, ResourceRecordSet: &s})
	}
	return changes
}

// swap takes sets as they stand, and puts others in their places, as the adapter does.
func swap(from, to []types.ResourceRecordSet) []types.Change {
	return append(all(types.ChangeActionDelete, from...), all(types.ChangeActionCreate, to...)...)
}

// seeded is a zone with a pair at 75 and 25.
func (b *backend) seeded(t *testing.T) (zone, name string, stands []types.ResourceRecordSet) {
	t.Helper()
	zone, domain := b.zone(t)
	name = "shop." + domain
	accepted(t, "creating the pair", b.change(t, zone, all(types.ChangeActionCreate, pair(name, "A", 75, 25)...)...))
	return zone, name, b.group(t, zone, name)
}

// batch is a change batch as the AWS CLI takes it: without what isn't set.
func batch(t *testing.T, changes []types.Change) string {
	t.Helper()
	text := must[[]byte](t)(json.Marshal(map[string]any{"Changes": changes}))
	var tree any
	accepted(t, "reading what was written", json.Unmarshal(text, &tree))
	return string(must[[]byte](t)(json.Marshal(pruned(tree))))
}

func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			if child = pruned(child); child == nil || child == "" {
				delete(v, key)
			} else {
				v[key] = child
			}
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
	}
	return v
}

func changing(zone, batch string) []string {
	return []string{"route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch}
}

func listing(zone string) []string {
	return []string{"route53", "list-resource-record-sets", "--hosted-zone-id", zone}
}

// swapContracts are what a swap of weighted records relies on.
func swapContracts() []contract {
	return []contract{
		{name: "a swap of exactly what was read applies", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			accepted(t, "the swap", b.change(t, zone, swap(stands, pair(name, "A", 50, 50))...))
			if got := weightsOf(b.group(t, zone, name)); got != "A blue 50, A green 50" {
				t.Errorf("it stands at %s", got)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			zone, name, stands := b.seeded(t)
			return []cliCall{
				{name: "the swap", args: changing(zone, batch(t, swap(stands, pair(name, "A", 49, 51)))), says: `"Status"`},
				{name: "the listing", args: listing(zone), says: `"Weight": 51`},
			}
		}},
		{name: "a swap leads back to where it came from", notOnMoto: "it refuses to create again what was created once", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			accepted(t, "the swap", b.change(t, zone, swap(stands, pair(name, "A", 50, 50))...))
			accepted(t, "the swap back", b.change(t, zone, swap(b.group(t, zone, name), pair(name, "A", 75, 25))...))
			if got := weightsOf(b.group(t, zone, name)); got != "A blue 75, A green 25" {
				t.Errorf("it stands at %s", got)
			}
		}},
		{name: "a stale swap is refused and changes nothing", notOnMoto: "it doesn't compare weights", holds: func(t *testing.T, b *backend) {
			zone, name, _ := b.seeded(t)
			refused(t, "the stale swap", b.change(t, zone, swap(pair(name, "A", 75, 26), pair(name, "A", 50, 50))...), "InvalidChangeBatch")
			if got := weightsOf(b.group(t, zone, name)); got != "A blue 75, A green 25" {
				t.Errorf("it stands at %s", got)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			zone, name, _ := b.seeded(t)
			return []cliCall{
				{name: "the stale swap", args: changing(zone, batch(t, swap(pair(name, "A", 75, 26), pair(name, "A", 50, 50)))), code: "InvalidChangeBatch"},
				{name: "the listing", args: listing(zone), says: `"Weight": 25`},
			}
		}},
		{name: "a batch is carried out as a whole or not at all", notOnMoto: "a part of a refused batch may stay", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			changes := append(swap(stands, pair(name, "A", 50, 50)), all(types.ChangeActionCreate, pair("elsewhere.example.org", "A", 1, 1)...)...)
			refused(t, "a batch with a foreign name", b.change(t, zone, changes...), "InvalidChangeBatch")
			if got := weightsOf(b.group(t, zone, name)); got != "A blue 75, A green 25" {
				t.Errorf("it stands at %s", got)
			}
		}},
		{name: "A, AAAA and the mark change in one batch", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			accepted(t, "creating AAAA", b.change(t, zone, all(types.ChangeActionCreate, pair(name, "AAAA", 75, 25)...)...))
			stands = append(stands, pair(name, "AAAA", 75, 25)...)
			wanted := append(pair(name, "A", 50, 50), pair(name, "AAAA", 50, 50)...)
			wanted = append(wanted, markSet(name, earlier(50)))
			accepted(t, "the swap", b.change(t, zone, swap(stands, wanted)...))
			if got := weightsOf(b.group(t, zone, name)); got != "A blue 50, A green 50, AAAA blue 50, AAAA green 50" {
				t.Errorf("it stands at %s", got)
			}
			mark := b.group(t, zone, strings.TrimSuffix(*markSet(name, earlier(50)).Name, "."))
			if len(mark) != 1 || *mark[0].ResourceRecords[0].Value != *markSet(name, earlier(50)).ResourceRecords[0].Value {
				t.Errorf("the mark is %+v", mark)
			}
		}},
		{name: "alias and health-checked members survive a swap to the letter", notOnMoto: "a DELETE takes every member of that identifier in the zone with it", holds: survives},
		{name: "an UPSERT changes the member of its identifier alone", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			accepted(t, "the UPSERT", b.change(t, zone, all(types.ChangeActionUpsert, weigh(stands[1], 40))...))
			if got := weightsOf(b.group(t, zone, name)); got != "A blue 75, A green 40" {
				t.Errorf("it stands at %s", got)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			zone, _, stands := b.seeded(t)
			return []cliCall{
				{name: "the UPSERT of a runbook", args: changing(zone, batch(t, all(types.ChangeActionUpsert, weigh(stands[1], 0)))), says: `"Status"`},
				{name: "the listing", args: listing(zone), says: `"Weight": 0`},
			}
		}},
	}
}

// survives swaps members that aren't plain values.
func survives(t *testing.T, b *backend) {
	zone, domain := b.zone(t)
	check := must[*sdkroute53.CreateHealthCheckOutput](t)(b.route53.CreateHealthCheck(t.Context(), &sdkroute53.CreateHealthCheckInput{
		CallerReference: &b.unique, HealthCheckConfig: &types.HealthCheckConfig{Type: types.HealthCheckTypeHttp, IPAddress: sdk.String("192.0.2.2"), ResourcePath: sdk.String("/")},
	}))
	target := "lb." + domain + "."
	simple := named(target, values(nil, "A", "blue"))
	simple.SetIdentifier = nil
	aliases := []types.ResourceRecordSet{{}, {}}
	for i, id := range []string{"blue", "green"} {
		aliases[i] = weigh(types.ResourceRecordSet{
			Name: sdk.String("alias." + domain), Type: "A", SetIdentifier: &id,
			AliasTarget: &types.AliasTarget{HostedZoneId: &zone, DNSName: &target, EvaluateTargetHealth: i == 0},
		}, 50)
	}
	checked := pair("checked."+domain, "A", 50, 50)
	checked[1].HealthCheckId = check.HealthCheck.Id
	accepted(t, "creating the target", b.change(t, zone, all(types.ChangeActionCreate, simple)...))
	accepted(t, "creating the members", b.change(t, zone, all(types.ChangeActionCreate, append(aliases, checked...)...)...))
	for _, name := range []string{"alias." + domain, "checked." + domain} {
		stands := b.group(t, zone, name)
		if len(stands) != 2 {
			t.Fatalf("%s has the members %+v", name, stands)
		}
		wanted := []types.ResourceRecordSet{weigh(stands[0], 100), weigh(stands[1], 0)}
		accepted(t, "the swap of "+name, b.change(t, zone, swap(stands, wanted)...))
		if diff := cmp.Diff(wanted, b.group(t, zone, name), sdkValues()); diff != "" {
			t.Errorf("%s (-wanted +stands):\n%s", name, diff)
		}
	}
}

// sdkValues leaves the SDK's unexported marks out of comparisons.
func sdkValues() cmp.Option {
	return cmpopts.IgnoreUnexported(types.ResourceRecordSet{}, types.ResourceRecord{}, types.AliasTarget{})
}

// zoneContracts are what reading and refusing relies on.
func zoneContracts() []contract {
	return []contract{
		{name: "a listing is in order, and pages inside of a weighted group", notOnMoto: "it ignores the identifier that a page begins at", holds: pages},
		{name: "a change is PENDING, then INSYNC", notOnMoto: "every change is INSYNC at once", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			out := must[*sdkroute53.ChangeResourceRecordSetsOutput](t)(b.route53.ChangeResourceRecordSets(t.Context(), &sdkroute53.ChangeResourceRecordSetsInput{
				HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{Changes: swap(stands, pair(name, "A", 50, 50))},
			}))
			if out.ChangeInfo.Status != types.ChangeStatusPending {
				t.Errorf("it begins as %s", out.ChangeInfo.Status)
			}
			insync := sdkroute53.NewResourceRecordSetsChangedWaiter(b.route53, func(o *sdkroute53.ResourceRecordSetsChangedWaiterOptions) {
				o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
			})
			accepted(t, "waiting for INSYNC", insync.Wait(t.Context(), &sdkroute53.GetChangeInput{Id: out.ChangeInfo.Id}, time.Minute))
		}},
		{name: "a weight is 0 to 255", notOnMoto: "it takes any weight", holds: func(t *testing.T, b *backend) {
			zone, name, stands := b.seeded(t)
			for weight, code := range map[int]string{0: "", 255: "", 256: "InvalidInput", -1: "InvalidInput"} {
				refused(t, fmt.Sprintf("the weight %d", weight), b.change(t, zone, all(types.ChangeActionUpsert, weigh(stands[0], weight))...), code)
			}
			_ = name
		}},
		{name: "members of one group have one TTL", notOnMoto: "it takes several", holds: func(t *testing.T, b *backend) {
			zone, _, stands := b.seeded(t)
			other := stands[0]
			other.TTL = sdk.Int64(61)
			refused(t, "a second TTL", b.change(t, zone, swap(stands[:1], []types.ResourceRecordSet{other})...), "InvalidChangeBatch")
		}},
		{name: "a simple record doesn't stand beside weighted ones", notOnMoto: "it takes both", holds: func(t *testing.T, b *backend) {
			zone, name, _ := b.seeded(t)
			simple := named(name, values(nil, "A", "blue"))
			simple.SetIdentifier = nil
			refused(t, "the simple record", b.change(t, zone, all(types.ChangeActionCreate, simple)...), "InvalidChangeBatch")
		}},
		{name: "a zone that isn't there is named so", holds: func(t *testing.T, b *backend) {
			_, err := b.route53.ListResourceRecordSets(t.Context(), &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: sdk.String("ZNOTTHERE")})
			refused(t, "the listing", err, "NoSuchHostedZone")
		}, byCLI: func(*testing.T, *backend) []cliCall {
			return []cliCall{{name: "the listing", args: listing("ZNOTTHERE"), code: "NoSuchHostedZone"}}
		}},
		{name: "a batch has 1,000 records at most", holds: func(t *testing.T, b *backend) {
			zone, domain := b.zone(t)
			var sets []types.ResourceRecordSet
			for i := range 501 {
				sets = append(sets, pair(fmt.Sprintf("n%d.%s", i, domain), "A", 1, 1)...)
			}
			refused(t, "1,002 records", b.change(t, zone, all(types.ChangeActionCreate, sets...)...), "InvalidChangeBatch")
		}},
	}
}

// pages lists a group of three in pages of one.
func pages(t *testing.T, b *backend) {
	zone, domain := b.zone(t)
	name := "shop." + domain
	sets := append(pair(name, "A", 75, 25), weigh(named(name, values(nil, "A", "canary")), 5), markSet(name, earlier(25)))
	sets = append(sets, pair("a."+domain, "A", 1, 1)...)
	accepted(t, "creating", b.change(t, zone, all(types.ChangeActionCreate, sets...)...))
	var got []string
	in := &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: sdk.String("a." + domain), MaxItems: sdk.Int32(1)}
	for range 10 {
		out := must[*sdkroute53.ListResourceRecordSetsOutput](t)(b.route53.ListResourceRecordSets(t.Context(), in))
		for _, r := range out.ResourceRecordSets {
			got = append(got, strings.TrimSuffix(*r.Name, domain+".")+string(r.Type)+" "+sdk.ToString(r.SetIdentifier))
		}
		if !out.IsTruncated {
			break
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	want := []string{"a.A blue", "a.A green", "shop.A blue", "shop.A canary", "shop.A green", "_clusterswitch.shop.TXT "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the listing (-want +got):\n%s", diff)
	}
}
