package app

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// FuzzRequestOfACustomResource: whatever stands in a spec, no stop and no rollback in
// it is lost, no attempt is lowered by it, and one that can't be read is unknown.
func FuzzRequestOfACustomResource(f *testing.F) {
	for _, spec := range []string{
		`{}`, `{"rollback":true,"rollbackForce":true}`, `{"paused":true,"handsOff":true,"attempt":3}`, `{"attempt":-1}`,
		`{"approved":{"attempt":1,"step":2},"resolve":{"id":"1-2","how":"adopt"},"vouch":{"attempt":1,"take":"blue"}}`, `[]`,
	} {
		f.Add([]byte(spec), 2, true)
		f.Add([]byte(spec), 0, false)
	}
	f.Fuzz(func(t *testing.T, content []byte, attempt int, green bool) {
		var read resource
		var spec v1alpha1.TrafficSwitchSpec
		if json.Unmarshal(content, &spec) == nil {
			read.spec = &spec
		} else {
			spec = v1alpha1.TrafficSwitchSpec{}
		}
		pair := config.Pair{Name: "shop", Serve: "blue", Attempt: attempt}
		if green {
			pair.Serve = "green"
		}
		r := newRequests(read, nil)
		r.configure(&config.Config{}, pair)
		q := r.request(shift.State{}, true)
		if (q.Unknown == "") != (read.spec != nil) {
			t.Fatalf("%q is unknown because of %q", content, q.Unknown)
		}
		lost := q.Paused != spec.Paused || q.HandsOff != spec.HandsOff || q.RollbackForce != spec.RollbackForce ||
			spec.Rollback != slices.Contains(q.RollbackBy, "the custom resource")
		if lost || q.Attempt < attempt || q.Attempt < spec.Attempt || green && q.Attempt < 1 || q.Serve != shift.Side(pair.Serve) {
			t.Errorf("of %+v came %+v", spec, q)
		}
	})
}
