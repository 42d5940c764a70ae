package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/clusterswitch/clusterswitch/internal/sim"
)

// Options say how to hunt.
type Options struct {
	// Module is the folder of the module's go.mod.
	Module string
	// Seeds is how many each mistake may take.
	Seeds int
	// Only are parts of names; none: all mistakes.
	Only []string
	// Workers is how many are hunted at the same time; 0: 2.
	Workers int
	Out     io.Writer
}

// Caught is what became of one mistake.
type Caught struct {
	Mutant Mutant
	// Seed is the first that found it; 0: none did.
	Seed int
	// Seen is the rule that it broke, and how; empty: nobody found it. Without a seed
	// it was the explorer.
	Seen string
	Err  error
}

// Tally adds up what became of all.
type Tally struct{ Planted, Caught int }

// Hunt plants one mistake after the other and plays seeds until it is caught.
// Seeds that break a rule without any mistake don't count.
func Hunt(ctx context.Context, o Options) (Tally, error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return Tally{}, fmt.Errorf("making a folder for the mistakes: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	h := hunter{o: o, dir: dir}
	sound := sim.RunRange(ctx, sim.Range{From: 1, Seeds: o.Seeds})
	for _, seed := range sound.Failed {
		h.apart = append(h.apart, strconv.FormatUint(seed, 10))
	}
	if len(h.apart) > 0 {
		_, _ = fmt.Fprintf(o.Out, "%d of %d seeds break a rule without any mistake and don't count: %s\n", len(h.apart), o.Seeds, strings.Join(h.apart, " "))
	}
	return h.all(ctx, chosen(o.Only))
}

func chosen(only []string) []Mutant {
	var mutants []Mutant
	for _, m := range All() {
		meant := len(only) == 0
		for _, part := range only {
			meant = meant || strings.Contains(m.Name, part)
		}
		if meant {
			mutants = append(mutants, m)
		}
	}
	return mutants
}

type hunter struct {
	o     Options
	dir   string
	apart []string
}

func (h *hunter) all(ctx context.Context, mutants []Mutant) (Tally, error) {
	results := make([]chan Caught, len(mutants))
	for i := range results {
		results[i] = make(chan Caught, 1)
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, h.o.Workers) {
		wg.Go(func() {
			for i := range next {
				results[i] <- h.hunt(ctx, i, mutants[i])
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range mutants {
			next <- i
		}
	})
	defer wg.Wait()
	tally := Tally{Planted: len(mutants)}
	var failed error
	for i := range mutants {
		c := <-results[i]
		h.tell(c)
		if c.Seen != "" {
			tally.Caught++
		}
		failed = errors.Join(failed, c.Err)
	}
	return tally, failed
}

func (h *hunter) tell(c Caught) {
	switch {
	case c.Err != nil:
		_, _ = fmt.Fprintf(h.o.Out, "%-62s %s\n", c.Mutant.Name, c.Err)
	case c.Seed == 0 && c.Seen != "":
		_, _ = fmt.Fprintf(h.o.Out, "%-62s explorer   %s\n", c.Mutant.Name, c.Seen)
	case c.Seen == "":
		_, _ = fmt.Fprintf(h.o.Out, "%-62s not caught in %d seeds\n", c.Mutant.Name, h.o.Seeds)
	default:
		_, _ = fmt.Fprintf(h.o.Out, "%-62s seed %4d  %s\n", c.Mutant.Name, c.Seed, c.Seen)
	}
}

// hunt builds the player with the mistake in it, and lets it play.
func (h *hunter) hunt(ctx context.Context, i int, m Mutant) Caught {
	c := Caught{Mutant: m}
	player, err := h.build(ctx, i, m)
	if err != nil {
		c.Err = err
		return c
	}
	defer func() { _ = os.Remove(player) }()
	args := append([]string{strconv.Itoa(h.o.Seeds)}, h.apart...)
	play := exec.CommandContext(ctx, player, args...)
	var out, faults bytes.Buffer
	play.Stdout, play.Stderr = &out, &faults
	if err := play.Run(); err != nil { // a panic is a find too, but a poor one: a rule should break first
		c.Err = fmt.Errorf("playing with %q: %w: %.400s", m.Name, err, faults.String())
		return c
	}
	seed, seen, _ := strings.Cut(strings.TrimSpace(out.String()), " ")
	if c.Seed, err = strconv.Atoi(seed); err != nil {
		c.Err = fmt.Errorf("reading what playing with %q said: %w", m.Name, err)
	}
	c.Seen = seen
	return c
}

func (h *hunter) build(ctx context.Context, i int, m Mutant) (player string, err error) {
	text, err := m.planted(h.o.Module)
	if err != nil {
		return "", err
	}
	name := filepath.Join(h.dir, strconv.Itoa(i))
	file, overlay, player := name+".go", name+".json", name+".bin"
	original := filepath.Join(h.o.Module, filepath.FromSlash(m.File))
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err == nil {
		err = errors.Join(os.WriteFile(file, text, 0o600), os.WriteFile(overlay, replaced, 0o600))
	}
	if err != nil {
		return "", fmt.Errorf("writing the overlay for %q: %w", m.Name, err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", player, "./internal/sim/mutants/play")
	build.Dir = h.o.Module
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building with %q: %w: %.600s", m.Name, err, out)
	}
	return player, nil
}
