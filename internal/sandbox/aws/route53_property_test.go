package aws_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// anyChange draws from few names, types, identifiers and numbers, so that
// changes meet each other; about half are valid by themselves.
func anyChange(t *rapid.T, stored []r53types.ResourceRecordSet) r53types.Change {
	action := rapid.SampledFrom(r53types.ChangeAction("").Values()).Draw(t, "action")
	if len(stored) > 0 && rapid.Bool().Draw(t, "as stored") {
		s := rapid.SampledFrom(stored).Draw(t, "set")
		return r53types.Change{Action: action, ResourceRecordSet: &s}
	}
	typ := rapid.SampledFrom([]string{"A", "A", "TXT", "CNAME"}).Draw(t, "type")
	value := map[string]string{"A": "192.0.2.1", "TXT": `"x"`, "CNAME": "www.example.com"}[typ]
	s := simple(rapid.SampledFrom([]string{"a.example.com", "B.example.com", "example.com", "a.example.org"}).Draw(t, "name"), typ, value)
	s.TTL = new(rapid.SampledFrom([]int64{60, 60, 60, 30}).Draw(t, "ttl"))
	if rapid.IntRange(0, 3).Draw(t, "weighted") > 0 {
		s.SetIdentifier = new(rapid.SampledFrom([]string{"blue", "green"}).Draw(t, "id"))
		s.Weight = new(rapid.SampledFrom([]int64{0, 1, 255, 256}).Draw(t, "weight"))
	}
	return r53types.Change{Action: action, ResourceRecordSet: &s}
}

// brokenRule names a rule of Route 53 that a zone breaks, or nothing.
func brokenRule(sets []r53types.ResourceRecordSet) string {
	type group struct{ name, typ string }
	ids := map[group][]string{}
	ttls := map[group]int64{}
	types := map[string][]string{}
	for _, s := range sets {
		g := group{*s.Name, string(s.Type)}
		id := ""
		if s.SetIdentifier != nil {
			id = *s.SetIdentifier
		}
		switch {
		case (s.SetIdentifier == nil) != (s.Weight == nil):
			return fmt.Sprintf("%v has only one of identifier and weight", g)
		case s.Weight != nil && (*s.Weight < 0 || *s.Weight > 255):
			return fmt.Sprintf("%v has the weight %d", g, *s.Weight)
		case slices.Contains(ids[g], id):
			return fmt.Sprintf("%v has the identifier %q twice", g, id)
		case len(ids[g]) > 0 && (id == "" || slices.Contains(ids[g], "")):
			return fmt.Sprintf("%v is simple and weighted", g)
		case len(ids[g]) > 0 && ttls[g] != *s.TTL:
			return fmt.Sprintf("%v has two TTLs", g)
		}
		ids[g], ttls[g] = append(ids[g], id), *s.TTL
		types[g.name] = append(types[g.name], g.typ)
	}
	for name, all := range types {
		if slices.Contains(all, "CNAME") && slices.ContainsFunc(all, func(typ string) bool { return typ != "CNAME" }) {
			return name + " has a CNAME beside others"
		}
	}
	return ""
}

// TestAnyBatchIsAtomic: whatever batches come, the zone keeps the rules, and a
// refused batch leaves no trace, in the listing or in what is published.
func TestAnyBatchIsAtomic(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, aws.Options{})
		zone := w.zone(t, "example.com")
		accepted, refused := 0, 0
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			before := w.list(t, zone)
			published := w.RecordSets("a.example.com.", "A")
			batch := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) r53types.Change { return anyChange(rt, before) }), 1, 4).Draw(rt, "batch")
			err := w.change(t, zone, batch...)
			after := w.list(t, zone)
			if broken := brokenRule(after); broken != "" {
				rt.Fatalf("after %v (error %v): %s", batch, err, broken)
			}
			if err == nil {
				accepted++
				if fault := missingEffect(batch, after); fault != "" {
					rt.Fatalf("accepted, but %s", fault)
				}
				continue
			}
			refused++
			var api smithy.APIError
			if !errors.As(err, &api) || (api.ErrorCode() != "InvalidChangeBatch" && api.ErrorCode() != "InvalidInput") {
				rt.Fatalf("refused with %v", err)
			}
			if diff := cmp.Diff(before, after, sdkValues()); diff != "" {
				rt.Fatalf("a refused batch changed the zone:\n%s", diff)
			}
			if diff := cmp.Diff(published, w.RecordSets("a.example.com.", "A")); diff != "" {
				rt.Fatalf("a refused batch changed what is published:\n%s", diff)
			}
		}
		rt.Logf("%d accepted, %d refused", accepted, refused)
	})
}

// missingEffect says which change of an accepted batch isn't to be seen: its
// set's last action decides whether it is there, with that weight.
func missingEffect(batch []r53types.Change, after []r53types.ResourceRecordSet) string {
	type key struct{ name, typ, id string }
	keyOf := func(s r53types.ResourceRecordSet) key {
		k := key{name: canonical(*s.Name), typ: string(s.Type)}
		if s.SetIdentifier != nil {
			k.id = *s.SetIdentifier
		}
		return k
	}
	there := map[key]*int64{}
	for _, s := range after {
		there[keyOf(s)] = s.Weight
	}
	last := map[key]r53types.Change{}
	for _, c := range batch {
		last[keyOf(*c.ResourceRecordSet)] = c
	}
	for k, c := range last {
		weight, found := there[k]
		switch {
		case found != (c.Action != r53types.ChangeActionDelete):
			return fmt.Sprintf("%s of %v left it there: %t", c.Action, k, found)
		case found && weight != nil && *weight != *c.ResourceRecordSet.Weight:
			return fmt.Sprintf("%s of %v left the weight %d", c.Action, k, *weight)
		}
	}
	return ""
}

func canonical(name string) string {
	if name[len(name)-1] != '.' {
		name += "."
	}
	if name[0] == 'B' {
		return "b" + name[1:]
	}
	return name
}
