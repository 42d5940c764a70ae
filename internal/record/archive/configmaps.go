package archive

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/record"
)

// What tells a ConfigMap with a record: the key of its data, and the labels that name
// the pair and the attempt.
const (
	Key          = "record.json"
	PairLabel    = v1alpha1.Group + "/pair"
	AttemptLabel = v1alpha1.Group + "/attempt"
)

// ConfigMapName is the name of the ConfigMap of one of a pair's places, from 1 to
// Places.
func ConfigMapName(pair string, place int) string {
	return fmt.Sprintf("clusterswitch-record-%s-%d", pair, place)
}

// Options say where records are kept.
type Options struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace holds the TrafficSwitches, and gets the ConfigMaps.
	Namespace string
	// FieldManager is the author of the writes in metadata.managedFields.
	FieldManager string
}

// configMaps keep records in the management cluster.
type configMaps struct {
	client       typedcorev1.ConfigMapInterface
	switches     *v1alpha1.Client
	fieldManager string
}

// New makes a Shelf in the management cluster. It talks to nobody yet.
func New(o Options) (*Shelf, error) {
	core, err := typedcorev1.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client for ConfigMaps: %w", err)
	}
	switches, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: o.Config, Namespace: o.Namespace, FieldManager: o.FieldManager})
	if err != nil {
		return nil, err
	}
	return &Shelf{places: configMaps{client: core.ConfigMaps(o.Namespace), switches: switches, fieldManager: o.FieldManager}}, nil
}

func (c configMaps) read(ctx context.Context, pair string, place int) (kept, error) {
	name := ConfigMapName(pair, place)
	m, err := c.client.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return kept{}, nil
	case err != nil:
		return kept{}, fmt.Errorf("reading ConfigMap %s: %w", name, err)
	case m.Labels[PairLabel] != pair:
		return kept{}, fmt.Errorf("reading ConfigMap %s: one of this name is there without the label %s=%s: it is somebody else's, move it away", name, PairLabel, pair)
	}
	return kept{text: []byte(m.Data[Key]), version: m.ResourceVersion}, nil
}

func (c configMaps) write(ctx context.Context, r record.Record, place int, text []byte, version string) (string, error) {
	name := ConfigMapName(r.Pair, place)
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}, Data: map[string]string{Key: string(text)}}
	owner, err := c.switches.Get(ctx, r.Pair)
	if err != nil {
		return "", fmt.Errorf("writing ConfigMap %s: %w", name, err)
	}
	m.Labels = map[string]string{}
	maps.Copy(m.Labels, map[string]string{
		PairLabel: r.Pair, AttemptLabel: strconv.Itoa(r.Attempt),
		"app.kubernetes.io/part-of": "clusterswitch", "app.kubernetes.io/component": "record",
	})
	// It goes when the TrafficSwitch goes.
	m.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: v1alpha1.Kind, Name: owner.Name, UID: owner.UID,
	}}
	var written *corev1.ConfigMap
	if version == "" {
		written, err = c.client.Create(ctx, m, metav1.CreateOptions{FieldManager: c.fieldManager})
	} else {
		written, err = c.client.Update(ctx, m, metav1.UpdateOptions{FieldManager: c.fieldManager})
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err) && version != "":
		return "", fmt.Errorf("writing ConfigMap %s: %w", name, ErrConflict)
	case err != nil:
		return "", fmt.Errorf("writing ConfigMap %s: %w", name, err)
	}
	return written.ResourceVersion, nil
}
