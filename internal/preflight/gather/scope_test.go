package gather

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

func TestWhatIsListed(t *testing.T) {
	t.Parallel()
	take := func(*facts.Cluster, runtime.Object) {}
	secret, event, widget := facts.GroupKind{Kind: "Secret"}, facts.GroupKind{Kind: "Event"}, facts.GroupKind{Group: "example.com", Kind: "Widget"}
	for name, c := range map[string]struct {
		options Options
		topics  []topic
		want    map[string]string // paths that were asked for, and as what
	}{
		"in a full scope all but what each cluster makes for itself": {
			options: Options{Scope: facts.Full},
			want:    map[string]string{"configmaps": "metadata", "secrets": "metadata", "widgets": "metadata"},
		},
		"in a brief scope what topics need whole": {
			options: Options{Scope: facts.Brief},
			topics:  []topic{{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){widget: take}}},
			want:    map[string]string{"widgets": "JSON"},
		},
		"what each cluster makes for itself, where a topic needs it": {
			options: Options{Scope: facts.Full},
			topics:  []topic{{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){event: take}}},
			want:    map[string]string{"configmaps": "metadata", "secrets": "metadata", "widgets": "metadata", "events": "protobuf"},
		},
		"no Secrets where they are off, whoever needs them": {
			options: Options{Scope: facts.Full, Settings: facts.Settings{Secrets: facts.SecretsOff}},
			topics:  []topic{{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){secret: take}}},
			want:    map[string]string{"configmaps": "metadata", "widgets": "metadata"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, map[string]http.HandlerFunc{
				"/api":                       discovers(group("", "v1", "configmaps/ConfigMap", "secrets/Secret", "events/Event")),
				"/apis":                      discovers(group("example.com", "v1", "widgets/Widget"), group("events.k8s.io", "v1", "events/Event")),
				"/api/v1/events":             lists("", "Event"),
				"/apis/events.k8s.io/v1/...": lists("", "Event"),
			})
			r, facts := readerOf(t, f.source(), c.options)
			r.readAll(t.Context(), c.topics, facts)
			got := map[string]string{}
			for path, accept := range f.accepted {
				parts := strings.Split(path, "/")
				if len(parts) < 4 {
					continue // discovery
				}
				got[parts[len(parts)-1]] = map[string]string{acceptMetadata: "metadata", acceptTyped: "protobuf", acceptCustom: "JSON"}[accept]
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(facts.Gaps) > 0 {
				t.Errorf("gaps: %v", facts.Gaps)
			}
		})
	}
}
