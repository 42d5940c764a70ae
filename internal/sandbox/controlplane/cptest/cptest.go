// Package cptest gives a test package a real control plane. One is started when
// the first test asks for it, and serves the whole package:
//
//	var cluster = cptest.Shared{Options: cptest.Options{Name: "journal"}}
//
//	func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }
//
//	func TestSomething(t *testing.T) {
//		cp := cluster.Start(t)
//		namespace := cptest.Namespace(t, cp)
//
// When the binaries are missing they are built, which takes some minutes once and
// is said on standard error. (go test shows standard error of a passing package only
// with -v; run the build command of package controlplane first to see it happen.)
//
// Starting an API server takes seconds, and many packages want one. So go test
// -short, which make test runs, has those of Options.InShort only; make test-clusters,
// a part of make e2e, runs them all.
package cptest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// Options describe the control plane a test wants.
type Options struct {
	// Name appears in errors and file names; empty means "test".
	Name string
	// EgressSocket is as in controlplane.Options.
	EgressSocket string
	// InShort lets the tests run with go test -short, too.
	InShort bool
	// CRDs are served before the first test sees the control plane.
	CRDs []*apiextensionsv1.CustomResourceDefinition
}

// Start starts a control plane for one test and stops it when the test ends.
// Prefer a Shared one unless the test needs a cluster of its own.
func Start(t *testing.T, o Options) *controlplane.ControlPlane {
	t.Helper()
	SkipInShort(t, o.InShort)
	cp, err := start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

// Shared is one control plane for all tests of a package. It starts when the
// first test asks, so that running a test that needs none stays fast.
type Shared struct {
	// Options are read at the first Start.
	Options Options

	once sync.Once
	cp   *controlplane.ControlPlane
	err  error
}

// Run runs the package's tests, then stops the control plane if one was started.
// It returns the exit status for TestMain.
func (s *Shared) Run(m *testing.M) (status int) {
	defer func() {
		if err := s.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = max(status, 1)
		}
	}()
	return m.Run()
}

// Start returns the package's control plane and starts it if need be. It may be
// called from parallel tests, and fails the test if there's no control plane.
func (s *Shared) Start(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	SkipInShort(t, s.Options.InShort)
	// The first test's context must not end what later tests use.
	s.once.Do(func() { s.cp, s.err = start(context.WithoutCancel(t.Context()), s.Options) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.cp
}

// SkipInShort leaves a test that wants an API server to runs that have the time.
func SkipInShort(t *testing.T, wanted bool) {
	t.Helper()
	if testing.Short() && !wanted {
		t.Skip("it wants a real API server: make test-clusters runs it")
	}
}

func (s *Shared) stop() error {
	s.once.Do(func() { s.err = errors.New("the control plane was already stopped") })
	if s.cp == nil {
		return nil
	}
	return s.cp.Stop()
}

func start(ctx context.Context, o Options) (*controlplane.ControlPlane, error) {
	root, err := controlplane.FindRepository(".")
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = "test"
	}
	return controlplane.Start(ctx, controlplane.Options{
		Name:          o.Name,
		Assets:        controlplane.RepositoryAssets(root),
		Progress:      os.Stderr,
		EgressSocket:  o.EgressSocket,
		CRDs:          o.CRDs,
		UnsafeNoFsync: true,
	})
}

// Client returns a client with an administrator's rights.
func Client(t *testing.T, cp *controlplane.ControlPlane) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Namespace creates a namespace with a fresh name and returns the name. It stays
// behind: only a controller-manager could empty and remove it.
func Namespace(t *testing.T, cp *controlplane.ControlPlane) string {
	t.Helper()
	namespace, err := Client(t, cp).CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}
