package route53

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const heritageOfProd = `"heritage=external-dns,external-dns/owner=prod,external-dns/resource=ingress/web/shop"`

// encryptedValue has the shape of what external-dns writes with
// --txt-encrypt-enabled: base64 of about a hundred bytes without meaning.
func encryptedValue() string {
	var raw []byte
	for i := range 4 {
		sum := sha256.Sum256([]byte{byte(i)})
		raw = append(raw, sum[:]...)
	}
	return `"` + base64.StdEncoding.EncodeToString(raw) + `"`
}

// claimRecord is a TXT record at a name; id is its set identifier.
func claimRecord(name, id, value string) types.ResourceRecordSet {
	r := types.ResourceRecordSet{Name: aws.String(canonical(name)), Type: types.RRTypeTxt, TTL: aws.Int64(300), ResourceRecords: []types.ResourceRecord{{Value: &value}}}
	if id != "" {
		r.SetIdentifier, r.Weight = &id, aws.Int64(1)
	}
	return r
}

func TestExternalDNSIsRecognisedInEveryForm(t *testing.T) {
	t.Parallel()
	const owned = "external-dns prod for ingress/web/shop"
	type form struct {
		name    string // the entrance's; empty: api.example.com
		txt, id string
		value   string // empty: heritageOfProd
		others  string // names of other records of external-dns in the zone, with "blue"
		owner   string // empty: it isn't ours
	}
	cases := map[string]form{
		"of today, for an A record":                         {txt: "a-api.example.com", id: "blue", owner: owned},
		"of today, for an AAAA record":                      {txt: "aaaa-api.example.com", id: "green", owner: owned},
		"of today, for a CNAME or an alias of before":       {txt: "cname-api.example.com", id: "blue", owner: owned},
		"untyped, as before types were written":             {txt: "api.example.com", id: "blue", owner: owned},
		"known, but from a time before the set identifier":  {txt: "cname-api.example.com", owner: owned},
		"with a prefix":                                     {txt: "extdns-cname-api.example.com", id: "blue", owner: owned},
		"with a prefix and untyped":                         {txt: "k8sapi.example.com", id: "blue", owner: owned},
		"with a prefix that ends in a dot":                  {txt: "extdns.a-api.example.com", id: "blue", owner: owned},
		"with the type in the prefix":                       {txt: "cname-abc-.api.example.com", id: "blue", owner: owned},
		"with the type inside of the prefix":                {txt: "xacnamexapi.example.com", id: "blue", owner: owned},
		"with a suffix":                                     {txt: "cname-api-extdns.example.com", id: "blue", owner: owned},
		"with a suffix and untyped":                         {txt: "api-extdns.example.com", id: "blue", owner: owned},
		"with the type in the suffix":                       {txt: "api-.cname.example.com", id: "blue", owner: owned},
		"of the zone's own name":                            {name: "example.com", txt: "cname-abc-.example.com", id: "blue", owner: owned},
		"of a wildcard, as it is":                           {name: "*.example.com", txt: "cname-*.example.com", id: "blue", owner: owned},
		"of a wildcard, replaced":                           {name: "*.example.com", txt: "cname-any.example.com", id: "blue", owner: owned},
		"of a wildcard, replaced, with a prefix":            {name: "*.example.com", txt: "extdns-cname-any.example.com", id: "blue", owner: owned},
		"encrypted":                                         {txt: "a-api.example.com", id: "blue", value: encryptedValue(), owner: "external-dns (its TXT record is encrypted"},
		"encrypted, with a prefix":                          {txt: "extdns-cname-api.example.com", id: "green", value: encryptedValue(), owner: "external-dns (its TXT record is encrypted"},
		"in two strings":                                    {txt: "a-api.example.com", id: "blue", value: `"heritage=external-dns,external-dns/" "owner=prod,external-dns/resource=ingress/web/shop"`, owner: owned},
		"not: some base64 beside the name":                  {txt: "api.example.com", value: encryptedValue()},
		"not: a short token in base64":                      {txt: "a-api.example.com", id: "blue", value: `"q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="`},
		"not: a text":                                       {txt: "a-api.example.com", id: "blue", value: `"v=spf1 -all"`},
		"not: another member's":                             {txt: "cname-api.example.com", id: "canary"},
		"not: another set identifier's, with a prefix":      {txt: "extdns-cname-api.example.com", id: "elsewhere"},
		"not: another record's, whose label ends alike":     {name: "a.example.com", txt: "extdns-cname-data.example.com", id: "blue", others: "data.example.com"},
		"not: another record's, whose label contains ours":  {name: "a.example.com", txt: "extdns-cname-api.example.com", id: "blue", others: "api.example.com"},
		"not: a record's that begins like a type":           {name: "x.example.com", txt: "a-x.example.com", id: "blue", others: "a-x.example.com"},
		"not: a name's below":                               {txt: "cname-v2.api.example.com", id: "blue", others: "v2.api.example.com"},
		"not: a wildcard's, when another name is meant":     {name: "*.example.com", txt: "extdns-cname-web.example.com", id: "blue", others: "web.example.com"},
		"not: a record of another domain that begins alike": {txt: "a-api.example.org", id: "blue"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.name == "" {
				c.name = "api.example.com"
			}
			if c.value == "" {
				c.value = heritageOfProd
			}
			e := entrance()
			e.Route53.Names = []string{c.name}
			z := &fakeZone{script: map[string][]fault{}, sets: append(recordsOf(e, 0), weighted(canonical(c.name), "canary", 0, "192.0.2.3"))}
			if c.others != "" {
				z.add(weighted(canonical(c.others), "blue", 1, "192.0.2.4"))
			}
			z.add(claimRecord(c.txt, c.id, c.value))
			got := newAdapter(z).Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
			if got.Err != "" || !strings.HasPrefix(got.Owner, c.owner) || (c.owner == "") != (got.Owner == "") {
				t.Errorf("error %q, owner %q, want %q", got.Err, got.Owner, c.owner)
			}
			if c.owner != "" && !strings.Contains(got.Owner, "by the TXT record "+c.txt) {
				t.Errorf("the owner %q doesn't name the TXT record", got.Owner)
			}
		})
	}
}

func TestOneScanServesAllPairsOfAZone(t *testing.T) {
	t.Parallel()
	z, entrances := manyPairs(40, 1, 0)
	z.pageSize = 10
	z.add(claimRecord("a-n0.p7.example.com", "blue", heritageOfProd))
	a := New(Options{API: z, Gather: -1})
	owned := 0
	for _, e := range entrances {
		for _, r := range a.Read(t.Context(), []shift.Entrance{e}, shift.Resting) {
			if r.Err != "" {
				t.Fatalf("%s: %s", e.Name, r.Err)
			}
			owned += count(r.Owner != "")
		}
	}
	scans := 0
	for _, c := range z.calls {
		scans += count(c == "list  ") // from the zone's beginning
	}
	if owned != 1 || scans != 1 {
		t.Errorf("%d pairs are owned, %d scans", owned, scans)
	}
}

// TestAScanGoesOnWhereAReadLeftIt: a zone of any size is scanned in the end.
func TestAScanGoesOnWhereAReadLeftIt(t *testing.T) {
	t.Parallel()
	z := shopAt(0)
	z.pageSize = 1
	a := newAdapter(z)
	// The name and its mark take five pages, then the scan begins.
	z.script["list"] = append(make([]fault, 8), fault{err: apiError("Throttling")})
	got := readShop(t, a)
	if !strings.Contains(got.Err, "whether external-dns writes records of zone Z1 isn't known") {
		t.Fatalf("got %q", got.Err)
	}
	at := a.zone("Z1").scan.next
	if at == (start{}) {
		t.Fatal("the scan forgot where it was")
	}
	a.zone("Z1").scan.failedAt = clock.Add(-scanAgain)
	z.calls = nil
	if got := readShop(t, a); got.Err != "" {
		t.Fatalf("got %q", got.Err)
	}
	if want := fmt.Sprintf("list %s %s", at.name, at.typ); !strings.Contains(strings.Join(z.calls, "\n"), want) {
		t.Errorf("calls %q lack %q", z.calls, want)
	}
}

// TestARollbackNeedsNoOwner: nothing about external-dns stops the way back.
func TestARollbackNeedsNoOwner(t *testing.T) {
	t.Parallel()
	z := shopAt(50)
	a := newAdapter(z)
	r := a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Urgent)[0]
	if r.Err != "" || z.count("list") != 1 {
		t.Fatalf("an urgent Read: %+v, calls %q", r, z.calls)
	}
	if got := a.Commit(t.Context(), []shift.Change{wish(r, 75, shift.Rise)})[0]; got.Outcome != shift.Refused || !strings.Contains(got.Note, "external-dns") {
		t.Errorf("a rise whose owner isn't known: %+v", got)
	}
	if got := a.Commit(t.Context(), []shift.Change{wish(r, 0, shift.Rollback)})[0]; got.Outcome != shift.Applied {
		t.Errorf("the rollback: %+v", got)
	}
}
