package controlplane_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// fakeGo is a go tool that writes down each build in $BUILDS and makes a file of
// it. "go list" answers with a version; a file named "broken" breaks builds.
const fakeGo = `#!/bin/sh
if [ "$1" = list ]; then echo v9.8.7; exit; fi
if [ -e "$BUILDS/broken" ]; then echo "no space left" >&2; exit 1; fi
echo "$CGO_ENABLED $GOWORK $*" >>"$BUILDS/log"
while [ "$1" != -o ]; do shift; done
echo binary >"$2"
`

// workshop is a repository with a fake go tool.
type workshop struct {
	t      *testing.T
	assets controlplane.Assets
	builds string // folder of the fake tool's notes
}

func newWorkshop(t *testing.T) workshop {
	root, builds := t.TempDir(), t.TempDir()
	w := workshop{t: t, assets: controlplane.RepositoryAssets(root), builds: builds}
	w.write(filepath.Join(builds, "go"), fakeGo)
	if err := os.Chmod(filepath.Join(builds, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"controlplane", "controllers", "node", "kwok"} {
		w.write(filepath.Join(w.assets.Tools, tool, "go.mod"), "module pins\n")
		w.write(filepath.Join(w.assets.Tools, tool, "go.sum"), "")
	}
	t.Setenv("PATH", builds+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("BUILDS", builds)
	t.Setenv(controlplane.EnvAssets, "")
	return w
}

func (w workshop) write(path, content string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// ensure returns what was said and how many builds there were so far.
func (w workshop) ensure() (said string, builds int) {
	w.t.Helper()
	var progress bytes.Buffer
	dir, err := w.assets.Ensure(w.t.Context(), &progress)
	if err != nil {
		w.t.Fatal(err)
	}
	if dir != w.assets.Dir {
		w.t.Errorf("folder %s, want %s", dir, w.assets.Dir)
	}
	return progress.String(), strings.Count(w.log(), "\n")
}

func (w workshop) log() string {
	w.t.Helper()
	log, err := os.ReadFile(filepath.Join(w.builds, "log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	return string(log)
}

func TestBinariesAreBuiltOnceAndAgainWhenTheirPinsChange(t *testing.T) {
	w := newWorkshop(t)
	said, builds := w.ensure()
	if builds != 2 || !strings.Contains(said, "building kube-apiserver (once, about 4 minutes)") {
		t.Errorf("first time: %d builds, said %q; want 2, announced", builds, said)
	}
	for _, want := range []string{
		"0 off build -ldflags -s -w -o ",
		"-X k8s.io/component-base/version.gitVersion=v9.8.7 -X k8s.io/component-base/version.gitMajor=9 " +
			"-X k8s.io/component-base/version.gitMinor=8 -o ",
	} {
		if !strings.Contains(w.log(), want) {
			t.Errorf("builds %s lack %q", w.log(), want)
		}
	}
	if said, builds := w.ensure(); builds != 2 || said != "" {
		t.Errorf("second time: %d builds, said %q; want still 2 and silence", builds, said)
	}
	w.write(filepath.Join(w.assets.Tools, "controlplane", "go.mod"), "module pins // newer\n")
	if _, builds := w.ensure(); builds != 4 {
		t.Errorf("after the pins changed: %d builds, want 4", builds)
	}
	if err := os.Remove(filepath.Join(w.assets.Dir, "etcd")); err != nil {
		t.Fatal(err)
	}
	if _, builds := w.ensure(); builds != 5 {
		t.Errorf("after one binary was lost: %d builds, want 5", builds)
	}
}

func TestProgramsAreBuiltOnlyForThoseWhoAsk(t *testing.T) {
	w := newWorkshop(t)
	w.ensure()
	provided := t.TempDir()
	t.Setenv(controlplane.EnvAssets, provided) // others' folder with etcd and kube-apiserver has no kwok
	program := func(name string) {
		t.Helper()
		path, err := w.assets.Program(t.Context(), new(bytes.Buffer), name)
		if err != nil || path != filepath.Join(w.assets.Dir, name) {
			t.Errorf("%s: path %s, error %v", name, path, err)
		}
	}
	program("kwok")
	program("kubectl")
	program("kwok")
	if builds := strings.Count(w.log(), "\n"); builds != 4 {
		t.Errorf("%d builds, want those of etcd, kube-apiserver, kwok and kubectl:\n%s", builds, w.log())
	}
	w.write(filepath.Join(w.assets.Tools, "kwok", "go.mod"), "module pins // newer\n")
	program("kwok")
	program("kubectl")
	if builds := strings.Count(w.log(), "\n"); builds != 5 {
		t.Errorf("%d builds after kwok's pins changed, want one more:\n%s", builds, w.log())
	}
	if _, err := w.assets.Program(t.Context(), new(bytes.Buffer), "cloud-controller-manager"); err == nil || !strings.Contains(err.Error(), "cloud-controller-manager") {
		t.Errorf("error %v for a program that nobody pins, want one that names it", err)
	}
}

func TestControllersAreOfTheSameKubernetesAsTheAPIServer(t *testing.T) {
	pin := func(tool string) string {
		t.Helper()
		pins, err := os.ReadFile(filepath.Join(repositoryAssets(t).Tools, tool, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		_, version, _ := strings.Cut(string(pins), "k8s.io/kubernetes ")
		version, _, _ = strings.Cut(version, "\n")
		return version
	}
	if server, controllers, node := pin("controlplane"), pin("controllers"), pin("node"); server != controllers || server != node {
		t.Errorf("kube-apiserver is %q, its controllers are %q, kubelet is %q", server, controllers, node)
	}
}

func TestBinariesAreBuiltOnceByManyAtTheSameTime(t *testing.T) {
	w := newWorkshop(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := w.assets.Ensure(t.Context(), new(bytes.Buffer)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, builds := w.ensure(); builds != 2 {
		t.Errorf("%d builds, want 2", builds)
	}
}

func TestABrokenBuildIsSaidAndDoneAgain(t *testing.T) {
	w := newWorkshop(t)
	w.write(filepath.Join(w.builds, "broken"), "")
	_, err := w.assets.Ensure(t.Context(), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "building etcd") || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v, want one with the tool's complaint", err)
	}
	if err := os.Remove(filepath.Join(w.builds, "broken")); err != nil {
		t.Fatal(err)
	}
	if _, builds := w.ensure(); builds != 2 {
		t.Errorf("%d builds, want 2", builds)
	}
}

func TestWaitingForAnotherBuildEndsWithTheContext(t *testing.T) {
	w := newWorkshop(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("terminated signal received")
	holder, waiter := blockedBuild(t, w), make(chan error, 1)
	go func() {
		_, err := w.assets.Ensure(ctx, cancelOnWrite{func() { cancel(why) }})
		waiter <- err
	}()
	if err := <-waiter; !errors.Is(err, why) {
		t.Errorf("waiter's error %v, want the cause %v", err, why)
	}
	if err := holder(); err != nil {
		t.Error(err)
	}
}

// cancelOnWrite acts on the first sentence about waiting.
type cancelOnWrite struct{ act func() }

func (c cancelOnWrite) Write(p []byte) (int, error) {
	c.act()
	return len(p), nil
}

// blockedBuild starts a build that holds the lock until the returned function is
// called: its progress writer doesn't return before.
func blockedBuild(t *testing.T, w workshop) (finish func() error) {
	t.Helper()
	building, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := w.assets.Ensure(context.WithoutCancel(t.Context()), cancelOnWrite{func() {
			once.Do(func() { close(building) })
			<-release
		}})
		done <- err
	}()
	<-building
	return func() error {
		close(release)
		return <-done
	}
}

func TestProvidedBinariesAreTakenAsTheyAre(t *testing.T) {
	w := newWorkshop(t)
	provided := t.TempDir()
	t.Setenv(controlplane.EnvAssets, provided)
	if _, err := w.assets.Ensure(t.Context(), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), controlplane.EnvAssets) {
		t.Errorf("error %v for an empty folder, want one that names %s", err, controlplane.EnvAssets)
	}
	w.write(filepath.Join(provided, "etcd"), "")
	w.write(filepath.Join(provided, "kube-apiserver"), "")
	dir, err := w.assets.Ensure(t.Context(), new(bytes.Buffer))
	if err != nil || dir != provided || w.log() != "" {
		t.Errorf("folder %s, builds %q, error %v; want %s and no build", dir, w.log(), err, provided)
	}
}

func TestOutsideARepositoryIsSaid(t *testing.T) {
	if _, err := controlplane.FindRepository(t.TempDir()); err == nil {
		t.Error("found a repository in an empty folder")
	}
}
