package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

func TestTheMixIsWhole(t *testing.T) {
	t.Parallel()
	sum := 0
	for _, p := range mix() {
		sum += p.of100
	}
	if sum != 100 {
		t.Errorf("the portions make %d of a hundred objects", sum)
	}
	if configMaps := mix()[0]; configMaps.sort != "ConfigMaps" || configMaps.of(leastObjects) <= planted {
		t.Errorf("green can't lack %d of %d %s", planted, configMaps.of(leastObjects), configMaps.sort)
	}
}

// hungry makes this test's program take so many bytes and end.
const hungry = "BENCH_TEST_HUNGRY"

func TestMain(m *testing.M) {
	if os.Getenv(hungry) != "" {
		println(len(bytes.Repeat([]byte("x"), 128<<20)))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// The memory of a process is its own: neither less, nor that of who starts it.
func TestThePeakOfAProcessIsItsOwn(t *testing.T) {
	own := bytes.Repeat([]byte("x"), 512<<20)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := measured(t.Context(), filepath.Join(t.TempDir(), "out"), []string{hungry + "=1"}, program)
	if err != nil {
		t.Fatal(err)
	}
	if c.peak < 128<<20 || c.peak > int64(len(own)) || c.status != 3 || c.wall <= 0 || c.cpu <= 0 {
		t.Errorf("%+v, want at least 128 MiB, less than the %d that this process has, and status 3", c, len(own)>>20)
	}
	if _, err := measured(t.Context(), filepath.Join(t.TempDir(), "out"), nil, filepath.Join(t.TempDir(), "nothing")); err == nil {
		t.Error("a program that isn't there was measured")
	}
}

// A real API server writes down the requests of the named users alone, and each
// is counted once.
func TestRequestsAreCountedByTheirUsers(t *testing.T) {
	cptest.SkipInShort(t, false)
	t.Parallel()
	root, err := controlplane.FindRepository(".")
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "audit.log")
	cp, err := controlplane.Start(t.Context(), controlplane.Options{
		Name: "audit", Assets: controlplane.RepositoryAssets(root), Progress: os.Stderr, UnsafeNoFsync: true,
		Audit: &controlplane.Audit{Log: log, Users: []string{"alice", "bob"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	a := audit{path: log}
	ask := func(user string, times int) {
		kubeconfig, err := cp.UserKubeconfig(user, "system:masters")
		if err != nil {
			t.Fatal(err)
		}
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		for range times {
			if _, err := client.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.AppsV1().Deployments("").List(t.Context(), metav1.ListOptions{}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func(user string, want heard) {
		t.Helper()
		got, err := a.next(user)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(heard{})); diff != "" {
			t.Errorf("what %s asked for (-want +got):\n%s", user, diff)
		}
	}
	kinds := []string{"deployments.apps", "secrets"}
	ask("alice", 2)
	ask("bob", 1)
	ask("eve", 1)
	count("alice", heard{requests: 6, listed: kinds})
	count("alice", heard{})
	ask("eve", 1)
	count("eve", heard{})
	ask("bob", 1)
	count("bob", heard{requests: 3, listed: kinds})
}
