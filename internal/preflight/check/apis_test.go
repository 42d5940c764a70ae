package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

func versionKind(apiVersion, kind string) facts.VersionKind {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	return facts.VersionKind{GroupKind: facts.GroupKind{Group: group, Kind: kind}, Version: version}
}

// serving makes a cluster that serves kinds: "cronjobs batch/v1 CronJob".
func serving(server string, kinds ...string) facts.Cluster {
	c := facts.Cluster{Versions: facts.Versions{Server: server}, Objects: map[facts.GroupKind]map[facts.Name]struct{}{crdKind(): {}}}
	for _, text := range kinds {
		parts := strings.Fields(text)
		k := versionKind(parts[1], parts[2])
		if had := c.Serves(k.GroupKind); had != nil {
			had.Served = append(had.Served, k.Version)
			continue
		}
		c.Kinds = append(c.Kinds, facts.Kind{GroupKind: k.GroupKind, Version: k.Version, Served: []string{k.Version}, Resource: parts[0]})
	}
	return c
}

// pairOf is a pair whose blue serves CronJobs in two versions, green in one.
func pairOf(change func(*facts.Facts)) *facts.Facts {
	f := &facts.Facts{
		Scope: facts.Full,
		Blue:  serving("v1.24.1", "cronjobs batch/v1 CronJob", "cronjobs batch/v1beta1 CronJob", "podsecuritypolicies policy/v1beta1 PodSecurityPolicy"),
		Green: serving("v1.25.3-eks-0a1b2c3", "cronjobs batch/v1 CronJob"),
	}
	change(f)
	return f
}

func writtenBy(manager, apiVersion, kind string) map[facts.Writing]facts.Written {
	return map[facts.Writing]facts.Written{
		{VersionKind: versionKind(apiVersion, kind), Manager: manager}: {Objects: 2, Example: facts.Name{Namespace: "shop", Name: "report"}},
	}
}

func released(kinds ...facts.VersionKind) map[facts.Name]facts.Release {
	r := facts.Release{Revision: 3, Kinds: map[facts.VersionKind]facts.Written{}}
	for _, k := range kinds {
		r.Kinds[k] = facts.Written{Objects: 1, Example: facts.Name{Name: "report"}}
	}
	return map[facts.Name]facts.Release{{Namespace: "shop", Name: "web"}: r}
}

// told of a finding: what a test compares.
func severityAndID(found []finding.Finding) []string {
	var lines []string
	for _, x := range found {
		lines = append(lines, string(x.Severity)+" "+x.ID)
	}
	slices.Sort(lines)
	return lines
}

const unused = "note APIVersionsUnused/Cluster/green"

func TestVersionsOfTheAPI(t *testing.T) {
	t.Parallel()
	old, deprecated := versionKind("batch/v1beta1", "CronJob"), facts.DeprecatedAPI{Group: "batch", Version: "v1beta1", Resource: "cronjobs", Removed: "1.25"}
	for name, c := range map[string]struct {
		change func(*facts.Facts)
		want   []string
		says   []string // in the messages or in what to do
	}{
		"a version that nobody uses is noted": {func(*facts.Facts) {}, []string{unused}, []string{"batch/v1beta1 CronJob"}},
		"one in which objects were written blocks": {
			func(f *facts.Facts) { f.Blue.APIs.Written = writtenBy("kubectl", "batch/v1beta1", "CronJob") },
			[]string{"block APIVersionGone/CronJob.batch/v1beta1"},
			[]string{"by kubectl (2 objects, such as shop/report), and green serves only v1", "Kubernetes 1.25 removed it; use batch/v1 instead"},
		},
		"one that the control plane itself wrote in is its own matter": {
			func(f *facts.Facts) {
				f.Blue.APIs.Written = writtenBy("kube-controller-manager", "batch/v1beta1", "CronJob")
			}, []string{unused}, nil,
		},
		"one that both serve is fine": {
			func(f *facts.Facts) { f.Blue.APIs.Written = writtenBy("kubectl", "batch/v1", "CronJob") }, []string{unused}, nil,
		},
		"a version of long ago that blue itself no longer serves says nothing": {
			func(f *facts.Facts) { f.Blue.APIs.Written = writtenBy("kubectl", "batch/v2alpha1", "CronJob") }, []string{unused}, nil,
		},
		"a kind that is gone altogether is told with what takes its place": {
			func(f *facts.Facts) {
				f.Blue.APIs.Written = writtenBy("kubectl", "policy/v1beta1", "PodSecurityPolicy")
			},
			[]string{"block APIVersionGone/PodSecurityPolicy.policy/v1beta1", unused},
			[]string{"green serves no version of it", "use Pod Security Admission"},
		},
		"a kind that is gone and of which blue has objects is parity's to tell": {
			func(f *facts.Facts) {
				f.Blue.APIs.Written = writtenBy("kubectl", "policy/v1beta1", "PodSecurityPolicy")
				f.Blue.Objects[facts.GroupKind{Group: "policy", Kind: "PodSecurityPolicy"}] = map[facts.Name]struct{}{{Name: "strict"}: {}}
			}, []string{unused}, nil,
		},
		"an object that the configuration leaves out": {
			func(f *facts.Facts) {
				f.Settings.Ignore = []facts.Ignore{{Namespace: "shop"}}
				f.Blue.APIs.Releases = released(old)
			}, []string{unused}, nil,
		},
		"a kind of a CRD is the check of CRDs'": {
			func(f *facts.Facts) {
				f.Blue = serving("v1.24.1", "widgets example.com/v1beta1 Widget")
				f.Blue.CRDs = map[string]facts.CRD{"widgets.example.com": {}}
				f.Blue.APIs.Written = writtenBy("kubectl", "example.com/v1beta1", "Widget")
			}, nil, nil,
		},
		"what green could not tell is not missing": {
			func(f *facts.Facts) {
				f.Blue.APIs.Written = writtenBy("kubectl", "batch/v1beta1", "CronJob")
				f.Green.Undiscovered = map[string]struct{}{"batch": {}}
			}, nil, nil,
		},
		"nothing is said of a cluster that can't be read": {
			func(f *facts.Facts) {
				f.Blue.APIs.Written = writtenBy("kubectl", "batch/v1beta1", "CronJob")
				f.Green = facts.Cluster{Fault: "no answer"}
			}, nil, nil,
		},
		"a Helm release of blue alone": {
			func(f *facts.Facts) { f.Blue.APIs.Releases = released(old, versionKind("batch/v1", "CronJob")) },
			[]string{unused, "block HelmReleaseHasGoneAPI/HelmRelease/shop/web/batch/v1beta1/CronJob"},
			[]string{"revision 3 of the Helm release shop/web of blue has 1 CronJob in batch/v1beta1, such as report"},
		},
		"of a Helm release in both, green's counts": {
			func(f *facts.Facts) {
				f.Blue.APIs.Releases, f.Green.APIs.Releases = released(old), released(versionKind("batch/v1", "CronJob"))
			}, []string{unused}, nil,
		},
		"a Helm release with what neither serves warns": {
			func(f *facts.Facts) { f.Green.APIs.Releases = released(versionKind("batch/v2alpha1", "CronJob")) },
			[]string{unused, "warn HelmReleaseHasGoneAPI/HelmRelease/shop/web/batch/v2alpha1/CronJob"},
			[]string{"blue doesn't serve it either"},
		},
		"kinds that are never listed are no concern": {
			func(f *facts.Facts) {
				f.Green.APIs.Releases = released(versionKind("authorization.k8s.io/v1", "SubjectAccessReview"))
			}, []string{unused}, nil,
		},
		"a call of what green doesn't serve blocks": {
			func(f *facts.Facts) { f.Blue.APIs.Deprecated = []facts.DeprecatedAPI{deprecated} },
			[]string{"block DeprecatedAPIGone/CronJob.batch/v1beta1"},
			[]string{"a client called cronjobs of batch/v1beta1", "Kubernetes 1.25 removes it", "Only one of blue's API servers was asked"},
		},
		"a call of what green still serves warns": {
			func(f *facts.Facts) {
				f.Blue.APIs.Deprecated = []facts.DeprecatedAPI{deprecated}
				f.Green = serving("v1.24.9", "cronjobs batch/v1 CronJob", "cronjobs batch/v1beta1 CronJob")
			},
			[]string{"warn DeprecatedAPICalled/CronJob.batch/v1beta1"},
			[]string{"green still serves it"},
		},
		"without a release that removes it, it is noted": {
			func(f *facts.Facts) {
				f.Blue.APIs.Deprecated = []facts.DeprecatedAPI{{Group: "batch", Version: "v1beta1", Resource: "cronjobs", Subresource: "status"}}
				f.Green = serving("v1.24.9", "cronjobs batch/v1 CronJob", "cronjobs batch/v1beta1 CronJob")
			},
			[]string{"note DeprecatedAPICalled/CronJob.batch/v1beta1/status"},
			nil,
		},
		"our own reading is no call": {
			func(f *facts.Facts) {
				f.Blue.APIs.Deprecated = []facts.DeprecatedAPI{{Group: "batch", Version: "v1", Resource: "cronjobs"}}
			}, []string{unused}, nil,
		},
		"our own reading of what green lacks warns": {
			func(f *facts.Facts) {
				f.Blue.APIs.Deprecated = []facts.DeprecatedAPI{{Group: "policy", Version: "v1beta1", Resource: "podsecuritypolicies", Removed: "1.25"}}
			}, []string{unused, "warn DeprecatedAPIGone/PodSecurityPolicy.policy/v1beta1"}, []string{"clusterswitch itself reads"},
		},
		"a call of what blue lists no more blocks once its time is over": {
			func(f *facts.Facts) {
				f.Blue.APIs.Deprecated = []facts.DeprecatedAPI{
					{Group: "node.k8s.io", Version: "v1beta1", Resource: "runtimeclasses", Removed: "1.25"}, {Group: "x", Version: "v1", Resource: "ys", Removed: "1.26"},
				}
			}, []string{unused, "block DeprecatedAPIGone/runtimeclasses.node.k8s.io/v1beta1"}, nil,
		},
		"insights of EKS": {
			func(f *facts.Facts) {
				f.Blue.APIs.Insights = []facts.Insight{
					{ID: "1", Name: "Deprecated APIs", Version: "1.25", Status: facts.InsightError, Reason: "Used in the last 30 days.", About: facts.InsightAPIs},
					{ID: "2", Name: "Kubelet version skew", Version: "1.25", Status: facts.InsightError, About: facts.InsightAddons},
					{ID: "3", Name: "Cluster health issues", Status: facts.InsightWarning, About: facts.InsightOther},
					{ID: "4", Name: "Deprecated APIs", Version: "1.26", Status: facts.InsightError, About: facts.InsightAPIs},
					{ID: "5", Name: "Others", Status: facts.InsightPassing},
					{ID: "6", Name: "Unknown", Status: facts.InsightUnknown},
				}
			},
			[]string{
				unused, "block UpgradeInsight/EKSInsight/Deprecated APIs/1.25", "warn UpgradeInsight/EKSInsight/Kubelet version skew/1.25",
				"warn UpgradeInsight/EKSInsight/Cluster health issues", "note UpgradeInsight/EKSInsight/Deprecated APIs/1.26",
			},
			[]string{"Used in the last 30 days.", "newer than green's", "of which green has its own"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := apis(pairOf(c.change))
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, severityAndID(found)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			var all string
			for _, x := range found {
				all += x.Message + "\n" + x.Do + "\n"
			}
			for _, text := range c.says {
				if !strings.Contains(all, text) {
					t.Errorf("%q is missing in:\n%s", text, all)
				}
			}
		})
	}
}

func TestClustersThatAreAlikeHaveNoFindings(t *testing.T) {
	t.Parallel()
	f := pairOf(func(f *facts.Facts) {
		f.Blue.APIs = facts.APIs{
			Written:    writtenBy("kubectl", "batch/v1beta1", "CronJob"),
			Releases:   released(versionKind("batch/v1beta1", "CronJob")),
			Deprecated: []facts.DeprecatedAPI{{Group: "batch", Version: "v1", Resource: "cronjobs"}},
		}
		f.Green = f.Blue
	})
	if found := apis(f); len(found) > 0 {
		t.Errorf("found %v", severityAndID(found))
	}
}

func TestWritersAreNamedUpToThree(t *testing.T) {
	t.Parallel()
	writers := []writer{{"a", facts.Written{Objects: 1}}, {"", facts.Written{Objects: 2}}, {"c", facts.Written{}}, {"d", facts.Written{}}}
	if got := writersText(writers); !strings.HasSuffix(got, ", 1 more") || !strings.Contains(got, "an unnamed client (2 objects") {
		t.Errorf("got %s", got)
	}
}

func TestMinorsOfVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"1.32": 32, "v1.34.2-eks-1a2b3c4": 34, "v1.9": 9, "": 0, "v1": 0, "v1.x.2": 0} {
		if got := minorOf(version); got != want {
			t.Errorf("%q has the minor %d, want %d", version, got, want)
		}
	}
}

// TestRemovalsAgreeWithKubernetes compares the table with the lifecycles that
// Kubernetes' own types carry, up to the version that this module is built with.
func TestRemovalsAgreeWithKubernetes(t *testing.T) {
	t.Parallel()
	const newest = 37
	never := []string{"DeploymentRollback", "Scale", "Eviction", "TokenReview", "SelfSubjectReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"}
	compared := 0
	for gvk := range scheme.Scheme.AllKnownTypes() {
		o, err := scheme.Scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		ends, ok := o.(interface{ APILifecycleRemoved() (int, int) })
		if !ok || strings.HasSuffix(gvk.Kind, "List") || slices.Contains(never, gvk.Kind) {
			continue
		}
		_, minor := ends.APILifecycleRemoved()
		known := removalOf(facts.VersionKind{GroupKind: facts.GroupKind{Group: gvk.Group, Kind: gvk.Kind}, Version: gvk.Version})
		switch {
		case minor > newest && known != nil:
			t.Errorf("%s is still served by 1.%d", gvk, newest)
		case minor > newest:
		case known == nil || known.minor != minor:
			t.Errorf("%s ends with 1.%d, the table has %+v", gvk, minor, known)
		default:
			compared++
			if r, ok := o.(interface {
				APILifecycleReplacement() schema.GroupVersionKind
			}); ok && !strings.Contains(r.APILifecycleReplacement().Version, "beta") && r.APILifecycleReplacement().GroupVersion().String() != known.use {
				t.Errorf("in place of %s Kubernetes has %s, the table %s", gvk, r.APILifecycleReplacement(), known.use)
			}
		}
	}
	if compared < 40 {
		t.Errorf("only %d removals were compared", compared)
	}
	for _, r := range removals() {
		if (r.use == "") == (r.other == "") {
			t.Errorf("%+v needs one replacement", r)
		}
		if r.use == "" {
			continue
		}
		gv, err := schema.ParseGroupVersion(r.use)
		if err != nil || len(scheme.Scheme.KnownTypes(gv)) == 0 && gv.Group != "apiextensions.k8s.io" && gv.Group != "apiregistration.k8s.io" {
			t.Errorf("nothing serves the replacement %s (%v)", r.use, err)
		}
	}
}
