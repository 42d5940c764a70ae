package check

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// aspect says how one aspect is judged.
type aspect struct {
	code     finding.Code
	severity finding.Severity
	// what names it in a sentence; %s is the item.
	what string
	// detail is part of the id where a code has several aspects.
	detail string
	// hidden: its values are digests, which nobody is shown.
	hidden bool
	// both: an item that one side lacks is told by another aspect.
	both bool
	// together: the items of one object make one finding.
	together bool
	// judge gives severity and code of a difference; nil: the ones above. An empty
	// severity means that it is none.
	judge func(p *comparison, o facts.Object, blue, green facts.Aspect) (finding.Severity, finding.Code)
}

// aspects says how each aspect is judged.
func aspects() map[string]aspect {
	return map[string]aspect{
		facts.Image:     {what: "the image of container %s", judge: judgeImage},
		facts.Resources: {code: ResourcesDiffer, severity: finding.Block, what: "what container %s requests and may use", both: true},
		facts.Replicas:  {what: "the number of replicas", judge: judgeReplicas},
		facts.ScaleMin:  {what: "the least number of replicas", detail: "min", judge: judgeScale},
		facts.ScaleMax:  {what: "the greatest number of replicas", detail: "max", judge: judgeScale},

		facts.ServiceType:     {code: ServiceDiffers, severity: finding.Block, what: "the type", detail: "type"},
		facts.ServicePorts:    {code: ServiceDiffers, severity: finding.Block, what: "the list of ports", detail: "ports"},
		facts.ServiceSelector: {code: ServiceDiffers, severity: finding.Block, what: "the selector", detail: "selector"},

		facts.Hosts:     {code: HostsDiffer, severity: finding.Block, what: "the list of hosts"},
		facts.Class:     {code: ClassDiffers, severity: finding.Block, what: "the class"},
		facts.Listeners: {code: ListenersDiffer, severity: finding.Block, what: "the list of listeners"},

		facts.Content:     {what: "the content", hidden: true, together: true, judge: judgeContent},
		facts.Certificate: {code: CertificateDiffers, severity: finding.Warn, what: "the private key and certificate", hidden: true},
		facts.Role:        {what: "the AWS role", judge: judgeRole},
		facts.Rules:       {code: RulesDiffer, severity: finding.Block, what: "the list of rights", hidden: true},
		facts.Spec:        {code: PolicyDiffers, severity: finding.Block, what: "what it says", hidden: true},
		facts.Limits:      {code: LimitsDiffer, severity: finding.Block, what: "the limits", hidden: true},
		facts.Budget:      {code: BudgetDiffers, severity: finding.Warn, what: "the budget"},

		facts.Provisioner: {code: StorageClassDiffers, severity: finding.Block, what: "the provisioner", detail: "provisioner"},
		facts.Parameters:  {code: StorageClassDiffers, severity: finding.Block, what: "the parameters", detail: "parameters"},
		facts.BindingMode: {code: StorageClassDiffers, severity: finding.Block, what: "the binding mode", detail: "bindingMode"},
		facts.IsDefault:   {code: DefaultDiffers, severity: finding.Block, what: "the answer to whether it is the default"},

		facts.Priority:   {code: PriorityDiffers, severity: finding.Block, what: "the value"},
		facts.Controller: {code: ControllerDiffers, severity: finding.Block, what: "the controller"},

		facts.HookRules:   {code: WebhookDiffers, severity: finding.Block, what: "the rules of webhook %s", detail: "rules", hidden: true},
		facts.HookFailure: {code: WebhookDiffers, severity: finding.Block, what: "the failure policy of webhook %s", detail: "failurePolicy", both: true},
	}
}

// place tells the aspects of one object apart.
type place struct{ name, item string }

// aspects compares one object that both clusters have.
func (p *comparison) aspects(k facts.GroupKind, n facts.Name) []finding.Finding {
	blue, knownBlue := p.blue.Workloads.Aspects[k][n]
	green, knownGreen := p.green.Workloads.Aspects[k][n]
	if !knownBlue || !knownGreen || slices.Equal(blue, green) {
		return nil
	}
	b, g := placed(blue), placed(green)
	var places []place
	for _, a := range append(slices.Clone(blue), green...) {
		if at := (place{a.Name, a.Item}); !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	o := facts.Object{GroupKind: k, Name: n}
	table := aspects()
	var found []finding.Finding
	var keys []string // of a ConfigMap, which make one finding together
	for _, at := range places {
		one, hasBlue := b[at]
		other, hasGreen := g[at]
		x, differ := p.judge(o, at, table[at.name], sided{one, hasBlue}, sided{other, hasGreen})
		if differ && table[at.name].together {
			keys = append(keys, at.item)
		}
		if differ && len(keys) < 2 {
			found = append(found, x)
		}
	}
	return withKeys(found, keys)
}

// judge compares one aspect.
func (p *comparison) judge(o facts.Object, at place, a aspect, blue, green sided) (x finding.Finding, differ bool) {
	if blue.there && green.there && blue.Alike(green.Aspect) || a.both && !(blue.there && green.there) {
		return finding.Finding{}, false
	}
	severity, code := a.severity, a.code
	if a.judge != nil {
		severity, code = a.judge(p, o, blue.Aspect, green.Aspect)
	}
	if severity == "" {
		return finding.Finding{}, false
	}
	if boundToVersion(o) && code != ReplicasDiffer {
		severity = finding.Note
	}
	item := at.item
	if a.together {
		item = ""
	}
	x = finding.New(code, severity, finding.Of(o.GroupKind, o.Name), joined(a.detail, item))
	x.Side, x.Message = shift.Green, a.sentence(x.Object, item, blue, green)
	return described(x), true
}

func placed(list []facts.Aspect) map[place]facts.Aspect {
	m := make(map[place]facts.Aspect, len(list))
	for _, a := range list {
		m[place{a.Name, a.Item}] = a
	}
	return m
}

// sided is an aspect of one side, which may not be there.
type sided struct {
	facts.Aspect
	there bool
}

// mostShown bounds, in bytes, what is shown of a value.
const mostShown = 200

func (s sided) String() string {
	switch {
	case !s.there:
		return "missing"
	case s.Value == "":
		return "empty"
	case len(s.Value) > mostShown:
		return strings.ToValidUTF8(s.Value[:mostShown], "") + "…"
	}
	return s.Value
}

func (a aspect) sentence(o finding.Object, item string, blue, green sided) string {
	what := a.what
	if strings.Contains(what, "%s") {
		what = fmt.Sprintf(what, item)
	}
	switch {
	case !a.hidden:
		return fmt.Sprintf("%s of %s is %s in blue and %s in green", what, o, blue, green)
	case blue.there && !green.there && !a.together:
		return fmt.Sprintf("%s of %s is missing in green", what, o)
	case green.there && !blue.there && !a.together:
		return fmt.Sprintf("%s of %s is missing in blue", what, o)
	}
	return fmt.Sprintf("%s of %s differs between blue and green", what, o)
}

// withKeys names the keys of a ConfigMap that differ.
func withKeys(found []finding.Finding, keys []string) []finding.Finding {
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "" })
	if len(keys) == 0 {
		return found
	}
	slices.Sort(keys)
	more := ""
	if len(keys) > mostListed {
		keys, more = keys[:mostListed], " and others"
	}
	for i := range found {
		if found[i].Code == ConfigMapDiffers {
			found[i].Message += ": " + strings.Join(keys, ", ") + more
		}
	}
	return found
}

func joined(detail, item string) string {
	switch {
	case detail == "":
		return item
	case item == "":
		return detail
	}
	return detail + "/" + item
}

func judgeImage(_ *comparison, _ facts.Object, blue, green facts.Aspect) (finding.Severity, finding.Code) {
	b, blueECR := withoutECR(blue.Value)
	g, greenECR := withoutECR(green.Value)
	if blueECR && greenECR && b == g {
		return finding.Note, RegistryDiffers
	}
	return finding.Block, ImageDiffers
}

// withoutECR takes a private registry of AWS from an image's name: each account
// and region has its own.
func withoutECR(image string) (string, bool) {
	host, rest, ok := strings.Cut(image, "/")
	if ok && strings.Contains(host, ".dkr.ecr") && (strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")) {
		return rest, true
	}
	return image, false
}

func judgeReplicas(p *comparison, o facts.Object, blue, green facts.Aspect) (finding.Severity, finding.Code) {
	_, scaledBlue := p.blue.Workloads.Scaled[o]
	_, scaledGreen := p.green.Workloads.Scaled[o]
	if scaledBlue || scaledGreen || !scalersKnown(p.blue) || !scalersKnown(p.green) {
		return "", ""
	}
	b, g, ok := numbers(blue, green)
	switch {
	case ok && g == 0 && single(p.f, o):
		return "", "" // as it should be until the hand-over
	case !ok || g*100 < b*p.f.Settings.ReplicasAtLeast:
		return finding.Block, ReplicasDiffer
	case g < b:
		return finding.Warn, ReplicasDiffer
	}
	return finding.Note, ReplicasDiffer
}

// scalersKnown tells whether all autoscalers of a cluster were seen. Otherwise
// nobody knows whose choice a number of replicas is; coverage says so.
func scalersKnown(c *facts.Cluster) bool {
	for _, k := range []facts.GroupKind{facts.KindScaler(), {Group: "keda.sh", Kind: "ScaledObject"}} {
		_, undiscovered := c.Undiscovered[k.Group]
		if _, known := c.Objects[k]; !known && (undiscovered || c.Serves(k) != nil) {
			return false
		}
	}
	return true
}

func judgeScale(_ *comparison, _ facts.Object, blue, green facts.Aspect) (finding.Severity, finding.Code) {
	if b, g, ok := numbers(blue, green); ok && g > b {
		return finding.Note, ScalingDiffers
	}
	return finding.Block, ScalingDiffers
}

func numbers(blue, green facts.Aspect) (b, g int, ok bool) {
	b, wrong := strconv.Atoi(blue.Value)
	g, wrongToo := strconv.Atoi(green.Value)
	return b, g, wrong == nil && wrongToo == nil
}

func judgeContent(_ *comparison, o facts.Object, _, _ facts.Aspect) (finding.Severity, finding.Code) {
	if o.GroupKind == facts.KindSecret() {
		return finding.Block, SecretDiffers
	}
	return finding.Block, ConfigMapDiffers
}

func judgeRole(p *comparison, o facts.Object, _, green facts.Aspect) (finding.Severity, finding.Code) {
	if green.Value == "" && p.green.Workloads.Identities[o.Name].With == 0 {
		return finding.Block, RoleMissing
	}
	return finding.Warn, RoleDiffers
}

// identities compares what EKS Pod Identity did to the pods of both clusters.
func identities(p *comparison) []finding.Finding {
	pods := facts.GroupKind{Kind: "Pod"}
	_, knownBlue := p.blue.Objects[pods]
	_, knownGreen := p.green.Objects[pods]
	if !knownBlue || !knownGreen {
		return nil
	}
	k := facts.GroupKind{Kind: "ServiceAccount"}
	var found []finding.Finding
	for _, n := range slices.SortedFunc(maps.Keys(p.blue.Workloads.Identities), facts.Name.Compare) {
		blue, green := p.blue.Workloads.Identities[n], p.green.Workloads.Identities[n]
		there, known := p.green.Has(k, n)
		if blue.With == 0 || green.With > 0 || !there || !known || !p.wanted(k, n) || hasRole(p.green, k, n) {
			continue
		}
		x := finding.New(PodIdentityMissing, finding.Block, finding.Of(k, n), "")
		x.Side, x.Message = shift.Green, fmt.Sprintf("pods of ServiceAccount %s get their AWS role by EKS Pod Identity in blue and get none in green", n)
		if green.Without == 0 {
			x.Severity, x.Message = finding.Warn, fmt.Sprintf("pods of ServiceAccount %s get their AWS role by EKS Pod Identity in blue; green has no such pods that would tell whether it has the association", n)
		}
		found = append(found, described(x))
	}
	return found
}

func hasRole(c *facts.Cluster, k facts.GroupKind, n facts.Name) bool {
	return slices.ContainsFunc(c.Workloads.Aspects[k][n], func(a facts.Aspect) bool { return a.Name == facts.Role })
}

// boundToVersion tells of what EKS or the platform installs to fit a cluster's
// own version of Kubernetes: it is meant to differ, and the check of versions
// compares it.
func boundToVersion(o facts.Object) bool {
	if o.Namespace != "kube-system" && o.Namespace != "" {
		return false
	}
	return slices.ContainsFunc([]string{
		"kube-proxy*", "aws-node*", "amazon-vpc-cni", "coredns*", "ebs-csi-*", "efs-csi-*", "fsx-csi-*", "s3-csi-*",
		"eks-pod-identity-agent*", "eks-node-monitoring-agent*", "snapshot-controller*", "cluster-autoscaler*",
	}, func(pattern string) bool {
		ok, err := path.Match(pattern, o.Name.Name)
		return ok && err == nil
	})
}
