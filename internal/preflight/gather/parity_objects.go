package gather

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// roleAnnotation names the AWS role that the pods of a ServiceAccount take on.
const roleAnnotation = "eks.amazonaws.com/role-arn"

// parity looks at the other built-in kinds in which a difference hurts users.
func parity(o Options) topic {
	t, plain := takes{}, newPlainer(o.own)
	t.add(typed(facts.GroupKind{Kind: "ConfigMap"}, func(m *corev1.ConfigMap) []facts.Aspect { return contents(m, plain) }))
	if o.Settings.Secrets == facts.SecretsDigests {
		t.add(typed(facts.KindSecret(), func(s *corev1.Secret) []facts.Aspect { return secretAspects(s, o.key) }))
	}
	t.add(typed(facts.GroupKind{Kind: "ServiceAccount"}, func(a *corev1.ServiceAccount) []facts.Aspect {
		if role := a.Annotations[roleAnnotation]; role != "" {
			return []facts.Aspect{{Name: facts.Role, Value: role, Plain: plain.plain(role)}}
		}
		return nil
	}))
	t.add(typed(facts.GroupKind{Kind: "ResourceQuota"}, func(q *corev1.ResourceQuota) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Limits, Value: quantities(q.Spec.Hard)}}
	}))
	t.add(typed(facts.GroupKind{Kind: "LimitRange"}, func(l *corev1.LimitRange) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Limits, Value: meaning(l.Spec)}}
	}))
	t[facts.KindClaim()] = takeClaim
	t[facts.GroupKind{Kind: "Pod"}] = takePod
	addNetwork(t, plain)
	addCluster(t, plain)
	addAdmission(t)
	return topic{whole: t}
}

// contents gives a digest of each key.
func contents(m *corev1.ConfigMap, plain plainer) []facts.Aspect {
	all := make([]facts.Aspect, 0, len(m.Data)+len(m.BinaryData))
	for key, value := range m.Data {
		a := facts.Aspect{Name: facts.Content, Item: key, Value: digest(value)}
		if without := plain.plain(value); without != "" {
			a.Plain = digest(without)
		}
		all = append(all, a)
	}
	for key, value := range m.BinaryData {
		all = append(all, facts.Aspect{Name: facts.Content, Item: key, Value: digest(string(value))})
	}
	slices.SortFunc(all, func(a, b facts.Aspect) int { return strings.Compare(a.Item, b.Item) })
	return all
}

// secretAspects keeps nothing of a Secret but a digest under a key that is
// thrown away with the preflight. Tokens and certificates that each cluster
// makes for itself have none.
func secretAspects(s *corev1.Secret, key []byte) []facts.Aspect {
	_, issued := s.Annotations["cert-manager.io/certificate-name"]
	if issued || s.Type == corev1.SecretTypeServiceAccountToken {
		return nil
	}
	name := facts.Content
	if _, private := s.Data[corev1.TLSPrivateKeyKey]; private {
		name = facts.Certificate
	}
	return []facts.Aspect{{Name: name, Value: keyed(key, s.Data)}}
}

// takeClaim passes by claims that live and die with a pod. Others count whoever
// made them: it is their data that stays behind.
func takeClaim(c *facts.Cluster, o runtime.Object) {
	p, ok := as[*corev1.PersistentVolumeClaim](c, facts.KindClaim(), o)
	if !ok {
		return
	}
	if owner := metav1.GetControllerOf(p); owner != nil && owner.Kind == "Pod" {
		return
	}
	size, class := p.Spec.Resources.Requests[corev1.ResourceStorage], ""
	if p.Spec.StorageClassName != nil {
		class = *p.Spec.StorageClassName
	}
	set(&c.Workloads.Volumes, nameOf(p), facts.Volume{Size: size.String(), Class: class})
}

func takePod(c *facts.Cluster, o runtime.Object) {
	k := facts.GroupKind{Kind: "Pod"}
	p, ok := as[*corev1.Pod](c, k, o)
	if !ok {
		return
	}
	switch {
	case p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed:
		account := facts.Name{Namespace: p.Namespace, Name: p.Spec.ServiceAccountName}
		identity := c.Workloads.Identities[account]
		if identified(p) {
			identity.With++
		} else {
			identity.Without++
		}
		set(&c.Workloads.Identities, account, identity)
	case !leftOut(c, k, p):
		set(&c.Workloads.Ended, facts.Object{GroupKind: k, Name: nameOf(p)}, struct{}{})
	}
}

// identified tells whether EKS Pod Identity mounted its token into a pod.
func identified(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		return v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool {
			return s.ServiceAccountToken != nil && s.ServiceAccountToken.Audience == "pods.eks.amazonaws.com"
		})
	})
}

func addNetwork(t takes, plain plainer) {
	t.add(typed(facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, func(i *networkingv1.Ingress) []facts.Aspect {
		var hosts []string
		for _, rule := range i.Spec.Rules {
			hosts = append(hosts, rule.Host)
		}
		class := i.Annotations["kubernetes.io/ingress.class"]
		if i.Spec.IngressClassName != nil {
			class = *i.Spec.IngressClassName
		}
		return []facts.Aspect{hostAspect(hosts, plain), {Name: facts.Class, Value: class}}
	}))
	t.add(typed(facts.GroupKind{Group: "networking.k8s.io", Kind: "IngressClass"}, func(c *networkingv1.IngressClass) []facts.Aspect {
		return []facts.Aspect{
			{Name: facts.Controller, Value: c.Spec.Controller},
			{Name: facts.IsDefault, Value: yes(c.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true")},
		}
	}))
	t.add(typed(facts.GroupKind{Group: "networking.k8s.io", Kind: "NetworkPolicy"}, func(p *networkingv1.NetworkPolicy) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Spec, Value: meaning(p.Spec)}}
	}))
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute"} {
		k := facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: kind}
		t.add(k, custom(k, func(spec map[string]any) []facts.Aspect {
			return []facts.Aspect{hostAspect(texts(spec["hostnames"]), plain)}
		}))
	}
	gateway := facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}
	t.add(gateway, custom(gateway, func(spec map[string]any) []facts.Aspect {
		listeners := strings.Join(listenersOf(spec), " ")
		return []facts.Aspect{
			{Name: facts.Listeners, Value: listeners, Plain: plain.plain(listeners)},
			{Name: facts.Class, Value: fmt.Sprint(spec["gatewayClassName"])},
		}
	}))
	class := facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "GatewayClass"}
	t.add(class, custom(class, func(spec map[string]any) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Controller, Value: fmt.Sprint(spec["controllerName"])}}
	}))
	for _, k := range []facts.GroupKind{
		{Group: "cilium.io", Kind: "CiliumNetworkPolicy"},
		{Group: "cilium.io", Kind: "CiliumClusterwideNetworkPolicy"},
		{Group: "crd.projectcalico.org", Kind: "NetworkPolicy"},
		{Group: "crd.projectcalico.org", Kind: "GlobalNetworkPolicy"},
	} {
		t.add(k, custom(k, func(spec map[string]any) []facts.Aspect {
			return []facts.Aspect{{Name: facts.Spec, Value: meaning(spec)}}
		}))
	}
}

func hostAspect(hosts []string, plain plainer) facts.Aspect {
	slices.Sort(hosts)
	all := strings.Join(slices.Compact(hosts), " ")
	return facts.Aspect{Name: facts.Hosts, Value: all, Plain: plain.plain(all)}
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func addCluster(t takes, plain plainer) {
	t.add(typed(facts.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}, func(s *storagev1.StorageClass) []facts.Aspect {
		mode := storagev1.VolumeBindingImmediate
		if s.VolumeBindingMode != nil {
			mode = *s.VolumeBindingMode
		}
		parameters := pairs(s.Parameters)
		return []facts.Aspect{
			{Name: facts.Provisioner, Value: s.Provisioner},
			{Name: facts.Parameters, Value: parameters, Plain: plain.plain(parameters)},
			{Name: facts.BindingMode, Value: string(mode)},
			{Name: facts.IsDefault, Value: yes(s.Annotations["storageclass.kubernetes.io/is-default-class"] == "true")},
		}
	}))
	t.add(typed(facts.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}, func(p *schedulingv1.PriorityClass) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Priority, Value: strconv.Itoa(int(p.Value))}}
	}))
	t.add(typed(facts.GroupKind{Group: "policy", Kind: "PodDisruptionBudget"}, func(b *policyv1.PodDisruptionBudget) []facts.Aspect {
		var text string
		switch {
		case b.Spec.MinAvailable != nil:
			text = "at least " + b.Spec.MinAvailable.String() + " available"
		case b.Spec.MaxUnavailable != nil:
			text = "at most " + b.Spec.MaxUnavailable.String() + " unavailable"
		}
		return []facts.Aspect{{Name: facts.Budget, Value: text + " of " + metav1.FormatLabelSelector(b.Spec.Selector)}}
	}))
	t.add(typed(facts.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "Role"}, func(r *rbacv1.Role) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Rules, Value: meaning(r.Rules)}}
	}))
	t.add(typed(facts.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}, func(r *rbacv1.ClusterRole) []facts.Aspect {
		if r.AggregationRule != nil { // a controller fills the rules in
			return []facts.Aspect{{Name: facts.Rules, Value: meaning(r.AggregationRule)}}
		}
		return []facts.Aspect{{Name: facts.Rules, Value: meaning(r.Rules)}}
	}))
}

func addAdmission(t takes) {
	const group = "admissionregistration.k8s.io"
	validating := facts.GroupKind{Group: group, Kind: "ValidatingWebhookConfiguration"}
	_, takeValidating := typed(validating, func(w *admissionv1.ValidatingWebhookConfiguration) []facts.Aspect {
		var all []facts.Aspect
		for _, h := range w.Webhooks {
			all = append(all, hookAspects(h.Name, h.Rules, h.FailurePolicy)...)
		}
		return all
	})
	t[validating] = func(c *facts.Cluster, o runtime.Object) {
		takeValidating(c, o)
		if w, ok := o.(*admissionv1.ValidatingWebhookConfiguration); ok && !leftOut(c, validating, w) {
			for _, h := range w.Webhooks {
				calls(c, validating, w, h.ClientConfig)
			}
		}
	}
	mutating := facts.GroupKind{Group: group, Kind: "MutatingWebhookConfiguration"}
	_, takeMutating := typed(mutating, func(w *admissionv1.MutatingWebhookConfiguration) []facts.Aspect {
		var all []facts.Aspect
		for _, h := range w.Webhooks {
			all = append(all, hookAspects(h.Name, h.Rules, h.FailurePolicy)...)
		}
		return all
	})
	t[mutating] = func(c *facts.Cluster, o runtime.Object) {
		takeMutating(c, o)
		if w, ok := o.(*admissionv1.MutatingWebhookConfiguration); ok && !leftOut(c, mutating, w) {
			for _, h := range w.Webhooks {
				calls(c, mutating, w, h.ClientConfig)
			}
		}
	}
	t.add(typed(facts.GroupKind{Group: group, Kind: "ValidatingAdmissionPolicy"}, func(p *admissionv1.ValidatingAdmissionPolicy) []facts.Aspect {
		return []facts.Aspect{{Name: facts.Spec, Value: meaning(p.Spec)}}
	}))
}

// hookAspects leaves the certificate out, which each cluster makes for itself.
func hookAspects(name string, rules []admissionv1.RuleWithOperations, failure *admissionv1.FailurePolicyType) []facts.Aspect {
	fails := admissionv1.Fail
	if failure != nil {
		fails = *failure
	}
	return []facts.Aspect{
		{Name: facts.HookRules, Item: name, Value: meaning(rules)},
		{Name: facts.HookFailure, Item: name, Value: string(fails)},
	}
}

func calls(c *facts.Cluster, k facts.GroupKind, o metav1.Object, client admissionv1.WebhookClientConfig) {
	if client.Service == nil {
		return
	}
	hook, service := facts.Object{GroupKind: k, Name: nameOf(o)}, facts.Name{Namespace: client.Service.Namespace, Name: client.Service.Name}
	if !slices.Contains(c.Workloads.Hooks[hook], service) {
		set(&c.Workloads.Hooks, hook, append(c.Workloads.Hooks[hook], service))
	}
}
