package bench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// fillers are how many objects are created at a time in one cluster.
	fillers = 24
	// teams are the namespaces that the objects are spread over.
	teams = 100
	// nodes are what the pods stand on.
	nodes = 100
	// customKinds are how many CustomResourceDefinitions there are.
	customKinds = 4
)

// portion is how many of a hundred objects are of a sort.
type portion struct {
	sort   string
	of100  int
	create func(f *filler, ctx context.Context, i int) error
}

// mix is what a large cluster is made of. Those that a controller makes stand for
// themselves: pods below ReplicaSets below Deployments.
func mix() []portion {
	return []portion{
		{"ConfigMaps", 26, (*filler).configMap},
		{"Pods", 24, (*filler).pod},
		{"Secrets", 16, (*filler).secret},
		{"custom resources", 14, (*filler).custom},
		{"Services", 7, (*filler).service},
		{"ReplicaSets", 6, (*filler).replicaSet},
		{"Deployments", 5, (*filler).deployment},
		{"ServiceAccounts", 2, (*filler).account},
	}
}

// of gives how many of so many objects the portion has.
func (p portion) of(objects int) int { return objects * p.of100 / 100 }

// filler fills one cluster.
type filler struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	objects int
	// missing are how many ConfigMaps of the last ones aren't made.
	missing int
	done    *atomic.Int64
}

// newFiller makes a client that speaks protobuf where the API server does.
func newFiller(config *rest.Config, objects, missing int, done *atomic.Int64) (*filler, error) {
	custom, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	config = rest.CopyConfig(config)
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &filler{client: client, dynamic: custom, objects: objects, missing: missing, done: done}, nil
}

// fill creates everything.
func (f *filler) fill(ctx context.Context) error {
	for i := range teams {
		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team(i)}}
		if _, err := f.client.CoreV1().Namespaces().Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating namespace %s: %w", object.Name, err)
		}
	}
	for i := range nodes {
		if err := f.node(ctx, i); err != nil {
			return fmt.Errorf("creating a node: %w", err)
		}
	}
	creating, ctx := errgroup.WithContext(ctx)
	creating.SetLimit(fillers)
	for _, p := range mix() {
		n := p.of(f.objects)
		if p.sort == "ConfigMaps" {
			n -= f.missing
		}
		for i := range n {
			if ctx.Err() != nil {
				break
			}
			creating.Go(func() error {
				if err := p.create(f, ctx, i); err != nil {
					return fmt.Errorf("creating one of the %s: %w", p.sort, err)
				}
				f.done.Add(1)
				return nil
			})
		}
	}
	return creating.Wait()
}

// tell says from time to time how far the filling is, until ctx ends.
func tell(ctx context.Context, say func(string, ...any), done *atomic.Int64, all int) {
	const every = 30 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			say("  %d of %d objects", done.Load(), all)
		}
	}
}

func team(i int) string { return fmt.Sprintf("team-%02d", i%teams) }

// customDefinitions are CustomResourceDefinitions with a schema of some depth.
func customDefinitions() []*apiextensionsv1.CustomResourceDefinition {
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	spec := apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"host": text, "owner": text,
		"routes": {Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{
			Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"path": text, "service": text},
		}}},
	}}
	var all []*apiextensionsv1.CustomResourceDefinition
	for i := range customKinds {
		plural := customPlural(i)
		all = append(all, &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: plural + "." + customGroup},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: customGroup, Scope: apiextensionsv1.NamespaceScoped,
				Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: customKind(i)},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1", Served: true, Storage: true,
					Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
						Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": spec},
					}},
				}},
			},
		})
	}
	return all
}

const customGroup = "bench.example"

func customKind(i int) string   { return []string{"Widget", "Gadget", "Route", "Plan"}[i%customKinds] }
func customPlural(i int) string { return strings.ToLower(customKind(i)) + "s" }
