package check

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// version is a version as Kubernetes and its add-ons write them.
type version struct {
	major, minor, patch int
	// early ranks what came before the release: 0 is the release itself, and of two
	// early ones the lower came first.
	early int
	// build is the number of the vendor's build, such as 3 of v1.11.4-eksbuild.3.
	build int
}

// parseVersion reads v1.34.2-eks-1a2b3c4, v1.37.2+k3s1, 1.36.0-alpha.1,
// v1.11.4-eksbuild.3, stable-2.14.10. What follows the numbers matters only where
// it says that it is no release yet, or the number of a build.
func parseVersion(s string) (version, bool) {
	parts := regexp.MustCompile(`^(?:[a-z]+-)?v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:\.\d+)?([-+].*)?$`).FindStringSubmatch(s)
	if parts == nil {
		return version{}, false
	}
	v := version{major: number(parts[1]), minor: number(parts[2]), patch: number(parts[3])}
	if early := regexp.MustCompile(`^[-+](alpha|beta|rc)[.-]?(\d{1,4})?`).FindStringSubmatch(parts[4]); early != nil {
		rank := map[string]int{"alpha": -30_000, "beta": -20_000, "rc": -10_000}
		v.early = rank[early[1]] + number(early[2])
	}
	if build := regexp.MustCompile(`eksbuild\.(\d{1,6})`).FindStringSubmatch(parts[4]); build != nil {
		v.build = number(build[1])
	}
	return v, true
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the pattern lets a few digits through, or none
	return n
}

// compare orders by release; the vendor's build counts last.
func (v version) compare(o version) int {
	return cmp.Or(
		v.compareMinor(o),
		cmp.Compare(v.patch, o.patch), cmp.Compare(v.early, o.early), cmp.Compare(v.build, o.build),
	)
}

func (v version) compareMinor(o version) int {
	return cmp.Or(cmp.Compare(v.major, o.major), cmp.Compare(v.minor, o.minor))
}

func (v version) short() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

// oldestFor gives the oldest minor that kubelet and kube-proxy may have beside
// the API server, which is the newest too: they must not be newer.
// https://kubernetes.io/releases/version-skew-policy/
func (v version) oldestFor() int {
	// Those older than 1.25 may be two minors behind, newer ones three.
	if v.minor < 28 {
		return v.minor - 2
	}
	return v.minor - 3
}

// suits tells whether a kubelet or kube-proxy of version v may serve the API server.
func (v version) suits(server version) bool {
	return v.major == server.major && v.minor <= server.minor && v.minor >= server.oldestFor()
}
