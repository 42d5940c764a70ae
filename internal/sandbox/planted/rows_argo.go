package planted

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func application(name string) ref { return ref{"argoproj.io/v1alpha1", "Application", "argocd", name} }

func argoRows() []row {
	const check, of = "argocd", "/Application.argoproj.io/argocd/"
	return []row{
		edited("an Application that is out of sync", check, "ArgoOutOfSync"+of+"web", application("web"), put("OutOfSync", "status", "sync", "status")),
		edited("an Application that is degraded", check, "ArgoUnhealthy"+of+"api", application("api"), put("Degraded", "status", "health", "status")),
		edited("an Application with an error", check, "ArgoError"+of+"search", application("search"),
			put([]any{map[string]any{"type": "ComparisonError", "message": "failed to load the target state"}}, "status", "conditions")),
		edited("an Application that is being synced", check, "ArgoOperation"+of+"mailer", application("mailer"),
			put(map[string]any{
				"phase": "Running", "startedAt": "2026-01-02T03:04:05Z", "operation": map[string]any{"sync": map[string]any{"revision": "main"}},
			}, "status", "operationState")),
		edited("an Application that was compared with another source", check, "ArgoOutOfSync"+of+"gifts", application("gifts"),
			put("release-7", "spec", "source", "targetRevision")),
		removed("no Application for green", check, "ArgoMissing"+of+"images/blue", application("images"), "MissingInGreen"+of+"images"),
		twoWays("an ApplicationSet that reports an error", check, "ArgoSetError/ApplicationSet.argoproj.io/argocd/shops", applicationSet("False"), applicationSet("True")),
		alone(deletingRow()),
	}
}

// applicationSet is one that erred or not.
func applicationSet(erred string) string {
	return `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shops, namespace: argocd}
spec:
  generators: [{list: {elements: []}}]
  template:
    metadata: {name: "{{name}}"}
    spec:
      project: shop
      source: {repoURL: "https://git.example.com/shop/deploy.git", path: shops, targetRevision: main}
      destination: {server: "https://kubernetes.default.svc", namespace: shop}
status:
  conditions:
    - {type: ErrorOccurred, status: "` + erred + `", reason: ApplicationGenerationFromParamsError, message: the generator failed, lastTransitionTime: "2026-01-02T03:04:05Z"}
`
}

// deletingRow deletes an Application that its finalizer holds.
func deletingRow() row {
	return row{
		name: "an Application that is being deleted", check: "argocd", want: "ArgoDeleting/Application.argoproj.io/argocd/web",
		plant: func(ctx context.Context, s *stage) error {
			resource, err := s.resource(ctx, green, application("web"))
			if err != nil {
				return err
			}
			before, err := resource.Get(ctx, "web", metav1.GetOptions{})
			if err != nil {
				return err
			}
			patch := func(ctx context.Context, finalizers string) error {
				_, err := resource.Patch(ctx, "web", mergePatch, fmt.Appendf(nil, `{"metadata":{"finalizers":%s}}`, finalizers), metav1.PatchOptions{})
				return err
			}
			if err := patch(ctx, `["resources-finalizer.argocd.argoproj.io"]`); err != nil {
				return err
			}
			if err := resource.Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
				return err
			}
			s.undo = append(s.undo, func(ctx context.Context) error {
				if err := patch(ctx, "null"); err != nil {
					return err
				}
				return recreate(ctx, resource, before)
			})
			return nil
		},
	}
}
