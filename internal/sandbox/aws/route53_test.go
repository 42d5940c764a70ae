package aws_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// ignoreInternals leaves the SDK's unexported marks out of comparisons.
var ignoreInternals = cmpopts.IgnoreUnexported(r53types.ResourceRecordSet{}, r53types.ResourceRecord{})

func withTTL(s r53types.ResourceRecordSet, ttl int64) r53types.ResourceRecordSet {
	s.TTL = &ttl
	return s
}

// story is one batch against a zone example.com. that holds a weighted pair
// shop (blue 100, green 0), a simple www and a CNAME alias.
type story struct {
	batch []r53types.Change
	code  string // empty: accepted
	says  string // part of the message
}

func seedZone(t testing.TB, w *world) string {
	t.Helper()
	zone := w.zone(t, "example.com")
	err := w.change(t, zone,
		create(weighted("shop.example.com", "blue", 100, "192.0.2.1")),
		create(weighted("shop.example.com", "green", 0, "192.0.2.2")),
		create(simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")),
		create(simple("alias.example.com", "CNAME", "www.example.com")),
	)
	if err != nil {
		t.Fatalf("seeding the zone: %v", err)
	}
	return zone
}

func batchStories() map[string]story {
	blue, green := weighted("shop.example.com", "blue", 100, "192.0.2.1"), weighted("shop.example.com", "green", 0, "192.0.2.2")
	www := simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")
	noID := weighted("new.example.com", "x", 1, "192.0.2.9")
	noID.SetIdentifier = nil
	noWeight := weighted("new.example.com", "x", 1, "192.0.2.9")
	noWeight.Weight = nil
	noTTL := simple("new.example.com", "A", "192.0.2.9")
	noTTL.TTL = nil
	alias := simple("new.example.com", "A")
	alias.TTL = nil
	alias.AliasTarget = &r53types.AliasTarget{DNSName: sdk.String("lb.example.com"), HostedZoneId: sdk.String("Z1")}
	regional := weighted("new.example.com", "x", 1, "192.0.2.9")
	regional.Weight, regional.Region = nil, r53types.ResourceRecordSetRegionEuWest1
	return map[string]story{
		"a swap of both members as read is accepted": {
			batch: []r53types.Change{remove(blue), remove(green), create(weighted("shop.example.com", "blue", 90, "192.0.2.1")), create(weighted("shop.example.com", "green", 10, "192.0.2.2"))},
		},
		"a swap in other spelling of the name is the same swap": {
			batch: []r53types.Change{remove(weighted("SHOP.Example.COM.", "blue", 100, "192.0.2.1")), create(weighted("shop.example.com", "blue", 90, "192.0.2.1"))},
		},
		"a DELETE with the values in another order matches": {
			batch: []r53types.Change{remove(simple("www.example.com", "A", "192.0.2.11", "192.0.2.10"))},
		},
		"a stale weight is refused": {
			batch: []r53types.Change{remove(weighted("shop.example.com", "blue", 99, "192.0.2.1"))},
			code:  "InvalidChangeBatch", says: "Tried to delete resource record set [name='shop.example.com.', type='A', set identifier='blue'] but the values provided do not match the current values",
		},
		"a stale TTL is refused": {
			batch: []r53types.Change{remove(withTTL(www, 61))},
			code:  "InvalidChangeBatch", says: "do not match the current values",
		},
		"a DELETE with one value missing is refused": {
			batch: []r53types.Change{remove(simple("www.example.com", "A", "192.0.2.10"))},
			code:  "InvalidChangeBatch", says: "do not match the current values",
		},
		"a DELETE of another identifier is refused": {
			batch: []r53types.Change{remove(weighted("shop.example.com", "bleu", 100, "192.0.2.1"))},
			code:  "InvalidChangeBatch", says: "but it was not found",
		},
		"a DELETE without the identifier is refused": {
			batch: []r53types.Change{remove(simple("shop.example.com", "A", "192.0.2.1"))},
			code:  "InvalidChangeBatch", says: "but it was not found",
		},
		"a CREATE of what exists is refused, even if it is identical": {
			batch: []r53types.Change{create(www)},
			code:  "InvalidChangeBatch", says: "Tried to create resource record set [name='www.example.com.', type='A'] but it already exists",
		},
		"an UPSERT of what exists replaces it":     {batch: []r53types.Change{upsert(simple("www.example.com", "A", "192.0.2.12"))}},
		"an UPSERT of a new identifier adds to it": {batch: []r53types.Change{upsert(weighted("shop.example.com", "third", 1, "192.0.2.3"))}},
		"the same set twice is refused": {
			batch: []r53types.Change{upsert(blue), upsert(blue)},
			code:  "InvalidChangeBatch", says: "The request contains an invalid set of changes for a resource record set 'A shop.example.com.'",
		},
		"the same DELETE twice is refused": {
			batch: []r53types.Change{remove(blue), remove(blue)},
			code:  "InvalidChangeBatch", says: "invalid set of changes",
		},
		"weight 256 is refused": {
			batch: []r53types.Change{upsert(weighted("shop.example.com", "blue", 256, "192.0.2.1"))},
			code:  "InvalidInput", says: "Value '256' at 'changeBatch.changes.1.member.resourceRecordSet.weight'",
		},
		"weight -1 is refused": {
			batch: []r53types.Change{upsert(weighted("shop.example.com", "blue", -1, "192.0.2.1"))},
			code:  "InvalidInput", says: "greater than or equal to 0",
		},
		"weight 255 is accepted":                 {batch: []r53types.Change{upsert(weighted("shop.example.com", "blue", 255, "192.0.2.1"))}},
		"a weight without identifier is refused": {batch: []r53types.Change{create(noID)}, code: "InvalidInput", says: "Missing field 'SetIdentifier'"},
		"an identifier without weight is refused": {
			batch: []r53types.Change{create(noWeight)}, code: "InvalidInput", says: "Expected exactly one of [Weight, Region",
		},
		"another TTL for one member is refused": {
			batch: []r53types.Change{upsert(withTTL(blue, 30))},
			code:  "InvalidChangeBatch", says: "must have one TTL",
		},
		"another TTL for all members in one batch is accepted": {
			batch: []r53types.Change{upsert(withTTL(blue, 30)), upsert(withTTL(green, 30))},
		},
		"a simple set beside weighted ones is refused": {
			batch: []r53types.Change{create(simple("shop.example.com", "A", "192.0.2.3"))},
			code:  "InvalidChangeBatch", says: "non-weighted set exists",
		},
		"a weighted set beside a simple one is refused": {
			batch: []r53types.Change{create(weighted("www.example.com", "blue", 1, "192.0.2.3"))},
			code:  "InvalidChangeBatch", says: "non-weighted set exists",
		},
		"simple and weighted change places in one batch": {
			batch: []r53types.Change{remove(www), create(weighted("www.example.com", "blue", 1, "192.0.2.3"))},
		},
		"a simple set of another type beside weighted ones is accepted": {
			batch: []r53types.Change{create(simple("shop.example.com", "AAAA", "2001:db8::1"))},
		},
		"a CNAME beside an A is refused": {
			batch: []r53types.Change{create(simple("www.example.com", "CNAME", "other.example.com"))},
			code:  "InvalidChangeBatch", says: "RRSet of type CNAME with DNS name www.example.com. is not permitted as it conflicts",
		},
		"a TXT beside a CNAME is refused": {
			batch: []r53types.Change{create(simple("alias.example.com", "TXT", `"x"`))},
			code:  "InvalidChangeBatch", says: "conflicts with other records",
		},
		"a CNAME at the apex is refused": {
			batch: []r53types.Change{create(simple("example.com", "CNAME", "www.example.com"))},
			code:  "InvalidChangeBatch", says: "not permitted at apex",
		},
		"a name outside the zone is refused": {
			batch: []r53types.Change{create(simple("www.example.org", "A", "192.0.2.1"))},
			code:  "InvalidChangeBatch", says: "RRSet with DNS name www.example.org. is not permitted in zone example.com.",
		},
		"a name that only ends like the zone is outside": {
			batch: []r53types.Change{create(simple("badexample.com", "A", "192.0.2.1"))},
			code:  "InvalidChangeBatch", says: "is not permitted in zone",
		},
		"an empty label is refused":                {batch: []r53types.Change{create(simple("a..example.com", "A", "192.0.2.1"))}, code: "InvalidChangeBatch", says: "DomainLabelEmpty"},
		"a label of 64 octets is refused":          {batch: []r53types.Change{create(simple(strings.Repeat("a", 64)+".example.com", "A", "192.0.2.1"))}, code: "InvalidChangeBatch", says: "DomainLabelTooLong"},
		"an address that is none is refused":       {batch: []r53types.Change{create(simple("new.example.com", "A", "192.0.2.256"))}, code: "InvalidChangeBatch", says: "Value is not a valid IPv4 address"},
		"an IPv4 address in an AAAA is refused":    {batch: []r53types.Change{create(simple("new.example.com", "AAAA", "192.0.2.1"))}, code: "InvalidChangeBatch", says: "Value is not a valid IPv6 address"},
		"the same value twice is refused":          {batch: []r53types.Change{create(simple("new.example.com", "A", "192.0.2.1", "192.0.2.1"))}, code: "InvalidChangeBatch", says: "Duplicate Resource Record: '192.0.2.1'"},
		"two values in a CNAME are refused":        {batch: []r53types.Change{create(simple("new.example.com", "CNAME", "a.example.com", "b.example.com"))}, code: "InvalidChangeBatch", says: "more than one value"},
		"a TXT without quotation marks is refused": {batch: []r53types.Change{create(simple("new.example.com", "TXT", `plain`))}, code: "InvalidChangeBatch", says: "Value should be enclosed in quotation marks"},
		"a TXT string over 255 octets is refused":  {batch: []r53types.Change{create(simple("new.example.com", "TXT", `"`+strings.Repeat("x", 256)+`"`))}, code: "InvalidChangeBatch", says: "CharacterStringTooLong"},
		"a TXT of two strings is accepted":         {batch: []r53types.Change{create(simple("new.example.com", "TXT", `"a \"b\"" "c\344"`))}},
		"a missing TTL is refused":                 {batch: []r53types.Change{create(noTTL)}, code: "InvalidInput", says: "all of [TTL, and ResourceRecords]"},
		"an alias is refused, by name":             {batch: []r53types.Change{create(alias)}, code: "InvalidInput", says: "no AliasTarget"},
		"a latency set is refused, by name":        {batch: []r53types.Change{create(regional)}, code: "InvalidInput", says: "no Region"},
		"a type that isn't there is refused":       {batch: []r53types.Change{create(simple("new.example.com", "MX", "10 mail.example.com"))}, code: "InvalidInput", says: "not 'MX'"},
		"an unknown action is refused": {
			batch: []r53types.Change{{Action: "REPLACE", ResourceRecordSet: &www}},
			code:  "InvalidInput", says: "[CREATE, DELETE, UPSERT]",
		},
		"the NS set of the apex can't go": {
			batch: []r53types.Change{remove(withTTL(simple("example.com", "NS", "ns-1.awsdns-00.com.", "ns-513.awsdns-08.net.", "ns-1025.awsdns-16.org.", "ns-1537.awsdns-24.co.uk."), 172800))},
			code:  "InvalidChangeBatch", says: "must contain at least one NS record",
		},
		"all faults of a batch are told at once": {
			batch: []r53types.Change{create(www), remove(weighted("shop.example.com", "blue", 1, "192.0.2.1"))},
			code:  "InvalidChangeBatch", says: "but it already exists, Tried to delete",
		},
		"one fault spoils the whole batch": {
			batch: []r53types.Change{upsert(weighted("shop.example.com", "blue", 0, "192.0.2.1")), create(www)},
			code:  "InvalidChangeBatch", says: "already exists",
		},
	}
}

func TestBatches(t *testing.T) {
	for name, s := range batchStories() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			zone := seedZone(t, w)
			before := w.list(t, zone)
			err := w.change(t, zone, s.batch...)
			if got := code(t, err); got != s.code {
				t.Fatalf("code %q, want %q (%v)", got, s.code, err)
			}
			changed := cmp.Diff(before, w.list(t, zone), ignoreInternals)
			if s.code == "" {
				if changed == "" {
					t.Error("the accepted batch changed nothing")
				}
				return
			}
			if !strings.Contains(err.Error(), s.says) {
				t.Errorf("message %q lacks %q", err, s.says)
			}
			if changed != "" {
				t.Errorf("the refused batch changed the zone:\n%s", changed)
			}
		})
	}
}

func TestBatchLimits(t *testing.T) {
	batch := func(action func(r53types.ResourceRecordSet) r53types.Change, n int, value string) (out []r53types.Change) {
		for i := range n {
			out = append(out, action(simple(fmt.Sprintf("n%d.example.com", i), "TXT", value)))
		}
		return out
	}
	long := `"` + strings.Repeat("x", 198) + `"` // 200 characters
	for name, s := range map[string]story{
		"1,000 records pass":                 {batch: batch(create, 1000, `"x"`)},
		"1,001 records are too many":         {batch: batch(create, 1001, `"x"`), code: "InvalidChangeBatch", says: "Number of records limit of 1000 exceeded"},
		"501 upserts are too many":           {batch: batch(upsert, 501, `"x"`), code: "InvalidChangeBatch", says: "Number of records limit"},
		"32,000 characters pass":             {batch: batch(create, 160, long)},
		"32,200 characters are too many":     {batch: batch(create, 161, long), code: "InvalidChangeBatch", says: "Value size limit of 32000 exceeded"},
		"16,200 upserted are too many":       {batch: batch(upsert, 81, long), code: "InvalidChangeBatch", says: "Value size limit"},
		"an empty batch is refused":          {code: "InvalidInput", says: "changeBatch.changes"},
		"100 weighted sets of one name pass": {batch: weightedBatch(100)},
		"101 weighted sets are too many":     {batch: weightedBatch(101), code: "InvalidChangeBatch", says: "more than 100 weighted sets"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			if s.batch == nil {
				s.batch = []r53types.Change{}
			}
			err := w.change(t, w.zone(t, "example.com"), s.batch...)
			if got := code(t, err); got != s.code {
				t.Fatalf("code %q, want %q (%v)", got, s.code, err)
			}
			if err != nil && !strings.Contains(err.Error(), s.says) {
				t.Errorf("message %q lacks %q", err, s.says)
			}
		})
	}
}

func weightedBatch(n int) (out []r53types.Change) {
	for i := range n {
		out = append(out, create(weighted("shop.example.com", fmt.Sprintf("m%03d", i), 1, "192.0.2.1")))
	}
	return out
}

func TestListingIsPagedAndOrdered(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone := w.zone(t, "example.com")
	err := w.change(t, zone,
		create(weighted("b.example.com", "green", 1, "192.0.2.1")),
		create(weighted("b.example.com", "blue", 1, "192.0.2.1")),
		create(simple("b.example.com", "TXT", `"x"`)),
		create(simple("z.a.example.com", "A", "192.0.2.1")),
		create(simple("A.example.com", "A", "192.0.2.1")),
		create(simple("*.example.com", "A", "192.0.2.1")),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"example.com. NS ", "example.com. SOA ", `\052.example.com. A `, "a.example.com. A ", "z.a.example.com. A ",
		"b.example.com. A blue", "b.example.com. A green", "b.example.com. TXT ",
	}
	for size := int32(1); size <= 9; size++ {
		var got []string
		pages := route53.NewListResourceRecordSetsPaginator(w.route53, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: &size})
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(out.ResourceRecordSets) > int(size) {
				t.Fatalf("a page of %d, want at most %d", len(out.ResourceRecordSets), size)
			}
			for _, s := range out.ResourceRecordSets {
				got = append(got, fmt.Sprintf("%s %s %s", *s.Name, s.Type, sdk.ToString(s.SetIdentifier)))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestListingStartsAtTheNamedSet(t *testing.T) {
	for name, c := range map[string]struct {
		in    route53.ListResourceRecordSetsInput
		first string
		code  string
	}{
		"at a name in capitals":            {in: route53.ListResourceRecordSetsInput{StartRecordName: sdk.String("SHOP.example.com")}, first: "shop.example.com. blue"},
		"at a name and type":               {in: route53.ListResourceRecordSetsInput{StartRecordName: sdk.String("shop.example.com"), StartRecordType: "A"}, first: "shop.example.com. blue"},
		"at an identifier":                 {in: route53.ListResourceRecordSetsInput{StartRecordName: sdk.String("shop.example.com"), StartRecordType: "A", StartRecordIdentifier: sdk.String("green")}, first: "shop.example.com. green"},
		"after a name that isn't there":    {in: route53.ListResourceRecordSetsInput{StartRecordName: sdk.String("b.example.com")}, first: "shop.example.com. blue"},
		"a type without a name is refused": {in: route53.ListResourceRecordSetsInput{StartRecordType: "A"}, code: "InvalidInput"},
		"an identifier without a type is refused": {
			in: route53.ListResourceRecordSetsInput{StartRecordName: sdk.String("shop.example.com"), StartRecordIdentifier: sdk.String("blue")}, code: "InvalidInput",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			c.in.HostedZoneId = sdk.String(seedZone(t, w))
			out, err := w.route53.ListResourceRecordSets(t.Context(), &c.in)
			if got := code(t, err); got != c.code {
				t.Fatalf("code %q, want %q", got, c.code)
			}
			if err != nil {
				return
			}
			s := out.ResourceRecordSets[0]
			if got := *s.Name + " " + sdk.ToString(s.SetIdentifier); got != c.first {
				t.Errorf("first is %q, want %q", got, c.first)
			}
		})
	}
}

func TestPublishedStateFollowsAtINSYNC(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Propagation: 30 * time.Second, Now: clk.now})
	zone := seedZone(t, w)
	if _, ok := w.Zone("shop.example.com"); ok {
		t.Error("a zone is served before its creation is INSYNC")
	}
	clk.advance(time.Minute)
	out, err := w.route53.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone,
		ChangeBatch:  &r53types.ChangeBatch{Changes: []r53types.Change{upsert(weighted("shop.example.com", "green", 10, "192.0.2.2"))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	green := func() int64 { return w.RecordSets("shop.example.com.", "A")[1].Weight }
	status := func() r53types.ChangeStatus {
		got, err := w.route53.GetChange(t.Context(), &route53.GetChangeInput{Id: out.ChangeInfo.Id})
		if err != nil {
			t.Fatal(err)
		}
		return got.ChangeInfo.Status
	}
	if out.ChangeInfo.Status != r53types.ChangeStatusPending || status() != r53types.ChangeStatusPending || green() != 0 {
		t.Errorf("at once: %s, weight %d, want PENDING with the old weight", status(), green())
	}
	if shop := w.list(t, zone)[4]; *shop.SetIdentifier != "green" || *shop.Weight != 10 {
		t.Errorf("the listing shows %s %d, want the newest state at once", *shop.SetIdentifier, *shop.Weight)
	}
	clk.advance(29 * time.Second)
	if green() != 0 {
		t.Error("published a second early")
	}
	clk.advance(time.Second)
	if green() != 10 || status() != r53types.ChangeStatusInsync {
		t.Errorf("after the propagation: %s, weight %d, want INSYNC with the new weight", status(), green())
	}
}

func TestChangesInARowArePublishedEachAtItsTime(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Propagation: 10 * time.Second, Now: clk.now})
	zone := seedZone(t, w)
	clk.advance(10 * time.Second)
	var seen []int64
	for second := range int64(16) {
		if second < 5 {
			if err := w.change(t, zone, upsert(weighted("shop.example.com", "green", second+1, "192.0.2.2"))); err != nil {
				t.Fatal(err)
			}
		}
		seen = append(seen, w.RecordSets("shop.example.com", "A")[1].Weight)
		clk.advance(time.Second)
	}
	if diff := cmp.Diff([]int64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 5}, seen); diff != "" {
		t.Errorf("published weights second by second (-want +got):\n%s", diff)
	}
}

func TestPublishedNames(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone := w.zone(t, "example.com")
	w.zone(t, "sub.example.com")
	err := w.change(t, zone,
		create(simple("a.deep.example.com", "A", "192.0.2.1")),
		create(simple("*.wild.example.com", "A", "192.0.2.2")),
		create(simple("known.wild.example.com", "TXT", `"v=1; \"q\" \344" "second"`)),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		zone   string
		exists bool
		a      []string
	}{
		"A.Deep.Example.com":        {zone: "example.com.", exists: true, a: []string{"192.0.2.1"}},
		"deep.example.com.":         {zone: "example.com.", exists: true},
		"other.deep.example.com.":   {zone: "example.com."},
		"any.wild.example.com.":     {zone: "example.com.", exists: true, a: []string{"192.0.2.2"}},
		"a.b.wild.example.com.":     {zone: "example.com.", exists: true, a: []string{"192.0.2.2"}},
		"known.wild.example.com.":   {zone: "example.com.", exists: true},
		"x.known.wild.example.com.": {zone: "example.com."},
		"sub.example.com.":          {zone: "sub.example.com.", exists: true},
		"x.sub.example.com.":        {zone: "sub.example.com."},
		"example.org.":              {},
	} {
		t.Run(name, func(t *testing.T) {
			origin, ok := w.Zone(name)
			if origin != c.zone || ok != (c.zone != "") {
				t.Errorf("zone %q, want %q", origin, c.zone)
			}
			if got := w.HasName(name); got != c.exists {
				t.Errorf("exists: %t, want %t", got, c.exists)
			}
			var values []string
			for _, s := range w.RecordSets(name, "A") {
				values = append(values, s.Values...)
			}
			if diff := cmp.Diff(c.a, values); diff != "" {
				t.Errorf("A (-want +got):\n%s", diff)
			}
		})
	}
	want := []routing.RecordSet{{
		Name: "known.wild.example.com.", Type: "TXT", TTL: time.Minute, Values: []string{`"v=1; \"q\" \228" "second"`},
	}}
	if diff := cmp.Diff(want, w.RecordSets("known.wild.example.com.", "TXT")); diff != "" {
		t.Errorf("TXT in zone file form (-want +got):\n%s", diff)
	}
}

func TestZones(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone := w.zone(t, "Example.COM")
	if !strings.HasPrefix(zone, "/hostedzone/Z") {
		t.Errorf("zone id %q, want /hostedzone/Z…", zone)
	}
	got, err := w.route53.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: &zone})
	if err != nil || *got.HostedZone.Name != "example.com." || *got.HostedZone.ResourceRecordSetCount != 2 || len(got.DelegationSet.NameServers) != 4 {
		t.Errorf("GetHostedZone: %+v, %v", got, err)
	}
	_, err = w.route53.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: sdk.String("example.net"), CallerReference: got.HostedZone.CallerReference})
	if c := code(t, err); c != "HostedZoneAlreadyExists" {
		t.Errorf("the caller reference twice: %q", c)
	}
	w.zone(t, "example.net")
	w.zone(t, "example.org")
	var names []string
	pages := route53.NewListHostedZonesPaginator(w.route53, &route53.ListHostedZonesInput{MaxItems: sdk.Int32(2)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, z := range out.HostedZones {
			names = append(names, *z.Name)
		}
	}
	if diff := cmp.Diff([]string{"example.com.", "example.net.", "example.org."}, names); diff != "" {
		t.Errorf("zones (-want +got):\n%s", diff)
	}
	record := simple("www.example.com", "A", "192.0.2.1")
	if err := w.change(t, zone, create(record)); err != nil {
		t.Fatal(err)
	}
	_, err = w.route53.DeleteHostedZone(t.Context(), &route53.DeleteHostedZoneInput{Id: &zone})
	if c := code(t, err); c != "HostedZoneNotEmpty" {
		t.Errorf("deleting a zone with a record: %q", c)
	}
	if err := w.change(t, zone, remove(record)); err != nil {
		t.Fatal(err)
	}
	if _, err = w.route53.DeleteHostedZone(t.Context(), &route53.DeleteHostedZoneInput{Id: &zone}); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Zone("example.com."); ok {
		t.Error("the deleted zone is still served")
	}
	if c := code(t, w.change(t, zone, create(record))); c != "NoSuchHostedZone" {
		t.Errorf("changing a deleted zone: %q", c)
	}
	_, err = w.route53.GetChange(t.Context(), &route53.GetChangeInput{Id: sdk.String("C123")})
	if c := code(t, err); c != "NoSuchChange" {
		t.Errorf("an unknown change: %q", c)
	}
}

func TestRequestsWithoutCredentialsAreRefused(t *testing.T) {
	cloud := aws.New(aws.Options{})
	for name, c := range map[string]struct {
		path, auth, code string
	}{
		"Route 53 without Authorization":        {path: "/2013-04-01/hostedzone", code: "MissingAuthenticationToken"},
		"CloudWatch without Authorization":      {path: "/service/GraniteServiceVersion20100801/operation/GetMetricData", code: "MissingAuthenticationToken"},
		"a Query call without Authorization":    {path: "/?Action=DescribeRules", code: "MissingAuthenticationToken"},
		"an Authorization without a credential": {path: "/2013-04-01/hostedzone", auth: "AWS4-HMAC-SHA256", code: "IncompleteSignature"},
		"a credential for another service": {
			path: "/2013-04-01/hostedzone", auth: "AWS4-HMAC-SHA256 Credential=AK/20261123/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0",
			code: "SignatureDoesNotMatch",
		},
		"a service that isn't there": {
			path: "/?Action=ListQueues", auth: "AWS4-HMAC-SHA256 Credential=AK/20261123/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
			code: "UnknownOperationException",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil)
			if c.auth != "" {
				r.Header.Set("Authorization", c.auth)
			}
			answer := httptest.NewRecorder()
			cloud.ServeHTTP(answer, r)
			if answer.Code < 400 || !strings.Contains(answer.Body.String(), c.code) {
				t.Errorf("status %d, body %q, want the code %s", answer.Code, answer.Body, c.code)
			}
		})
	}
}
