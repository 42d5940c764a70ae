package kube

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// informer is a cache that was filled, or not yet.
type informer struct {
	cache.SharedIndexInformer
	synced bool
}

func (i informer) HasSynced() bool { return i.synced }

func TestACacheIsCurrentOnlyWithAWatchOpenSinceBeforeTheQuestion(t *testing.T) {
	const patience = 2 * time.Second
	for name, c := range map[string]struct {
		unsynced bool
		events   func(*source)
		current  bool
		fault    string // part of it
	}{
		"its watch is open": {
			events:  func(s *source) { s.opened(watch.NewFake()); time.Sleep(time.Second) },
			current: true,
		},
		"nothing happened yet": {
			events: func(*source) { time.Sleep(time.Hour) },
		},
		"its watch is open, but the first list isn't complete": {
			unsynced: true,
			events:   func(s *source) { s.opened(watch.NewFake()); time.Sleep(time.Second) },
		},
		"its watch was opened only after the question": {
			events: func(s *source) { s.opened(watch.NewFake()) },
		},
		"its watch ended a moment ago, as watches do": {
			events: func(s *source) { s.opened(watch.NewFake()).Stop(); time.Sleep(patience) },
		},
		"its watch ended and isn't open again for long": {
			events: func(s *source) { s.opened(watch.NewFake()).Stop(); time.Sleep(patience + 1) },
			fault:  "the watch of its pods ended",
		},
		"its watch can't be opened again": {
			events: func(s *source) {
				s.opened(watch.NewFake()).Stop()
				s.failed(errors.New("connection refused"))
				time.Sleep(time.Second)
			},
			fault: "its pods can't be watched: connection refused",
		},
		"its watch is open again": {
			events: func(s *source) {
				s.opened(watch.NewFake()).Stop()
				s.failed(errors.New("connection refused"))
				s.opened(watch.NewFake())
				time.Sleep(time.Second)
			},
			current: true,
		},
		"the watch before is stopped once more": {
			events: func(s *source) {
				before := s.opened(watch.NewFake())
				before.Stop()
				s.opened(watch.NewFake())
				before.Stop()
				time.Sleep(time.Second)
			},
			current: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &source{what: "pods", informer: informer{synced: !c.unsynced}, stir: func() {}}
				c.events(s)
				current, fault := s.currentAt(time.Now(), patience)
				if current != c.current || !strings.Contains(fault, c.fault) || (fault == "") != (c.fault == "") {
					t.Errorf("current: %t, fault %q; want %t, %q", current, fault, c.current, c.fault)
				}
			})
		})
	}
}

// The reflector sleeps through the end of its context where the first watch is
// refused; other errors, and watches that are only opened again, stay as they are.
func TestARefusedFirstWatchDoesNotKeepWhoStops(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	busy := apierrors.NewTooManyRequests("later", 1)
	gone := apierrors.NewResourceExpired("too old")
	first := metav1.ListOptions{SendInitialEvents: new(true)}
	for name, c := range map[string]struct {
		options metav1.ListOptions
		err     error
		sleeps  bool // the reflector would take it for a reason to sleep
	}{
		"the first watch is refused":       {first, refused, false},
		"the first watch comes too soon":   {first, busy, false},
		"a watch is refused when reopened": {metav1.ListOptions{}, refused, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := interruptible(c.options, fmt.Errorf("opening the watch: %w", c.err))
			if sleeps := utilnet.IsConnectionRefused(got) || apierrors.IsTooManyRequests(got); sleeps != c.sleeps {
				t.Errorf("the reflector sleeps on it: %t", sleeps)
			}
			if !strings.Contains(got.Error(), c.err.Error()) {
				t.Errorf("it no longer says why: %v", got)
			}
		})
	}
	if got := interruptible(first, gone); !apierrors.IsResourceExpired(got) {
		t.Errorf("an error that means something else is hidden: %v", got)
	}
}
