package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	// baseBytes is what the Dockerfile's base brings besides the binary: certificates
	// and little else.
	baseBytes = 2 << 20
	// restFor is how long a daemon's memory is watched once all its pairs rest.
	restFor = 30 * time.Second
	// readyWithin bounds the wait for a daemon to be ready.
	readyWithin = time.Minute
	// askEvery is how often a daemon is asked whether it is ready.
	askEvery = 5 * time.Millisecond
	mega     = 1_000_000
)

// Footprint measures how large the daemon is: its image, how long it takes from the
// start of its process to be ready, and the most memory it takes with one pair and
// with a hundred that share two clusters, against real API servers and the
// embedded AWS. The last line has the figures. image names an image that docker or
// buildah has; empty: the binary and the base are added up.
func Footprint(ctx context.Context, o Options, image string) (err error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", o.Dir, err)
	}
	size, err := imageSize(ctx, o.Daemon, image)
	if err != nil {
		return err
	}
	w, err := world.Start(ctx, world.Options{Assets: o.Assets, Dir: o.Dir, Progress: o.Out, CRDs: o.CRDs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	started, one, err := sized(ctx, o, w, 1)
	if err != nil {
		return err
	}
	_, hundred, err := sized(ctx, o, w, 100)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "image=%.1fMB start=%.2fs rssOne=%.1fMB rssHundred=%.1fMB\n",
		float64(size)/mega, started.Seconds(), float64(one)/mega, float64(hundred)/mega)
	return err
}

// imageSize is the size of an image's content, unpacked.
func imageSize(ctx context.Context, binary, image string) (int64, error) {
	if image == "" {
		info, err := os.Stat(binary)
		if err != nil {
			return 0, fmt.Errorf("measuring the binary: %w", err)
		}
		return info.Size() + baseBytes, nil
	}
	var tried []error
	for _, command := range [][]string{
		{"docker", "image", "inspect", "--format", "{{.Size}}", image},
		{"podman", "image", "inspect", "--format", "{{.Size}}", image},
		{"buildah", "images", "--json", image},
	} {
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
		if err != nil {
			tried = append(tried, fmt.Errorf("asking %s: %w", command[0], err))
			continue
		}
		return sizeIn(command[0], string(out))
	}
	return 0, fmt.Errorf("measuring image %s: %w", image, errors.Join(tried...))
}

// sizeIn reads a tool's answer: docker and podman give bytes, buildah "49.1 MB".
func sizeIn(tool, answer string) (int64, error) {
	text := strings.TrimSpace(answer)
	if tool == "buildah" {
		var images []struct {
			Size string `json:"size"`
		}
		if err := json.Unmarshal([]byte(answer), &images); err != nil || len(images) == 0 {
			return 0, fmt.Errorf("reading buildah's answer %q: %w", answer, err)
		}
		text = images[0].Size
	}
	var value float64
	unit := "B"
	if _, err := fmt.Sscan(strings.ReplaceAll(text, "\u00a0", " "), &value); err != nil {
		return 0, fmt.Errorf("reading the image's size %q: %w", text, err)
	}
	if fields := strings.Fields(text); len(fields) > 1 {
		unit = fields[1]
	}
	factor, known := map[string]float64{"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[strings.ToUpper(unit)]
	if !known {
		return 0, fmt.Errorf("reading the image's size %q: the unit isn't known", text)
	}
	return int64(value * factor), nil
}

// sized runs a daemon with so many pairs, and measures how long it took to be
// ready and the most memory that it had, while its pairs came to rest and rested.
func sized(ctx context.Context, o Options, w *world.World, pairs int) (started time.Duration, peak int64, err error) {
	c, err := crowdOf(ctx, o, w, fmt.Sprintf("footprint-%d", pairs), pairs, pairs, 0)
	if err != nil {
		return 0, 0, err
	}
	if c.listen, err = freeAddress(ctx); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	err = c.during(ctx, "serve: blue", func(ctx context.Context) error {
		if err := awaitReady(ctx, c.listen); err != nil {
			return err
		}
		started = time.Since(began)
		if err := c.await(ctx, "all pairs rest", func(s v1alpha1.TrafficSwitchStatus) bool { return s.Reason == "NothingToDo" }); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(restFor):
		}
		if peak = highWater(c.daemon.PID()); peak == 0 {
			return errors.New("the memory of a process can't be read here: there is no /proc")
		}
		return nil
	})
	c.say("%d pair(s): ready after %.2f s, at most %.1f MB resident", pairs, started.Seconds(), float64(peak)/mega)
	return started, peak, err
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// awaitReady asks until the daemon says that it is ready.
func awaitReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("the daemon wasn't ready within %s", readyWithin))
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			ready := response.StatusCode == http.StatusOK
			_ = response.Body.Close() // nothing more is read of it
			if ready {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
