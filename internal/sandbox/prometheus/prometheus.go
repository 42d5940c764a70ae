// Package prometheus runs a real Prometheus as a process of its own, on loopback
// and on a port that nobody else has.
package prometheus

import (
	"cmp"
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
	// Dir is a folder of its own, for its configuration, series and log.
	Dir string
	// Jobs are what it scrapes.
	Jobs []Job
	// Rules are groups of rules as a rules file has them; empty: none.
	Rules string
	// Interval is how often it scrapes, and evaluates the rules; 0: 100 ms.
	Interval time.Duration
	// Address is where it listens, host:port; empty: a free port of loopback. With the
	// address and the folder of one that was stopped, it goes on where that one was.
	Address string
	// Past is how far back Write may tell of what was before; 0: it may not.
	Past time.Duration
}

// Job is targets under one name.
type Job struct {
	Name string
	// Targets are host:port; /metrics is asked for.
	Targets []string
	// Labels are put on every series.
	Labels map[string]string
	// Proxy is the URL of the HTTP proxy by which the targets are reached; empty: there
	// is none.
	Proxy string
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
	log, err := os.OpenFile(filepath.Join(o.Dir, "prometheus.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of prometheus: %w", err)
	}
	said := listen(log)
	cmd := exec.Command(o.Binary, o.arguments(config)...)
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

// Address is where it listens, host:port.
func (s *Server) Address() string { return s.said.address }

// Kill ends the process as a crash would, and waits until it is gone.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.done
	s.err = nil // that is how it shall end
	if s.guard != nil {
		err = errors.Join(err, s.guard.dismiss())
		s.guard = nil
	}
	if err != nil {
		return fmt.Errorf("killing prometheus: %w", err)
	}
	return nil
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

// arguments are those of the program.
func (o Options) arguments(config string) []string {
	arguments := []string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(o.Dir, "series"), "--log.format=json",
		"--web.listen-address=" + cmp.Or(o.Address, "127.0.0.1:0"),
		"--scrape.discovery-reload-interval=50ms", // else it scrapes nothing for 5 s
	}
	if o.Past > 0 {
		arguments = append(arguments, "--web.enable-otlp-receiver")
	}
	return arguments
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
		scrape := map[string]any{
			"job_name":       j.Name,
			"static_configs": []map[string]any{{"targets": j.Targets, "labels": j.Labels}},
		}
		if j.Proxy != "" {
			scrape["proxy_url"] = j.Proxy
		}
		scrapes = append(scrapes, scrape)
	}
	config := map[string]any{
		"global":         map[string]any{"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
		"scrape_configs": scrapes,
	}
	if o.Past > 0 {
		config["storage"] = map[string]any{"tsdb": map[string]any{"out_of_order_time_window": o.Past.String()}}
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
