package aws_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// with gives a record set an identifier and a policy.
func with(s r53types.ResourceRecordSet, id string, set func(*r53types.ResourceRecordSet)) r53types.ResourceRecordSet {
	s.SetIdentifier = &id
	set(&s)
	return s
}

func latency(s *r53types.ResourceRecordSet) {
	s.Region = r53types.ResourceRecordSetRegionEuWest1
}

func primary(s *r53types.ResourceRecordSet) {
	s.Failover = r53types.ResourceRecordSetFailoverPrimary
}

func secondary(s *r53types.ResourceRecordSet) {
	s.Failover = r53types.ResourceRecordSetFailoverSecondary
}

func multi(s *r53types.ResourceRecordSet) {
	s.MultiValueAnswer = sdk.Bool(true)
}

func japan(s *r53types.ResourceRecordSet) {
	s.GeoLocation = &r53types.GeoLocation{CountryCode: sdk.String("JP")}
}

// TestPolicies: which routing policies stand beside which, in seedZone's zone.
func TestPolicies(t *testing.T) {
	fresh := func() r53types.ResourceRecordSet { return simple("new.example.com", "A", "192.0.2.9") }
	shop := func() r53types.ResourceRecordSet { return simple("shop.example.com", "A", "192.0.2.9") }
	www := simple("www.example.com", "A", "192.0.2.10", "192.0.2.11")
	twice := with(fresh(), "x", latency)
	twice.Weight = sdk.Int64(1)
	nowhere := with(fresh(), "x", func(s *r53types.ResourceRecordSet) { s.GeoLocation = &r53types.GeoLocation{} })
	both := with(fresh(), "x", func(s *r53types.ResourceRecordSet) {
		s.GeoLocation = &r53types.GeoLocation{ContinentCode: sdk.String("EU"), CountryCode: sdk.String("FR")}
	})
	noID := fresh()
	noID.MultiValueAnswer = sdk.Bool(true)
	const beside = "cannot be created as a non-"
	for name, s := range map[string]story{
		"latency beside weighted is refused":           {batch: []r53types.Change{create(with(shop(), "eu", latency))}, code: "InvalidChangeBatch", says: "SetIdentifier eu " + beside + "latency set exists"},
		"failover beside weighted is refused":          {batch: []r53types.Change{create(with(shop(), "spare", secondary))}, code: "InvalidChangeBatch", says: beside + "failover set exists"},
		"geolocation beside weighted is refused":       {batch: []r53types.Change{create(with(shop(), "jp", japan))}, code: "InvalidChangeBatch", says: beside + "geolocation set exists"},
		"multivalue beside weighted is refused":        {batch: []r53types.Change{create(with(shop(), "m", multi))}, code: "InvalidChangeBatch", says: "a non multivalue answer rrset exists"},
		"multivalue beside simple is refused":          {batch: []r53types.Change{create(with(www, "m", multi))}, code: "InvalidChangeBatch", says: "a non multivalue answer rrset exists"},
		"weighted beside latency is refused":           {batch: []r53types.Change{create(with(fresh(), "eu", latency)), create(member(fresh(), "w", 1))}, code: "InvalidChangeBatch", says: "SetIdentifier w " + beside + "weighted set exists"},
		"simple beside latency is refused":             {batch: []r53types.Change{create(with(fresh(), "eu", latency)), create(fresh())}, code: "InvalidChangeBatch", says: "other RRSets exist"},
		"weighted before its simple goes is refused":   {batch: []r53types.Change{create(member(www, "w", 1)), remove(www)}, code: "InvalidChangeBatch", says: beside + "weighted set exists"},
		"a CNAME before what it replaces is refused":   {batch: []r53types.Change{create(simple("www.example.com", "CNAME", "x.example.com")), remove(www)}, code: "InvalidChangeBatch", says: "conflicts with other records"},
		"a CNAME after what it replaces":               {batch: []r53types.Change{remove(www), create(simple("www.example.com", "CNAME", "x.example.com"))}},
		"latency of another type beside weighted":      {batch: []r53types.Change{create(with(simple("shop.example.com", "AAAA", "2001:db8::1"), "eu", latency))}},
		"two policies in one set are refused":          {batch: []r53types.Change{create(twice)}, code: "InvalidInput", says: "CidrRoutingConfig], but found more than one"},
		"a policy without identifier is refused":       {batch: []r53types.Change{create(noID)}, code: "InvalidInput", says: "Missing field 'SetIdentifier'"},
		"one region twice is refused":                  {batch: []r53types.Change{create(with(fresh(), "a", latency)), create(with(fresh(), "b", latency))}, code: "InvalidChangeBatch", says: "latency set a exists"},
		"two secondaries are refused":                  {batch: []r53types.Change{create(with(fresh(), "a", secondary)), create(with(fresh(), "b", secondary))}, code: "InvalidChangeBatch", says: "failover set a exists"},
		"one country twice is refused":                 {batch: []r53types.Change{create(with(fresh(), "a", japan)), create(with(fresh(), "b", japan))}, code: "InvalidChangeBatch", says: "geolocation set a exists"},
		"a place that is none is refused":              {batch: []r53types.Change{create(nowhere)}, code: "InvalidInput", says: "ContinentCode"},
		"a continent and a country are refused":        {batch: []r53types.Change{create(both)}, code: "InvalidInput", says: "ContinentCode"},
		"a primary without a health check is refused":  {batch: []r53types.Change{create(with(fresh(), "main", primary))}, code: "InvalidInput", says: "Missing field 'HealthCheckId' in Change with [Action=CREATE, Name=new.example.com, Type=A, SetIdentifier=main]"},
		"a failover that is neither is refused":        {batch: []r53types.Change{create(with(fresh(), "x", func(s *r53types.ResourceRecordSet) { s.Failover = "THIRD" }))}, code: "InvalidInput", says: "[PRIMARY, SECONDARY]"},
		"multivalue that is false is refused":          {batch: []r53types.Change{create(with(fresh(), "x", func(s *r53types.ResourceRecordSet) { s.MultiValueAnswer = sdk.Bool(false) }))}, code: "InvalidInput", says: "must be true"},
		"a multivalue CNAME is refused":                {batch: []r53types.Change{create(with(simple("new.example.com", "CNAME", "x.example.com"), "m", multi))}, code: "InvalidInput", says: "CNAME"},
		"a weighted NS set is refused":                 {batch: []r53types.Change{create(member(simple("sub.example.com", "NS", "ns.example.org"), "w", 1))}, code: "InvalidInput", says: "type NS"},
		"an identifier of 128 characters":              {batch: []r53types.Change{create(member(fresh(), longID(128), 1))}},
		"an identifier of 129 characters is refused":   {batch: []r53types.Change{create(member(fresh(), longID(129), 1))}, code: "InvalidInput", says: "between 1 and 128"},
		"a traffic policy instance is refused by name": {batch: []r53types.Change{create(r53types.ResourceRecordSet{Name: sdk.String("new.example.com"), Type: "A", TrafficPolicyInstanceId: sdk.String("x")})}, code: "InvalidInput", says: "TrafficPolicyInstanceId"},
		"geoproximity is refused by name": {batch: []r53types.Change{create(with(fresh(), "x", func(s *r53types.ResourceRecordSet) {
			s.GeoProximityLocation = &r53types.GeoProximityLocation{AWSRegion: sdk.String("eu-west-1")}
		}))}, code: "InvalidInput", says: "GeoProximityLocation"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			s.play(t, w, seedZone(t, w))
		})
	}
}

func longID(n int) string {
	id := make([]byte, n)
	for i := range id {
		id[i] = 'x'
	}
	return string(id)
}
