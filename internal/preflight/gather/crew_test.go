package gather

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// A fault in what takes objects over reaches whoever asked for the reading, as a
// panic that can be recovered from; all other kinds are read to their end.
func TestAFaultAmongObjectsCanBeRecoveredFrom(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{"/api/v1/configmaps": lists("", "ConfigMap", "a", "b", "c", "d", "e")})
	o := Options{Scope: facts.Full}
	r, err := newReader(f.source().Config, o)
	if err != nil {
		t.Fatal(err)
	}
	c := facts.Cluster{Objects: map[facts.GroupKind]map[facts.Name]struct{}{}}
	if fault := r.discover(t.Context(), &c); fault != "" {
		t.Fatal(fault)
	}
	var taken []string
	faulty := topic{meta: func(_ *facts.Cluster, k facts.Kind, m metav1.Object) {
		if k.Kind == "ConfigMap" {
			panic("nobody thought of " + m.GetName())
		}
		taken = append(taken, k.Kind)
	}}
	func() {
		defer func() {
			crash, is := recover().(*Crash)
			if !is || !strings.Contains(fmt.Sprint(crash), "nobody thought of a") || !strings.Contains(string(crash.Stack), "crew_test.go") {
				t.Errorf("recovered %v", crash)
			}
		}()
		r.readAll(t.Context(), []topic{faulty}, &c)
	}()
	for _, path := range []string{"/api/v1/secrets", "/apis/example.com/v1/widgets"} {
		if f.asked[path] == 0 {
			t.Errorf("%s was not asked", path)
		}
	}
	if len(taken) != 0 {
		t.Errorf("something was taken over: %v", taken)
	}
}
