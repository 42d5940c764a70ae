package realnode

import (
	"strings"
	"testing"
)

const (
	confinedStatus = "Name:\tclusterswitch\nUid:\t65532\t65532\t65532\t65532\nGid:\t65532\t65532\t65532\t65532\n" +
		"CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	confinedMounts = "300 200 0:50 / / ro,relatime - overlay overlay rw,lowerdir=/a\n301 300 0:51 / /proc rw,nosuid - proc proc rw\n"
)

func TestADaemonThatMayMoreThanItShouldIsNoticed(t *testing.T) {
	t.Parallel()
	replaced := func(from, to string) string { return strings.Replace(confinedStatus, from, to, 1) }
	for name, test := range map[string]struct{ status, mounts, want string }{
		"as it should be":         {confinedStatus, confinedMounts, ""},
		"root":                    {replaced("Uid:\t65532", "Uid:\t0"), confinedMounts, `Uid is "0 65532 65532 65532"`},
		"a capability":            {replaced("CapEff:\t0000000000000000", "CapEff:\t0000000000000400"), confinedMounts, `CapEff is "0000000000000400"`},
		"no filter":               {replaced("Seccomp:\t2", "Seccomp:\t0"), confinedMounts, `Seccomp is "0"`},
		"nothing known of it":     {"", confinedMounts, `NoNewPrivs is ""`},
		"a root that is writable": {confinedStatus, strings.Replace(confinedMounts, "/ / ro", "/ / rw", 1), "the root file system is mounted"},
		"no root at all":          {confinedStatus, "", "the root file system is mounted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := confined(test.status, test.mounts)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %s", err, test.want)
			}
		})
	}
}
