package planted

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

//go:embed contents/*.yaml
var contents embed.FS

// side is blue or green.
type side string

const (
	blue  side = "blue"
	green side = "green"
)

// cluster is one of the two clusters.
type cluster struct {
	side       side
	plane      *controlplane.ControlPlane
	kubeconfig string
	config     *rest.Config
	metrics    *metrics
	client     kubernetes.Interface
	applier    *manifests.Applier
}

// own is what a cluster has of its own; it fills the templates of the contents.
type own struct {
	Cluster, OIDC                   string
	Green                           bool
	WebLoadBalancer, APITargetGroup string
	Applications, Small             []string
}

func (w *world) own(s side) own {
	// An OIDC issuer's id has 32 hexadecimal digits.
	id := fmt.Sprintf("%X", sha256.Sum256([]byte(s)))[:32]
	return own{
		Cluster: "shop-" + string(s), OIDC: id, Green: s == green,
		WebLoadBalancer: w.cloud.balancers["web-"+string(s)].dnsName, APITargetGroup: w.cloud.groups["api-"+string(s)],
		Applications: []string{"web", "api", "search", "mailer", "images", "gifts"},
		// Many applications that are alike, so that each difference has one of its own.
		Small: []string{
			"search", "mailer", "images", "reviews", "wishlist", "checkout", "pricing", "stock", "gifts", "returns",
			"ratings", "feeds", "exports", "coupons", "loyalty", "orders",
		},
	}
}

func newCluster(s side, config *rest.Config) (*cluster, error) {
	// What old versions it is warned of is planted.
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", s, err)
	}
	applier, err := manifests.NewApplier(config)
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", s, err)
	}
	return &cluster{side: s, config: config, client: client, applier: applier}, nil
}

// content reads one file of the contents for a cluster.
func (w *world) content(s side, name string) ([]*unstructured.Unstructured, error) {
	text, err := contents.ReadFile("contents/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading contents %s: %w", name, err)
	}
	var filled bytes.Buffer
	if err := t.Execute(&filled, w.own(s)); err != nil {
		return nil, fmt.Errorf("filling contents %s: %w", name, err)
	}
	return manifests.Parse(filled.Bytes())
}

// apply writes objects, and the statuses that some of them carry for want of the
// controllers that would write them.
func (c *cluster) apply(ctx context.Context, objects ...*unstructured.Unstructured) error {
	if err := c.applier.Apply(ctx, objects...); err != nil {
		return fmt.Errorf("filling %s: %w", c.side, err)
	}
	for _, o := range objects {
		if kind := o.GetKind(); !slices.Contains([]string{"Ingress", "Gateway", "ApplicationSet"}, kind) || o.Object["status"] == nil {
			continue
		}
		resource, err := c.applier.Resource(ctx, o.GroupVersionKind(), o.GetNamespace())
		if err != nil {
			return err
		}
		if _, err := resource.ApplyStatus(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "controller", Force: true}); err != nil {
			return fmt.Errorf("writing the status of %s: %w", manifests.Describe(o), err)
		}
	}
	return nil
}

// quieten makes webhooks harmless: nobody answers them here, and most refuse
// every write then.
func (c *cluster) quieten(ctx context.Context) error {
	for _, kind := range []string{"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"} {
		resource, err := c.applier.Resource(ctx, gvk("admissionregistration.k8s.io/v1", kind), "")
		if err != nil {
			return err
		}
		list, err := resource.List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("listing webhooks: %w", err)
		}
		for _, o := range list.Items {
			webhooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
			for _, each := range webhooks {
				if webhook, ok := each.(map[string]any); ok {
					webhook["failurePolicy"], webhook["timeoutSeconds"] = "Ignore", int64(1)
				}
			}
			o.Object["webhooks"] = webhooks
			if _, err := resource.Update(ctx, &o, metav1.UpdateOptions{FieldManager: manifests.Owner}); err != nil {
				return fmt.Errorf("making webhook %s harmless: %w", o.GetName(), err)
			}
		}
	}
	return nil
}

// volume is a volume for a claim to come, named as EKS's driver names them: anew
// in each cluster.
func (c *cluster) volume(namespace, claim string) (*unstructured.Unstructured, error) {
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(string(c.side)+namespace+claim)))
	name := strings.Join([]string{"pvc", id[:8], id[8:12], id[12:16], id[16:20], id[20:32]}, "-")
	objects, err := manifests.Parse(fmt.Appendf(nil, `
apiVersion: v1
kind: PersistentVolume
metadata: {name: %s, annotations: {pv.kubernetes.io/provisioned-by: ebs.csi.aws.com}}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 20Gi}
  storageClassName: gp3
  csi: {driver: ebs.csi.aws.com, volumeHandle: vol-0%s}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: %s, name: %s}
`, name, id[32:48], namespace, claim))
	if err != nil {
		return nil, err
	}
	return objects[0], nil
}
