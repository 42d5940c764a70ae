package realnode

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTreesOfCgroupsAreRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		own  string
		want []hierarchy
	}{
		"version 1": {
			"9:name=systemd:/\n4:memory:/task/1\n1:cpu,cpuacct:/\n0::/\n",
			[]hierarchy{{"name=systemd", "/"}, {"memory", "/task/1"}, {"cpu,cpuacct", "/"}},
		},
		"version 2":      {"0::/user.slice/session-1.scope\n", []hierarchy{{"", "/user.slice/session-1.scope"}}},
		"none":           {"", nil},
		"a line too few": {"memory\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, hierarchiesIn(test.own), cmp.AllowUnexported(hierarchy{})); diff != "" {
				t.Errorf("trees (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheMountOfATreeIsFound(t *testing.T) {
	t.Parallel()
	const mounts = `24 1 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs rw,mode=755
25 24 0:23 / /sys/fs/cgroup/unified rw,relatime shared:5 - cgroup2 cgroup2 rw
26 24 0:24 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
27 24 0:25 /docker/1 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
28 24 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
`
	type found struct {
		Point, Root string
		OK          bool
	}
	for controllers, want := range map[string]found{
		"":             {"/sys/fs/cgroup/unified", "/", true},
		"cpu,cpuacct":  {"/sys/fs/cgroup/cpu,cpuacct", "/", true},
		"memory":       {"/sys/fs/cgroup/memory", "/docker/1", true},
		"name=systemd": {"/sys/fs/cgroup/systemd", "/", true},
		"hugetlb":      {},
	} {
		t.Run("tree "+controllers, func(t *testing.T) {
			t.Parallel()
			var got found
			got.Point, got.Root, got.OK = hierarchy{controllers: controllers}.mountOf(mounts)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mount (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyFoldersAreRemovedAndNothingIsFine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "group")
	if err := os.MkdirAll(filepath.Join(dir, "kubepods", "pod1"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := groups{dirs: []string{dir, dir + "-that-is-gone"}}
	if err := g.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (groups{dirs: []string{dir}}).remove(); err == nil {
		t.Error("a folder with a file of somebody's was removed, or nothing was said")
	}
}
