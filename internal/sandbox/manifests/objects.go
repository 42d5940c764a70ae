package manifests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Objects reads the bundle's files, not its chart.
func (b Bundle) Objects(ctx context.Context) ([]*unstructured.Unstructured, error) {
	files, err := b.Module.Files(ctx, b.Files...)
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", b.Name, err)
		}
		objects, err := Parse(content)
		if err != nil {
			return nil, fmt.Errorf("reading %s of %s: %w", file, b.Name, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

// Parse reads the objects of a file with any number of YAML documents. Documents
// without an object are passed over.
func Parse(content []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}
