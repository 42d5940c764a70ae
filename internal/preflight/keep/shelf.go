// Package keep keeps the preflight's reports beside the pair's journal: in a
// ConfigMap, or in files where there is no management cluster.
package keep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// The keys of the ConfigMap's data, and the labels that name pair and attempt.
const (
	Newest       = "report.json" // the newest report
	Readable     = "report.md"   // the same for people
	Start        = "start.json"  // the last report before the attempt's first rise
	PairLabel    = v1alpha1.Group + "/pair"
	AttemptLabel = v1alpha1.Group + "/attempt"
)

// partSize bounds each of the three texts: a ConfigMap takes a MiB of data.
const partSize = 340_000

// ErrNone is what Get wraps when no report is kept.
var ErrNone = errors.New("no report is kept")

// ConfigMapName is the name of the ConfigMap with a pair's reports.
func ConfigMapName(pair string) string { return "clusterswitch-preflight-" + pair }

// Options say where reports are kept.
type Options struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace holds the TrafficSwitches, and gets the ConfigMaps.
	Namespace string
	// FieldManager is the author of the writes in metadata.managedFields.
	FieldManager string
}

// Shelf keeps reports. It is safe for concurrent use, of one daemon for each
// pair.
type Shelf struct {
	configMaps   typedcorev1.ConfigMapInterface
	switches     *v1alpha1.Client
	fieldManager string
}

// New makes a Shelf. It talks to nobody yet.
func New(o Options) (*Shelf, error) {
	core, err := typedcorev1.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client for ConfigMaps: %w", err)
	}
	switches, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: o.Config, Namespace: o.Namespace, FieldManager: o.FieldManager})
	if err != nil {
		return nil, err
	}
	return &Shelf{configMaps: core.ConfigMaps(o.Namespace), switches: switches, fieldManager: o.FieldManager}, nil
}

// Put keeps a report in the place of the former one, and gives its digest. start
// says that the attempt has not risen yet: then the report is that of its start
// too. Later the start's stays as it was, unless it is of another attempt.
// Where the ConfigMap holds a report that says the same, nothing is written.
func (s *Shelf) Put(ctx context.Context, r finding.Report, start bool) (digest string, err error) {
	name := ConfigMapName(r.Pair)
	digest, err = s.put(ctx, name, r, start)
	if err != nil {
		return "", fmt.Errorf("writing the preflight's report into ConfigMap %s: %w", name, err)
	}
	return digest, nil
}

func (s *Shelf) put(ctx context.Context, name string, r finding.Report, start bool) (digest string, err error) {
	owner, err := s.switches.Get(ctx, r.Pair)
	if err != nil {
		return "", err
	}
	kept, err := s.configMaps.Get(ctx, name, metav1.GetOptions{})
	absent := apierrors.IsNotFound(err)
	switch {
	case absent:
		kept = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	case err != nil:
		return "", err
	case kept.Labels[PairLabel] != r.Pair:
		return "", fmt.Errorf("one of this name is there without the label %s=%s: it is somebody else's, move it away", PairLabel, r.Pair)
	}
	sameAttempt := kept.Labels[AttemptLabel] == strconv.Itoa(r.Attempt)
	fresh, news, err := shelved(r, start, kept.Data, sameAttempt)
	if err != nil {
		return "", err
	}
	if !news {
		return finding.Digest([]byte(kept.Data[Newest])), nil
	}
	kept.Data, kept.BinaryData = fresh, nil
	own(kept, owner, r)
	if absent {
		_, err = s.configMaps.Create(ctx, kept, metav1.CreateOptions{FieldManager: s.fieldManager})
	} else {
		_, err = s.configMaps.Update(ctx, kept, metav1.UpdateOptions{FieldManager: s.fieldManager})
	}
	return finding.Digest([]byte(fresh[Newest])), err
}

// own labels the ConfigMap, and lets it go when the TrafficSwitch goes.
func own(kept *corev1.ConfigMap, owner *v1alpha1.TrafficSwitch, r finding.Report) {
	if kept.Labels == nil {
		kept.Labels = map[string]string{}
	}
	maps.Copy(kept.Labels, map[string]string{
		PairLabel: r.Pair, AttemptLabel: strconv.Itoa(r.Attempt),
		"app.kubernetes.io/part-of": "clusterswitch", "app.kubernetes.io/component": "preflight",
	})
	kept.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: v1alpha1.Kind, Name: owner.Name, UID: owner.UID,
	}}
}

// shelved gives the new texts for those that are kept, of the same attempt or of
// another. There is no news where what is kept says the same.
func shelved(r finding.Report, start bool, kept map[string]string, sameAttempt bool) (data map[string]string, news bool, err error) {
	short := r.Fit(partSize, sizeOfJSON)
	document, err := short.JSON()
	if err != nil {
		return nil, false, err
	}
	if len(document) > partSize {
		return nil, false, fmt.Errorf("its head alone has %d bytes, and it takes %d: run clusterswitch preflight %s and keep what it prints", len(document), partSize, r.Pair)
	}
	first := kept[Start]
	switch {
	case start && says(first, short):
	case start:
		first = string(document)
	case !sameAttempt:
		first = ""
	}
	if sameAttempt && says(kept[Newest], short) && first == kept[Start] {
		return nil, false, nil
	}
	data = map[string]string{
		Newest:   string(document),
		Readable: r.Fit(partSize, func(r finding.Report) int { return len(r.Markdown()) }).Markdown(),
	}
	if first != "" {
		data[Start] = first
	}
	return data, true, nil
}

// says tells whether a kept document says what the report does, whenever it was
// made.
func says(document string, r finding.Report) bool {
	had, err := finding.Parse([]byte(document))
	return err == nil && had.Same(r)
}

func sizeOfJSON(r finding.Report) int {
	document, err := r.JSON()
	if err != nil {
		return 0 // JSON says why when it is written
	}
	return len(document)
}

// Get gives a report that is kept: under the key Newest or Start. It wraps
// ErrNone where there is none.
func (s *Shelf) Get(ctx context.Context, pair, key string) (finding.Report, error) {
	name := ConfigMapName(pair)
	kept, err := s.configMaps.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return finding.Report{}, fmt.Errorf("%w for %s: ConfigMap %s isn't there", ErrNone, pair, name)
	case err != nil:
		return finding.Report{}, fmt.Errorf("reading ConfigMap %s: %w", name, err)
	case kept.Data[key] == "":
		return finding.Report{}, fmt.Errorf("%w for %s: ConfigMap %s has no %s", ErrNone, pair, name, key)
	}
	r, err := finding.Parse([]byte(kept.Data[key]))
	if err != nil {
		return finding.Report{}, fmt.Errorf("reading %s of ConfigMap %s: %w", key, name, err)
	}
	return r, nil
}
