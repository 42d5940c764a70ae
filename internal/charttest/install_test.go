package charttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgo "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// A release on a real API server: with the rights of its account alone the
// daemon keeps its journal and hears of requests, with those of the operators' role
// a person may ask, and with those of the viewers' only look. None may do another's.
func TestAReleaseGivesEveryoneTheirRights(t *testing.T) {
	t.Parallel()
	crd, err := v1alpha1.CRD()
	if err != nil {
		t.Fatal(err)
	}
	cp := cptest.Start(t, cptest.Options{Name: "chart", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}})
	out, err := helm(t.Context(), "install", "shift", chart, "--namespace", namespace, "--create-namespace",
		"--kubeconfig", cp.Kubeconfig(), "--values", values("least"), "--set", "crds.create=false",
		"--set-json", `pairs[0].green={"kubeconfigSecret": {"name": "shop-green"}}`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	bind(t, cp, "operator", "alice")
	bind(t, cp, "viewer", "bob")
	daemon := as(cp, "system:serviceaccount:"+namespace+":shift-clusterswitch", "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	alice, bob := as(cp, "alice"), as(cp, "bob")
	readsItsSecretsAlone(t, cp, daemon)

	kept, err := journal.New(journal.Options{Config: daemon, Namespace: namespace, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan bool, 10)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute) // where a right is missing, it would wait for ever
	ended := make(chan error, 1)
	go func() {
		ended <- kept.Run(ctx, func(pair string) {
			spec, _ := kept.Request(pair)
			asked <- spec.Rollback
		})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	if _, err := kept.Load(t.Context(), "shop"); err != nil {
		t.Fatalf("the daemon can't make a TrafficSwitch: %v", err)
	}
	hear := func() (rollback, heard bool) {
		select {
		case rollback = <-asked:
			return rollback, true
		case <-ctx.Done():
			return false, false
		}
	}
	if _, heard := hear(); !heard {
		t.Fatal("the daemon hears of no TrafficSwitch")
	}
	if err := kept.Save(t.Context(), "shop", shift.NewState(), shift.Said{Reason: shift.NothingToDo}); err != nil {
		t.Errorf("the daemon can't write its journal: %v", err)
	}
	putRunbook(t, daemon)
	putReport(t, daemon)
	putRecord(t, daemon)
	rollback := v1alpha1.SpecChange{Rollback: new(true)}
	if _, err := clientOf(t, daemon).PatchSpec(t.Context(), "shop", rollback); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("the daemon may change what people ask for: %v", err)
	}
	if _, err := clientOf(t, bob).Get(t.Context(), "shop"); err != nil {
		t.Errorf("who may look doesn't see where the pair stands: %v", err)
	}
	if _, err := clientOf(t, bob).PatchSpec(t.Context(), "shop", rollback); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("who may look may ask for a rollback: %v", err)
	}
	if _, err := clientOf(t, alice).PatchSpec(t.Context(), "shop", rollback); err != nil {
		t.Errorf("an operator may not ask for a rollback: %v", err)
	}
	if rollback, _ := hear(); !rollback {
		t.Error("the daemon doesn't hear of the rollback")
	}
}

func readsItsSecretsAlone(t *testing.T, cp *controlplane.ControlPlane, daemon *rest.Config) {
	t.Helper()
	client, err := clientgo.NewForConfig(daemon)
	if err != nil {
		t.Fatal(err)
	}
	for name, may := range map[string]bool{"shop-green": true, "registry": false} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := cptest.Client(t, cp).CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Secrets(namespace).Get(t.Context(), name, metav1.GetOptions{}); (err == nil) != may {
			t.Errorf("reading Secret %s, may it: %t: %v", name, may, err)
		}
	}
	if _, err := client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("the daemon may list all Secrets")
	}
}

// putRunbook writes the runbook of shop twice: it is made, then changed. That of
// another pair can't be changed.
func putRunbook(t *testing.T, daemon *rest.Config) {
	t.Helper()
	shelf, err := runbook.NewShelf(runbook.Options{Config: daemon, Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	for attempt := range 2 {
		if err := shelf.Put(t.Context(), runbook.Book{Pair: "shop", Attempt: attempt}); err != nil {
			t.Errorf("the daemon can't write a runbook: %v", err)
		}
	}
	core, err := clientgo.NewForConfig(daemon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.CoreV1().ConfigMaps(namespace).Get(t.Context(), "somebody-elses", metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the daemon may read other ConfigMaps: %v", err)
	}
}

// putRecord writes the records of more attempts than there are places, as the daemon
// may, and more than once.
func putRecord(t *testing.T, daemon *rest.Config) {
	t.Helper()
	shelf, err := archive.New(archive.Options{Config: daemon, Namespace: namespace, FieldManager: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for attempt := 1; attempt <= archive.Places+1; attempt++ {
		r := record.Record{Schema: record.Schema, Pair: "shop", Attempt: attempt, StartedAt: time.Unix(int64(attempt), 0)}
		place, _, err := shelf.Find(t.Context(), "shop", attempt, r.StartedAt)
		if err == nil {
			err = errors.Join(shelf.Put(t.Context(), place, r), shelf.Put(t.Context(), place, r))
		}
		if err != nil {
			t.Errorf("the daemon can't write the record of attempt %d: %v", attempt, err)
		}
	}
}

// putReport writes a preflight's report of shop twice: it is made, then changed.
func putReport(t *testing.T, daemon *rest.Config) {
	t.Helper()
	shelf, err := keep.New(keep.Options{Config: daemon, Namespace: namespace, FieldManager: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for attempt := range 2 {
		if _, err := shelf.Put(t.Context(), finding.Report{Schema: finding.Schema, Pair: "shop", Attempt: attempt}, true); err != nil {
			t.Errorf("the daemon can't write a preflight's report: %v", err)
		}
	}
}

// as gives the rights of somebody else.
func as(cp *controlplane.ControlPlane, user string, groups ...string) *rest.Config {
	config := cp.RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	return config
}

func clientOf(t *testing.T, config *rest.Config) *v1alpha1.Client {
	t.Helper()
	client, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: config, Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// bind gives somebody one of the release's roles for people.
func bind(t *testing.T, cp *controlplane.ControlPlane, role, user string) {
	t.Helper()
	_, err := cptest.Client(t, cp).RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role + "s"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "shift-clusterswitch-" + role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
