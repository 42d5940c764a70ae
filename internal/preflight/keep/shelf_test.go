package keep

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster cptest.Shared

func TestMain(m *testing.M) {
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	cluster.Options = cptest.Options{Name: "keep", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}
	os.Exit(cluster.Run(m))
}

// place is a namespace of a real API server with the TrafficSwitch of shop.
type place struct {
	*testing.T
	cp        *controlplane.ControlPlane
	namespace string
	owner     *v1alpha1.TrafficSwitch
	shelf     *Shelf
}

func newPlace(t *testing.T) *place {
	t.Helper()
	cp := cluster.Start(t)
	p := &place{T: t, cp: cp, namespace: cptest.Namespace(t, cp), owner: &v1alpha1.TrafficSwitch{}}
	objects, err := v1alpha1.RESTClient(cp.RESTConfig())
	p.ok(err)
	fresh := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	p.ok(objects.Post().Namespace(p.namespace).Resource(v1alpha1.Resource).Body(fresh).Do(t.Context()).Into(p.owner))
	p.shelf, err = New(Options{Config: cp.RESTConfig(), Namespace: p.namespace, FieldManager: "test"})
	p.ok(err)
	return p
}

func (p *place) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *place) configMap() *corev1.ConfigMap {
	p.Helper()
	kept, err := cptest.Client(p.T, p.cp).CoreV1().ConfigMaps(p.namespace).Get(p.Context(), "clusterswitch-preflight-shop", metav1.GetOptions{})
	p.ok(err)
	return kept
}

// put keeps a report, and checks that its digest is that of what is kept.
func (p *place) put(r finding.Report, start bool) {
	p.Helper()
	digest, err := p.shelf.Put(p.Context(), r, start)
	p.ok(err)
	if want := finding.Digest([]byte(p.configMap().Data[Newest])); digest != want {
		p.Errorf("the digest is %s, want %s", digest, want)
	}
}

// kept checks what is kept: the sentences of the only finding of each report.
func (p *place) kept(when, newest, start string) {
	p.Helper()
	got := map[string]string{}
	for _, key := range []string{Newest, Start} {
		r, err := p.shelf.Get(p.Context(), "shop", key)
		if errors.Is(err, ErrNone) {
			continue
		}
		p.ok(err)
		got[key] = r.Findings[0].Message
	}
	want := map[string]string{Newest: newest}
	if start != "" {
		want[Start] = start
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("%s (-want +got):\n%s", when, diff)
	}
	if !strings.Contains(p.configMap().Data[Readable], newest) {
		p.Errorf("%s, the report for people doesn't say %s", when, newest)
	}
}

// report is one with a finding that blocks, made so many minutes into a day.
func report(attempt, minute int, sentence string) finding.Report {
	f := finding.New("Lacking", finding.Block, finding.Object{Kind: "ConfigMap", Name: "web"}, "")
	f.Message = sentence
	return finding.Report{
		Schema: finding.Schema, Pair: "shop", Attempt: attempt, Scope: "full",
		At: time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC), Findings: []finding.Finding{f},
	}
}

func TestReportsAreKeptBesideTheirTrafficSwitch(t *testing.T) {
	p := newPlace(t)
	if _, err := p.shelf.Get(t.Context(), "shop", Newest); !errors.Is(err, ErrNone) {
		t.Errorf("before the first: %v", err)
	}
	p.put(report(1, 0, "one is lacking"), true)
	p.kept("at the start", "one is lacking", "one is lacking")
	first := p.configMap()
	owner := []metav1.OwnerReference{{APIVersion: "clusterswitch.io/v1alpha1", Kind: "TrafficSwitch", Name: "shop", UID: p.owner.UID}}
	if diff := cmp.Diff(owner, first.OwnerReferences); diff != "" {
		t.Errorf("owner (-want +got):\n%s", diff)
	}
	if first.Labels[PairLabel] != "shop" || first.Labels[AttemptLabel] != "1" {
		t.Errorf("labels %v", first.Labels)
	}
	for _, start := range []bool{true, false} {
		p.put(report(1, 5, "one is lacking"), start)
	}
	if again := p.configMap(); again.ResourceVersion != first.ResourceVersion {
		t.Error("the same was written again")
	}
	p.put(report(1, 10, "two are lacking"), true)
	p.kept("later, before the rise", "two are lacking", "two are lacking")
	p.put(report(1, 15, "three are lacking"), false)
	p.kept("after the rise", "three are lacking", "two are lacking")
	p.put(report(2, 20, "three are lacking"), false)
	p.kept("in the next attempt", "three are lacking", "")
	if got := p.configMap().Labels[AttemptLabel]; got != "2" {
		t.Errorf("the label says attempt %s", got)
	}
}

func TestALongReportLosesItsLeastSevereFindings(t *testing.T) {
	p := newPlace(t)
	r := report(1, 0, "one is lacking")
	for i := range 20_000 {
		f := finding.New("Differing", finding.Note, finding.Object{Kind: "ConfigMap", Name: fmt.Sprintf("web-%05d", i)}, "")
		f.Message = "it differs"
		r.Findings = append(r.Findings, f)
	}
	p.put(r, true)
	got, err := p.shelf.Get(t.Context(), "shop", Newest)
	p.ok(err)
	if got.Findings[0].Message != "one is lacking" || got.Tally() != r.Tally() || got.LeftOut.Block != 0 || got.LeftOut.Note == 0 {
		t.Errorf("of %+v it has %d, and says %+v are left out", r.Tally(), len(got.Findings), got.LeftOut)
	}
	kept := p.configMap()
	if size := len(kept.Data[Newest]); size < partSize*9/10 {
		t.Errorf("it has %d bytes only", size)
	}
	if !strings.Contains(kept.Data[Readable], "findings are left out here for want of room, 0 of them block") {
		t.Error("the report for people doesn't say that something is left out")
	}
	p.put(r, false)
	if again := p.configMap(); again.ResourceVersion != kept.ResourceVersion {
		t.Error("the same was written again")
	}
}

func TestWhatKeepsAReportOut(t *testing.T) {
	tests := map[string]struct {
		plan func(p *place) finding.Report
		says string
	}{
		"no TrafficSwitch": {
			plan: func(*place) finding.Report { r := report(1, 0, "x"); r.Pair = "blog"; return r },
			says: "there is no such TrafficSwitch",
		},
		"a ConfigMap of somebody else": {
			plan: func(p *place) finding.Report {
				taken := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "clusterswitch-preflight-shop"}}
				_, err := cptest.Client(p.T, p.cp).CoreV1().ConfigMaps(p.namespace).Create(p.Context(), taken, metav1.CreateOptions{})
				p.ok(err)
				return report(1, 0, "x")
			},
			says: "somebody else's",
		},
		"more than a ConfigMap takes without any finding": {
			plan: func(*place) finding.Report {
				r := report(1, 0, "x")
				r.Blue.Name = strings.Repeat("x", 1<<20)
				return r
			},
			says: "its head alone has",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if _, err := p.shelf.Put(t.Context(), test.plan(p), true); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %v, want one that says %q", err, test.says)
			}
		})
	}
}

// What a newer program wrote, or somebody's hand, is not taken for a report.
func TestWhatIsNoReportIsNotGiven(t *testing.T) {
	p := newPlace(t)
	p.put(report(1, 0, "one is lacking"), true)
	kept := p.configMap()
	kept.Data[Newest] = `{"schemaVersion": 9, "pair": "shop"}`
	_, err := cptest.Client(t, p.cp).CoreV1().ConfigMaps(p.namespace).Update(t.Context(), kept, metav1.UpdateOptions{})
	p.ok(err)
	if _, err := p.shelf.Get(t.Context(), "shop", Newest); err == nil || !strings.Contains(err.Error(), "schemaVersion is 9") {
		t.Errorf("got %v", err)
	}
	p.put(report(1, 0, "one is lacking"), true)
	p.kept("written anew", "one is lacking", "one is lacking")
}
