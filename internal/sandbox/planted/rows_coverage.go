package planted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// coverageRows are clusters that can't be read, or not whole. Each gets a run of
// its own: they say how green is reached.
func coverageRows() []row {
	const check = "coverage"
	return []row{
		alone(row{
			name: "no right to read one kind (403)", check: check, want: "NotChecked/Cluster/green/networkpolicies.networking.k8s.io", plant: restrict,
			also: []string{"OnlyInGreen/ClusterRole.rbac.authorization.k8s.io/restricted", "OnlyInGreen/ClusterRoleBinding.rbac.authorization.k8s.io/restricted"},
		}),
		alone(row{
			name: "one kind is answered too slowly", check: check, want: "NotChecked/Cluster/green/networkpolicies.networking.k8s.io",
			plant: func(ctx context.Context, s *stage) error {
				s.settings.Timeout = "10s"
				return s.through(ctx, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if strings.HasSuffix(r.URL.Path, "/networkpolicies") {
						<-r.Context().Done() // nothing is ever answered
						return
					}
					next.ServeHTTP(w, r)
				})
			},
		}),
		alone(row{
			name: "the API server fails for one kind", check: check, want: "NotChecked/Cluster/green/poddisruptionbudgets.policy",
			plant: func(ctx context.Context, s *stage) error {
				return s.through(ctx, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if strings.HasSuffix(r.URL.Path, "/poddisruptionbudgets") {
						http.Error(w, "etcdserver: request timed out", http.StatusInternalServerError)
						return
					}
					next.ServeHTTP(w, r)
				})
			},
		}),
		alone(row{
			name: "green doesn't answer at all", check: check, want: "ClusterUnreadable/Cluster/green",
			plant: func(_ context.Context, s *stage) error { return s.nobody(green) },
		}),
		alone(row{
			name: "blue doesn't answer at all", check: check, want: "ClusterUnreadable/Cluster/blue", also: []string{"DeclaredEntranceMissing/*"},
			plant: func(_ context.Context, s *stage) error { return s.nobody(blue) },
		}),
		alone(row{
			name: "an aggregated API that is down", check: check, want: "NotChecked/Cluster/green/things.example.net",
			also: []string{"APIServiceUnavailable/APIService.apiregistration.k8s.io/v1.things.example.net", "OnlyInGreen/APIService.apiregistration.k8s.io/v1.things.example.net"},
			plant: func(ctx context.Context, s *stage) error {
				return s.create(ctx, green, `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.things.example.net}
spec: {group: things.example.net, version: v1, groupPriorityMinimum: 100, versionPriority: 10, insecureSkipTLSVerify: true, service: {namespace: shop, name: web, port: 443}}
`)
			},
		}),
		alone(row{
			name: "a waiver that expired", check: check, want: "WaiverExpired/Waiver/DataStaysBehind/StatefulSet.apps/shop/cart",
			plant: func(_ context.Context, s *stage) error {
				s.settings.Waivers[0].Until = "2026-01-01"
				return nil
			},
		}),
		alone(row{
			name: "green is older than blue", check: "versions", want: "GreenOlder/Cluster/green", also: []string{"AddonSkew/*"},
			plant: func(ctx context.Context, s *stage) error { return s.version(ctx, "v1.36.9", "36") },
		}),
	}
}

// restrict lets the preflight read green as a user who may list everything but
// network policies.
func restrict(ctx context.Context, s *stage) error {
	rules, err := s.green.everything()
	if err != nil {
		return err
	}
	meta := metav1.ObjectMeta{Name: "restricted"}
	roles, bindings := s.green.client.RbacV1().ClusterRoles(), s.green.client.RbacV1().ClusterRoleBindings()
	if _, err := roles.Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err != nil {
		return err
	}
	s.undo = append(s.undo, func(ctx context.Context) error {
		return errors.Join(bindings.Delete(ctx, meta.Name, metav1.DeleteOptions{}), roles.Delete(ctx, meta.Name, metav1.DeleteOptions{}))
	})
	if _, err := bindings.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "restricted"}},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	return s.impersonate(ctx, green, "restricted")
}

// everything are the rights to read all that the cluster serves but network
// policies.
func (c *cluster) everything() ([]rbacv1.PolicyRule, error) {
	_, lists, err := c.client.Discovery().ServerGroupsAndResources()
	if err != nil {
		return nil, fmt.Errorf("asking green what it serves: %w", err)
	}
	rules := []rbacv1.PolicyRule{{NonResourceURLs: []string{"*"}, Verbs: []string{"get"}}}
	for _, list := range lists {
		group, _, grouped := strings.Cut(list.GroupVersion, "/")
		if !grouped {
			group = ""
		}
		for _, resource := range list.APIResources {
			if resource.Name != "networkpolicies" {
				rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource.Name}, Verbs: []string{"get", "list"}})
			}
		}
	}
	return rules, nil
}

// impersonate lets the preflight reach a cluster as another user.
func (s *stage) impersonate(ctx context.Context, at side, user string) error {
	return s.reach(ctx, at, func(config *rest.Config) { config.Impersonate = rest.ImpersonationConfig{UserName: user} }, nil)
}

// middle is what stands between the preflight and an API server.
type middle func(w http.ResponseWriter, r *http.Request, next http.Handler)

// through lets the preflight reach green through a proxy that misbehaves.
func (s *stage) through(ctx context.Context, m middle) error {
	return s.reach(ctx, green, func(*rest.Config) {}, m)
}

// slowly lets every answer of a cluster take a while.
func (s *stage) slowly(ctx context.Context, at side) error {
	return s.reach(ctx, at, func(*rest.Config) {}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
		}
		next.ServeHTTP(w, r)
	})
}

// version lets green's API server call itself otherwise.
func (s *stage) version(ctx context.Context, version, minor string) error {
	return s.through(ctx, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/version" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"major": "1", "minor": minor, "gitVersion": version})
	})
}

// reach serves a cluster's API at an address of its own, by the administrator's
// rights or what change makes of them, and lets the preflight use it.
func (s *stage) reach(ctx context.Context, at side, change func(*rest.Config), m middle) error {
	config := rest.CopyConfig(s.at(at).config)
	change(config)
	transport, err := rest.TransportFor(config)
	if err != nil {
		return fmt.Errorf("reaching %s: %w", at, err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return fmt.Errorf("reaching %s: %w", at, err)
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var handler http.Handler = proxy
	if m != nil {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m(w, r, proxy) })
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serving %s by a proxy: %w", at, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	s.undo = append(s.undo, func(context.Context) error {
		err := server.Close()
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	})
	return s.point(at, l.Addr().String())
}

// nobody points the preflight at a port where nobody listens any more.
func (s *stage) nobody(at side) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("looking for a free port: %w", err)
	}
	if err := l.Close(); err != nil {
		return err
	}
	return s.point(at, l.Addr().String())
}

// point writes a kubeconfig that leads to an address, and has the settings use it.
func (s *stage) point(at side, address string) error {
	path := filepath.Join(s.options.Dir, string(at)+"-elsewhere.kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: elsewhere, cluster: {server: "http://%s"}}]
contexts: [{name: elsewhere, context: {cluster: elsewhere}}]
current-context: elsewhere
`, address)
	if at == blue {
		s.settings.Blue = path
	} else {
		s.settings.Green = path
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
