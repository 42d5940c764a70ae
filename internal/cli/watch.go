package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

const (
	// watchLook is how often a watch looks.
	watchLook = time.Second
	// maxSamples bounds what a watch remembers: far more changes than a shift has.
	maxSamples = 4096
)

// watching is one run of status --watch for one pair.
type watching struct {
	look  func(context.Context) (*v1alpha1.TrafficSwitch, error)
	now   func() time.Time
	out   io.Writer
	every time.Duration
	// size asks for the terminal's width and height; nil: the output is no terminal.
	size    func() (width, height int)
	colours bool

	past []sample
	told string
}

// until draws, or writes a line for each change, until ctx ends. Looking that fails
// is tried again; only a pair that isn't there ends the watch.
func (w *watching) until(ctx context.Context) error {
	if w.size != nil {
		// The alternate screen leaves what stood in the terminal as it was.
		_, _ = io.WriteString(w.out, "\x1b[?1049h\x1b[?25l") // the last write tells of an output that fails
		defer func() { _, _ = io.WriteString(w.out, "\x1b[?25h\x1b[?1049l") }()
	}
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for pair := (*v1alpha1.TrafficSwitch)(nil); ; {
		var trouble string
		t, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case isType[noPairError](err), err != nil && pair == nil:
			return err
		case err != nil:
			trouble = err.Error()
		default:
			pair = t
			w.note(t)
		}
		if err := w.show(*pair, trouble); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // whoever ends the view has seen enough
		case <-tick.C:
		}
	}
}

// note remembers the share where it changed.
func (w *watching) note(t *v1alpha1.TrafficSwitch) {
	if n := len(w.past); n == 0 || w.past[n-1].share != t.Status.Share {
		w.past = append(w.past, sample{w.now(), t.Status.Share})
	}
	if len(w.past) > maxSamples {
		w.past = w.past[1:]
	}
}

func (w *watching) show(t v1alpha1.TrafficSwitch, trouble string) error {
	if w.size == nil {
		return w.line(t, trouble)
	}
	width, height := w.size()
	s := screen{pair: t, past: w.past, now: w.now(), width: width, height: height, colours: w.colours, trouble: trouble}
	var frame strings.Builder
	frame.WriteString("\x1b[H")
	for i, line := range s.lines() {
		if i > 0 {
			frame.WriteString("\r\n")
		}
		frame.WriteString(line + "\x1b[K")
	}
	frame.WriteString("\x1b[J")
	if _, err := io.WriteString(w.out, frame.String()); err != nil {
		return fmt.Errorf("drawing the view: %w", err)
	}
	return nil
}

// line writes what changed, for logs.
func (w *watching) line(t v1alpha1.TrafficSwitch, trouble string) error {
	said := standing(&t)
	if trouble != "" {
		said = "not read anew: " + trouble
	}
	if said == w.told {
		return nil
	}
	w.told = said
	if _, err := fmt.Fprintf(w.out, "%s  %s\n", w.now().UTC().Format(time.TimeOnly), said); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}

// terminalOf gives how to ask for the size of the terminal that w is; nil: it is none.
func terminalOf(w io.Writer) func() (width, height int) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}
}

// wantsColours follows https://no-color.org.
func wantsColours() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

var errWatchOne = errors.New("--watch takes one pair; kubectl --namespace clusterswitch get trafficswitches --watch shows all")

func (h *hand) watchPair(ctx context.Context, pair string) error {
	w := watching{
		look: func(ctx context.Context) (*v1alpha1.TrafficSwitch, error) { return h.get(ctx, pair) },
		now:  h.now, out: h.out, every: watchLook, size: terminalOf(h.out.w), colours: wantsColours(),
	}
	return w.until(ctx)
}
