package ready

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	// killsAtOnce is how many daemons go their way side by side.
	killsAtOnce = 4
	// killPatience bounds one way, with one crash.
	killPatience = 3 * time.Minute
	// reachTries is how often a way is gone to be killed at one moment.
	reachTries = 3
	// settled is how long the clusters must be at rest to count as the end.
	settled = 4 * time.Second
)

// moment is when a daemon is killed: at which of its writes to the clusters, counted
// from 1 over both of them, and whether the API server gets that write. The zero one
// is never.
type moment struct {
	write int
	after bool
}

func (m moment) String() string {
	if m.after {
		return fmt.Sprintf("after write %d", m.write)
	}
	return fmt.Sprintf("before write %d", m.write)
}

// kills lets a pair go its whole way, with floors and singletons, and then again for
// each of the daemon's writes to the clusters, killed before and after it. The ends
// must be the same.
func kills(ctx context.Context, g *ground, f *figures) error {
	region, closing, err := g.still(ctx)
	if err != nil {
		return err
	}
	k := &killing{ground: g, region: region}
	err = k.try(ctx, f)
	return errors.Join(err, closing(context.WithoutCancel(ctx)))
}

// killing is the harness of all ways.
type killing struct {
	*ground
	region *world.Region

	mu   sync.Mutex
	ways int
	want fields
}

func (k *killing) try(ctx context.Context, f *figures) error {
	first, err := k.way(ctx, moment{})
	if err != nil {
		return fmt.Errorf("going without a crash: %w", err)
	}
	k.want = first.end
	k.say("  without a crash the daemon writes %d times to the clusters: %s", len(first.writes), strings.Join(counted(first.writes), ", "))
	if len(first.writes) == 0 {
		return errors.New("the daemon wrote nothing to the clusters")
	}
	var moments []moment
	for n := range first.writes {
		moments = append(moments, moment{n + 1, false}, moment{n + 1, true})
	}
	var differing []error
	var unreached []string
	trying, ctx := errgroup.WithContext(ctx)
	trying.SetLimit(killsAtOnce)
	for _, m := range moments {
		trying.Go(func() error {
			end, err := k.reach(ctx, m)
			k.mu.Lock()
			defer k.mu.Unlock()
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err == nil && !end.killed:
				unreached = append(unreached, m.String())
				return nil
			case err == nil:
				f.sameEnd++
			default:
				differing = append(differing, fmt.Errorf("killed %s: %w", m, err))
			}
			f.kills++
			return nil
		})
	}
	err = trying.Wait()
	if len(unreached) > 0 {
		k.say("  in %d ways each there were too few writes to be killed %s", reachTries, strings.Join(unreached, ", "))
	}
	return errors.Join(err, errors.Join(differing...))
}

// reach goes a way until the daemon was killed at the moment: how often floors are
// raised depends on what is read first, so not each way has as many writes.
func (k *killing) reach(ctx context.Context, m moment) (end wayEnd, err error) {
	for range reachTries {
		if end, err = k.way(ctx, m); err != nil || end.killed {
			break
		}
	}
	return end, err
}

// wayEnd is how one way ended.
type wayEnd struct {
	writes []string
	killed bool
	end    fields
}

// wayWrites counts the writes of one daemon and its followers, and kills at the
// moment.
type wayWrites struct {
	moment moment
	kill   func() error

	mu     sync.Mutex
	writes []string
	killed chan error // gets one value when the daemon was killed
	dead   bool
}

// take is the hand on each write.
func (w *wayWrites) take(of write, forward func()) (answered bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, of.request.Method+" "+of.cluster.name+" "+kindOf(of.request.URL.Path))
	if w.dead || len(w.writes) != w.moment.write {
		forward()
		return true
	}
	if w.moment.after {
		forward()
	}
	w.dead = true
	w.killed <- w.kill()
	return false
}

// way goes one whole way in namespaces of its own.
func (k *killing) way(ctx context.Context, m moment) (end wayEnd, err error) {
	ctx, stop := context.WithTimeoutCause(ctx, killPatience, fmt.Errorf("it took longer than %s", killPatience))
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	k.mu.Lock()
	k.ways++
	name, priority := fmt.Sprintf("kill-%03d", k.ways), int32(100+k.ways)
	k.mu.Unlock()
	writes := &wayWrites{moment: m, killed: make(chan error, 1)}
	r, err := k.newRig(ctx, name, k.region, writes.take)
	if err != nil {
		return end, err
	}
	writes.kill, r.died = r.kill, fail
	over := make(chan struct{})
	var following sync.WaitGroup
	following.Go(func() {
		select {
		case err := <-writes.killed:
			if err := errors.Join(err, r.start()); err != nil {
				fail(err)
			}
		case <-over:
		}
	})
	defer func() {
		close(over)
		following.Wait()
		err = errors.Join(err, r.close(context.WithoutCancel(ctx)))
	}()
	if err := k.pass(ctx, r, priority); err != nil {
		return end, err
	}
	end.end, err = k.rest(ctx, r)
	writes.mu.Lock()
	defer writes.mu.Unlock()
	end.writes, end.killed = writes.writes, writes.dead
	return end, err
}

// pass goes to the end of the attempt, over the crash if there is one.
func (k *killing) pass(ctx context.Context, r *rig, priority int32) error {
	entrances, err := k.region.AddEntrances(ctx, r.name, priority)
	if err != nil {
		return err
	}
	r.pairs = []rigPair{{Name: r.name, RuleARN: entrances.RuleARN}}
	for _, c := range []*cluster{k.blue, k.green} {
		if err := c.furnish(ctx, r.name, 0, "0 3 * * *"); err != nil {
			return err
		}
	}
	if err := errors.Join(r.configure(), r.awaitStart(ctx, r.name), r.start()); err != nil {
		return err
	}
	return eventually(ctx, func() (string, error) {
		status, err := k.status(ctx, r.name, r.name)
		if err != nil || status["phase"] != "Completed" {
			return fmt.Sprintf("%s to be completed: %v: %v (%v)", r.name, status["reason"], status["message"], err), nil
		}
		return "", nil
	})
}

// rest waits until nothing changes any more: as without a crash, or, where that isn't
// known yet, for a while.
func (k *killing) rest(ctx context.Context, r *rig) (fields, error) {
	if k.want != nil {
		ctx, stop := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("it took longer than 30 s"))
		defer stop()
		return k.want, eventually(ctx, func() (string, error) {
			now, err := k.read(ctx, r.name, kinds())
			if err != nil {
				return "", err
			}
			_, _, differences := k.want.restored(now.without(r.name))
			if len(differences) == 0 {
				return "", nil
			}
			return "the end that there is without a crash: " + strings.Join(differences, "; "), nil
		})
	}
	var last fields
	var since time.Time
	err := eventually(ctx, func() (string, error) {
		now, err := k.read(ctx, r.name, kinds())
		if err != nil {
			return "", err
		}
		if _, _, differences := now.restored(last); len(differences) > 0 {
			last, since = now, time.Now()
		}
		if time.Since(since) >= settled {
			return "", nil
		}
		return "the clusters to come to rest", nil
	})
	return last.without(r.name), err
}

// without takes the namespace's name and all times out of the fields, so that those of
// two ways can be compared.
func (f fields) without(namespace string) fields {
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	neutral := make(fields, len(f))
	for path, value := range f {
		path, value = strings.ReplaceAll(path, namespace, "NAMESPACE"), strings.ReplaceAll(value, namespace, "NAMESPACE")
		neutral[path] = times.ReplaceAllString(value, "TIME")
	}
	return neutral
}

// kindOf is the kind in a path of the API.
func kindOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	at := slices.Index(parts, "namespaces")
	if at < 0 || len(parts) < at+3 {
		return path
	}
	kind := parts[at+2]
	if len(parts) > at+4 {
		kind += "/" + parts[at+4]
	}
	return kind
}

// counted gives each word once, with how often it was there.
func counted(words []string) (counts []string) {
	sorted := slices.Sorted(slices.Values(words))
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n] == sorted[0] {
			n++
		}
		counts = append(counts, fmt.Sprintf("%d %s", n, sorted[0]))
		sorted = sorted[n:]
	}
	return counts
}
