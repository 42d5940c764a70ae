package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// orNone shows what is empty.
func orNone(s string) string { return cmp.Or(s, "-") }

// statusTable prints pairs for people; a single one with all that is known.
func (h *hand) statusTable(ctx context.Context, args []string) error {
	objects, err := h.chosen(ctx, args)
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		where, what := h.place.has()
		h.out.say("%s has no %s; %s.", sentence(where), what, whereFrom)
		return nil
	}
	rows := [][]string{{"PAIR", "PHASE", "GREEN", "STEP", "BLUE READY", "CAN TAKE", "REASON"}}
	for _, o := range objects {
		s, green := o.Status, "-"
		if s.Phase != "" {
			green = fmt.Sprintf("%d%%", s.Share)
		}
		rows = append(rows, []string{o.Name, orNone(s.Phase), green, orNone(s.Step), orNone(s.BlueReady), canTake(s.Readiness), orNone(s.Reason)})
	}
	table(h.out, rows)
	if len(args) > 0 {
		h.details(objects[0])
		return nil
	}
	for i := range objects {
		if silent := h.silent(&objects[i]); silent != "" {
			h.err.say("WARNING: %s.", silent)
		}
	}
	return nil
}

// table aligns columns. The last one has no trailing blanks.
func table(w io.Writer, rows [][]string) {
	tabs := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(tabs, strings.Join(row, "\t")) // w keeps the error
	}
	_ = tabs.Flush()
}

// details says of one pair what the row can't.
func (h *hand) details(t v1alpha1.TrafficSwitch) {
	s := t.Status
	if unsaid(s) {
		h.out.say("\nNo daemon has said anything about %s yet.", t.Name)
		h.out.say("One that runs and can't write here says why in its log%s", h.logs())
	} else {
		h.out.say("\n%s: %s", attemptOf(s), orNone(s.Message))
		silence := silence(s.UpdatedAt.Time, h.now())
		h.out.say("Written by the daemon%s at %s%s", named(s.Holder), moment(s.UpdatedAt.Time), silence)
		if silence != "" {
			h.out.say("To go back without one: %s", h.direct(t.Name))
		}
	}
	if asked := askedFor(t.Spec); asked != "" {
		h.out.say("Asked for in %s: %s", h.place.request(t.Name), asked)
	}
	if q := s.Question; q != nil {
		h.out.say("\nQuestion (%s): %s", q.Reason, q.Message)
		if t.Spec.Resolve.ID == q.ID {
			h.out.say("It is answered with %s; the daemon hasn't taken that up yet.", t.Spec.Resolve.How)
		} else {
			h.out.say("Answer it: %s", h.answers(&t))
		}
	}
	if len(s.Gates) > 0 {
		h.out.say("")
		rows := [][]string{{"GATE", "JUDGEMENT", "WHY"}}
		for _, g := range s.Gates {
			rows = append(rows, []string{g.Gate, g.Judgement, orNone(g.Message)})
		}
		table(h.out, rows)
	}
	if r := s.Readiness; r != nil {
		h.wayBack(*r)
	}
	if len(s.Notes) > 0 {
		h.out.say("\nTo know:")
	}
	for _, note := range s.Notes {
		h.out.say("  %s", note)
	}
	if r := s.Rollback; r != nil {
		h.out.say("\nRolled back by %s at %s: %s", r.By, moment(r.At.Time), r.Why)
	}
	h.advise(t)
}

// unsaid tells whether no daemon ever said anything of a pair.
func unsaid(s v1alpha1.TrafficSwitchStatus) bool { return s.Phase == "" && s.UpdatedAt.IsZero() }

// attemptOf names the attempt that a status tells of. A daemon without a journal
// that has never seen where users are can't tell.
func attemptOf(s v1alpha1.TrafficSwitchStatus) string {
	if s.Phase == "" {
		return "Where it stands is not known"
	}
	return fmt.Sprintf("Attempt %d", s.Attempt)
}

// logs says how to read the daemon's log, as the end of a sentence.
func (h *hand) logs() string {
	if h.place.directory != "" {
		return "."
	}
	return ": " + h.place.kubectl() + " logs --selector app.kubernetes.io/name=clusterswitch --tail 50"
}

// named adds which of several daemons it was.
func named(holder string) string {
	if holder == "" {
		return ""
	}
	return " " + holder
}

// silentAfter is the age from which a status may mean that no daemon runs: a
// daemon renews it every half minute, or every interval where that is longer.
const silentAfter = 2 * time.Minute

// silence warns of a status that is older than a daemon that runs lets it get.
func silence(written, now time.Time) string {
	age := now.Sub(written)
	if age < silentAfter {
		return ""
	}
	return fmt.Sprintf(", %s ago: unless the configured interval is that long, no daemon is running", age.Round(time.Second))
}

// advise says what the person can do about the reason.
func (h *hand) advise(t v1alpha1.TrafficSwitch) {
	for _, doc := range shift.Reasons() {
		if string(doc.Reason) == t.Status.Reason {
			// The advice is written for the docs: commands in backticks, any pair.
			plain := strings.NewReplacer("`", "", "PAIR", t.Name)
			h.out.say("\nWhat it means: %s", plain.Replace(doc.Meaning))
			h.out.say("What you can do: %s", plain.Replace(doc.Do))
		}
	}
}

// askedFor lists what the spec asks for.
func askedFor(s v1alpha1.TrafficSwitchSpec) string {
	var asked []string
	for _, flag := range []struct {
		set  bool
		name string
	}{{s.Rollback, "rollback"}, {s.RollbackForce, "rollbackForce"}, {s.Paused, "paused"}, {s.HandsOff, "handsOff"}} {
		if flag.set {
			asked = append(asked, flag.name)
		}
	}
	if s.Attempt > 0 {
		asked = append(asked, fmt.Sprintf("attempt %d", s.Attempt))
	}
	if a := s.Approved; a != (v1alpha1.Approval{}) {
		asked = append(asked, fmt.Sprintf("approval of step %d in attempt %d", a.Step, a.Attempt))
	}
	if v := s.Vouch; v != (v1alpha1.Vouch{}) {
		asked = append(asked, fmt.Sprintf("%s takes the singletons in attempt %d", v.Take, v.Attempt))
	}
	return strings.Join(asked, ", ")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
