package explore

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestSpike(t *testing.T) {
	o := Small(Kind(os.Getenv("KIND")))
	fmt.Sscan(os.Getenv("B"), &o.Crashes, &o.Delays, &o.Cuts, &o.Pauses, &o.Rollback, &o.MaxStates)
	at := time.Now()
	r := Run(o)
	t.Logf("%s states=%d executions=%d ends=%d lost=%d boundary=%d broken=%d complete=%v deep=%d", time.Since(at), r.States, r.Executions, r.Ends, r.Lost, r.Boundary, r.Broken, r.Complete, r.Deepest)
	for _, v := range r.Violations {
		t.Log(v)
		for _, s := range v.Story {
			t.Log("   ", s)
		}
	}
}
