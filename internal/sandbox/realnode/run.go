package realnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// ErrFailed says that something was not as it must be; what was printed says what.
var ErrFailed = errors.New("the chart did not do on a real node what it must")

// The parts that this program plays besides the one that a person starts.
const (
	PartHost = "host"
	PartPlay = "play"
)

// Options say what to play, and where.
type Options struct {
	// Root is the repository's checkout.
	Root string
	// Daemon and Helm are paths of the programs that a person would use.
	Daemon, Helm string
	// Dir takes the image, logs and values.
	Dir string
	// Pull takes the Dockerfile's base images from their registries, as a build does
	// elsewhere. False: they are made of this machine's Go and certificates.
	Pull bool
	// Again takes the images that the last run left in Dir, and builds none.
	Again bool
	// Rate is the users' requests per second.
	Rate int
	// Patience bounds the whole play, without what is built before.
	Patience time.Duration
	Assets   controlplane.Assets
	// Out gets what happens, and the line of figures at the end.
	Out io.Writer
	// Args are the arguments of this program, without its name; the other parts get
	// them too.
	Args []string
}

// Run builds the image and the node's programs, and plays in namespaces of its own.
func Run(ctx context.Context, o Options) (err error) {
	tools, err := findTools(machine{})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", o.Dir, err)
	}
	for _, program := range []string{"kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kube-proxy"} {
		if _, err := o.Assets.Program(ctx, o.Out, program); err != nil {
			return err
		}
	}
	if _, err := o.Assets.Ensure(ctx, o.Out); err != nil {
		return err
	}
	if !o.Again {
		if err := (builder{options: o, tools: tools}).build(ctx); err != nil {
			return err
		}
	}
	return enter(ctx, o)
}

func (o Options) say(format string, args ...any) { _, _ = fmt.Fprintf(o.Out, format+"\n", args...) }

// file is a path in the folder that is kept.
func (o Options) file(name string) string { return filepath.Join(o.Dir, name) }
