package aws_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

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

// swapStories are about what a DELETE must match and a CREATE must not find.
func swapStories() map[string]story {
	blue, green := shopPair()
	www := simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")
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
			code:  "InvalidChangeBatch", says: "Tried to delete resource record set [name='shop.example.com.', type='A', set-identifier='blue'] but the values provided do not match the current values",
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
	}
}

// groupStories are about weights, identifiers, TTLs and what stands beside what.
func groupStories() map[string]story {
	blue, green := shopPair()
	www := simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")
	noID := weighted("new.example.com", "x", 1, "192.0.2.9")
	noID.SetIdentifier = nil
	noWeight := weighted("new.example.com", "x", 1, "192.0.2.9")
	noWeight.Weight = nil
	return map[string]story{
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
			code:  "InvalidChangeBatch", says: "SetIdentifier blue cannot be created as weighted sets must contain the same TTL",
		},
		"another TTL for all members in one batch is accepted": {
			batch: []r53types.Change{upsert(withTTL(blue, 30)), upsert(withTTL(green, 30))},
		},
		"a simple set beside weighted ones is refused": {
			batch: []r53types.Change{create(simple("shop.example.com", "A", "192.0.2.3"))},
			code:  "InvalidChangeBatch", says: "type A cannot be created as other RRSets exist with the same name and type",
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
	}
}

// formStories are about names, values and types.
func formStories() map[string]story {
	www := simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")
	noTTL := simple("new.example.com", "A", "192.0.2.9")
	noTTL.TTL = nil
	return map[string]story{
		"a CNAME beside an A is refused": {
			batch: []r53types.Change{create(simple("www.example.com", "CNAME", "other.example.com"))},
			code:  "InvalidChangeBatch", says: "RRSet of type CNAME with DNS name www.example.com. is not permitted as it conflicts",
		},
		"a TXT beside a CNAME is refused": {
			batch: []r53types.Change{create(simple("alias.example.com", "TXT", `"x"`))},
			code:  "InvalidChangeBatch", says: "RRSet of type TXT with DNS name alias.example.com. is not permitted because a conflicting RRSet of type CNAME",
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

// shopPair is the seeded weighted pair.
func shopPair() (blue, green r53types.ResourceRecordSet) {
	return weighted("shop.example.com", "blue", 100, "192.0.2.1"), weighted("shop.example.com", "green", 0, "192.0.2.2")
}

func TestBatches(t *testing.T) {
	stories := swapStories()
	maps.Copy(stories, groupStories())
	maps.Copy(stories, formStories())
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			zone := seedZone(t, w)
			s.play(t, w, zone)
		})
	}
}

// play sends the batch and looks at its answer and its effect.
func (s story) play(t *testing.T, w *world, zone string) {
	t.Helper()
	before := w.list(t, zone)
	err := w.change(t, zone, s.batch...)
	if got := code(t, err); got != s.code {
		t.Fatalf("code %q, want %q (%v)", got, s.code, err)
	}
	changed := cmp.Diff(before, w.list(t, zone), sdkValues())
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
		"1,000 records pass":                      {batch: batch(create, 1000, `"x"`)},
		"1,000 aliases pass, without a character": {batch: aliasBatch(create, 1000)},
		"1,001 aliases are too many":              {batch: aliasBatch(create, 1001), code: "InvalidChangeBatch", says: "Number of records limit"},
		"501 upserted aliases are too many":       {batch: aliasBatch(upsert, 501), code: "InvalidChangeBatch", says: "Number of records limit"},
		"1,001 records are too many":              {batch: batch(create, 1001, `"x"`), code: "InvalidChangeBatch", says: "Number of records limit of 1000 exceeded"},
		"501 upserts are too many":                {batch: batch(upsert, 501, `"x"`), code: "InvalidChangeBatch", says: "Number of records limit"},
		"32,000 characters pass":                  {batch: batch(create, 160, long)},
		"32,200 characters are too many":          {batch: batch(create, 161, long), code: "InvalidChangeBatch", says: "Value size limit of 32000 exceeded"},
		"16,200 upserted are too many":            {batch: batch(upsert, 81, long), code: "InvalidChangeBatch", says: "Value size limit"},
		"an empty batch is refused":               {code: "InvalidInput", says: "changeBatch.changes"},
		"100 weighted sets of one name pass":      {batch: weightedBatch(100)},
		"101 weighted sets are too many":          {batch: weightedBatch(101), code: "InvalidChangeBatch", says: "more than 100 weighted sets"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			if s.batch == nil {
				s.batch = []r53types.Change{}
			}
			zone := strings.TrimPrefix(w.zone(t, "example.com"), "/hostedzone/")
			for _, c := range s.batch {
				if c.ResourceRecordSet.AliasTarget != nil {
					c.ResourceRecordSet.AliasTarget.HostedZoneId = &zone
				}
			}
			if err := w.change(t, zone, create(simple("target.example.com", "A", "192.0.2.1"))); err != nil {
				t.Fatal(err)
			}
			err := w.change(t, zone, s.batch...)
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

// aliasBatch has aliases to a name that fills more than the characters of a batch.
func aliasBatch(action func(r53types.ResourceRecordSet) r53types.Change, n int) (out []r53types.Change) {
	for i := range n {
		out = append(out, action(alias(fmt.Sprintf("n%d.example.com", i), "A", "", "target.example.com")))
	}
	return out
}
