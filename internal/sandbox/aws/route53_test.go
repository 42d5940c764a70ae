package aws_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

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
