// Package gather reads the facts of a preflight: each cluster once, page by
// page, keeping only what the checks need. What can't be read becomes a gap.
package gather

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/url"
	"path"
	"slices"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// shortestName is the least length, in bytes, of a cluster's name that is looked
// for in its objects.
const shortestName = 6

// Source is one cluster to read.
type Source struct {
	// Name is for people.
	Name string
	// Config reaches the cluster; nil: Fault says why nothing does.
	Config *rest.Config
	Fault  string
	// Cloud tells what EKS knows of the cluster; nil: it isn't one of EKS.
	Cloud Cloud
}

// Cloud is what EKS and IAM tell of a cluster. Errors are sentences for people.
type Cloud interface {
	// Insights lists EKS's findings about the cluster's next versions.
	Insights(ctx context.Context) ([]facts.Insight, error)
	// Identities tells how pods get their rights. What could be read is there even
	// with an error; ServiceAccounts and trusts are not looked at.
	Identities(ctx context.Context) (facts.Identities, error)
	// Trust tells whose tokens a role takes.
	Trust(ctx context.Context, roleARN string) (facts.Trust, error)
}

// Options say what to read.
type Options struct {
	Scope    facts.Scope
	Settings facts.Settings
	// Timeout bounds the reading of one cluster; at least a second.
	Timeout time.Duration
	// Words are looked for in every object, in a scope of Retire; none: no object is
	// searched.
	Words []facts.Word

	// key makes the digests of Secrets. It lives as long as one preflight, so that
	// a digest tells nothing to anybody who sees it later.
	key []byte
	// own are names that belong to the cluster alone: its own, and the host of its
	// API server.
	own []string
}

// atMost gives the limit, or the whole timeout where that is less.
func (o Options) atMost(limit time.Duration) time.Duration {
	if o.Timeout > 0 {
		return min(limit, o.Timeout)
	}
	return limit
}

// Cluster reads one cluster. It returns no error: what could not be read is said
// in the facts.
func Cluster(ctx context.Context, side shift.Side, from Source, o Options) facts.Cluster {
	c := facts.Cluster{Side: side, Name: from.Name, Fault: from.Fault, Objects: map[facts.GroupKind]map[facts.Name]struct{}{}}
	if from.Config == nil {
		return c
	}
	c.Address = from.Config.Host
	o.Timeout = max(o.Timeout, time.Second)
	ctx, done := context.WithTimeout(ctx, o.Timeout)
	defer done()
	o.own = ownNames(from)
	if o.key == nil {
		o.key = newKey()
	}
	r, err := newReader(from.Config, o)
	if err != nil {
		c.Fault = err.Error()
		return c
	}
	r.cloud = from.Cloud
	if c.Fault = r.discover(ctx, &c); c.Fault != "" {
		return c
	}
	wanted := wanted(o)
	r.readAll(ctx, wanted, &c)
	for _, t := range wanted {
		if t.also != nil {
			t.also(ctx, r, &c)
		}
	}
	slices.SortFunc(c.Gaps, func(a, b facts.Gap) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
	return c
}

// Both reads blue and green side by side.
func Both(ctx context.Context, blue, green Source, o Options) (b, g facts.Cluster) {
	o.key = newKey()
	var reading Crew
	reading.Go(func() { b = Cluster(ctx, shift.Blue, blue, o) })
	reading.Go(func() { g = Cluster(ctx, shift.Green, green, o) })
	reading.Wait()
	return b, g
}

// ownNames gives what stands in a cluster's objects for the cluster itself. An
// EKS cluster's name is the end of its ARN, too. Short names are left out: blue
// and green are words of any text.
func ownNames(from Source) []string {
	host := from.Config.Host
	if u, err := url.Parse(host); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	var own []string
	for _, name := range []string{host, from.Name, path.Base(from.Name)} {
		if len(name) >= shortestName && !slices.Contains(own, name) {
			own = append(own, name)
		}
	}
	return own
}

func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails: crypto/rand ends the program instead
	return key
}
