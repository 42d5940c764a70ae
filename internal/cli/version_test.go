package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	want := fmt.Sprintf("clusterswitch v1.2.3 (commit 0123abc, %s, %s/%s)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	compare(t, ran{out: want}, run(t.Context(), "version"))
}

func TestTheVersionOfABinary(t *testing.T) {
	recorded := &debug.BuildInfo{
		Main:     debug.Module{Version: "v1.0.0"},
		Settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "fedcba9"}},
	}
	for name, c := range map[string]struct {
		linked   Build
		recorded *debug.BuildInfo
		want     Build
	}{
		"the linker was told":          {Build{Version: "v1.2.3", Commit: "0123abc"}, recorded, Build{Version: "v1.2.3", Commit: "0123abc"}},
		"the linker was told nothing":  {Build{}, recorded, Build{Version: "v1.0.0", Commit: "fedcba9"}},
		"the linker was told a half":   {Build{Version: "v1.2.3"}, recorded, Build{Version: "v1.2.3", Commit: "fedcba9"}},
		"nothing was recorded":         {Build{}, nil, Build{Version: "(devel)", Commit: "unknown"}},
		"recorded outside of a commit": {Build{}, &debug.BuildInfo{}, Build{Version: "(devel)", Commit: "unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.linked.resolved(c.recorded); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
