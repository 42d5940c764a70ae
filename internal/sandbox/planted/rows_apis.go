package planted

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

const deviceClass = `
apiVersion: resource.k8s.io/%s
kind: DeviceClass
metadata: {name: tpu}
spec: {selectors: [{cel: {expression: "device.driver == 'tpu.example.com'"}}]}
`

func apiRows() []row {
	const check = "apis"
	campaigns := definition("campaigns.example.com")
	return []row{
		{
			name: "an object written in a version that only blue serves", check: check, want: "APIVersionGone/DeviceClass.resource.k8s.io/v1beta1",
			plant: func(ctx context.Context, s *stage) error {
				if err := s.create(ctx, blue, fmt.Sprintf(deviceClass, "v1beta1")); err != nil {
					return err
				}
				return s.create(ctx, green, fmt.Sprintf(deviceClass, "v1"))
			},
		},
		{
			name: "a client that still calls a version that only blue serves", check: check, want: "DeprecatedAPIGone/DeviceClass.resource.k8s.io/v1beta1", stays: true,
			plant: func(ctx context.Context, s *stage) error {
				resource, err := s.resource(ctx, blue, ref{"resource.k8s.io/v1beta1", "DeviceClass", "", ""})
				if err != nil {
					return err
				}
				_, err = resource.List(ctx, metav1.ListOptions{})
				return err
			},
		},
		edited("a Helm release with a version that green's CRD doesn't serve", check, "HelmReleaseHasGoneAPI/HelmRelease/shop/promotions/example.com/v1beta1/Campaign",
			campaigns, put(false, "spec", "versions", 1, "served"), "CRDVersionGone/CustomResourceDefinition.apiextensions.k8s.io/campaigns.example.com/v1beta1"),
	}
}

// definition names a CRD.
func definition(name string) ref {
	return ref{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name}
}

// inSchema is a path in the schema of a definition's version.
func inSchema(version int, path ...any) []any {
	return slices.Concat([]any{"spec", "versions", version, "schema", "openAPIV3Schema", "properties"}, path)
}

// ofDefinition is the id of a finding about one.
func ofDefinition(code, name, detail string) string {
	id := code + "/CustomResourceDefinition.apiextensions.k8s.io/" + name
	if detail == "" {
		return id
	}
	return id + "/" + detail
}

func definitionRows() []row {
	const check, name = "crds", "campaigns.example.com"
	of := func(code, detail string) string { return ofDefinition(code, name, detail) }
	field := func(path ...any) []any { return inSchema(0, slices.Concat([]any{"spec", "properties"}, path)...) }
	campaigns, vouchers := definition(name), definition("vouchers.example.com")
	return []row{
		edited("a field that objects use is gone", check, of("CRDFieldRemoved", "v1:spec.banner"), campaigns, drop(field("banner")...)),
		edited("a field that nobody uses is gone", check, of("CRDFieldRemoved", "v1:spec.note"), campaigns, drop(field("note")...)),
		edited("a field of another type", check, of("CRDTypeNarrowed", "v1:spec.discount"), campaigns,
			put(map[string]any{"type": "string"}, field("discount")...), of("CRDValuesNarrowed", "v1:spec.discount")),
		edited("a value that is no longer taken", check, of("CRDValuesNarrowed", "v1:spec.size"), campaigns, put([]any{"small"}, field("size", "enum")...)),
		edited("a narrower range", check, of("CRDValuesNarrowed", "v1:spec.limit"), campaigns, put(int64(10), field("limit", "maximum")...)),
		edited("another default", check, of("CRDDefaultDiffers", "v1:spec.start"), campaigns, put("later", field("start", "default")...)),
		edited("a field that is demanded", check, of("CRDFieldRequired", "v1:spec.audience"), campaigns,
			put([]any{"discount", "audience"}, inSchema(0, "spec", "required")...)),
		edited("fields that are no longer kept", check, ofDefinition("CRDUnknownFieldsLost", "vouchers.example.com", "v1:(all)"), vouchers,
			drop("spec", "versions", 1, "schema", "openAPIV3Schema", "x-kubernetes-preserve-unknown-fields")),
		edited("no subresource status", check, ofDefinition("CRDSubresourcesDiffer", "vouchers.example.com", "v1/status"), vouchers,
			drop("spec", "versions", 1, "subresources")),
		edited("a version that nobody uses is gone", check, ofDefinition("CRDVersionUnused", "vouchers.example.com", "v1alpha1"), vouchers,
			put(false, "spec", "versions", 0, "served")),
		edited("a short name is gone", check, ofDefinition("CRDNamesDiffer", "vouchers.example.com", "shortNames"), vouchers,
			drop("spec", "names", "shortNames")),
		edited("a conversion by a Service that isn't there", check, ofDefinition("CRDConversionBroken", "schedules.velero.io", ""), definition("schedules.velero.io"),
			put(map[string]any{"strategy": "Webhook", "webhook": map[string]any{
				"conversionReviewVersions": []any{"v1"},
				"clientConfig":             map[string]any{"service": map[string]any{"namespace": "platform", "name": "convert"}},
			}}, "spec", "conversion")),
		edited("a field more", check, ofDefinition("CRDAdditions", "dnsendpoints.externaldns.k8s.io", ""), definition("dnsendpoints.externaldns.k8s.io"),
			put(map[string]any{"type": "string"}, inSchema(0, "spec", "properties", "note")...)),
	}
}

// releaseRows put the definitions of an older release into green.
func releaseRows() []row {
	older := func(what, group, want string, bundle manifests.Bundle) row {
		return alone(row{
			name: what, check: "crds", want: want, also: []string{"CRD*/CustomResourceDefinition.apiextensions.k8s.io/*." + group + "*"},
			plant: func(ctx context.Context, s *stage) error { return s.downgrade(ctx, green, bundle) },
		})
	}
	return []row{
		older("the Gateway API of two minors before", "gateway.networking.k8s.io",
			ofDefinition("CRDFieldRemoved", "httproutes.gateway.networking.k8s.io", "v1:spec.rules[].filters[].cors"), manifests.OlderGatewayAPI()),
		older("cert-manager's CRDs of the minor before", "cert-manager.io",
			ofDefinition("CRDFieldRemoved", "issuers.cert-manager.io", "v1:spec.acme.solvers[].waitInsteadOfSelfCheck"), manifests.OlderCertManager()),
		older("Argo CD's CRDs of the minor before", "argoproj.io",
			ofDefinition("CRDFieldRemoved", "applicationsets.argoproj.io", "v1alpha1:spec.generators[].list.template.spec.source.tagPrefix"), manifests.OlderArgoCD()),
		older("the Prometheus operator's CRDs of the minor before", "monitoring.coreos.com",
			ofDefinition("CRDFieldRemoved", "prometheuses.monitoring.coreos.com", "v1:spec.hostUsers"), manifests.OlderPrometheusOperator()),
	}
}

// downgrade replaces definitions by those of another bundle.
func (s *stage) downgrade(ctx context.Context, at side, b manifests.Bundle) error {
	objects, err := b.Objects(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		spec := o.Object["spec"]
		if err := s.edit(ctx, at, definition(o.GetName()), func(object map[string]any) {
			object["spec"] = spec
			annotations, _, _ := unstructured.NestedMap(o.Object, "metadata", "annotations")
			_ = unstructured.SetNestedMap(object, annotations, "metadata", "annotations")
		}); err != nil {
			return err
		}
	}
	return nil
}
