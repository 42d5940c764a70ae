package planted

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

// gvk is a kind as an object names it.
func gvk(apiVersion, kind string) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

// published is what others publish, by the namespace that it goes into.
type published map[string][]*unstructured.Unstructured

// fill brings both clusters to the same state, side by side.
func (w *world) fill(ctx context.Context) error {
	// Fetched once, before both clusters ask for the same.
	objects := published{}
	for namespace, bundles := range map[string][]manifests.Bundle{
		"argocd":  {manifests.ArgoCD()},
		"default": {manifests.GatewayAPI(), manifests.PrometheusOperator(), manifests.KEDA(), manifests.Karpenter()},
	} {
		for _, b := range bundles {
			found, err := b.Objects(ctx)
			if err != nil {
				return err
			}
			objects[namespace] = append(objects[namespace], found...)
		}
	}
	charts, err := w.charts(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range w.clusters() {
		group.Go(func() error {
			if err := w.fillOne(ctx, c, objects, charts); err != nil {
				return fmt.Errorf("filling %s: %w", c.side, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (w *world) fillOne(ctx context.Context, c *cluster, objects published, charts chartPaths) error {
	namespaces, err := w.content(c.side, "namespaces")
	if err != nil {
		return err
	}
	if err := c.apply(ctx, namespaces...); err != nil {
		return err
	}
	for namespace, found := range objects {
		// Each cluster gets copies: applying an object may write into it.
		copies := make([]*unstructured.Unstructured, len(found))
		for i, o := range found {
			copies[i] = o.DeepCopy()
		}
		if err := c.applier.In(namespace).Apply(ctx, copies...); err != nil {
			return err
		}
	}
	for _, r := range charts.releases(w.own(c.side)) {
		if err := w.helm.Install(ctx, c.kubeconfig, r); err != nil {
			return err
		}
	}
	if err := c.quieten(ctx); err != nil {
		return err
	}
	if err := w.fillOwn(ctx, c); err != nil {
		return err
	}
	return w.helm.Install(ctx, c.kubeconfig, manifests.Release{Name: "promotions", Namespace: "shop", Chart: charts.promotions})
}

// fillOwn adds what the teams themselves run.
func (w *world) fillOwn(ctx context.Context, c *cluster) error {
	var all []*unstructured.Unstructured
	for _, name := range []string{"definitions", "platform", "shop", "monitoring"} {
		objects, err := w.content(c.side, name)
		if err != nil {
			return err
		}
		all = append(all, objects...)
	}
	for _, claim := range []string{"data-cart-0", "data-cart-1"} {
		volume, err := c.volume("shop", claim)
		if err != nil {
			return err
		}
		all = append(all, volume)
	}
	return c.apply(ctx, all...)
}

// chartPaths are the paths of the charts that helm installs.
type chartPaths struct{ certManager, externalDNS, loadBalancers, promotions string }

func (w *world) charts(ctx context.Context) (paths chartPaths, err error) {
	for _, c := range []struct {
		path   *string
		bundle manifests.Bundle
	}{
		{&paths.certManager, manifests.CertManager()},
		{&paths.externalDNS, manifests.ExternalDNS()},
		{&paths.loadBalancers, manifests.LoadBalancerController()},
	} {
		if *c.path, err = w.helm.Chart(ctx, c.bundle); err != nil {
			return paths, err
		}
	}
	paths.promotions, err = w.writePromotions()
	return paths, err
}

// writePromotions lays out a chart of the team's own, which still uses the first
// version of its own definition.
func (w *world) writePromotions() (path string, err error) {
	path = filepath.Join(w.helm.Dir, "promotions")
	if err := os.MkdirAll(filepath.Join(path, "templates"), 0o755); err != nil {
		return "", fmt.Errorf("writing a chart: %w", err)
	}
	for name, text := range map[string]string{
		"Chart.yaml":              "apiVersion: v2\nname: promotions\nversion: 1.0.0\n",
		"templates/campaign.yaml": "apiVersion: example.com/v1beta1\nkind: Campaign\nmetadata: {name: spring}\nspec: {discount: 5}\n",
	} {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("writing a chart: %w", err)
		}
	}
	return path, nil
}

// releases are what helm installs in a cluster, with what is the cluster's own.
func (p chartPaths) releases(own own) []manifests.Release {
	return []manifests.Release{
		{
			Name: "cert-manager", Namespace: "cert-manager", Chart: p.certManager,
			Values: []string{"crds.enabled=true", "startupapicheck.enabled=false"},
		},
		{
			Name: "external-dns", Namespace: "external-dns", Chart: p.externalDNS,
			Values: []string{"txtOwnerId=" + own.Cluster, "domainFilters[0]=inner.example", "policy=sync"},
		},
		{
			Name: "aws-load-balancer-controller", Namespace: "kube-system", Chart: p.loadBalancers,
			Values: []string{"clusterName=" + own.Cluster, "region=ap-northeast-1", "vpcId=vpc-0123456789abcdef0"},
		},
	}
}
