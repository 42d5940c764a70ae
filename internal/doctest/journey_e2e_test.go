//go:build e2e

package doctest

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// stages are the stages of the journey, in its order.
func stages() []stage {
	return []stage{opening, anywhere, shifting, drifted, backOnBlue, completed, farewell}
}

// TestE2EJourney types what the documents tell people to type, in the order of a
// shift: from the chart's installation to the end of its resources, with the real
// daemon, real API servers and the sandbox's AWS. Each command is given by a shell, as
// it stands, where the pair is in the state that it is for.
func TestE2EJourney(t *testing.T) {
	j := newJourney(t)
	all, ran := classes(), 0
	type step struct {
		command
		class, at int
	}
	var steps []step
	for _, c := range commands(t) {
		if i := classOf(all, c.Text); i >= 0 && (all[i].how == journey || all[i].how == hand) {
			steps = append(steps, step{c, i, slices.Index(stages(), all[i].at)})
		}
	}
	// What one command writes another reads: the classes are in the order of that.
	slices.SortStableFunc(steps, func(a, b step) int { return (a.at-b.at)*len(all) + a.class - b.class })
	for _, s := range steps {
		c := all[s.class]
		if strings.HasPrefix(s.Text, "aws ") && !j.aws {
			t.Logf("the AWS CLI isn't on the PATH: nobody ran %s", s.Text)
			continue
		}
		j.enter(c.at)
		status, out, complaint := j.shell(s.Text)
		if !slices.Contains(c.statuses(), status) {
			t.Errorf("%s\nin %s: exit status %d\n%s%s", s.Text, strings.Join(s.Places, ", "), status, out, complaint)
		}
		ran++
	}
	t.Logf("%d commands were given", ran)
	if ran < 100 {
		t.Errorf("only %d commands were given", ran)
	}
}

// shell gives a line to a shell in the journey's folder.
func (j *traveller) shell(line string) (status int, out, complaint string) {
	j.Helper()
	var said, complained strings.Builder
	shell := exec.CommandContext(j.Context(), "bash", "-o", "pipefail", "-c", line)
	shell.Dir, shell.Env, shell.Stdout, shell.Stderr = j.dir, j.env, &said, &complained
	if err := shell.Run(); err != nil && shell.ProcessState == nil {
		j.Fatal(err)
	}
	return shell.ProcessState.ExitCode(), said.String(), complained.String()
}

// do gives a line that must succeed, on the way from one stage to the next.
func (j *traveller) do(line string) {
	j.Helper()
	if status, out, complaint := j.shell(line); status != 0 {
		j.Fatalf("%s: exit status %d\n%s%s", line, status, out, complaint)
	}
}

// standing is what the journey reads of the pair's status; nothing, where there is none
// yet.
type standing struct {
	Phase, Reason, Message string
	Question               *struct{ Reason string }
	Asked                  struct{ Paused, Rollback bool }
}

func (j *traveller) standing() standing {
	j.Helper()
	status, out, complaint := j.shell("clusterswitch status shop -o json")
	all := struct{ Pairs []standing }{Pairs: []standing{{Message: complaint}}}
	if status == 0 {
		j.ok(json.Unmarshal([]byte(out), &all))
	}
	return all.Pairs[0]
}

// enter brings the pair to a stage, from wherever it is.
func (j *traveller) enter(at stage) {
	j.Helper()
	// For each farewell anew it would be stopped before it heeds signals.
	if at != opening && at != farewell {
		j.startDaemon()
	}
	switch at {
	case opening, anywhere:
	case shifting:
		j.await(at, j.towardsShifting)
	case drifted:
		j.enter(shifting)
		j.meddle()
		j.await(at, func(s standing) bool { return s.Question != nil })
	case backOnBlue:
		if s := j.standing(); s.Phase != "RolledBack" || !s.Asked.Rollback {
			j.do("clusterswitch rollback shop")
		}
		j.await(at, func(s standing) bool { return s.Phase == "RolledBack" })
	case completed:
		if j.standing().Phase != "Completed" {
			j.enter(shifting)
			j.do("clusterswitch approve shop")
		}
		j.await(at, func(s standing) bool { return s.Phase == "Completed" })
	case farewell:
		j.stopDaemon()
	}
}

// towardsShifting does what brings the pair nearer to the step that waits for
// approval; true: it is there.
func (j *traveller) towardsShifting(s standing) bool {
	j.Helper()
	switch {
	case s.Asked.Paused:
		j.do("clusterswitch resume shop")
	case s.Question != nil:
		j.do("clusterswitch resume shop --restore")
	case s.Phase == "Completed" && !s.Asked.Rollback:
		j.do("clusterswitch rollback shop")
	case s.Phase == "RolledBack":
		j.do("clusterswitch start shop")
	case s.Phase == "Shifting" && s.Reason == "ApprovalNeeded":
		return true
	}
	return false
}

// await looks until the pair is where it shall be.
func (j *traveller) await(at stage, there func(standing) bool) {
	j.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	over := time.After(2 * time.Minute)
	for {
		s := j.standing()
		if there(s) {
			return
		}
		select {
		case <-over:
			said, _ := os.ReadFile(j.log)
			j.Fatalf("the pair didn't get to %q within 2 minutes; it is in %+v\n%s", at, s, said[max(0, len(said)-4000):])
		case <-tick.C:
		}
	}
}

// meddle sets the weights of the records by hand.
func (j *traveller) meddle() {
	j.Helper()
	err := j.region.ChangeRecords(j.Context(),
		r53types.Change{Action: r53types.ChangeActionUpsert, ResourceRecordSet: world.WebRecord("blue", 80)},
		r53types.Change{Action: r53types.ChangeActionUpsert, ResourceRecordSet: world.WebRecord("green", 20)},
	)
	if err != nil {
		j.Fatal(err)
	}
}
