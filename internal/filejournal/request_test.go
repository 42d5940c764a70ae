package filejournal

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// asked is what the daemon knows of what people ask for; told: its loop was woken.
type asked struct {
	spec  v1alpha1.TrafficSwitchSpec
	fault string // part of it
	told  bool
}

func (w *world) asks(j *Journal, what string, want asked) {
	w.Helper()
	told := false
	j.look(func(name string) { told = told || name == pair })
	spec, unknown := j.Request(pair)
	w.is(what, want.spec, spec)
	w.is(what+": whether the loop was woken", want.told, told)
	if (want.fault == "") != (unknown == "") || !strings.Contains(unknown, want.fault) {
		w.Errorf("%s: it is unknown because of %q, want %q in it", what, unknown, want.fault)
	}
}

func TestWhatPeopleAskForByFile(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.asks(j, "before anything", asked{fault: "not read yet"})
	w.load(j)
	w.is("people have something to edit", "{}\n", w.read("shop.request.json"))
	w.asks(j, "an empty request", asked{told: true})
	w.asks(j, "the same", asked{})
	w.write("shop.request.json", `{"rollback": true}`)
	w.asks(j, "a rollback", asked{spec: v1alpha1.TrafficSwitchSpec{Rollback: true}, told: true})
	w.replace("shop.request.json", `{"Paused": true, "attempt": 3, "approved": {"attempt": 2, "step": 4}, "handsOff": null}`)
	everything := v1alpha1.TrafficSwitchSpec{Paused: true, Attempt: 3, Approved: v1alpha1.Approval{Attempt: 2, Step: 4}}
	w.asks(j, "other words", asked{spec: everything, told: true})
	w.ok(os.Remove(w.path("shop.request.json")))
	w.asks(j, "nothing but a hole", asked{everything, "is gone", true})
	w.asks(j, "the hole once more", asked{everything, "is gone", false})
	_, err := NewHand(w.dir).PatchSpec(t.Context(), pair, v1alpha1.SpecChange{})
	w.ok(errorBut(err, v1alpha1.ErrNotFound)) // nothing of the pair is left
	w.save(j, stateOf(1))
	_, err = NewHand(w.dir).PatchSpec(t.Context(), pair, v1alpha1.SpecChange{Attempt: new(4)})
	w.ok(err)
	w.asks(j, "what a command made anew", asked{spec: v1alpha1.TrafficSwitchSpec{Attempt: 4}, told: true})
}

func errorBut(err, allowed error) error {
	if errors.Is(err, allowed) {
		return nil
	}
	return err
}

// What makes no sense is unknown, which holds every rise. What of it goes back
// or stops counts all the same.
func TestARequestThatMakesNoSense(t *testing.T) {
	before := v1alpha1.TrafficSwitchSpec{Attempt: 2, HandsOff: true}
	with := func(change func(*v1alpha1.TrafficSwitchSpec)) v1alpha1.TrafficSwitchSpec {
		spec := before
		change(&spec)
		return spec
	}
	back := with(func(s *v1alpha1.TrafficSwitchSpec) { s.Rollback = true })
	free := with(func(s *v1alpha1.TrafficSwitchSpec) { s.HandsOff = false })
	for name, c := range map[string]struct {
		content string
		want    asked
	}{
		"half a rollback":               {`{"rollback": tr`, asked{before, "isn't JSON to its end", true}},
		"a rollback and half a word":    {`{"rollback": true, "pau`, asked{back, "ends too early", true}},
		"nothing at all":                {``, asked{before, "no JSON object", true}},
		"a list":                        {`[]`, asked{before, "no JSON object", true}},
		"a word that nobody knows":      {`{"rolback": true}`, asked{free, `"rolback" is nothing that can be asked for`, true}},
		"a rollback beside such a word": {`{"rolback": true, "rollback": true, "handsOff": true}`, asked{back, `"rolback"`, true}},
		"a rollback and no rollback":    {`{"handsOff": true, "rollback": true, "rollback": false}`, asked{back, "given twice", true}},
		"a pause in another type":       {`{"paused": "yes"}`, asked{free, `"paused" can't be read`, true}},
		"an attempt below zero":         {`{"attempt": -1}`, asked{free, "attempt is -1; use 0 to 1000000", true}},
		"an attempt without end":        {`{"attempt": 1000001}`, asked{free, "attempt is 1000001", true}},
		"an approval of no step":        {`{"approved": {"attempt": 1}}`, asked{free, "a step, both from 1", true}},
		"an approval of more":           {`{"approved": {"attempt": 1, "step": 1, "all": true}}`, asked{free, "unknown field", true}},
		"an answer of another kind":     {`{"resolve": {"id": "1", "how": "guess"}}`, asked{free, "adopt or restore", true}},
		"a word for no side":            {`{"vouch": {"attempt": 1, "take": "red"}}`, asked{free, "blue or green to take", true}},
		"two requests":                  {`{} {"rollback": true}`, asked{free, "more follows", true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j)
			w.write("shop.request.json", `{"attempt": 2, "handsOff": true}`)
			w.asks(j, "before", asked{spec: before, told: true})
			w.replace("shop.request.json", c.content)
			w.asks(j, "what makes no sense", c.want)
			w.replace("shop.request.json", `{"attempt": 5}`)
			w.asks(j, "what does", asked{spec: v1alpha1.TrafficSwitchSpec{Attempt: 5}, told: true})
		})
	}
}

func TestACommandReachesTheDaemonWithinAMoment(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan string, 10), make(chan error, 1)
	go func() { done <- j.Run(ctx, func(pair string) { changes <- pair }) }()
	w.is("the first", pair, <-changes)
	began := time.Now()
	_, err := NewHand(w.dir).PatchSpec(t.Context(), pair, v1alpha1.SpecChange{Rollback: new(true)})
	w.ok(err)
	w.is("the rollback", pair, <-changes)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	spec, unknown := j.Request(pair)
	w.is("what is asked for", v1alpha1.TrafficSwitchSpec{Rollback: true}, spec)
	w.is("whether that is all", "", unknown)
	cancel()
	w.ok(<-done)
}

func TestWhatAPersonsCommandsDo(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	hand := NewHand(w.dir)
	for _, name := range []string{"shop", "blog"} {
		_, err := j.Load(t.Context(), name)
		w.ok(err)
	}
	w.save(j, stateOf(1))
	list, err := hand.List(t.Context())
	w.ok(err)
	w.is("pairs", [2]string{"blog", "shop"}, [2]string{list[0].Name, list[1].Name})
	before, err := hand.Get(t.Context(), pair)
	w.ok(err)
	w.is("where it stands", "Shifting", before.Status.Phase)
	w.save(j, stateOf(2))
	_, err = hand.PatchSpec(t.Context(), pair, v1alpha1.SpecChange{Attempt: new(3), IfVersion: before.ResourceVersion})
	if !errors.Is(err, v1alpha1.ErrConflict) {
		t.Errorf("a change that was made for something else: %v", err)
	}
	seen, err := hand.Get(t.Context(), pair)
	w.ok(err)
	w.is("nobody asked for anything since", before.Generation, seen.Generation)
	after, err := hand.PatchSpec(t.Context(), pair, v1alpha1.SpecChange{Rollback: new(true), IfVersion: seen.ResourceVersion})
	w.ok(err)
	w.is("what is asked for", v1alpha1.TrafficSwitchSpec{Rollback: true}, after.Spec)
	if after.Generation <= seen.Generation {
		t.Error("somebody asked for something, and nobody can see it")
	}
	if after.Status.ObservedGeneration >= after.Generation {
		t.Error("the daemon is said to have seen what it hasn't")
	}
	j.look(func(string) {})
	w.save(j, stateOf(3))
	seen, err = hand.Get(t.Context(), pair)
	w.ok(err)
	w.is("what the daemon has seen", after.Generation, seen.Status.ObservedGeneration)
	_, err = hand.PatchSpec(t.Context(), "nobody", v1alpha1.SpecChange{})
	w.ok(errorBut(err, v1alpha1.ErrNotFound))
	_, err = NewHand(w.dir + "-not").List(t.Context())
	w.says(err, "journal's directory", "no such file")
}

// What goes back or stops is never refused for what somebody wrote wrongly
// before; all else would throw it away unseen.
func TestCommandsWhereTheRequestMakesNoSense(t *testing.T) {
	const broken = `{"paused": true, "attempts": 3}`
	for name, c := range map[string]struct {
		change v1alpha1.SpecChange
		want   string // the request afterwards
		says   string
	}{
		"a rollback": {v1alpha1.SpecChange{Rollback: new(true)}, "{\n  \"paused\": true,\n  \"rollback\": true\n}\n", ""},
		"a pause":    {v1alpha1.SpecChange{Paused: new(true)}, "{\n  \"paused\": true\n}\n", ""},
		"a start":    {v1alpha1.SpecChange{Attempt: new(3), Rollback: new(false)}, broken, `"attempts" is nothing that can be asked for; mend it`},
		"a resume":   {v1alpha1.SpecChange{Paused: new(false)}, broken, "mend it, or remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.load(w.journal())
			w.write("shop.request.json", broken)
			seen, err := NewHand(w.dir).Get(t.Context(), pair)
			w.ok(err)
			w.says(errors.New(strings.Join(seen.Status.Notes, "")), "can't be read, so nothing rises", "attempts")
			_, err = NewHand(w.dir).PatchSpec(t.Context(), pair, c.change)
			if c.says != "" {
				w.says(err, c.says)
			} else {
				w.ok(err)
				w.is("what was written wrongly", broken, w.read("shop.request.json.broken"))
			}
			w.is("the request", c.want, w.read("shop.request.json"))
		})
	}
}

func TestTwoCommandsAtOnceLoseNeither(t *testing.T) {
	w := newWorld(t)
	w.load(w.journal())
	done := make(chan error, 2)
	for _, change := range []v1alpha1.SpecChange{{Rollback: new(true)}, {Paused: new(true)}} {
		go func() {
			_, err := NewHand(w.dir).PatchSpec(t.Context(), pair, change)
			done <- err
		}()
	}
	w.ok(errors.Join(<-done, <-done))
	seen, err := NewHand(w.dir).Get(t.Context(), pair)
	w.ok(err)
	w.is("what is asked for", v1alpha1.TrafficSwitchSpec{Rollback: true, Paused: true}, seen.Spec)
}
