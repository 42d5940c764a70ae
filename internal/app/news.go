package app

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/notify"
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
	transport         http.RoundTripper
	count             func(target, outcome string)
	failed            chan<- error

	mu      sync.Mutex // guards all below
	targets []config.Notification
	senders []*notify.Sender
	life    *lifecycle // of the senders
}

// newCrier makes a crier that tells nobody yet.
func (a *App) newCrier(management *rest.Config, namespace, userAgent string) (*crier, error) {
	events, err := notify.NewEvents(notify.EventsOptions{Config: management, Namespace: namespace, Logger: a.log})
	if err != nil {
		return nil, err
	}
	return &crier{
		log: a.log, events: events, source: "urn:clusterswitch:" + namespace, userAgent: userAgent, failed: a.failed,
		count: a.metrics.Notified,
	}, nil
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
func (c *crier) configure(ctx context.Context, targets []config.Notification) {
	c.mu.Lock()
	if c.life != nil && reflect.DeepEqual(c.targets, targets) {
		c.mu.Unlock()
		return
	}
	before := c.life
	c.targets, c.senders, c.life = targets, nil, newLifecycle(c.log, c.failed)
	for _, t := range targets {
		s := notify.NewSender(c.options(t))
		c.senders = append(c.senders, s)
		c.life.start(ctx, "notification "+t.Name, s.Run)
	}
	c.mu.Unlock()
	if before != nil {
		before.stop()
	}
}

func (c *crier) options(t config.Notification) notify.SenderOptions {
	o := notify.SenderOptions{
		Target: notify.Target{Name: t.Name, Format: t.Format, URL: t.URL, URLFile: t.URLFile, Pairs: t.Pairs, Least: severityOf(t.Severity)},
		Source: c.source, UserAgent: c.userAgent, Transport: c.transport, Count: c.count, Logger: c.log,
	}
	if t.SecretFile != "" {
		o.SignatureHeader = webhook.SignatureHeader
		o.Sign = func(now time.Time, body []byte) (string, error) { return webhook.SignBy(t.SecretFile, now, body) }
	}
	return o
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
	life := c.life
	c.mu.Unlock()
	if life != nil {
		life.stop()
	}
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
