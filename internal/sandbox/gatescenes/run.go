package gatescenes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// ErrFailed says that something was not as it must be; what was printed says what.
var ErrFailed = errors.New("the gates did not judge as they must")

// Options say what to play.
type Options struct {
	// Daemon is the path of the clusterswitch binary, Prometheus that of a Prometheus.
	Daemon, Prometheus string
	// Dir takes logs and configurations.
	Dir string
	// Only names the scenes to play; empty: all.
	Only []string
	// Rate is the users' requests per second.
	Rate int
	// Seed decides every weighted choice of the edge, and the past that is made up.
	Seed uint64
	// Patience bounds one scene.
	Patience time.Duration
	Assets   controlplane.Assets
	CRDs     []*apiextensionsv1.CustomResourceDefinition
	// Out gets what happens, and the line of figures at the end.
	Out io.Writer
}

// Names lists the scenes in the order of playing.
func Names() []string {
	var names []string
	for _, s := range scenes() {
		names = append(names, s.name)
	}
	return names
}

// ground is what all scenes are played in, one after the other.
type ground struct {
	options Options
	world   *world.World
	// proxy is the URL by which a Prometheus reaches the pods.
	proxy string

	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// Run plays the scenes and ends with one line of figures; ErrFailed says that they
// are not as they must be.
func Run(ctx context.Context, o Options) (err error) {
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("there is no scene %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	began := time.Now()
	g := &ground{options: o}
	g.say("Starting three Kubernetes control planes (management, blue, green) …")
	if err := g.start(ctx); err != nil {
		return errors.Join(err, g.close(context.WithoutCancel(ctx)))
	}
	defer func() { err = errors.Join(err, g.close(context.WithoutCancel(ctx))) }()
	g.say("… ready after %.1f s. Users send %d requests a second; on both sides 1 %% of the answers fail.", time.Since(began).Seconds(), o.Rate)
	var figures []string
	verdict := "passed"
	for _, s := range scenes() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) || ctx.Err() != nil {
			continue
		}
		g.say("\n▶ %s  %s", s.name, s.title)
		figure, err := g.play(ctx, s)
		figures = append(figures, s.name+" "+figure)
		if err != nil {
			verdict = "failed"
			g.say("  ✘ failed: %v", err)
			continue
		}
		g.say("  ✔ passed: %s", figure)
	}
	if verdict == "failed" || ctx.Err() != nil {
		verdict, err = "failed", ErrFailed
	}
	g.say("\ngates-scenes: %s; %s in %.0fs", strings.Join(figures, "; "), verdict, time.Since(began).Seconds())
	return err
}

func (g *ground) start(ctx context.Context) (err error) {
	g.world, err = world.Start(ctx, world.Options{Assets: g.options.Assets, Dir: g.options.Dir, Progress: g.options.Out, CRDs: g.options.CRDs})
	if err != nil {
		return err
	}
	// Health is not what is judged here, and a machine that is busy for a moment makes
	// nobody ill.
	g.world.HealthChecks = 500 * time.Millisecond
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the way to the pods: %w", err)
	}
	g.proxy = "http://" + l.Addr().String()
	ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	// Without it nothing is scraped, which shows.
	g.serving.Go(func() { _ = g.world.Network.ServeProxy(ctx, l) })
	return nil
}

// play plays a scene on a stage of its own.
func (g *ground) play(ctx context.Context, s scene) (figure string, err error) {
	ctx, stop := context.WithTimeoutCause(ctx, g.options.Patience, fmt.Errorf("the scene took longer than %s", g.options.Patience))
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	st, err := g.raise(ctx, fail, s.name, s.policy)
	if err != nil {
		return "failed", err
	}
	figure, err = s.play(ctx, st)
	if err = errors.Join(err, st.strike(ctx)); err != nil {
		return "failed", err
	}
	return figure, nil
}

func (g *ground) close(ctx context.Context) error {
	if g.cancel != nil {
		g.cancel()
	}
	g.serving.Wait()
	if g.world == nil {
		return nil
	}
	return g.world.Close(ctx)
}

// say tells a person how far it is.
func (g *ground) say(format string, a ...any) { fmt.Fprintf(g.options.Out, format+"\n", a...) }
