package aws_test

import (
	"maps"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// named is a zone example.com. as seedZone makes it, with two load balancers, a
// health check, and a weighted pair of aliases to the load balancers.
type named struct {
	*world
	zone, check         string
	elbZone             string
	blueName, greenName string // DNS names
	blue, green         r53types.ResourceRecordSet
}

func newNamed(t testing.TB, opts aws.Options) named {
	t.Helper()
	n := named{world: newWorld(t, opts)}
	n.zone = strings.TrimPrefix(seedZone(t, n.world), "/hostedzone/")
	n.check = n.healthCheck(t, "check")
	for _, name := range []string{"web-blue", "web-green"} {
		n.balancer(t, name)
	}
	out := must[*elbv2.DescribeLoadBalancersOutput](t)(n.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{}))
	n.elbZone = *out.LoadBalancers[0].CanonicalHostedZoneId
	n.blueName, n.greenName = *out.LoadBalancers[0].DNSName, *out.LoadBalancers[1].DNSName
	n.blue = member(alias("app.example.com", "A", n.elbZone, n.blueName), "blue", 90)
	n.green = member(alias("app.example.com", "A", n.elbZone, "dualstack."+n.greenName), "green", 10)
	if err := n.change(t, n.zone, create(n.blue), create(n.green)); err != nil {
		t.Fatalf("seeding the aliases: %v", err)
	}
	return n
}

func withEvaluate(s r53types.ResourceRecordSet, evaluate bool) r53types.ResourceRecordSet {
	target := *s.AliasTarget
	target.EvaluateTargetHealth = evaluate
	s.AliasTarget = &target
	return s
}

// aliasStories are about where an alias may lead.
func aliasStories(n named) map[string]story {
	const outside, missing = "but the alias target name does not lie within the target zone", "but that target was not found"
	withTTL60, withValue := withTTL(n.blue, 60), n.blue
	withValue.ResourceRecords = []r53types.ResourceRecord{{Value: sdk.String("192.0.2.1")}}
	own := func(name, typ, target string) r53types.ResourceRecordSet { return alias(name, typ, n.zone, target) }
	chain := []r53types.Change{create(own("c1.example.com", "A", "www.example.com")), create(own("c2.example.com", "A", "c1.example.com"))}
	www := simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")
	return map[string]story{
		"an alias with a TTL is refused":    {batch: []r53types.Change{upsert(withTTL60)}, code: "InvalidInput", says: "but found more than one in Change with [Action=UPSERT, Name=app.example.com, Type=A, SetIdentifier=blue]"},
		"an alias with values is refused":   {batch: []r53types.Change{upsert(withValue)}, code: "InvalidInput", says: "but found more than one"},
		"an alias to a record of this zone": {batch: []r53types.Change{create(own("new.example.com", "A", "WWW.example.com"))}},
		"an alias to a weighted group":      {batch: []r53types.Change{create(own("new.example.com", "A", "shop.example.com"))}},
		"an alias at the apex":              {batch: []r53types.Change{create(alias("example.com", "A", n.elbZone, n.blueName))}},
		"an alias to an alias":              {batch: chain},
		"an alias before its target is refused": {
			batch: []r53types.Change{chain[1], chain[0]}, code: "InvalidChangeBatch", says: "Tried to create an alias that targets c1.example.com., type A in zone " + n.zone + ", " + missing,
		},
		"an alias that leads back to itself is refused": {
			batch: append(chain, remove(www), create(own("www.example.com", "A", "c2.example.com"))), code: "InvalidChangeBatch", says: "leads back to the alias",
		},
		"an alias to itself is refused":                       {batch: []r53types.Change{create(own("new.example.com", "A", "new.example.com"))}, code: "InvalidChangeBatch", says: "leads back to the alias"},
		"an alias of another type than its target is refused": {batch: []r53types.Change{create(own("new.example.com", "AAAA", "www.example.com"))}, code: "InvalidChangeBatch", says: "type AAAA in zone " + n.zone + ", " + missing},
		"a CNAME alias to a CNAME":                            {batch: []r53types.Change{create(own("new.example.com", "CNAME", "alias.example.com"))}},
		"a CNAME alias at the apex is refused":                {batch: []r53types.Change{create(own("example.com", "CNAME", "alias.example.com"))}, code: "InvalidChangeBatch", says: "not permitted at apex"},
		"a CNAME alias beside an A is refused":                {batch: []r53types.Change{create(own("www.example.com", "CNAME", "alias.example.com"))}, code: "InvalidChangeBatch", says: "conflicts with other records"},
		"an alias to a name out of this zone is refused":      {batch: []r53types.Change{create(own("new.example.com", "A", "www.example.org"))}, code: "InvalidChangeBatch", says: outside},
		"an alias in a load balancer's zone to a name that none has is refused": {
			batch: []r53types.Change{create(alias("new.example.com", "A", n.elbZone, "gone-1.ap-northeast-1.elb.amazonaws.com"))}, code: "InvalidChangeBatch", says: missing,
		},
		"a load balancer in the wrong zone is refused": {batch: []r53types.Change{create(alias("new.example.com", "A", n.zone, n.blueName))}, code: "InvalidChangeBatch", says: outside},
		"a load balancer in an unknown zone is refused": {
			batch: []r53types.Change{create(alias("new.example.com", "A", "Z35SXDOTRQ7X7K", n.blueName))}, code: "InvalidChangeBatch", says: outside,
		},
		"an AAAA alias to a load balancer":            {batch: []r53types.Change{create(alias("new.example.com", "AAAA", n.elbZone, n.blueName))}},
		"a CNAME alias to a load balancer is refused": {batch: []r53types.Change{create(alias("new.example.com", "CNAME", n.elbZone, n.blueName))}, code: "InvalidChangeBatch", says: missing},
		"an alias of the type NS is refused":          {batch: []r53types.Change{create(own("sub.example.com", "NS", "example.com"))}, code: "InvalidInput", says: "type NS"},
		"a target can't go while the alias stays": {
			batch: []r53types.Change{create(own("new.example.com", "A", "www.example.com")), remove(www)}, code: "InvalidChangeBatch", says: "target of the alias new.example.com.",
		},
		"a target may be swapped": {batch: []r53types.Change{create(own("new.example.com", "A", "shop.example.com")), remove(weighted("shop.example.com", "blue", 100, "192.0.2.1")), create(weighted("shop.example.com", "blue", 50, "192.0.2.1"))}},
	}
}

// memberStories are about aliases as members of weighted groups, and about what
// a DELETE of an alias or of a checked set must match.
func memberStories(n named) map[string]story {
	elsewhere := n.blue
	elsewhere.AliasTarget = &r53types.AliasTarget{HostedZoneId: &n.elbZone, DNSName: &n.greenName, EvaluateTargetHealth: true}
	long := alias("app.example.com", "A", n.elbZone, strings.ToUpper(n.blueName)+".")
	plain := member(withTTL(simple("app.example.com", "A", "192.0.2.9"), 300), "third", 1)
	return map[string]story{
		"a swap of aliases as read":                            {batch: []r53types.Change{remove(n.blue), remove(n.green), create(member(n.blue, "blue", 80)), create(member(n.green, "green", 20))}},
		"a DELETE in another spelling of the target matches":   {batch: []r53types.Change{remove(member(long, "blue", 90))}},
		"a DELETE with another target is refused":              {batch: []r53types.Change{remove(elsewhere)}, code: "InvalidChangeBatch", says: "do not match the current values"},
		"a DELETE with other EvaluateTargetHealth is refused":  {batch: []r53types.Change{remove(withEvaluate(n.blue, false))}, code: "InvalidChangeBatch", says: "do not match the current values"},
		"a DELETE with another weight is refused":              {batch: []r53types.Change{remove(member(n.blue, "blue", 91))}, code: "InvalidChangeBatch", says: "do not match the current values"},
		"a DELETE with a health check it hasn't is refused":    {batch: []r53types.Change{remove(checked(n.blue, n.check))}, code: "InvalidChangeBatch", says: "do not match the current values"},
		"a DELETE of an alias as a plain record is refused":    {batch: []r53types.Change{remove(weighted("app.example.com", "blue", 90, "192.0.2.1"))}, code: "InvalidChangeBatch", says: "do not match the current values"},
		"a member of any TTL beside aliases":                   {batch: []r53types.Change{create(plain)}},
		"two members of two TTLs beside aliases are refused":   {batch: []r53types.Change{create(plain), create(member(simple("app.example.com", "A", "192.0.2.8"), "fourth", 1))}, code: "InvalidChangeBatch", says: "weighted sets must contain the same TTL"},
		"a simple alias beside weighted ones is refused":       {batch: []r53types.Change{create(alias("app.example.com", "A", n.elbZone, n.blueName))}, code: "InvalidChangeBatch", says: "other RRSets exist"},
		"a health check on a record":                           {batch: []r53types.Change{upsert(checked(weighted("shop.example.com", "blue", 100, "192.0.2.1"), n.check))}},
		"a health check on an alias":                           {batch: []r53types.Change{upsert(checked(n.blue, n.check))}},
		"an unknown health check is refused":                   {batch: []r53types.Change{upsert(checked(n.blue, "00000000-0000-0000-0000-000000000000"))}, code: "NoSuchHealthCheck", says: "does not exist"},
		"a DELETE with an unknown health check does not match": {batch: []r53types.Change{remove(checked(n.blue, "00000000-0000-0000-0000-000000000000"))}, code: "InvalidChangeBatch", says: "do not match"},
	}
}

func TestAliasBatches(t *testing.T) {
	n := newNamed(t, aws.Options{}) // the same calls give the same identifiers, so its stories fit every other
	stories := aliasStories(n)
	maps.Copy(stories, memberStories(n))
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			n := newNamed(t, aws.Options{})
			s.play(t, n.world, n.zone)
		})
	}
}

func TestASetWithoutEvaluateTargetHealthIsRefused(t *testing.T) {
	n := newNamed(t, aws.Options{})
	status, answer := n.post(t, "/2013-04-01/hostedzone/"+n.zone+"/rrset/", `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes><Change>
<Action>CREATE</Action><ResourceRecordSet><Name>new.example.com</Name><Type>A</Type>
<AliasTarget><HostedZoneId>`+n.elbZone+`</HostedZoneId><DNSName>`+n.blueName+`</DNSName></AliasTarget></ResourceRecordSet>
</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`)
	if status != 400 || !strings.Contains(answer, "<Code>InvalidInput</Code>") || !strings.Contains(answer, "EvaluateTargetHealth") {
		t.Errorf("status %d: %s", status, answer)
	}
}

// TestWhatIsListedIsWhatWasSent: adapters delete a set by what they listed.
func TestWhatIsListedIsWhatWasSent(t *testing.T) {
	n := newNamed(t, aws.Options{})
	policy := func(name, id string, set func(*r53types.ResourceRecordSet)) r53types.ResourceRecordSet {
		s := simple(name, "A", "192.0.2.7")
		s.SetIdentifier = &id
		set(&s)
		return s
	}
	blueListed := alias("app2.example.com.", "A", n.elbZone, n.blueName+".")
	sent := []r53types.ResourceRecordSet{
		member(blueListed, "alias", 0),
		policy("app2.example.com.", "checked", func(s *r53types.ResourceRecordSet) { *s = checked(member(*s, "checked", 255), n.check) }),
		withEvaluate(alias("group.example.com.", "A", n.zone, "shop.example.com."), false),
		policy("latency.example.com.", "tokyo", func(s *r53types.ResourceRecordSet) { s.Region = r53types.ResourceRecordSetRegionApNortheast1 }),
		policy("multi.example.com.", "one", func(s *r53types.ResourceRecordSet) { s.MultiValueAnswer = sdk.Bool(true) }),
		policy("pair.example.com.", "main", func(s *r53types.ResourceRecordSet) {
			s.Failover, s.HealthCheckId = r53types.ResourceRecordSetFailoverPrimary, &n.check
		}),
		policy("pair.example.com.", "spare", func(s *r53types.ResourceRecordSet) { s.Failover = r53types.ResourceRecordSetFailoverSecondary }),
		policy("place.example.com.", "jp", func(s *r53types.ResourceRecordSet) {
			s.GeoLocation = &r53types.GeoLocation{CountryCode: sdk.String("JP")}
		}),
		policy("place.example.com.", "ny", func(s *r53types.ResourceRecordSet) {
			s.GeoLocation = &r53types.GeoLocation{CountryCode: sdk.String("US"), SubdivisionCode: sdk.String("NY")}
		}),
		policy("place.example.com.", "rest", func(s *r53types.ResourceRecordSet) {
			s.GeoLocation = &r53types.GeoLocation{ContinentCode: sdk.String("EU")}
		}),
	}
	before := n.list(t, n.zone)
	var creates, removes []r53types.Change
	for _, s := range sent {
		creates = append(creates, create(s))
	}
	if err := n.change(t, n.zone, creates...); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range before {
		known[*s.Name] = true
	}
	var listed []r53types.ResourceRecordSet
	for _, s := range n.list(t, n.zone) {
		if !known[*s.Name] {
			listed, removes = append(listed, s), append(removes, remove(s))
		}
	}
	if diff := cmp.Diff(sent, listed, sdkValues()); diff != "" {
		t.Errorf("listed (-sent +listed):\n%s", diff)
	}
	if err := n.change(t, n.zone, removes...); err != nil {
		t.Fatalf("deleting what was listed: %v", err)
	}
	if diff := cmp.Diff(before, n.list(t, n.zone), sdkValues()); diff != "" {
		t.Errorf("after all were deleted (-want +got):\n%s", diff)
	}
}
