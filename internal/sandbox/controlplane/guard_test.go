package controlplane_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// envAbandon makes this test binary start a control plane and wait to be killed.
const envAbandon = "CLUSTERSWITCH_TEST_ABANDON"

func abandon() {
	root, err := controlplane.FindRepository(".")
	if err != nil {
		panic(err)
	}
	cp, err := controlplane.Start(context.Background(), controlplane.Options{
		Name: "abandoned", Assets: controlplane.RepositoryAssets(root), UnsafeNoFsync: true,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(cp.Kubeconfig())
	select {}
}

func TestServersEndWhenTheirProgramIsKilled(t *testing.T) {
	cptest.SkipInShort(t, false)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), envAbandon+"=1")
	// The guard shares the program's standard error, so waiting for the end of that
	// is waiting for the guard's end.
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("reading the kubeconfig's path: %v", err)
	}
	kubeconfig := line[:len(line)-1]
	client := clientFromFile(t, kubeconfig)
	if _, err := client.Discovery().ServerVersion(); err != nil {
		t.Fatalf("before the kill: %v", err)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for complaints := bufio.NewScanner(stderr); complaints.Scan(); {
		t.Errorf("said: %s", complaints.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the program ended by itself")
	}
	eventually(t, func() bool { _, err := client.Discovery().ServerVersion(); return err != nil })
	if _, err := os.Stat(filepath.Dir(kubeconfig)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder is still there (error: %v)", err)
	}
}
