package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]version{
		"v1.34.2":                    {major: 1, minor: 34, patch: 2},
		"v1.34.2-eks-1a2b3c4":        {major: 1, minor: 34, patch: 2},
		"v1.37.2+k3s1":               {major: 1, minor: 37, patch: 2},
		"v1.36.0-alpha.1":            {major: 1, minor: 36, early: -29_999},
		"1.36.0-rc.2":                {major: 1, minor: 36, early: -9_998},
		"v1.31":                      {major: 1, minor: 31},
		"v1.11.4-eksbuild.3":         {major: 1, minor: 11, patch: 4, build: 3},
		"v1.31.2-minimal-eksbuild.3": {major: 1, minor: 31, patch: 2, build: 3},
		"stable-2.14.10":             {major: 2, minor: 14, patch: 10},
		"3.7.0-alpine":               {major: 3, minor: 7},
		"1.2.3.4":                    {major: 1, minor: 2, patch: 3},
		"v0.0.0":                     {},
	} {
		got, ok := parseVersion(text)
		if !ok || got != want {
			t.Errorf("%s is read as %+v (%v), want %+v", text, got, ok, want)
		}
	}
}

func TestWhatIsNoVersionIsUnknown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "latest", "v1", "sha-1a2b3c4", "v1.x", "1.34.2 ", "v99999999999.1", "main-1.2x"} {
		if got, ok := parseVersion(text); ok {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	t.Parallel()
	ordered := []string{
		"v1.9.9", "v1.11.0-alpha.2", "v1.11.0-alpha.10", "v1.11.0-beta.1", "v1.11.0-rc.1", "v1.11.0", "v1.11.1-eksbuild.2", "v1.11.1-eksbuild.10", "v1.12.0", "v2.0.0",
	}
	for i := range ordered[1:] {
		a, _ := parseVersion(ordered[i])
		b, _ := parseVersion(ordered[i+1])
		if a.compare(b) >= 0 || b.compare(a) <= 0 {
			t.Errorf("%s is not older than %s", ordered[i], ordered[i+1])
		}
	}
	eks, _ := parseVersion("v1.34.2-eks-1a2b3c4")
	plain, _ := parseVersion("v1.34.2")
	if eks.compare(plain) != 0 {
		t.Error("a vendor's suffix makes a version older or newer")
	}
}

// The cases are those of https://kubernetes.io/releases/version-skew-policy/.
func TestKubeletsMayBeThreeMinorsOlderAndNeverNewer(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, pair := range [][2]string{
		{"v1.37.0", "v1.37.2"},
		{"v1.34.9", "v1.37.2"},
		{"v1.33.9", "v1.37.2"},
		{"v1.38.0", "v1.37.2"},
		{"v1.37.5", "v1.37.2"},
		{"v1.25.0", "v1.28.0"},
		{"v1.24.0", "v1.27.0"},
		{"v1.25.0", "v1.27.0"},
		{"v1.24.0", "v1.26.0"},
		{"v1.23.0", "v1.26.0"},
		{"v2.0.0", "v1.37.0"},
	} {
		kubelet, _ := parseVersion(pair[0])
		server, _ := parseVersion(pair[1])
		got[pair[0]+" under "+pair[1]] = kubelet.suits(server)
	}
	want := map[string]bool{
		"v1.37.0 under v1.37.2": true, "v1.34.9 under v1.37.2": true, "v1.33.9 under v1.37.2": false, "v1.38.0 under v1.37.2": false, "v1.37.5 under v1.37.2": true,
		"v1.25.0 under v1.28.0": true, "v1.24.0 under v1.27.0": false, "v1.25.0 under v1.27.0": true, "v1.24.0 under v1.26.0": true, "v1.23.0 under v1.26.0": false, "v2.0.0 under v1.37.0": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
