package gather

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/pager"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const (
	// helmSecret is the type of the Secrets that Helm 3 and 4 keep releases in.
	helmSecret = "helm.sh/release.v1"
	// helmDeployed are the labels of the revision that is deployed. Helm keeps ten
	// by default; all others are history.
	helmDeployed = "owner=helm,status=deployed"
	// helmPage bounds the Secrets of one answer: each may have a megabyte.
	helmPage = 10
	// mostUnpacked bounds a release after it is unpacked, in bytes. What is stored
	// is below a megabyte, and text shrinks to a tenth at the best.
	mostUnpacked = 16 << 20
)

// helm reads of each release of Helm which kinds its newest deployed manifest is
// made of. Where Secrets are read whole anyway, it looks at those; else it asks
// for the deployed ones alone.
func helm(o Options) topic {
	secret, configMap := facts.GroupKind{Kind: "Secret"}, facts.GroupKind{Kind: "ConfigMap"}
	t := topic{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){
		configMap: func(c *facts.Cluster, o runtime.Object) {
			if m, ok := o.(*corev1.ConfigMap); ok {
				takeRelease(c, m, []byte(m.Data["release"]))
			}
		},
	}}
	switch o.Settings.Secrets {
	case facts.SecretsDigests:
		t.whole[secret] = func(c *facts.Cluster, o runtime.Object) {
			if s, ok := o.(*corev1.Secret); ok && s.Type == helmSecret {
				takeRelease(c, s, s.Data["release"])
			}
		}
	case facts.SecretsNames:
		t.also = releasesInSecrets
	case facts.SecretsOff:
	}
	return t
}

// releasesInSecrets lists the deployed revisions. A cluster whose Secrets can't
// be listed at all has that gap already.
func releasesInSecrets(ctx context.Context, r *reader, c *facts.Cluster) {
	if _, known := c.Objects[facts.GroupKind{Kind: "Secret"}]; !known {
		return
	}
	secrets := r.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"})
	pages := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return secrets.List(ctx, o) })
	pages.PageSize, pages.PageBufferSize = helmPage, 0
	err := pages.EachListItem(ctx, metav1.ListOptions{LabelSelector: helmDeployed, FieldSelector: "type=" + helmSecret}, func(o runtime.Object) error {
		u, ok := o.(runtime.Unstructured)
		if !ok {
			return fmt.Errorf("a %T came instead of a Secret", o)
		}
		var s corev1.Secret
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.UnstructuredContent(), &s); err != nil {
			return fmt.Errorf("reading a Secret: %w", err)
		}
		takeRelease(c, &s, s.Data["release"])
		return nil
	})
	if err != nil {
		c.Note(facts.Gap{What: "Helm releases", Why: why(err), Optional: true})
	}
}

// takeRelease keeps a release if it is the newest deployed one of its name. Its
// revision stands in its labels.
func takeRelease(c *facts.Cluster, o metav1.Object, stored []byte) {
	labels := o.GetLabels()
	if labels["owner"] != "helm" || labels["status"] != "deployed" || labels["name"] == "" {
		return
	}
	name := facts.Name{Namespace: o.GetNamespace(), Name: labels["name"]}
	revision, err := strconv.Atoi(labels["version"])
	if err != nil || revision <= c.APIs.Releases[name].Revision {
		return
	}
	kinds, err := kindsOfRelease(stored)
	if err != nil {
		c.Note(facts.Gap{What: "Helm release " + name.String(), Why: why(err), Optional: true})
		return
	}
	if c.APIs.Releases == nil {
		c.APIs.Releases = map[facts.Name]facts.Release{}
	}
	c.APIs.Releases[name] = facts.Release{Revision: revision, Kinds: kinds}
}

// kindsOfRelease unpacks what Helm stores: JSON, gzipped since Helm 3, in
// base64 (helm.sh/helm pkg/storage/driver).
func kindsOfRelease(stored []byte) (map[facts.VersionKind]facts.Written, error) {
	packed := bufio.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(stored)))
	var unpacked io.Reader = packed
	if magic, err := packed.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zipped, err := gzip.NewReader(packed)
		if err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
		unpacked = zipped
	}
	bounded := &io.LimitedReader{R: unpacked, N: mostUnpacked}
	manifest, err := manifestIn(bounded)
	if bounded.N <= 0 {
		return nil, fmt.Errorf("it is larger than %d MiB unpacked", mostUnpacked>>20)
	}
	if err != nil {
		return nil, err
	}
	return kindsOfManifest(manifest), nil
}

// manifestIn finds the manifest in a release's JSON, and skips all else value by
// value, so that the chart and its values never stand in the memory together.
func manifestIn(release io.Reader) (string, error) {
	d := json.NewDecoder(release)
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return "", errors.Join(errors.New("it is not the JSON of a release"), err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return "", fmt.Errorf("reading it: %w", err)
		}
		if key != "manifest" {
			if err := skip(d); err != nil {
				return "", fmt.Errorf("reading it: %w", err)
			}
			continue
		}
		var manifest string
		if err := d.Decode(&manifest); err != nil {
			return "", fmt.Errorf("reading its manifest: %w", err)
		}
		return manifest, nil
	}
	return "", errors.New("it holds no manifest")
}

// skip reads one value and keeps nothing of it.
func skip(d *json.Decoder) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
