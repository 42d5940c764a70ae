package ready

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// ErrFailed says that something was not as it must be; what was printed says what.
var ErrFailed = errors.New("blue did not stay ready as it must")

// Options say what to play.
type Options struct {
	// Daemon is the path of the clusterswitch binary.
	Daemon string
	// Dir takes logs and configurations.
	Dir string
	// Only names the scenes to play; empty: all.
	Only []string
	// Rate is the users' requests per second.
	Rate int
	// Seed decides every weighted choice of the edge.
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

// Run plays the scenes and ends with one line of figures; ErrFailed says that they
// are not as they must be.
func Run(ctx context.Context, o Options) (err error) {
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("there is no scene %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	began := time.Now()
	fmt.Fprintln(o.Out, "Starting three Kubernetes control planes, two of them with controllers, nodes and a metrics API …")
	g, err := startGround(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close(context.WithoutCancel(ctx))) }()
	g.say("… ready after %.1f s. Users send %d requests a second; a pod answers %d.", time.Since(began).Seconds(), o.Rate, perPod)
	f, failed := figures{played: map[string]bool{}}, false
	for _, s := range scenes() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) || ctx.Err() != nil {
			continue
		}
		g.say("\n▶ %s  %s", s.name, s.title)
		f.played[s.name] = true
		if err := s.play(ctx, g, &f); err != nil {
			failed = true
			g.say("  ✘ failed: %v", err)
			continue
		}
		g.say("  ✔ passed")
	}
	verdict := "passed"
	if failed || ctx.Err() != nil {
		verdict, err = "failed", ErrFailed
	}
	g.say("\nready-sim: %s; %s in %.0fs", strings.Join(f.line(), "; "), verdict, time.Since(began).Seconds())
	return err
}
