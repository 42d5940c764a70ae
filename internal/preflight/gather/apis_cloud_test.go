package gather

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// fakeCloud answers as it is told.
type fakeCloud struct {
	insights   []facts.Insight
	identities facts.Identities
	trusts     map[string]facts.Trust
	err        error
}

func (f fakeCloud) Insights(context.Context) ([]facts.Insight, error) { return f.insights, f.err }

func (f fakeCloud) Identities(context.Context) (facts.Identities, error) { return f.identities, f.err }

func (f fakeCloud) Trust(_ context.Context, role string) (facts.Trust, error) {
	trust, ok := f.trusts[role]
	if !ok {
		return trust, fmt.Errorf("no right to read %s", role)
	}
	return trust, nil
}

// ask gathers what a cloud tells of a cluster with some annotated ServiceAccounts.
func ask(t *testing.T, side shift.Side, cloud Cloud, roles ...string) facts.Cluster {
	t.Helper()
	c := facts.Cluster{Side: side}
	r := &reader{cloud: cloud}
	who := identities(Options{})
	for i, role := range roles {
		who.meta(&c, facts.Kind{GroupKind: facts.GroupKind{Kind: "ServiceAccount"}}, &metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprint("a", i), Annotations: map[string]string{awsRole: role},
		})
	}
	insights(Options{}).also(t.Context(), r, &c)
	who.also(t.Context(), r, &c)
	return c
}

func TestEKSIsAskedOfEachCluster(t *testing.T) {
	t.Parallel()
	account := func(i int) facts.Name { return facts.Name{Namespace: "shop", Name: fmt.Sprint("a", i)} }
	unknown := facts.Insight{Name: "Skew", Status: facts.InsightUnknown}
	told := fakeCloud{
		insights: []facts.Insight{unknown}, identities: facts.Identities{Issuer: "oidc/x", PodsKnown: true},
		trusts: map[string]facts.Trust{"r1": {Issuers: []string{"oidc/x"}}},
	}
	accounts := map[string][]facts.Name{"r1": {account(0), account(2)}, "r2": {account(1)}}
	for name, c := range map[string]struct {
		side       shift.Side
		cloud      Cloud
		insights   []facts.Insight
		identities facts.Identities
		gaps       []string
	}{
		"one that isn't of EKS": {shift.Blue, nil, nil, facts.Identities{Accounts: accounts}, nil},
		"blue": {
			shift.Blue, told,
			[]facts.Insight{unknown},
			facts.Identities{Issuer: "oidc/x", PodsKnown: true, Accounts: accounts},
			[]string{"EKS insight Skew: EKS doesn't know"},
		},
		"green, with the trust of its roles": {
			shift.Green, told, nil,
			facts.Identities{Issuer: "oidc/x", PodsKnown: true, Accounts: accounts, Trusts: told.trusts},
			[]string{"trust policies of AWS roles: no right to read r2 (r2)"},
		},
		"without the rights": {
			shift.Blue,
			fakeCloud{err: errors.New("grant it")},
			nil,
			facts.Identities{Accounts: accounts},
			[]string{"EKS upgrade insights: grant it", "EKS identities of pods: grant it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, c.side, c.cloud, "r1", "r2", "r1")
			var gaps []string
			for _, g := range got.Gaps {
				gaps = append(gaps, g.What+": "+g.Why)
				if !g.Optional {
					t.Errorf("%s blocks", g.What)
				}
			}
			if diff := cmp.Diff(c.gaps, gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.insights, got.APIs.Insights); diff != "" {
				t.Errorf("insights (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.identities, got.Identities); diff != "" {
				t.Errorf("identities (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrustsAreBounded(t *testing.T) {
	t.Parallel()
	cloud := fakeCloud{identities: facts.Identities{Issuer: "oidc/x"}, trusts: map[string]facts.Trust{}}
	var roles []string
	for i := range mostTrusts + 5 {
		roles = append(roles, fmt.Sprint("r", i))
		cloud.trusts[roles[i]] = facts.Trust{}
	}
	got := ask(t, shift.Green, cloud, roles...)
	if len(got.Identities.Trusts) != mostTrusts || len(got.Gaps) != 1 {
		t.Errorf("%d trusts, gaps %+v", len(got.Identities.Trusts), got.Gaps)
	}
}
