package ready

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// lookEvery is how often the sandbox looks for itself.
const lookEvery = 50 * time.Millisecond

// sight is what the sandbox sees at one moment, without asking the daemon.
type sight struct {
	at time.Time
	// blue and green are healthy targets, and share is green's part of the weights
	// in percent.
	blue, green int
	share       float64
}

// look keeps the sights of a scene.
type look struct {
	stage *stage

	mu     sync.Mutex
	sights []sight // one for each change
}

func newLook(st *stage) *look { return &look{stage: st} }

func (l *look) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		l.see()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *look) see() {
	now := sight{at: time.Now(), blue: l.stage.targets("blue"), green: l.stage.targets("green"), share: l.stage.region.GreenShare()}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.sights); n > 0 {
		last := l.sights[n-1]
		last.at = now.at
		if last == now {
			return
		}
	}
	l.sights = append(l.sights, now)
}

// since gives what was seen from a time on, beginning with what stood then.
func (l *look) since(t time.Time) []sight {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := 0
	for i, s := range l.sights {
		if !s.at.After(t) {
			first = i
		}
	}
	return append([]sight(nil), l.sights[first:]...)
}

// last is the newest sight.
func (l *look) last() sight {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sights) == 0 {
		return sight{}
	}
	return l.sights[len(l.sights)-1]
}

// targets counts the healthy targets of one side.
func (st *stage) targets(side string) (healthy int) {
	for _, group := range st.region.Cloud.TargetGroups() {
		if group.ARN != st.region.Groups["api-"+side] {
			continue
		}
		for _, t := range group.Targets {
			if t.State == routing.Healthy {
				healthy++
			}
		}
	}
	return healthy
}

// percent is what pods can serve, in percent of the load that is theirs; a load of
// nothing needs nothing.
func percent(pods int, load float64) int {
	if load <= 0 {
		return 1000
	}
	return int(100 * float64(pods*perPod) / load)
}

// tell prints the story as it goes on, with what users feel.
func (st *stage) tell(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for told := 0; ; {
		lines := st.Story.Told()
		for ; told < len(lines); told++ {
			line, seen, counts := lines[told], st.look.last(), st.users.Snapshot()
			if line.Deed != "" {
				st.say("  %5.1fs  » %s", line.Moment.T, line.Deed)
				continue
			}
			m := line.Moment
			st.say("  %5.1fs  %-11s %3d %%  %-18s %s  [%s]", m.T, m.Phase, m.Share, m.Reason, m.Message, strings.Join([]string{
				fmt.Sprintf("pods %d blue, %d green", seen.blue, seen.green),
				fmt.Sprintf("users on green %.0f %%", counts.Recent.Share("green")), fmt.Sprintf("%d failed", counts.Failed),
			}, ", "))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
