package facts

import (
	"path"
	"testing"
)

// ruleOf gives the rule that leaves an object out, empty: it is compared.
func ruleOf(k GroupKind, m Marks) string {
	rules := LeftOut()
	for _, i := range RulesOf(k) {
		if rules[i].Takes(m) {
			return rules[i].Name
		}
	}
	return ""
}

func TestWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	in := func(namespace, name string) Name { return Name{Namespace: namespace, Name: name} }
	for name, c := range map[string]struct {
		kind  GroupKind
		marks Marks
		want  string
	}{
		"an Event":                      {GroupKind{Kind: "Event"}, Marks{Name: in("shop", "x")}, "events"},
		"a metric of a pod":             {GroupKind{Group: "metrics.k8s.io", Kind: "PodMetrics"}, Marks{Name: in("shop", "x")}, "views"},
		"a user's own metric":           {GroupKind{Group: "custom.metrics.k8s.io", Kind: "MetricValueList"}, Marks{}, "views"},
		"a kind called NodeClass":       {GroupKind{Group: "karpenter.k8s.aws", Kind: "EC2NodeClass"}, Marks{Name: in("", "x")}, ""},
		"a claim of Karpenter":          {GroupKind{Group: "karpenter.sh", Kind: "NodeClaim"}, Marks{Name: in("", "x")}, "karpenter-nodes"},
		"a pod of a ReplicaSet":         {GroupKind{Kind: "Pod"}, Marks{Name: in("shop", "x"), Controlled: true}, "controlled"},
		"a pod of nobody":               {GroupKind{Kind: "Pod"}, Marks{Name: in("shop", "x")}, ""},
		"a pod of a node's files":       {GroupKind{Kind: "Pod"}, Marks{Name: in("kube-system", "x"), Annotations: map[string]string{"kubernetes.io/config.mirror": "1"}}, "mirror-pods"},
		"a volume made for a claim":     {GroupKind{Kind: "PersistentVolume"}, Marks{Name: in("", "pvc-1"), Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}}, "made-volumes"},
		"a volume made by hand":         {GroupKind{Kind: "PersistentVolume"}, Marks{Name: in("", "files")}, ""},
		"a token made for an account":   {GroupKind{Kind: "Secret"}, Marks{Name: in("shop", "web-token-x7z2q"), Annotations: map[string]string{"kubernetes.io/service-account.name": "web"}}, "service-account-tokens"},
		"a token made by hand":          {GroupKind{Kind: "Secret"}, Marks{Name: in("shop", "ci"), Annotations: map[string]string{"kubernetes.io/service-account.name": "web"}}, ""},
		"a password that looks like it": {GroupKind{Kind: "Secret"}, Marks{Name: in("shop", "web-token-x7z2q")}, ""},
		"a revision of Helm":            {GroupKind{Kind: "Secret"}, Marks{Name: in("shop", "sh.helm.release.v1.web.v3"), Labels: map[string]string{"owner": "helm"}}, "helm-revisions"},
		"a Secret of another owner":     {GroupKind{Kind: "Secret"}, Marks{Name: in("shop", "x"), Labels: map[string]string{"owner": "team-a"}}, ""},
		"a Deployment owned by helm":    {GroupKind{Group: "apps", Kind: "Deployment"}, Marks{Name: in("shop", "x"), Labels: map[string]string{"owner": "helm"}}, ""},
		"a lock":                        {GroupKind{Kind: "ConfigMap"}, Marks{Name: in("shop", "x"), Annotations: map[string]string{"control-plane.alpha.kubernetes.io/leader": "{}"}}, "locks"},
		"the cluster's own authority":   {GroupKind{Kind: "ConfigMap"}, Marks{Name: in("shop", "kube-root-ca.crt")}, "root-certificates"},
		"the map of node roles":         {GroupKind{Kind: "ConfigMap"}, Marks{Name: in("kube-system", "aws-auth")}, "system-config"},
		"its namesake elsewhere":        {GroupKind{Kind: "ConfigMap"}, Marks{Name: in("shop", "aws-auth")}, ""},
		"what CoreDNS is told":          {GroupKind{Kind: "ConfigMap"}, Marks{Name: in("kube-system", "coredns")}, ""},
		"an account of the control plane": {
			GroupKind{Kind: "ServiceAccount"}, Marks{Name: in("kube-system", "cronjob-controller")}, "system-accounts",
		},
		"an account that bears an AWS role": {
			GroupKind{Kind: "ServiceAccount"}, Marks{Name: in("kube-system", "aws-load-balancer-controller")}, "",
		},
		"a right that the API server writes": {
			GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
			Marks{Name: in("", "admin"), Labels: map[string]string{"kubernetes.io/bootstrapping": "rbac-defaults"}},
			"bootstrap-rights",
		},
		"a right that EKS writes": {GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}, Marks{Name: in("", "eks:node-bootstrapper")}, "eks-rights"},
		"a right of this daemon": {
			GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
			Marks{Name: in("", "clusterswitch-shop"), Labels: map[string]string{"clusterswitch.io/pair": "shop"}},
			"own-rights",
		},
		"a right of the users": {GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}, Marks{Name: in("", "shop-admin")}, ""},
		"a FlowSchema that the API server keeps": {
			GroupKind{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"},
			Marks{Name: in("", "probes"), Annotations: map[string]string{"apf.kubernetes.io/autoupdate-spec": "true"}},
			"fairness",
		},
		"a FlowSchema that people keep": {
			GroupKind{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"},
			Marks{Name: in("", "probes"), Annotations: map[string]string{"apf.kubernetes.io/autoupdate-spec": "false"}},
			"",
		},
		"a binding of an Ingress": {
			GroupKind{Group: "elbv2.k8s.aws", Kind: "TargetGroupBinding"},
			Marks{Name: in("shop", "k8s-shop-web-1a2b"), Labels: map[string]string{"ingress.k8s.aws/stack-name": "web"}},
			"ingress-target-groups",
		},
		"a binding of people":  {GroupKind{Group: "elbv2.k8s.aws", Kind: "TargetGroupBinding"}, Marks{Name: in("shop", "web")}, ""},
		"the API server's own": {GroupKind{Kind: "Service"}, Marks{Name: in("default", "kubernetes")}, "server-endpoints"},
		"an account that each namespace has": {
			GroupKind{Kind: "ServiceAccount"}, Marks{Name: in("shop", "default")}, "default-accounts",
		},
		"the way back": {GroupKind{Kind: "ConfigMap"}, Marks{Name: in("shop", "clusterswitch-runbook-shop"), Labels: map[string]string{"clusterswitch.io/pair": "shop"}}, "runbooks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ruleOf(c.kind, c.marks); got != c.want {
				t.Errorf("left out by %q, want %q", got, c.want)
			}
		})
	}
}

// TestRulesAreSound: a pattern that is none would silently match nothing.
func TestRulesAreSound(t *testing.T) {
	t.Parallel()
	rules := LeftOut()
	if len(rules) > 255 {
		t.Error("facts keep the place of a rule in one byte")
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.Name] || r.Name == "" || r.Why == "" {
			t.Errorf("rule %q must have a name of its own, and a why", r.Name)
		}
		seen[r.Name] = true
		if len(r.Kinds)+len(r.Names)+len(r.Label)+len(r.Annotation) == 0 && !r.Controlled {
			t.Errorf("rule %s leaves everything out", r.Name)
		}
		for _, pattern := range append(append([]string{r.Namespace}, r.Kinds...), r.Names...) {
			if _, err := path.Match(pattern, ""); err != nil {
				t.Errorf("rule %s: %q is no pattern", r.Name, pattern)
			}
		}
	}
	for _, k := range []GroupKind{{Kind: "Pod"}, {Kind: "Secret"}, {Group: "apps", Kind: "Deployment"}, {Group: "elbv2.k8s.aws"}} {
		if LeftOutWhole(k) {
			t.Errorf("all of %s is left out", k)
		}
	}
	for _, k := range []GroupKind{{Kind: "Event"}, {Group: "metrics.k8s.io"}, {Group: "coordination.k8s.io", Kind: "Lease"}} {
		if !LeftOutWhole(k) {
			t.Errorf("not all of %s is left out", k)
		}
	}
}

func TestTheConfigurationsIgnore(t *testing.T) {
	t.Parallel()
	web := Name{Namespace: "shop", Name: "web"}
	deployment := GroupKind{Group: "apps", Kind: "Deployment"}
	for name, c := range map[string]struct {
		ignore Ignore
		kind   GroupKind
		name   Name
		want   bool
	}{
		"all parts":                                {Ignore{Group: "apps", Kind: "Deploy*", Namespace: "s?op", Name: "web"}, deployment, web, true},
		"a part that doesn't match":                {Ignore{Kind: "Deployment", Name: "other"}, deployment, web, false},
		"a namespace takes what is in it":          {Ignore{Namespace: "shop"}, deployment, web, true},
		"a namespace takes itself":                 {Ignore{Namespace: "shop"}, KindNamespace(), Name{Name: "shop"}, true},
		"a namespace takes no other":               {Ignore{Namespace: "shop"}, KindNamespace(), Name{Name: "stop"}, false},
		"a kind in a namespace doesn't take it":    {Ignore{Namespace: "shop", Kind: "Deployment"}, KindNamespace(), Name{Name: "shop"}, false},
		"a namespace takes nothing without one":    {Ignore{Namespace: "shop"}, GroupKind{Kind: "PersistentVolume"}, Name{Name: "shop"}, false},
		"a wildcard of a namespace takes such too": {Ignore{Namespace: "*", Kind: "PersistentVolume"}, GroupKind{Kind: "PersistentVolume"}, Name{Name: "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.ignore.Takes(c.kind, c.name); got != c.want {
				t.Errorf("takes: %t, want %t", got, c.want)
			}
		})
	}
}

func TestAspectsAreAlike(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		blue, green Aspect
		want        bool
	}{
		"the same value":                             {Aspect{Value: "a"}, Aspect{Value: "a"}, true},
		"another value":                              {Aspect{Value: "a"}, Aspect{Value: "b"}, false},
		"the same without the clusters' names":       {Aspect{Value: "a", Plain: "x"}, Aspect{Value: "b", Plain: "x"}, true},
		"the same, which one cluster's name is in":   {Aspect{Value: "a", Plain: "x"}, Aspect{Value: "a"}, true},
		"another even without the clusters' names":   {Aspect{Value: "a", Plain: "x"}, Aspect{Value: "b", Plain: "y"}, false},
		"what clusterswitch sets in one of them":     {Aspect{Value: "a", Free: true}, Aspect{Value: "b"}, true},
		"one cluster's name stands where none stood": {Aspect{Value: "a", Plain: "x"}, Aspect{Value: "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.blue.Alike(c.green); got != c.want {
				t.Errorf("alike: %t, want %t", got, c.want)
			}
		})
	}
}
