package gatescenes

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The gate measures blue's past; what it finds there must be what the pods then do.
func TestThePastIsLikeThePresent(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 1, 0, time.UTC)
	p := newPod("web-0", "10.10.0.1:8080")
	p.live(now, 200, rand.New(rand.NewPCG(1, 6)))
	requests := past.Seconds() / pastStep.Seconds() * 200
	if all := p.counts.ByCode[200] + p.counts.ByCode[500]; math.Abs(all-requests) > 200 {
		t.Errorf("%v requests, want %v", all, requests)
	}
	if ratio := p.counts.ByCode[500] / requests; math.Abs(ratio-usual().ErrorRatio) > 0.0005 {
		t.Errorf("%v of them failed, want %v", ratio, usual().ErrorRatio)
	}
	if ratio := p.counts.Buckets[slowBucket()] / requests; math.Abs(ratio-usual().SlowRatio) > 0.002 {
		t.Errorf("%v of them were slow, want %v", ratio, usual().SlowRatio)
	}
	ends := map[string]float64{}
	for _, s := range p.series() {
		label := s.Labels["code"] + s.Labels["le"]
		last := s.Samples[len(s.Samples)-1]
		ends[label] = last.Value
		if age := now.Sub(last.At); age <= 0 || age > pastStep {
			t.Errorf("series %s ends %s before now", label, age)
		}
		for i, sample := range s.Samples[1:] {
			if before := s.Samples[i]; sample.Value < before.Value || sample.At.Sub(before.At) != pastStep {
				t.Fatalf("series %s goes from %v to %v", label, before, sample)
			}
		}
	}
	all, quick := p.counts.ByCode[200]+p.counts.ByCode[500], p.counts.Buckets[0]
	want := map[string]float64{
		"200": p.counts.ByCode[200], "500": p.counts.ByCode[500],
		"0.005": quick, "0.01": quick, "0.025": quick, "0.05": quick,
		"0.1": all, "0.25": all, "0.5": all, "1.0": all, "2.5": all, "+Inf": all,
	}
	if diff := cmp.Diff(want, ends); diff != "" {
		t.Errorf("the series end at (-want +got):\n%s", diff)
	}
}

func TestEachTroubleHasAShareOfItsOwn(t *testing.T) {
	all := shares(troubles())
	if len(all) != len(troubles())+1 || all[len(all)-1] != 100 {
		t.Errorf("shares %v for %d troubles; want one for each, and 100", all, len(troubles()))
	}
	for i := range all[1:] {
		if all[i+1] <= all[i] {
			t.Errorf("share %d follows %d", all[i+1], all[i])
		}
	}
}
