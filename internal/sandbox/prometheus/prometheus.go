// Package prometheus runs a real Prometheus as a process of its own, on loopback
// and on a port that nobody else has.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	startWithin = 30 * time.Second
	stopWithin  = 15 * time.Second
)

// Options say what a Prometheus scrapes and evaluates.
type Options struct {
	// Binary is the program, as Build gives it.
	Binary string
	// Dir is an empty folder of its own, for its configuration, series and log.
	Dir string
	// Jobs are what it scrapes.
	Jobs []Job
	// Rules are groups of rules as a rules file has them; empty: none.
	Rules string
	// Interval is how often it scrapes, and evaluates the rules; 0: 100 ms.
	Interval time.Duration
}

// Job is targets under one name.
type Job struct {
	Name string
	// Targets are host:port; /metrics is asked for.
	Targets []string
	// Labels are put on every series.
	Labels map[string]string
}

// Server is a Prometheus that runs.
type Server struct {
	// URL is where it answers.
	URL string

	cmd   *exec.Cmd
	guard *guard
	said  *listener
	done  chan struct{} // closed when the process is gone
	err   error         // how it ended; read after done
}

// Build builds the pinned Prometheus, or finds it built, and gives the program's
// path. Root is the repository's folder. Cold it takes one to three minutes.
func Build(ctx context.Context, root string) (string, error) {
	into, err := filepath.Abs(filepath.Join(root, ".cache", "bin", "prometheus"))
	if err != nil {
		return "", fmt.Errorf("building prometheus: %w", err)
	}
	// The flags are those of the Makefile, so that nobody builds the other's anew.
	build := exec.CommandContext(ctx, "go", "build", "-tags", "remove_all_sd", "-ldflags", "-s -w", "-o", into,
		"github.com/prometheus/prometheus/cmd/prometheus")
	build.Dir = filepath.Join(root, "internal", "tools", "prometheus")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building prometheus: %w\n%s", err, out)
	}
	return into, nil
}

// Start starts a Prometheus and waits until it answers. It runs until Stop, or as
// long as this process does.
func Start(ctx context.Context, o Options) (*Server, error) {
	config, err := o.write()
	if err != nil {
		return nil, fmt.Errorf("configuring prometheus: %w", err)
	}
	log, err := os.Create(filepath.Join(o.Dir, "prometheus.log"))
	if err != nil {
		return nil, fmt.Errorf("opening the log of prometheus: %w", err)
	}
	said := listen(log)
	cmd := exec.Command(o.Binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(o.Dir, "series"),
		"--web.listen-address=127.0.0.1:0", "--log.format=json",
		"--scrape.discovery-reload-interval=50ms") // else it scrapes nothing for 5 s
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting prometheus: %w", err), log.Close())
	}
	s := &Server{cmd: cmd, said: said, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.err = errors.Join(cmd.Wait(), log.Close())
	}()
	if s.guard, err = startGuard(cmd.Process.Pid); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("it isn't ready after %s", startWithin))
	defer cancel()
	select {
	case <-said.ready:
		s.URL = "http://" + said.address
		return s, nil
	case <-s.done:
		err = s.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	_ = s.Stop() // how it ends is no news beside why it doesn't start
	return nil, fmt.Errorf("starting prometheus: %w; its last words: %s", err, said.lastWords())
}

// Stop ends the process and waits for its end.
func (s *Server) Stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-s.done:
	case <-time.After(stopWithin):
		err = errors.Join(fmt.Errorf("prometheus did not stop within %s", stopWithin), s.cmd.Process.Kill())
		<-s.done
	}
	if s.guard != nil {
		err = errors.Join(err, s.guard.dismiss())
	}
	return errors.Join(err, s.err)
}

// write lays out the configuration and gives its path.
func (o Options) write() (string, error) {
	interval := o.Interval
	if interval == 0 {
		interval = 100 * time.Millisecond
	}
	every := fmt.Sprintf("%dms", interval.Milliseconds())
	scrapes := []map[string]any{}
	for _, j := range o.Jobs {
		scrapes = append(scrapes, map[string]any{
			"job_name":       j.Name,
			"static_configs": []map[string]any{{"targets": j.Targets, "labels": j.Labels}},
		})
	}
	config := map[string]any{
		"global":         map[string]any{"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
		"scrape_configs": scrapes,
	}
	if strings.TrimSpace(o.Rules) != "" {
		rules := filepath.Join(o.Dir, "rules.yaml")
		if err := os.WriteFile(rules, []byte(o.Rules), 0o644); err != nil {
			return "", err
		}
		config["rule_files"] = []string{rules}
	}
	content, err := yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(o.Dir, "prometheus.yaml")
	return path, os.WriteFile(path, content, 0o644)
}
