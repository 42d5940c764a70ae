package gather

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// packed stores a release as Helm does.
func packed(t testing.TB, release any) []byte {
	t.Helper()
	text, err := json.Marshal(release)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(zipped(t, text)))
}

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var zip bytes.Buffer
	w := gzip.NewWriter(&zip)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return zip.Bytes()
}

const cronJob = "---\n# Source: shop/templates/cron.yaml\napiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: \"report\"\n  labels:\n    name: other\nspec:\n  name: third\n"

func kindOf(group, version, kind string) facts.VersionKind {
	return facts.VersionKind{GroupKind: facts.GroupKind{Group: group, Kind: kind}, Version: version}
}

func TestKindsAreReadOfAManifest(t *testing.T) {
	t.Parallel()
	report := facts.Written{Objects: 1, Example: facts.Name{Name: "report"}}
	for name, c := range map[string]struct {
		manifest string
		want     map[facts.VersionKind]facts.Written
	}{
		"nothing":      {"", map[facts.VersionKind]facts.Written{}},
		"only remarks": {"---\n# Source: x\n---\n", map[facts.VersionKind]facts.Written{}},
		"one object":   {cronJob, map[facts.VersionKind]facts.Written{kindOf("batch", "v1beta1", "CronJob"): report}},
		"several": {
			cronJob + "---\napiVersion: v1\nkind: Service # in front\nmetadata:\n  namespace: shop\n  name: web\n---\napiVersion: 'v1'\nkind: Service\nmetadata:\n  name: api\n",
			map[facts.VersionKind]facts.Written{
				kindOf("batch", "v1beta1", "CronJob"): report,
				kindOf("", "v1", "Service"):           {Objects: 2, Example: facts.Name{Name: "api"}},
			},
		},
		"in JSON":              {`{"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "report"}}`, map[facts.VersionKind]facts.Written{kindOf("batch", "v1beta1", "CronJob"): report}},
		"metadata on one line": {"apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: report}\n", map[facts.VersionKind]facts.Written{kindOf("batch", "v1beta1", "CronJob"): report}},
		"a list": {
			"apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1beta1\n  kind: CronJob\n  metadata: {name: report}\n",
			map[facts.VersionKind]facts.Written{kindOf("batch", "v1beta1", "CronJob"): report},
		},
		"text that looks like an object": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: report\ndata:\n  x: |\n    apiVersion: batch/v1beta1\n    kind: CronJob\n",
			map[facts.VersionKind]facts.Written{kindOf("", "v1", "ConfigMap"): report},
		},
		"what is no YAML": {"{:", map[facts.VersionKind]facts.Written{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, kindsOfManifest(c.manifest)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReleasesAreUnpackedWithinBounds(t *testing.T) {
	t.Parallel()
	release := map[string]any{
		"name": "shop", "chart": map[string]any{"templates": []any{map[string]any{"data": "e30="}}, "n": 1}, "config": nil,
		"manifest": cronJob, "version": 3,
	}
	plain, err := json.Marshal(release)
	if err != nil {
		t.Fatal(err)
	}
	bomb := append([]byte(`{"chart":"`), bytes.Repeat([]byte("a"), mostUnpacked)...)
	encode := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	for name, c := range map[string]struct {
		stored []byte
		says   string
	}{
		"gzipped":              {stored: packed(t, release)},
		"as Helm 2 kept them":  {stored: encode(plain)},
		"nothing":              {says: "not the JSON of a release"},
		"not base64":           {stored: []byte("!!!!"), says: "illegal base64"},
		"cut off":              {stored: encode(zipped(t, plain)[:60]), says: "unexpected EOF"},
		"a list":               {stored: encode([]byte("[]")), says: "not the JSON of a release"},
		"no manifest":          {stored: encode([]byte(`{"name": "shop"}`)), says: "no manifest"},
		"a manifest of a kind": {stored: encode([]byte(`{"manifest": 1}`)), says: "manifest"},
		"a bomb":               {stored: encode(zipped(t, bomb)), says: "larger than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := kindsOfRelease(c.stored)
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if c.says == "" && got[kindOf("batch", "v1beta1", "CronJob")].Objects != 1 {
				t.Errorf("found %v", got)
			}
		})
	}
}

func TestTheNewestDeployedRevisionIsKept(t *testing.T) {
	t.Parallel()
	secret := func(version, status, manifest string) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: map[string]string{"owner": "helm", "name": "web", "status": status, "version": version}},
			Data:       map[string][]byte{"release": packed(t, map[string]any{"manifest": manifest})},
		}
	}
	service := strings.NewReplacer("batch/v1beta1", "v1", "CronJob", "Service").Replace(cronJob)
	foreign := secret("12", "deployed", cronJob)
	delete(foreign.Labels, "owner")
	broken := secret("13", "deployed", cronJob)
	broken.Data["release"] = []byte("broken")
	var c facts.Cluster
	for _, s := range []*corev1.Secret{
		secret("9", "deployed", cronJob), secret("10", "deployed", service), secret("8", "deployed", cronJob),
		secret("11", "failed", cronJob), secret("none", "deployed", cronJob), foreign, broken,
	} {
		takeRelease(&c, s, s.Data["release"])
	}
	want := map[facts.Name]facts.Release{{Namespace: "shop", Name: "web"}: {
		Revision: 10, Kinds: map[facts.VersionKind]facts.Written{kindOf("", "v1", "Service"): {Objects: 1, Example: facts.Name{Name: "report"}}},
	}}
	if diff := cmp.Diff(want, c.APIs.Releases); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(c.Gaps) != 1 || c.Gaps[0].What != "Helm release shop/web" || !c.Gaps[0].Optional {
		t.Errorf("gaps %+v", c.Gaps)
	}
}
