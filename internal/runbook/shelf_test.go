package runbook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// place is a namespace of a real API server with the TrafficSwitch of shop.
type place struct {
	*testing.T
	cp        *controlplane.ControlPlane
	namespace string
	owner     *v1alpha1.TrafficSwitch
}

func newPlace(t *testing.T) *place {
	t.Helper()
	cp := cluster.Start(t)
	p := &place{T: t, cp: cp, namespace: cptest.Namespace(t, cp), owner: &v1alpha1.TrafficSwitch{}}
	objects, err := v1alpha1.RESTClient(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	fresh := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if err := objects.Post().Namespace(p.namespace).Resource(v1alpha1.Resource).Body(fresh).Do(t.Context()).Into(p.owner); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) shelf(dir string) *Shelf {
	p.Helper()
	s, err := NewShelf(Options{Config: p.cp.RESTConfig(), Namespace: p.namespace, Dir: dir})
	if err != nil {
		p.Fatal(err)
	}
	return s
}

func (p *place) configMap() *corev1.ConfigMap {
	p.Helper()
	kept, err := cptest.Client(p.T, p.cp).CoreV1().ConfigMaps(p.namespace).Get(p.Context(), "clusterswitch-runbook-shop", metav1.GetOptions{})
	if err != nil {
		p.Fatal(err)
	}
	return kept
}

func TestABookIsKeptBesideItsTrafficSwitchAndAsAFile(t *testing.T) {
	p := newPlace(t)
	dir := t.TempDir()
	s := p.shelf(dir)
	second := book()
	second.Attempt = 3
	for _, b := range []Book{book(), second} {
		if err := s.Put(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		kept := p.configMap()
		if diff := cmp.Diff(map[string]string{"runbook.md": b.Markdown()}, kept.Data); diff != "" {
			t.Errorf("data (-want +got):\n%s", diff)
		}
		owner := []metav1.OwnerReference{{APIVersion: "clusterswitch.io/v1alpha1", Kind: "TrafficSwitch", Name: "shop", UID: p.owner.UID}}
		if diff := cmp.Diff(owner, kept.OwnerReferences); diff != "" {
			t.Errorf("owner (-want +got):\n%s", diff)
		}
		if kept.Labels[PairLabel] != "shop" || kept.Labels[AttemptLabel] != map[int]string{2: "2", 3: "3"}[b.Attempt] {
			t.Errorf("labels %v of attempt %d", kept.Labels, b.Attempt)
		}
		text, err := os.ReadFile(filepath.Join(dir, "shop.md"))
		if err != nil || string(text) != b.Markdown() {
			t.Errorf("the file: %v\n%s", err, text)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestWhatKeepsABookOut(t *testing.T) {
	tests := map[string]struct {
		plan func(p *place) (dir string, b Book)
		says string
		// file: it is written all the same.
		file bool
	}{
		"no TrafficSwitch": {
			plan: func(p *place) (string, Book) {
				b := book()
				b.Pair = "blog"
				return p.TempDir(), b
			},
			says: "there is no such TrafficSwitch", file: true,
		},
		"a ConfigMap of somebody else": {
			plan: func(p *place) (string, Book) {
				taken := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "clusterswitch-runbook-shop"}}
				if _, err := cptest.Client(p.T, p.cp).CoreV1().ConfigMaps(p.namespace).Create(p.Context(), taken, metav1.CreateOptions{}); err != nil {
					p.Fatal(err)
				}
				return p.TempDir(), book()
			},
			says: "somebody else's", file: true,
		},
		"more than a ConfigMap takes": {
			plan: func(p *place) (string, Book) {
				b := book()
				b.Entrances[0].Commands = []string{strings.Repeat("x", 1<<20)}
				return p.TempDir(), b
			},
			says: "keep it as a file", file: true,
		},
		"a folder that isn't there": {
			plan: func(p *place) (string, Book) { return filepath.Join(p.TempDir(), "none"), book() },
			says: "no such file or directory",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			dir, b := test.plan(p)
			err := p.shelf(dir).Put(t.Context(), b)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %v, want one that says %q", err, test.says)
			}
			if _, err := os.Stat(filepath.Join(dir, b.Pair+".md")); (err == nil) != test.file {
				t.Errorf("the file: %v, want one: %t", err, test.file)
			}
			if !test.file && p.configMap().Data[Key] == "" {
				t.Error("the ConfigMap isn't written")
			}
		})
	}
}
