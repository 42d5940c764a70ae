package bearer

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var plane = cptest.Shared{Options: cptest.Options{Name: "bearer"}}

func TestMain(m *testing.M) { os.Exit(plane.Run(m)) }

// counted counts what an Asker sends.
type counted struct {
	next http.RoundTripper
	n    *atomic.Int64
	away *atomic.Bool
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	if c.away.Load() {
		return nil, fmt.Errorf("the API server is away")
	}
	return c.next.RoundTrip(r)
}

// world is an Asker with a clock of its own before a real API server.
type world struct {
	*testing.T
	asker     *Asker
	client    kubernetes.Interface
	namespace string
	now       time.Time
	sent      atomic.Int64
	away      atomic.Bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := plane.Start(t)
	w := &world{T: t, client: cptest.Client(t, cp), namespace: cptest.Namespace(t, cp), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	config := rest.CopyConfig(cp.RESTConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{next, &w.sent, &w.away} })
	asker, err := New(Options{Config: config, Namespace: w.namespace, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.asker = asker
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// token makes a service account, gives it the verbs in a namespace, and gives a
// token of it.
func (w *world) token(name, namespace string, verbs ...string) string {
	w.Helper()
	ctx, meta := w.Context(), metav1.ObjectMeta{Name: name}
	_, err := w.client.CoreV1().ServiceAccounts(w.namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	w.ok(err)
	if len(verbs) > 0 {
		_, err = w.client.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{v1alpha1.Group}, Resources: []string{v1alpha1.Resource}, Verbs: verbs},
		}}, metav1.CreateOptions{})
		w.ok(err)
		_, err = w.client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: w.namespace, Name: name}},
		}, metav1.CreateOptions{})
		w.ok(err)
	}
	made, err := w.client.CoreV1().ServiceAccounts(w.namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	w.ok(err)
	return made.Status.Token
}

func (w *world) ask(token string) Answer {
	w.Helper()
	answer, err := w.asker.Ask(w.Context(), token)
	w.ok(err)
	return answer
}

func TestARealAPIServerSaysWhoMayRead(t *testing.T) {
	w := newWorld(t)
	elsewhere := cptest.Namespace(t, plane.Start(t))
	good := w.token("reader", w.namespace, "get")
	tests := map[string]struct {
		token   string
		user    string
		allowed bool
	}{
		"who may get trafficswitches here":     {good, "reader", true},
		"not who may only list them":           {w.token("lister", w.namespace, "list"), "lister", false},
		"not who may get them elsewhere":       {w.token("stranger", elsewhere, "get"), "stranger", false},
		"not who has no right at all":          {w.token("nobody", w.namespace), "nobody", false},
		"not a token that somebody made up":    {"made-up", "", false},
		"not a good token with another ending": {good[:len(good)-6] + strings.Repeat("A", 6), "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer := w.ask(tt.token)
			user := ""
			if tt.user != "" {
				user = "system:serviceaccount:" + w.namespace + ":" + tt.user
			}
			if diff := cmp.Diff([]any{user, tt.allowed}, []any{answer.User, answer.Allowed}); diff != "" {
				t.Errorf("the answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersAreRememberedForAWhile(t *testing.T) {
	tests := map[string]struct {
		verbs []string
		after time.Duration
		again bool // it is asked again
	}{
		"a good one for half a minute": {[]string{"get"}, goodFor - 1, false},
		"no longer":                    {[]string{"get"}, goodFor, true},
		"a bad one for some seconds":   {nil, badFor - 1, false},
		"that neither":                 {nil, badFor, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token := w.token("reader", w.namespace, tt.verbs...)
			first := w.ask(token)
			sent := w.sent.Load()
			w.now = w.now.Add(tt.after)
			if diff := cmp.Diff(first, w.ask(token)); diff != "" {
				t.Errorf("the second answer (-first +second):\n%s", diff)
			}
			if again := w.sent.Load() > sent; sent != 2 || again != tt.again {
				t.Errorf("%d requests at first, asked again: %t, want 2 and %t", sent, again, tt.again)
			}
		})
	}
}

// A right that is taken away counts for half a minute at most.
func TestARightThatIsTakenAway(t *testing.T) {
	w := newWorld(t)
	token := w.token("reader", w.namespace, "get")
	if !w.ask(token).Allowed {
		t.Fatal("who may read is refused")
	}
	w.ok(w.client.RbacV1().RoleBindings(w.namespace).Delete(t.Context(), "reader", metav1.DeleteOptions{}))
	deadline := time.Now().Add(10 * time.Second) // the API server's own watch of bindings lags
	for w.now = w.now.Add(goodFor); w.ask(token).Allowed; w.now = w.now.Add(goodFor) {
		if time.Now().After(deadline) {
			t.Fatal("who may no longer read still may")
		}
	}
}

func TestWhileTheAPIServerIsAwayNobodyKnows(t *testing.T) {
	w := newWorld(t)
	token := w.token("reader", w.namespace, "get")
	w.away.Store(true)
	if answer, err := w.asker.Ask(t.Context(), token); err == nil {
		t.Errorf("the answer is %+v", answer)
	}
	w.away.Store(false)
	if !w.ask(token).Allowed {
		t.Error("the trouble is remembered")
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	w := newWorld(t)
	for i := range 3 * maxKnown {
		w.asker.remember([32]byte{byte(i), byte(i >> 8)}, Answer{User: "u", Allowed: i%2 == 0})
	}
	if n := len(w.asker.known); n > maxKnown {
		t.Errorf("it remembers %d answers", n)
	}
	w.asker.remember([32]byte{255, 255}, Answer{User: "u", Allowed: true})
	if _, ok := w.asker.recall([32]byte{255, 255}); !ok {
		t.Error("the newest answer is forgotten")
	}
}
