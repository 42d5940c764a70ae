package planted

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// alike looks at the clusters before anything differs.
func (r *run) alike(ctx context.Context) error {
	report, err := r.preflight(ctx, "alike", r.usual())
	if err != nil {
		return err
	}
	r.known = report.byID()
	r.say("%d objects of %d kinds in blue, %d of %d in green; the preflight took %s",
		report.Blue.Objects, report.Blue.Kinds, report.Green.Objects, report.Green.Kinds, time.Duration(report.Took).Round(time.Millisecond))
	for _, f := range report.Findings {
		switch {
		case f.blocks():
			r.tally.falseBlocks++
			r.say("FALSE BLOCK %s: %s", f.ID, f.Message)
		case f.Waived != nil:
			r.say("waived: %s: %s", f.ID, f.Message)
		}
	}
	return nil
}

// alikeOtherwise looks at the same clusters in two other ways: with the least
// rights that the product itself asks for, and while every answer takes its time.
// Neither may make a difference.
func (r *run) alikeOtherwise(ctx context.Context) error {
	for _, way := range []struct {
		name    string
		prepare func(context.Context, *stage) error
	}{{"with the least rights", leastRights}, {"answering slowly", slowly}} {
		s := r.newStage()
		if err := way.prepare(ctx, s); err != nil {
			return err
		}
		report, err := r.preflight(ctx, "alike-"+strings.ReplaceAll(way.name, " ", "-"), s.settings)
		if err != nil {
			return err
		}
		for _, f := range report.Findings {
			if _, before := r.known[f.ID]; !before && f.blocks() {
				r.tally.falseBlocks++
				r.say("FALSE BLOCK %s %s: %s", way.name, f.ID, f.Message)
			}
		}
		r.say("the same clusters %s: %d findings, %d before", way.name, len(report.Findings), len(r.known))
		if err := s.mend(ctx); err != nil {
			return err
		}
	}
	return nil
}

func slowly(ctx context.Context, s *stage) error {
	return errors.Join(s.slowly(ctx, blue), s.slowly(ctx, green))
}

// leastRights grants in both clusters what "clusterswitch rbac" prints, and reads
// them as a user who has nothing else.
func leastRights(ctx context.Context, s *stage) error {
	const user = "preflight"
	path := filepath.Join(s.options.Dir, "rbac.yaml")
	if err := s.writeConfig(path, s.settings); err != nil {
		return err
	}
	manifest, err := exec.CommandContext(ctx, s.options.Binary, "rbac", pair, "--config", path, "--user", user).Output()
	if err != nil {
		return fmt.Errorf("printing the least rights: %w", err)
	}
	for _, at := range []side{blue, green} {
		if err := s.create(ctx, at, string(manifest)); err != nil {
			return err
		}
		if err := s.impersonate(ctx, at, user); err != nil {
			return err
		}
	}
	return nil
}
