// Package played is what all scenes have that are played with the real daemon: a
// namespace for its journal, its configuration, its process, and the story of what it
// says.
package played

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// Options say where a scene is played. All are required.
type Options struct {
	// Management is the cluster of the journal, and Namespace a new one in it.
	Management *controlplane.ControlPlane
	Namespace  string
	// Binary is the path of clusterswitch.
	Binary string
	// Dir takes the configuration and the log.
	Dir string
	// Died is called when the daemon ends although nobody asked it to.
	Died func(error)
	// Heed gets each state of the pair's custom resource; nil: nobody wants it.
	Heed func(*unstructured.Unstructured)
}

// Scene is one scene's daemon, and what belongs to it.
type Scene struct {
	Story *story.Story

	options Options
	began   time.Time
	daemon  *daemon.Daemon

	followers sync.WaitGroup
	cancel    context.CancelFunc
}

// Open makes the scene's namespace and begins to follow what is said there. The
// daemon is the scene's to start; the caller must call Close.
func Open(ctx context.Context, o Options) (*Scene, error) {
	s := &Scene{options: o, began: time.Now()}
	s.Story = story.New(s.began)
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	rest := o.Management.RESTConfig()
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, err
	}
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.Namespace}}, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("creating the journal's namespace: %w", err)
	}
	watcher, err := dynamic.NewForConfig(rest)
	if err != nil {
		return nil, err
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.followers.Go(func() { s.Story.Follow(ctx, watcher, o.Namespace, o.Heed) })
	return s, nil
}

// Began is when the scene began; the story counts from there.
func (s *Scene) Began() time.Time { return s.began }

// Dir is the scene's folder.
func (s *Scene) Dir() string { return s.options.Dir }

func (s *Scene) configFile() string { return filepath.Join(s.options.Dir, "clusterswitch.yaml") }

// Configure writes the configuration, from a template with the function dimension;
// the daemon takes a change over while it runs.
func (s *Scene) Configure(text string, values any) error {
	return WriteConfig(s.configFile(), text, values)
}

// WriteConfig writes a configuration into a file, from a template with the function
// dimension.
func WriteConfig(file, text string, values any) error {
	t, err := template.New("config").Funcs(template.FuncMap{"dimension": dimension}).Parse(text)
	if err != nil {
		return fmt.Errorf("reading the configuration's template: %w", err)
	}
	var filled strings.Builder
	if err := t.Execute(&filled, values); err != nil {
		return fmt.Errorf("filling in the configuration: %w", err)
	}
	// In one step: the daemon must not read half of it.
	fresh := file + ".new"
	if err := os.WriteFile(fresh, []byte(filled.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, file)
}

// dimension is what CloudWatch calls a load balancer or target group: the end of its
// ARN.
func dimension(arn string) string {
	resource := arn[strings.LastIndex(arn, ":")+1:]
	return strings.TrimPrefix(resource, "loadbalancer/")
}

// Start starts the real daemon.
func (s *Scene) Start() (err error) {
	s.daemon, err = daemon.Start(daemon.Options{
		Binary: s.options.Binary, Log: filepath.Join(s.options.Dir, "daemon.log"), Env: world.Credentials(), Died: s.options.Died,
	}, "run", "--config", s.configFile())
	return err
}

// Kill ends the daemon as a crash does.
func (s *Scene) Kill() error { return s.daemon.Kill() }

// Command runs the tool in the hand, as a person does, and tells of it.
func (s *Scene) Command(ctx context.Context, args ...string) error {
	s.Story.Tell("a person runs: clusterswitch " + strings.Join(args, " "))
	_, err := daemon.Command(ctx, s.options.Binary, world.Credentials(), append(args, "--config", s.configFile())...)
	return err
}

// Await waits for a moment from index from on, and no longer than to the end of the
// attempt. It returns the index after it.
func (s *Scene) Await(ctx context.Context, from int, what string, fulfils func(story.Moment) bool) (int, error) {
	var found, under bool // under way
	next, err := s.Story.Await(ctx, from, what, func(m story.Moment) bool {
		over := m.Phase == "Completed" || m.Phase == "RolledBack"
		found, under = fulfils(m), under || !over
		return found || over && under // the end of the attempt before doesn't count
	})
	if err == nil && !found {
		moments, _ := s.Story.All()
		over := moments[next-1]
		return next, fmt.Errorf("waiting until %s: the attempt is over: %s: %s", what, over.Reason, over.Message)
	}
	return next, err
}

// Close ends the daemon and stops following.
func (s *Scene) Close() error {
	var errs []error
	if s.daemon != nil {
		errs = append(errs, s.daemon.Stop())
	}
	s.cancel()
	s.followers.Wait()
	return errors.Join(errs...)
}

// Sleep lets time pass in which something else shall happen, or nothing.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
