package gather

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// taken hands one object to the parity's topics.
func taken(t *testing.T, o Options, k facts.GroupKind, object runtime.Object) facts.Cluster {
	t.Helper()
	var c facts.Cluster
	for _, topic := range []topic{marks(o), releases(o), parity(o)} {
		if topic.meta != nil {
			m, ok := object.(metav1.Object)
			if !ok {
				t.Fatalf("%T has no metadata", object)
			}
			topic.meta(&c, facts.Kind{GroupKind: k}, m)
		}
		if take := topic.whole[k]; take != nil {
			take(&c, object)
		}
	}
	return c
}

var at = facts.Name{Namespace: "shop", Name: "web"}

func about(managers ...metav1.ManagedFieldsEntry) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: at.Namespace, Name: at.Name, ManagedFields: managers}
}

func TestAspects(t *testing.T) {
	t.Parallel()
	custom := func(text map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"namespace": at.Namespace, "name": at.Name}, "spec": text}}
	}
	pinned := about(metav1.ManagedFieldsEntry{Manager: "clusterswitch-capacity", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{},"f:minReplicas":{}}}`)})
	held := custom(map[string]any{"scaleTargetRef": map[string]any{"name": "web"}, "minReplicaCount": int64(7)})
	held.SetAnnotations(map[string]string{"clusterswitch.io/held": `{"pair":"shop","was":null,"held":7}`})
	held.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "clusterswitch", Operation: "Apply", FieldsV1: metav1.NewFieldsV1(
		`{"f:metadata":{"f:annotations":{"f:clusterswitch.io/held":{}}},"f:spec":{"f:minReplicaCount":{}}}`)}})
	for name, c := range map[string]struct {
		kind   facts.GroupKind
		object runtime.Object
		want   []facts.Aspect
	}{
		"a Deployment": {
			facts.GroupKind{Group: "apps", Kind: "Deployment"}, &appsv1.Deployment{ObjectMeta: about(), Spec: appsv1.DeploymentSpec{
				Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
					InitContainers: []corev1.Container{{Name: "wait", Image: "wait:1"}},
					Containers: []corev1.Container{{Name: "web", Image: "web:1", Resources: corev1.ResourceRequirements{
						Requests: corev1.ResourceList{"memory": resource.MustParse("1Gi"), "cpu": resource.MustParse("0.1")},
						Limits:   corev1.ResourceList{"memory": resource.MustParse("2Gi")},
					}}},
				}},
			}}, []facts.Aspect{
				{Name: "image", Item: "init/wait", Value: "wait:1"},
				{Name: "resources", Item: "init/wait", Value: "none"},
				{Name: "image", Item: "web", Value: "web:1"},
				{Name: "resources", Item: "web", Value: "requests cpu=100m memory=1Gi, limits memory=2Gi"},
				{Name: "replicas", Value: "1"},
			},
		},
		"a Deployment whose replicas clusterswitch holds": {
			facts.GroupKind{Group: "apps", Kind: "Deployment"},
			&appsv1.Deployment{ObjectMeta: pinned, Spec: appsv1.DeploymentSpec{Replicas: new(int32(7))}},
			[]facts.Aspect{{Name: "replicas", Value: "7", Free: true}},
		},
		"an autoscaler whose floor clusterswitch holds": {
			facts.KindScaler(), &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: pinned, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 9}},
			[]facts.Aspect{{Name: "scale-min", Value: "1", Free: true}, {Name: "scale-max", Value: "9"}},
		},
		"a Service": {
			facts.KindService(), &corev1.Service{ObjectMeta: about(), Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeNodePort, Selector: map[string]string{"b": "2", "a": "1", "rollouts-pod-template-hash": "5d4f"},
				Ports: []corev1.ServicePort{
					{Name: "https", Port: 443, Protocol: "TCP", TargetPort: intstr.FromString("tls"), NodePort: 30123},
					{Name: "http", Port: 80, Protocol: "TCP", NodePort: 31123},
				},
			}}, []facts.Aspect{
				{Name: "service-type", Value: "NodePort"},
				{Name: "service-ports", Value: "http=80/TCP->80 https=443/TCP->tls"},
				{Name: "service-selector", Value: "a=1 b=2"},
			},
		},
		"a Service without an address": {
			facts.KindService(), &corev1.Service{ObjectMeta: about(), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: "None"}},
			[]facts.Aspect{{Name: "service-type", Value: "ClusterIP without an address"}, {Name: "service-ports"}, {Name: "service-selector"}},
		},
		"an account whose role has the cluster's name": {
			facts.GroupKind{Kind: "ServiceAccount"}, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
				Namespace: at.Namespace, Name: at.Name, Annotations: map[string]string{roleAnnotation: "arn:aws:iam::1:role/production-blue-web"},
			}}, []facts.Aspect{{Name: "role", Value: "arn:aws:iam::1:role/production-blue-web", Plain: "arn:aws:iam::1:role/<cluster>-web"}},
		},
		"a scaled object without limits": {
			facts.GroupKind{Group: "keda.sh", Kind: "ScaledObject"},
			custom(map[string]any{"scaleTargetRef": map[string]any{"name": "web"}}),
			[]facts.Aspect{{Name: "scale-min", Value: "0"}, {Name: "scale-max", Value: "100"}},
		},
		"a scaled object whose floor clusterswitch holds": {facts.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}, held, []facts.Aspect{
			{Name: "scale-min", Value: "7", Free: true}, {Name: "scale-max", Value: "100"},
		}},
		"a Rollout": {
			facts.GroupKind{Group: "argoproj.io", Kind: "Rollout"}, custom(map[string]any{"replicas": int64(3), "template": map[string]any{
				"spec": map[string]any{"containers": []any{map[string]any{"name": "web", "image": "web:1"}}},
			}}), []facts.Aspect{{Name: "image", Item: "web", Value: "web:1"}, {Name: "resources", Item: "web", Value: "none"}, {Name: "replicas", Value: "3"}},
		},
		"a Gateway": {
			facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}, custom(map[string]any{"gatewayClassName": "alb", "listeners": []any{
				map[string]any{"name": "https", "port": int64(443), "protocol": "HTTPS", "hostname": "*.example.com"},
				map[string]any{"name": "http", "port": int64(80), "protocol": "HTTP"},
			}}), []facts.Aspect{{Name: "listeners", Value: "http=80/HTTP https=443/HTTPS/*.example.com"}, {Name: "class", Value: "alb"}},
		},
		"a route": {
			facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"},
			custom(map[string]any{"hostnames": []any{"b.example.com", "a.example.com"}}),
			[]facts.Aspect{{Name: "hosts", Value: "a.example.com b.example.com"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{own: ownNames(Source{Name: "production-blue", Config: &rest.Config{Host: "https://x"}})}
			got := taken(t, o, c.kind, c.object)
			if diff := cmp.Diff(c.want, got.Workloads.Aspects[c.kind][at]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatScalesAWorkload(t *testing.T) {
	t.Parallel()
	web := facts.Name{Namespace: "shop", Name: "web"}
	hpa := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: about(), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web"},
	}}
	// KEDA makes this one: it isn't compared, but scales all the same.
	yes := true
	hpa.OwnerReferences = []metav1.OwnerReference{{Kind: "ScaledObject", Name: "web", Controller: &yes}}
	c := taken(t, Options{}, facts.KindScaler(), hpa)
	want := map[facts.Object]facts.Object{{GroupKind: facts.KindStatefulSet(), Name: web}: {GroupKind: facts.KindScaler(), Name: web}}
	if diff := cmp.Diff(want, c.Workloads.Scaled); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(c.Workloads.Aspects) > 0 {
		t.Errorf("it is compared: %v", c.Workloads.Aspects)
	}
}

func TestPodsTellOfPodIdentity(t *testing.T) {
	t.Parallel()
	pod := func(audience string, phase corev1.PodPhase) facts.Cluster {
		return taken(t, Options{}, facts.GroupKind{Kind: "Pod"}, &corev1.Pod{
			ObjectMeta: about(), Status: corev1.PodStatus{Phase: phase}, Spec: corev1.PodSpec{ServiceAccountName: "web", Volumes: []corev1.Volume{{
				VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
					{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Audience: audience}},
				}}},
			}}},
		})
	}
	for name, c := range map[string]struct {
		got  facts.Cluster
		want facts.Workloads
	}{
		"a pod with the token": {pod("pods.eks.amazonaws.com", corev1.PodRunning), facts.Workloads{Identities: map[facts.Name]facts.Identity{at: {With: 1}}}},
		"a pod with another":   {pod("", corev1.PodRunning), facts.Workloads{Identities: map[facts.Name]facts.Identity{at: {Without: 1}}}},
		"a pod that ended": {pod("", corev1.PodSucceeded), facts.Workloads{Ended: map[facts.Object]struct{}{
			{GroupKind: facts.GroupKind{Kind: "Pod"}, Name: at}: {},
		}}},
	} {
		if diff := cmp.Diff(c.want, c.got.Workloads); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	secret := func(key string, s corev1.Secret) []facts.Aspect { return secretAspects(&s, []byte(key)) }
	password := corev1.Secret{Data: map[string][]byte{"password": []byte("correct-horse")}}
	one, other := secret("1", password), secret("2", password)
	if one[0].Value == other[0].Value {
		t.Error("the digest doesn't depend on the key, so it can be guessed")
	}
	if diff := cmp.Diff(one, secret("1", password)); diff != "" {
		t.Errorf("one key gives two digests:\n%s", diff)
	}
	if split := secret("1", corev1.Secret{Data: map[string][]byte{"passwordcorrect": []byte("-horse")}}); split[0].Value == one[0].Value {
		t.Error("a key's end passes for the beginning of its value")
	}
	if strings.Contains(one[0].Value, "horse") || len(one[0].Value) != 2*digestLength {
		t.Errorf("digest %q", one[0].Value)
	}
	private := secret("1", corev1.Secret{Data: map[string][]byte{"tls.key": []byte("x")}})
	if private[0].Name != facts.Certificate {
		t.Errorf("a private key counts as %s", private[0].Name)
	}
	issued := corev1.Secret{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"cert-manager.io/certificate-name": "web"}}, Data: password.Data}
	token := corev1.Secret{Type: corev1.SecretTypeServiceAccountToken, Data: password.Data}
	if n := len(secret("1", issued)) + len(secret("1", token)); n > 0 {
		t.Errorf("%d digests of what each cluster makes for itself", n)
	}
}

func TestMeaningKnowsNoOrder(t *testing.T) {
	t.Parallel()
	rules := func(verbs ...string) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{{Verbs: verbs, Resources: []string{"pods"}}}
	}
	if meaning(rules("get", "list")) != meaning(rules("list", "get")) {
		t.Error("the order of verbs counts")
	}
	if meaning(rules("get")) == meaning(rules("list")) {
		t.Error("verbs don't count")
	}
}

func TestPlainTexts(t *testing.T) {
	t.Parallel()
	p := newPlainer(ownNames(Source{Name: "arn:aws:eks:eu-west-1:1:cluster/production-blue", Config: &rest.Config{Host: "https://0A1B.gr7.eu-west-1.eks.amazonaws.com"}}))
	for text, want := range map[string]string{
		"color: blue":             "",
		"cluster=production-blue": "cluster=<cluster>",
		"https://0A1B.gr7.eu-west-1.eks.amazonaws.com:443":                             "https://<cluster>:443",
		"oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:sub":     "<id>:sub",
		"groups: sg-0123456789abcdef0, subnet-0123456789abcdef0":                       "groups: <id>, <id>",
		"fs-0123456789abcdef0 is where users' files are, and must be the same in both": "",
	} {
		if got := p.plain(text); got != want {
			t.Errorf("%q without the cluster is %q, want %q", text, got, want)
		}
	}
	if short := newPlainer(ownNames(Source{Name: "green", Config: &rest.Config{Host: "https://x"}})); short.plain("color: green") != "" {
		t.Error("a word of any text passes for the cluster's name")
	}
}

func TestWholeKindsOfTheBriefScope(t *testing.T) {
	t.Parallel()
	have := map[facts.GroupKind]bool{}
	for _, topic := range wanted(Options{Scope: facts.Brief}) {
		for k := range topic.whole {
			have[k] = true
		}
	}
	for _, k := range facts.ReleaseKinds() {
		if !have[k] {
			t.Errorf("%s is compared at each step and not read", k)
		}
	}
	for _, k := range []facts.GroupKind{{Kind: "ConfigMap"}, facts.KindSecret(), {Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}} {
		if have[k] {
			t.Errorf("%s is read at each step, which costs too much", k)
		}
	}
}
