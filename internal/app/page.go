package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/bearer"
	"github.com/clusterswitch/clusterswitch/internal/chronicle"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
	"github.com/clusterswitch/clusterswitch/internal/web"
)

// identity names this replica: in a cluster, its pod.
func identity() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// pageOf says what the page shows, and to whom; nil: there is none. The chart's objects
// have the name of its ConfigMap.
func pageOf(c *config.Config, release string, told *chronicle.Chronicle, kept ledger) (*web.PageOptions, error) {
	// Without a management cluster nobody knows tokens: there only open shows the page.
	if c.Web.Access == "off" || c.Web.Access == "token" && c.Journal.Directory != "" {
		return nil, nil //nolint:nilnil // no page is a good answer, and nil is what web.Options has for it
	}
	o := &web.PageOptions{Chronicle: told, Namespace: c.Journal.Namespace, Release: release, Findings: (&shownFindings{get: kept.report}).of}
	if c.Web.Access == "open" {
		return o, nil
	}
	management, err := kept.management()
	if err != nil {
		return nil, err
	}
	asker, err := bearer.New(bearer.Options{Config: management, Namespace: c.Journal.Namespace, Now: time.Now})
	if err != nil {
		return nil, err
	}
	o.Admit = asker.Ask
	return o, nil
}

const (
	// maxShown bounds the findings of one pair that are shown, and shownPairs the
	// pairs whose findings are remembered: each browser asks again with every turn.
	maxShown   = 50
	shownPairs = 16
)

// shownFindings reads findings for the page, and remembers the last few reports.
type shownFindings struct {
	get func(ctx context.Context, pair, key string) (finding.Report, error)

	mu    sync.Mutex // guards known
	known map[string]shownReport
}

// shownReport is what the page shows of a report.
type shownReport struct {
	digest   string
	findings []chronicle.Finding
}

// of gives the worst findings of a pair's newest report. digest is that of the
// report which is wanted: while it is the same, nobody is asked.
func (s *shownFindings) of(ctx context.Context, pair, digest string) ([]chronicle.Finding, error) {
	s.mu.Lock()
	had, ok := s.known[pair]
	s.mu.Unlock()
	if ok && had.digest == digest {
		return had.findings, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	report, err := s.get(ctx, pair, keep.Newest)
	switch {
	case errors.Is(err, keep.ErrNone):
		return []chronicle.Finding{}, nil
	case err != nil:
		return nil, fmt.Errorf("reading the preflight's findings: %w", err)
	}
	shown := []chronicle.Finding{}
	for _, f := range report.Findings[:min(maxShown, len(report.Findings))] {
		shown = append(shown, chronicle.Finding{
			ID: f.ID, Severity: string(f.Severity), Object: f.Object.String(), Message: f.Message, Do: f.Do, Waived: f.Waived != nil,
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]shownReport{}
	}
	for name := range s.known {
		if len(s.known) < shownPairs {
			break
		}
		delete(s.known, name)
	}
	s.known[pair] = shownReport{digest: digest, findings: shown}
	return shown, nil
}

// follow reads, for as long as a pair is another daemon's, what that one wrote
// down: so the page is true on every replica. It asks once an interval.
func (a *App) follow(ctx context.Context) error {
	wait := time.Duration(0)
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		a.mu.Lock()
		wait = a.config.Interval
		a.mu.Unlock()
		if !a.chronicle.Follows() {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, wait+5*time.Second)
		objects, err := a.ledger.list(asking)
		cancel()
		if err != nil {
			if ctx.Err() == nil && !failing {
				a.log.Warn("what the daemon in charge wrote down can't be read for the page", zap.Error(err))
			}
			failing = true
			continue
		}
		failing = false
		for i := range objects {
			a.chronicle.Follow(&objects[i])
		}
	}
}
