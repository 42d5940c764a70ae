package config

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is the time from the first event of a folder to the look at the file, and from a look that found an error to
	// the next. Later events don't push it on: a busy folder must not put the look off for ever.
	settle = 100 * time.Millisecond

	// reread is how often the file is read without any event. It finds what the kernel does not tell: a full event
	// queue, a network file system, a swapped folder further up.
	reread = 30 * time.Second

	// rereadBlind is the same where the kernel tells of nothing at all.
	rereadBlind = 5 * time.Second
)

// Update is what became of a changed file.
type Update struct {
	// Config is the new Config, or nil.
	Config *Config

	// Err says why the changed file could not be read or is not valid; whoever holds the old Config goes on with it.
	Err error
}

// Watch follows the file that current was loaded from and calls notify, one call at a time, with each change of its
// content. A change between Load and Watch counts: the file is compared with current, not with the moment of the call.
// An invalid file is told once, and so is its way back to what current says. Watch returns when ctx ends.
//
// Where the folder can't be watched, blind is told why, and the file is read every few seconds. On a busy node that is no
// rarity: all pods of one user ID share fs.inotify.max_user_instances, 128 by default.
//
// viper.WatchConfig is not used: it has no end, reads before it watches, and gives up on a file that an editor replaces
// while it looks.
func Watch(ctx context.Context, current *Config, notify func(Update), blind func(error)) {
	w := &watch{
		path:    current.File,
		overlay: environment(newViper(nil)),
		notify:  notify,
		last:    current.Digest,
	}
	events, err := fsnotify.NewWatcher()
	if err == nil {
		defer events.Close()
		w.events = events
		err = events.Add(filepath.Dir(w.path))
	}
	if err != nil {
		blind(fmt.Errorf("watching the folder of %s: %w", w.path, err))
	}
	w.run(ctx, err != nil)
}

type watch struct {
	path    string
	overlay Overlay
	// events is nil where the kernel tells of none.
	events *fsnotify.Watcher
	notify func(Update)
	// last is the content that was last told: a valid Config's digest, or an error's text.
	last string
	// suspect is the error of the look before: the file may have been caught halfway through a write.
	suspect string
}

func (w *watch) run(ctx context.Context, blind bool) {
	every := reread
	if blind {
		every = rereadBlind
	}
	var events <-chan fsnotify.Event
	var lost <-chan error
	if w.events != nil {
		events, lost = w.events.Events, w.events.Errors
	}
	// The first look comes after the folder is watched, so that nothing falls between.
	timer := time.NewTimer(0)
	defer timer.Stop()
	armed := true
	idle := time.NewTicker(every)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			armed = false
			if w.look() {
				continue
			}
		case <-idle.C:
			if w.look() {
				continue
			}
		case <-events:
			// Any event of the folder counts. A ConfigMap changes by a rename of ..data, never of the file itself.
		case err := <-lost:
			// What was lost is made good by a look.
			_ = err
		}
		if !armed {
			armed = true
			timer.Reset(settle)
		}
	}
}

// look reads the file and tells what is new. It returns false when it must look again: an error is told only once a
// second look finds the same.
func (w *watch) look() bool {
	w.follow()
	c, err := read(w.path, w.overlay)
	var found string
	if err != nil {
		found = err.Error()
	} else {
		found = c.Digest
	}
	if err != nil && found != w.last && found != w.suspect {
		w.suspect = found
		return false
	}
	w.suspect = ""
	if found != w.last {
		w.last = found
		w.notify(Update{Config: c, Err: err})
	}
	return true
}

// follow also watches the folder that a symlink leads to. Adding a folder again changes nothing, and the kernel drops
// those that are gone; a failure only leaves it to reread.
func (w *watch) follow() {
	if w.events == nil {
		return
	}
	_ = w.events.Add(filepath.Dir(w.path))
	if target, err := filepath.EvalSymlinks(w.path); err == nil {
		_ = w.events.Add(filepath.Dir(target))
	}
}
