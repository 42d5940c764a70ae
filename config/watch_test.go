package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// watched loads path, calls before, and watches path until the test ends.
func watched(t *testing.T, path string, before func()) <-chan Update {
	t.Helper()
	current, err := Load(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	before()
	return following(t, current, func(err error) { t.Errorf("watching: %v", err) })
}

// following watches the file of a Config until the test ends.
func following(t *testing.T, current *Config, blind func(error)) <-chan Update {
	t.Helper()
	updates := make(chan Update)
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		Watch(ctx, current, func(u Update) {
			select {
			case updates <- u:
			case <-ctx.Done():
			}
		}, blind)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return updates
}

func next(t *testing.T, updates <-chan Update) Update {
	t.Helper()
	select {
	case u := <-updates:
		return u
	case <-time.After(20 * time.Second):
		t.Fatal("no update came")
		return Update{}
	}
}

func wantInterval(t *testing.T, u Update, want time.Duration) {
	t.Helper()
	if u.Err != nil {
		t.Fatal(u.Err)
	}
	if u.Config.Interval != want {
		t.Errorf("got interval %s, want %s", u.Config.Interval, want)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestWatchTellsAFileWrittenInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, soak("1s"))
	updates := watched(t, path, func() {})
	for _, want := range []time.Duration{2 * time.Second, 3 * time.Second} {
		write(t, path, soak(want.String()))
		wantInterval(t, next(t, updates), want)
	}
}

func TestWatchTellsAFileReplacedByRename(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, soak("1s"))
	updates := watched(t, path, func() {})
	for _, want := range []time.Duration{2 * time.Second, 3 * time.Second} {
		write(t, path+".new", soak(want.String()))
		rename(t, path+".new", path)
		wantInterval(t, next(t, updates), want)
	}
}

// Kubernetes writes a ConfigMap into a new folder and swaps the link ..data; the file's own link never changes.
func TestWatchTellsASwappedConfigMap(t *testing.T) {
	mount := t.TempDir()
	path := filepath.Join(mount, "c.yaml")
	write(t, filepath.Join(mount, "..1", "c.yaml"), soak("1s"))
	symlink(t, "..1", filepath.Join(mount, "..data"))
	symlink(t, filepath.Join("..data", "c.yaml"), path)
	updates := watched(t, path, func() {})

	for _, want := range []time.Duration{2 * time.Second, 3 * time.Second} {
		folder := ".." + want.String()
		write(t, filepath.Join(mount, folder, "c.yaml"), soak(want.String()))
		symlink(t, folder, filepath.Join(mount, "..data_tmp"))
		rename(t, filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data"))
		wantInterval(t, next(t, updates), want)
	}
}

func TestWatchTellsAFileWrittenBehindALink(t *testing.T) {
	target := filepath.Join(t.TempDir(), "real.yaml")
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, target, soak("1s"))
	symlink(t, target, path)
	updates := watched(t, path, func() {})
	for _, want := range []time.Duration{2 * time.Second, 3 * time.Second} {
		write(t, target, soak(want.String()))
		wantInterval(t, next(t, updates), want)
	}
}

func TestWatchMissesNothingBetweenLoadAndWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, soak("1s"))
	updates := watched(t, path, func() { write(t, path, soak("2s")) })
	wantInterval(t, next(t, updates), 2*time.Second)
}

func TestWatchTellsFaultsOnceAndTheWayBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, soak("1s"))
	updates := watched(t, path, func() {})

	write(t, path+".new", soak("1s")+"more: true\n")
	rename(t, path+".new", path)
	u := next(t, updates)
	if faults, ok := errors.AsType[Faults](u.Err); !ok || u.Config != nil || faults[0].Path != "more" {
		t.Fatalf("got %v, want the fault of more alone", u)
	}

	// Told again would be told here, before the way back.
	write(t, path+".other", "an event without a change")
	write(t, path+".new", soak("1s"))
	rename(t, path+".new", path)
	wantInterval(t, next(t, updates), time.Second)

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if u := next(t, updates); !errors.Is(u.Err, os.ErrNotExist) {
		t.Fatalf("got %v, want that the file is gone", u)
	}
}

// What can't be watched is read again and again: a daemon that ended for it could roll nothing back any more.
func TestWatchGoesOnWhereTheKernelTellsOfNothing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	path := filepath.Join(folder, "c.yaml")
	said := make(chan error, 1)
	updates := following(t, &Config{File: path}, func(err error) { said <- err })
	if err := <-said; !strings.Contains(err.Error(), folder) {
		t.Errorf("it says %v, without the folder that can't be watched", err)
	}
	if u := next(t, updates); !errors.Is(u.Err, os.ErrNotExist) {
		t.Fatalf("got %v, want that the file is gone", u)
	}
	write(t, path, soak("2s"))
	wantInterval(t, next(t, updates), 2*time.Second)
}

func TestWatchNeedsNoInotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, soak("2s"))
	told := make(chan Update, 1)
	w := &watch{path: path, last: "another", notify: func(u Update) { told <- u }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.run(ctx, true) }()
	wantInterval(t, next(t, told), 2*time.Second)
	cancel()
	<-ended
}
