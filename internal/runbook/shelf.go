package runbook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// What tells a ConfigMap with a book: the key of its data that holds the book,
// and the labels that name the pair and the attempt.
const (
	Key          = "runbook.md"
	PairLabel    = v1alpha1.Group + "/pair"
	AttemptLabel = v1alpha1.Group + "/attempt"
)

const (
	fieldManager = "clusterswitch"
	// maxSize is how much the API server takes as a ConfigMap's data.
	maxSize = 1 << 20
)

// ConfigMapName is the name of the ConfigMap with a pair's book.
func ConfigMapName(pair string) string { return "clusterswitch-runbook-" + pair }

// Options say where books are kept.
type Options struct {
	// Config reaches the management cluster; nil: there is none, and Journal gets the
	// books.
	Config *rest.Config
	// Namespace holds the TrafficSwitches, and gets the ConfigMaps.
	Namespace string
	// Journal is the journal's directory, where there is no management cluster: it
	// gets a file PAIR.runbook.md.
	Journal string
	// Dir is a folder for files PAIR.md; empty: there are none.
	Dir string
}

// Shelf keeps books: each beside the pair's journal, in a ConfigMap or a file, and
// as a file where a folder was given. It is safe for concurrent use.
type Shelf struct {
	configMaps   typedcorev1.ConfigMapInterface // nil: there is no management cluster
	switches     *v1alpha1.Client
	journal, dir string
}

// NewShelf makes a Shelf. It talks to nobody yet.
func NewShelf(o Options) (*Shelf, error) {
	if o.Config == nil {
		return &Shelf{journal: o.Journal, dir: o.Dir}, nil
	}
	core, err := typedcorev1.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client for ConfigMaps: %w", err)
	}
	switches, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: o.Config, Namespace: o.Namespace, FieldManager: fieldManager})
	if err != nil {
		return nil, err
	}
	return &Shelf{configMaps: core.ConfigMaps(o.Namespace), switches: switches, dir: o.Dir}, nil
}

// Put keeps a book in the place of the pair's former one, in the file and beside
// the journal; that one can't be written doesn't keep it from the other.
func (s *Shelf) Put(ctx context.Context, b Book) error {
	text := b.Markdown()
	var err error
	if s.dir != "" {
		err = putFile(s.dir, b.Pair+".md", text)
	}
	if s.configMaps == nil {
		return errors.Join(err, putFile(s.journal, FileName(b.Pair), text))
	}
	return errors.Join(err, s.putConfigMap(ctx, b, text))
}

// FileName is the name of the file with a pair's book in the journal's directory.
func FileName(pair string) string { return pair + ".runbook.md" }

// putFile puts a whole file into the place of another at once: who reads it
// never sees a half.
func putFile(dir, name, text string) error {
	path := filepath.Join(dir, name)
	file, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return fmt.Errorf("writing the runbook %s: %w", path, err)
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing the runbook %s: %w", path, errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

func (s *Shelf) putConfigMap(ctx context.Context, b Book, text string) error {
	name := ConfigMapName(b.Pair)
	if err := s.writeConfigMap(ctx, name, b, text); err != nil {
		return fmt.Errorf("writing the runbook into ConfigMap %s: %w", name, err)
	}
	return nil
}

func (s *Shelf) writeConfigMap(ctx context.Context, name string, b Book, text string) error {
	if len(text) > maxSize {
		return fmt.Errorf("it has %d bytes, and a ConfigMap takes %d: keep it as a file (runbook.dir)", len(text), maxSize)
	}
	owner, err := s.switches.Get(ctx, b.Pair)
	if err != nil {
		return err
	}
	kept, err := s.configMaps.Get(ctx, name, metav1.GetOptions{})
	absent := apierrors.IsNotFound(err)
	switch {
	case absent:
		kept = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	case err != nil:
		return err
	case kept.Labels[PairLabel] != b.Pair:
		return fmt.Errorf("one of this name is there without the label %s=%s: it is somebody else's, move it away", PairLabel, b.Pair)
	}
	labels := map[string]string{
		PairLabel: b.Pair, AttemptLabel: strconv.Itoa(b.Attempt),
		"app.kubernetes.io/part-of": "clusterswitch", "app.kubernetes.io/component": "runbook",
	}
	if kept.Labels == nil {
		kept.Labels = map[string]string{}
	}
	maps.Copy(kept.Labels, labels)
	// It goes when the TrafficSwitch goes.
	kept.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: v1alpha1.Kind, Name: owner.Name, UID: owner.UID,
	}}
	kept.Data, kept.BinaryData = map[string]string{Key: text}, nil
	if absent {
		_, err = s.configMaps.Create(ctx, kept, metav1.CreateOptions{FieldManager: fieldManager})
	} else {
		_, err = s.configMaps.Update(ctx, kept, metav1.UpdateOptions{FieldManager: fieldManager})
	}
	return err
}
