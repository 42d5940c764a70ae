package realnode

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// complete is a machine that has all that a node is made of.
func complete() machine {
	return machine{
		system: "linux",
		user:   func() int { return 0 },
		look:   func(program string) (string, error) { return "/usr/bin/" + program, nil },
		read: func(path string) ([]byte, error) {
			return map[string][]byte{
				"/proc/filesystems": []byte("nodev\ttmpfs\nnodev\toverlay\n\text4\n"),
				"/proc/self/cgroup": []byte("0::/user.slice\n"),
			}[path], nil
		},
		exists: func(path string) bool { return filepath.Dir(path) == "/usr/lib/cni" },
	}
}

func TestWhatAMachineLacksIsNamedWithWhatInstallsIt(t *testing.T) {
	lacking := func(programs ...string) machine {
		m := complete()
		m.look = func(program string) (string, error) {
			if slices.Contains(programs, program) {
				return "", os.ErrNotExist
			}
			return program, nil
		}
		return m
	}
	mac, user, bare, old := complete(), complete(), complete(), complete()
	mac.system = "darwin"
	user.user = func() int { return 1000 }
	bare.exists = func(string) bool { return false }
	old.read = func(string) ([]byte, error) { return nil, nil }
	for name, test := range map[string]struct {
		machine machine
		want    string
	}{
		"another system": {mac, "this machine can't be a node yet: a real node needs Linux, this is darwin"},
		"a user who isn't root": {user, "this machine can't be a node yet:\n" +
			"  - it must be run by root, for namespaces, mounts and cgroups (sudo make real-node)"},
		"no containerd": {lacking("containerd", "ctr", "containerd-shim-runc-v2", "runc"), "this machine can't be a node yet:\n" +
			"  - there is no containerd\n  - there is no containerd-shim-runc-v2\n  - there is no ctr\n  - there is no runc\n" +
			"On Debian: apt install containerd runc"},
		"no plugins": {bare, "this machine can't be a node yet:\n" +
			"  - there are no CNI plugins bridge, host-local, loopback in /opt/cni/bin or /usr/lib/cni or /usr/libexec/cni\n" +
			"On Debian: apt install containernetworking-plugins"},
		"a kernel without overlays and cgroups": {old, "this machine can't be a node yet:\n" +
			"  - the kernel has no overlay file system (modprobe overlay)\n  - there are no cgroups in /proc/self/cgroup"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := findTools(test.machine)
			if !errors.Is(err, ErrMissing) {
				t.Fatalf("error %v, want ErrMissing", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("what is said (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACompleteMachineIsTaken(t *testing.T) {
	t.Parallel()
	found, err := findTools(complete())
	if err != nil {
		t.Fatal(err)
	}
	if found.cni != "/usr/lib/cni" || found.programs["ctr"] != "/usr/bin/ctr" || len(found.programs) != len(packages()) {
		t.Errorf("found %+v", found)
	}
}
