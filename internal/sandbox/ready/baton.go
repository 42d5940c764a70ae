package ready

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
)

const (
	// batonPairs go their ways side by side, batonRuns in all.
	batonPairs, batonRuns = 20, 200
	// batonPatience bounds all of them.
	batonPatience = 15 * time.Minute
	// slack is how far a report may be off from what was seen: what the daemon writes
	// down has no more than seconds.
	slack = 1500 * time.Millisecond
)

// baton lets many pairs hand their singletons over and take them back, with rollbacks
// at any time, while the daemon is killed again and again.
func baton(ctx context.Context, g *ground, f *figures) error {
	ctx, stop := context.WithTimeoutCause(ctx, batonPatience, fmt.Errorf("it took longer than %s", batonPatience))
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	region, closing, err := g.still(ctx)
	if err != nil {
		return err
	}
	j := newJudge(g)
	r, err := g.newRig(ctx, "baton", region, j.take)
	if err != nil {
		return errors.Join(err, closing(ctx))
	}
	r.died = fail
	relay := &relay{rig: r, judge: j, reported: map[string][]gap{}}
	err = relay.run(ctx, f)
	return errors.Join(err, r.close(context.WithoutCancel(ctx)), closing(context.WithoutCancel(ctx)))
}

// relay is all runs.
type relay struct {
	*rig
	judge    *judge
	switches dynamic.ResourceInterface

	runs  atomic.Int64
	kills atomic.Int64

	mu       sync.Mutex
	reported map[string][]gap // by namespace and the singleton's key
}

func (y *relay) run(ctx context.Context, f *figures) error {
	before, err := y.prepare(ctx)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(y.management.RESTConfig())
	if err != nil {
		return err
	}
	y.switches = client.Resource(schema.GroupVersionResource{Group: "clusterswitch.io", Version: "v1alpha1", Resource: "trafficswitches"}).Namespace(y.name)
	life, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	others.Go(func() { y.follow(life) })
	if err := y.start(); err != nil {
		cancel()
		others.Wait()
		return err
	}
	crashes := make(chan error, 1)
	others.Go(func() { crashes <- y.crash(life) })
	failures := make([]error, len(y.pairs))
	var running sync.WaitGroup
	for i, p := range y.pairs {
		running.Go(func() { failures[i] = y.carry(ctx, p.Name, rand.New(rand.NewPCG(y.options.Seed, uint64(i)))) })
	}
	running.Wait()
	err = errors.Join(failures...)
	// The last reports come while the daemon is still there.
	err = errors.Join(err, y.settle(ctx, before))
	cancel()
	others.Wait()
	err = errors.Join(err, <-crashes)
	f.batonRuns, f.batonKills = int(y.runs.Load()), int(y.kills.Load())
	return errors.Join(err, y.verdict(f))
}

// prepare makes the pairs, and gives the fields that they begin with.
func (y *relay) prepare(ctx context.Context) (map[string]fields, error) {
	for i := range batonPairs {
		name := fmt.Sprintf("baton-%02d", i)
		entrances, err := y.region.AddEntrances(ctx, name, int32(100+i))
		if err != nil {
			return nil, err
		}
		y.pairs = append(y.pairs, rigPair{Name: name, RuleARN: entrances.RuleARN})
		for _, c := range []*cluster{y.blue, y.green} {
			if err := c.furnish(ctx, name, time.Duration(i%4)*700*time.Millisecond, "* * * * *"); err != nil {
				return nil, err
			}
		}
	}
	before := map[string]fields{}
	for _, p := range y.pairs {
		if err := y.awaitStart(ctx, p.Name); err != nil {
			return nil, err
		}
		var err error
		if before[p.Name], err = y.read(ctx, p.Name, kinds()); err != nil {
			return nil, err
		}
	}
	return before, y.configure()
}

// crash kills the daemon again and again, and starts it anew.
func (y *relay) crash(ctx context.Context) error {
	dice := rand.New(rand.NewPCG(y.options.Seed, 1000))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(3*time.Second + time.Duration(dice.Int64N(int64(9*time.Second)))):
		}
		if err := y.kill(); err != nil {
			return err
		}
		y.kills.Add(1)
		// Also at the end a daemon must be there to settle everything.
		if err := errors.Join(played.Sleep(context.WithoutCancel(ctx), time.Duration(dice.Int64N(int64(2*time.Second)))), y.start()); err != nil {
			return err
		}
	}
}

// carry lets one pair go forth and back until there were enough runs in all.
func (y *relay) carry(ctx context.Context, pair string, dice *rand.Rand) error {
	for {
		underWay := func(phase string) bool { return phase != "Idle" && phase != "Preflight" && phase != "RolledBack" }
		if _, err := y.awaitPhase(ctx, pair, "under way", underWay); err != nil {
			return err
		}
		if dice.IntN(3) == 0 {
			// The whole way; a person goes back afterwards, which is another attempt.
			if _, err := y.awaitPhase(ctx, pair, "Completed", func(phase string) bool { return phase == "Completed" }); err != nil {
				return err
			}
		}
		if err := played.Sleep(ctx, time.Duration(dice.Int64N(int64(8*time.Second)))); err != nil {
			return err
		}
		if err := y.ask(ctx, pair, `{"rollback":true}`); err != nil {
			return err
		}
		attempt, err := y.awaitPhase(ctx, pair, "RolledBack", func(phase string) bool { return phase == "RolledBack" })
		if err != nil {
			return err
		}
		if n := y.runs.Add(1); n >= batonRuns {
			return nil
		}
		// Sometimes the next attempt begins before the baton is back.
		if err := played.Sleep(ctx, time.Duration(dice.Int64N(int64(4*time.Second)))); err != nil {
			return err
		}
		if err := y.ask(ctx, pair, fmt.Sprintf(`{"rollback":false,"attempt":%d}`, attempt+1)); err != nil {
			return err
		}
	}
}

// ask writes what a person asks for.
func (y *relay) ask(ctx context.Context, pair, spec string) error {
	_, err := y.switches.Patch(ctx, pair, types.MergePatchType, []byte(`{"spec":`+spec+`}`), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("asking for %s of %s: %w", spec, pair, err)
	}
	return nil
}

// awaitPhase waits until the daemon says such a phase, and gives the attempt.
func (y *relay) awaitPhase(ctx context.Context, pair, what string, fulfils func(string) bool) (attempt int, err error) {
	err = eventually(ctx, func() (string, error) {
		status, err := y.status(ctx, y.name, pair)
		phase, _ := status["phase"].(string)
		number, _ := status["attempt"].(int64)
		if attempt = int(number); err == nil && fulfils(phase) {
			return "", nil
		}
		return fmt.Sprintf("%s to be %s; it is %s: %v: %v (%v)", pair, what, phase, status["reason"], status["message"], err), nil
	})
	return attempt, err
}

// settle waits until all singletons are as they were before.
func (y *relay) settle(ctx context.Context, before map[string]fields) error {
	ctx, stop := context.WithTimeoutCause(ctx, time.Minute, errors.New("it took longer than a minute"))
	defer stop()
	var errs []error
	for _, p := range y.pairs {
		if _, _, err := y.given(ctx, p.Name, kinds(), before[p.Name]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	return errors.Join(errs...)
}

// journaled is what is read of a journal.
type journaled struct {
	Baton []struct {
		Key string `json:"key"`
		Gap *struct {
			From time.Time `json:"from"`
			To   time.Time `json:"to"`
		} `json:"gap"`
	} `json:"baton"`
}

// follow collects the gaps that the daemon writes down.
func (y *relay) follow(ctx context.Context) {
	for ctx.Err() == nil {
		watch, err := y.switches.Watch(ctx, metav1.ListOptions{})
		if err != nil {
			_ = played.Sleep(ctx, 100*time.Millisecond)
			continue
		}
		for event := range watch.ResultChan() {
			object, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			journal, _, _ := unstructured.NestedMap(object.Object, "status", "journal")
			text, err := json.Marshal(journal)
			var read journaled
			if err = errors.Join(err, json.Unmarshal(text, &read)); err != nil {
				y.judge.note(fmt.Errorf("reading the journal of %s: %w", object.GetName(), err))
				continue
			}
			y.mu.Lock()
			for _, b := range read.Baton {
				if b.Gap != nil {
					y.reported[object.GetName()] = append(y.reported[object.GetName()], gap{b.Key, b.Gap.From, b.Gap.To})
				}
			}
			y.mu.Unlock()
		}
	}
}

// verdict counts what was seen against what was reported.
func (y *relay) verdict(f *figures) error {
	var errs []error
	for _, g := range y.judge.gaps() {
		f.gaps++
		if y.tells(g) {
			f.reported++
		} else {
			errs = append(errs, fmt.Errorf("nobody told that %s was off on both sides from %s to %s", g.singleton, g.from.Format("15:04:05.000"), g.to.Format("15:04:05.000")))
		}
	}
	f.overlaps = len(y.judge.overlaps)
	for _, overlap := range y.judge.overlaps {
		errs = append(errs, errors.New(overlap))
	}
	if f.batonRuns < batonRuns || f.gaps == 0 {
		errs = append(errs, fmt.Errorf("there were %d runs and %d gaps only", f.batonRuns, f.gaps))
	}
	return errors.Join(append(errs, y.judge.errs...)...)
}

// tells says whether a gap was reported.
func (y *relay) tells(g gap) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	namespace, singleton, _ := strings.Cut(g.singleton, "/")
	_, name, _ := strings.Cut(singleton, "/")
	for _, r := range y.reported[namespace] {
		if strings.HasSuffix(r.singleton, "/"+name) && !r.from.After(g.from.Add(slack)) && !r.to.Before(g.to.Add(-slack)) {
			return true
		}
	}
	return false
}
