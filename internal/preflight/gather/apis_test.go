package gather

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// wrote is an entry of managedFields.
func wrote(manager, version string, hour int, fields string) metav1.ManagedFieldsEntry {
	at := metav1.NewTime(time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC))
	e := metav1.ManagedFieldsEntry{Manager: manager, APIVersion: version, Time: &at}
	if fields != "" {
		e.FieldsV1 = &metav1.FieldsV1{}
		e.FieldsV1.SetRawString(fields)
	}
	return e
}

func TestEachManagersNewestVersionCounts(t *testing.T) {
	t.Parallel()
	undated := wrote("kubectl", "batch/v1beta1", 0, "")
	undated.Time = nil
	for name, c := range map[string]struct {
		entries []metav1.ManagedFieldsEntry
		want    []string
	}{
		"nobody":                              {},
		"a controller that has moved on":      {[]metav1.ManagedFieldsEntry{wrote("argo", "batch/v1beta1", 1, ""), wrote("argo", "batch/v1", 2, "")}, []string{"argo batch/v1"}},
		"in whichever order":                  {[]metav1.ManagedFieldsEntry{wrote("argo", "batch/v1", 2, ""), wrote("argo", "batch/v1beta1", 1, "")}, []string{"argo batch/v1"}},
		"two managers each for itself":        {[]metav1.ManagedFieldsEntry{wrote("kubectl", "batch/v1beta1", 1, ""), wrote("argo", "batch/v1", 2, "")}, []string{"kubectl batch/v1beta1", "argo batch/v1"}},
		"in the same second both may be so":   {[]metav1.ManagedFieldsEntry{wrote("argo", "batch/v1beta1", 1, ""), wrote("argo", "batch/v1", 1, "")}, []string{"argo batch/v1beta1", "argo batch/v1"}},
		"what has no time is the oldest":      {[]metav1.ManagedFieldsEntry{undated, wrote("kubectl", "batch/v1", 1, "")}, []string{"kubectl batch/v1"}},
		"what clusterswitch writes is no use": {[]metav1.ManagedFieldsEntry{wrote("clusterswitch-pin", "batch/v1beta1", 1, "")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range lastOfEach(c.entries) {
				got = append(got, e.Manager+" "+e.APIVersion)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// hand hands objects to a topic as a gathering does.
func hand(topic topic, k facts.Kind, objects ...*metav1.ObjectMeta) facts.Cluster {
	var c facts.Cluster
	for _, o := range objects {
		topic.meta(&c, k, o)
	}
	return c
}

func TestWritingsAreCountedWithAnExample(t *testing.T) {
	t.Parallel()
	kind := facts.Kind{GroupKind: facts.GroupKind{Group: "batch", Kind: "CronJob"}, Version: "v1"}
	object := func(name string, entries ...metav1.ManagedFieldsEntry) *metav1.ObjectMeta {
		return &metav1.ObjectMeta{Namespace: "shop", Name: name, ManagedFields: entries}
	}
	c := hand(writings(Options{}), kind,
		object("b", wrote("helm", "batch/v1beta1", 2, "")), object("a", wrote("helm", "batch/v1beta1", 1, "")), object("c", wrote("helm", "batch/v1", 1, "")))
	of := func(version string) facts.Writing {
		return facts.Writing{VersionKind: facts.VersionKind{GroupKind: kind.GroupKind, Version: version}, Manager: "helm"}
	}
	want := map[facts.Writing]facts.Written{
		of("v1beta1"): {Objects: 2, Example: facts.Name{Namespace: "shop", Name: "a"}, Last: time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)},
		of("v1"):      {Objects: 1, Example: facts.Name{Namespace: "shop", Name: "c"}, Last: time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, c.APIs.Written); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManagersOfMadeUpNamesAreCountedTogether(t *testing.T) {
	t.Parallel()
	var objects []*metav1.ObjectMeta
	for i := range 3 * mostManagers {
		objects = append(objects, &metav1.ObjectMeta{Name: fmt.Sprint(i), ManagedFields: []metav1.ManagedFieldsEntry{wrote(fmt.Sprint("job-", i), "v1", 1, "")}})
	}
	c := hand(writings(Options{}), facts.Kind{GroupKind: facts.GroupKind{Kind: "ConfigMap"}, Version: "v1"}, objects...)
	total := 0
	for _, w := range c.APIs.Written {
		total += w.Objects
	}
	if len(c.APIs.Written) != mostManagers+1 || total != len(objects) {
		t.Errorf("%d managers of %d objects are kept", len(c.APIs.Written), total)
	}
}

func TestFieldsOfCustomObjectsAreKept(t *testing.T) {
	t.Parallel()
	kind := facts.Kind{GroupKind: facts.GroupKind{Group: "example.com", Kind: "Widget"}, Version: "v1"}
	object := func(entries ...metav1.ManagedFieldsEntry) *metav1.ObjectMeta {
		return &metav1.ObjectMeta{Name: "w", ManagedFields: entries}
	}
	spec := `{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{".":{},"f:size":{},"f:ports":{"k:{\"port\":80}":{".":{},"f:port":{}}},"f:labels":{}}}`
	leaf := func(objects int) *facts.FieldTree { return &facts.FieldTree{Objects: objects, Open: true} }
	c := hand(fieldUse(Options{}), kind,
		object(wrote("kubectl", "example.com/v1", 1, spec), wrote("argo", "example.com/v1beta1", 2, `{"f:spec":{"f:size":{}}}`)),
		object(wrote("kubectl", "example.com/v1", 1, `{"f:spec":{"f:size":{}}}`)),
		object(), object(wrote("kubectl", "example.com/v1", 1, "nonsense")))
	want := map[facts.GroupKind]facts.FieldUse{kind.GroupKind: {
		Unknown: 2, Versions: map[string]struct{}{"v1": {}, "v1beta1": {}},
		Fields: &facts.FieldTree{Objects: 4, Below: map[string]*facts.FieldTree{
			"spec": {Objects: 2, Below: map[string]*facts.FieldTree{
				"size": leaf(2), "labels": leaf(1),
				"ports": {Objects: 1, Below: map[string]*facts.FieldTree{"[]": {Objects: 1, Below: map[string]*facts.FieldTree{"port": leaf(1)}}}},
			}},
		}},
	}}
	if diff := cmp.Diff(want, c.APIs.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFieldsOfBuiltInObjectsAreNotKept(t *testing.T) {
	t.Parallel()
	kind := facts.Kind{GroupKind: facts.GroupKind{Kind: "ConfigMap"}, Version: "v1"}
	c := hand(fieldUse(Options{}), kind, &metav1.ObjectMeta{Name: "c", ManagedFields: []metav1.ManagedFieldsEntry{wrote("kubectl", "v1", 1, `{"f:data":{}}`)}})
	if c.APIs.Fields != nil {
		t.Errorf("kept %v", c.APIs.Fields)
	}
}

func TestTooManyFieldsMakeTheirUseUnknown(t *testing.T) {
	t.Parallel()
	var fields []string
	for i := range mostFields + 1 {
		fields = append(fields, fmt.Sprintf(`"f:%d":{}`, i))
	}
	kind := facts.Kind{GroupKind: facts.GroupKind{Group: "example.com", Kind: "Widget"}, Version: "v1"}
	c := hand(fieldUse(Options{}), kind, &metav1.ObjectMeta{Name: "w", ManagedFields: []metav1.ManagedFieldsEntry{wrote("kubectl", "example.com/v1", 1, "{"+strings.Join(fields, ",")+"}")}})
	use := c.APIs.Fields[kind.GroupKind]
	if use.Unknown != 1 || len(use.Fields.Below) != mostFields {
		t.Errorf("%d objects unknown, %d fields kept", use.Unknown, len(use.Fields.Below))
	}
}

func TestDeprecatedCallsAreReadFromMetrics(t *testing.T) {
	t.Parallel()
	const line = `apiserver_requested_deprecated_apis{group="flowcontrol.apiserver.k8s.io",removed_release="1.32",resource="flowschemas",subresource="",version="v1beta3"} 1` + "\n"
	flow := facts.DeprecatedAPI{Group: "flowcontrol.apiserver.k8s.io", Version: "v1beta3", Resource: "flowschemas", Removed: "1.32"}
	for name, c := range map[string]struct {
		metrics string
		want    []facts.DeprecatedAPI
		says    string
	}{
		"none":             {metrics: "# HELP x y\n# TYPE x counter\nx 1\n"},
		"one among others": {metrics: "# HELP apiserver_requested_deprecated_apis [STABLE] Gauge\n" + "other{group=\"x\"} 1\n" + line + "after 2\n", want: []facts.DeprecatedAPI{flow}},
		"the same twice":   {metrics: line + line, want: []facts.DeprecatedAPI{flow}},
		"one that is zero": {metrics: strings.Replace(line, " 1\n", " 0\n", 1)},
		"in a fixed order": {
			metrics: line + `apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="status",version="v1",} 1 1700000000` + "\n",
			want:    []facts.DeprecatedAPI{{Version: "v1", Resource: "endpoints", Subresource: "status"}, flow},
		},
		"escaped":         {metrics: `apiserver_requested_deprecated_apis{resource="a\"b\\c"} 1`, want: []facts.DeprecatedAPI{{Resource: `a"b\c`}}},
		"without a value": {metrics: `apiserver_requested_deprecated_apis{resource="a"}`, says: "no value"},
		"without a quote": {metrics: `apiserver_requested_deprecated_apis{resource=a} 1`, says: "quotes"},
		"without an end":  {metrics: `apiserver_requested_deprecated_apis{resource="a"`, says: "end in"},
		"not a number":    {metrics: `apiserver_requested_deprecated_apis{resource="a"} one`, says: "value of a sample"},
		"a line too long": {metrics: strings.Repeat("x", longestLine+1), says: "token too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := deprecatedIn(strings.NewReader(c.metrics))
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestACutLineOfMetricsIsAnError(t *testing.T) {
	t.Parallel()
	cut := io.MultiReader(strings.NewReader("x 1\n"), failing{})
	if _, err := deprecatedIn(cut); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
