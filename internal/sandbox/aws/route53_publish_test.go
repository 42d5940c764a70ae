package aws_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

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

// TestAReaderBetweenTwoWritesFindsAVersion: the reader looks at the clock, two
// changes are published, and only then it goes on.
func TestAReaderBetweenTwoWritesFindsAVersion(t *testing.T) {
	clk := newClock()
	var interrupt func()
	w := newWorld(t, aws.Options{Now: func() time.Time {
		read := clk.t
		if next := interrupt; next != nil {
			interrupt = nil
			next()
		}
		return read
	}})
	zone := seedZone(t, w)
	interrupt = func() {
		for weight := range int64(2) {
			clk.advance(time.Second)
			if err := w.change(t, zone, upsert(weighted("shop.example.com", "green", weight, "192.0.2.2"))); err != nil {
				t.Error(err)
			}
		}
	}
	if sets := w.RecordSets("shop.example.com", "A"); len(sets) != 2 {
		t.Errorf("the reader found %+v, want both members", sets)
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
