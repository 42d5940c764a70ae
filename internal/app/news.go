package app

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/internal/reach"
	"github.com/clusterswitch/clusterswitch/internal/webhook"
	"github.com/clusterswitch/clusterswitch/switcher"
)

// crier tells news to all who want it. Only the daemon that is in charge of a pair
// has news of it.
type crier struct {
	log    *zap.Logger
	events *notify.Events // nil: there is no management cluster
	// source names this daemon in CloudEvents.
	source, userAgent string
	count             func(target, outcome string)
	failed            chan<- error

	mu      sync.Mutex // guards all below
	targets []config.Notification
	allowed reach.Policy
	senders []*notify.Sender
	lives   []*lifecycle // of the senders, one of each
}

// newCrier makes a crier that tells nobody yet.
func (a *App) newCrier(conf *config.Config, userAgent string) (*crier, error) {
	namespace := conf.Journal.Namespace
	c := &crier{log: a.log, source: "urn:clusterswitch:" + namespace, userAgent: userAgent, failed: a.failed, count: a.metrics.Notified}
	management, err := a.ledger.management()
	switch {
	case errors.Is(err, errNoManagement):
		return c, nil // nobody keeps Events there
	case err != nil:
		return nil, err
	}
	c.events, err = notify.NewEvents(notify.EventsOptions{Config: management, Namespace: namespace, Logger: a.log})
	return c, err
}

// run writes Events until ctx ends, and then ends all senders.
func (c *crier) run(ctx context.Context) error {
	defer c.stop()
	if c.events != nil {
		return c.events.Run(ctx)
	}
	<-ctx.Done()
	return nil
}

// configure takes over who is told. Senders that go away have a moment for what they
// were told before.
func (c *crier) configure(ctx context.Context, targets []config.Notification, allowed reach.Policy) {
	c.mu.Lock()
	if c.lives != nil && reflect.DeepEqual(c.targets, targets) && reflect.DeepEqual(c.allowed, allowed) {
		c.mu.Unlock()
		return
	}
	before := c.lives
	c.targets, c.allowed, c.senders, c.lives = targets, allowed, nil, []*lifecycle{}
	for _, t := range targets {
		s, life := notify.NewSender(c.options(t, allowed)), newLifecycle(c.log, c.failed)
		c.senders, c.lives = append(c.senders, s), append(c.lives, life)
		life.start(ctx, "notification "+t.Name, s.Run)
	}
	c.mu.Unlock()
	endAll(before)
}

// endAll ends senders side by side: each may have last words.
func endAll(lives []*lifecycle) {
	var ending sync.WaitGroup
	for _, life := range lives {
		ending.Go(life.stop)
	}
	ending.Wait()
}

func (c *crier) options(t config.Notification, allowed reach.Policy) notify.SenderOptions {
	o := notify.SenderOptions{
		Target: notify.Target{Name: t.Name, Format: t.Format, URL: t.URL, URLFile: t.URLFile, Pairs: t.Pairs, Least: severityOf(t.Severity)},
		Source: c.source, UserAgent: c.userAgent, Transport: wayOut(allowed), Count: c.count, Logger: c.log,
	}
	if t.SecretFile != "" {
		o.SignatureHeader = webhook.SignatureHeader
		o.Sign = func(now time.Time, body []byte) (string, error) { return webhook.SignBy(t.SecretFile, now, body) }
	}
	return o
}

// wayOut leads to where the policy lets it.
func wayOut(allowed reach.Policy) http.RoundTripper {
	return &http.Transport{
		Proxy: allowed.Proxy, DialContext: allowed.DialContext, TLSHandshakeTimeout: 5 * time.Second,
		// News is rare: a connection that is kept would be found broken.
		DisableKeepAlives: true,
	}
}

func severityOf(word string) notify.Severity {
	for _, s := range []notify.Severity{notify.Info, notify.Warning} {
		if s.String() == word {
			return s
		}
	}
	return notify.Critical
}

// stop ends all senders.
func (c *crier) stop() {
	c.mu.Lock()
	lives := c.lives
	c.mu.Unlock()
	endAll(lives)
}

func (c *crier) tell(n notify.News) {
	if c.events != nil {
		c.events.Tell(n)
	}
	c.mu.Lock()
	senders := c.senders
	c.mu.Unlock()
	for _, s := range senders {
		s.Tell(n)
	}
}

// newsOf finds the news of one pair. It is a switcher.Reporter that never blocks.
type newsOf struct {
	watcher *notify.Watcher
	tell    func(notify.News)
}

// Report tells what a turn changed.
func (p *newsOf) Report(t switcher.Turn) {
	if t.Superseded || t.Standby {
		p.watcher.Forget()
		return
	}
	for _, n := range p.watcher.See(t.Decision, t.Now) {
		p.tell(n)
	}
}
