package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// listed says that kinds were read whole.
func lists(kinds ...facts.GroupKind) map[facts.GroupKind]map[facts.Name]struct{} {
	m := map[facts.GroupKind]map[facts.Name]struct{}{}
	for _, k := range kinds {
		m[k] = map[facts.Name]struct{}{}
	}
	return m
}

func wholeLists() map[facts.GroupKind]map[facts.Name]struct{} {
	return lists(coreKind("Node"), coreKind("Namespace"), appsKind("Deployment"), appsKind("StatefulSet"), appsKind("DaemonSet"),
		facts.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}, facts.GroupKind{Group: "argoproj.io", Kind: "Application"})
}

func linuxNode(kubelet string) facts.Node {
	return facts.Node{Kubelet: kubelet, Runtime: "containerd://2.1.4", OS: "linux", Image: "Bottlerocket OS 1.26.1 (aws-k8s-1.34)", Arch: "amd64", Ready: true}
}

func runningAddon(id, title, tag string) facts.Addon {
	return facts.Addon{
		ID: id, Title: title, Version: tag, Image: "registry.example.com/" + id + ":" + tag,
		Object: facts.Object{GroupKind: appsKind("Deployment"), Name: facts.Name{Namespace: "kube-system", Name: id}},
	}
}

// twoAlike are a pair of clusters of one version, with three nodes and two add-ons.
func twoAlike() *facts.Facts {
	cluster := func(side shift.Side) facts.Cluster {
		return facts.Cluster{Side: side, Name: "shop-" + string(side), Address: "https://" + string(side) + ".example.com", Objects: wholeLists(), Versions: facts.Versions{
			Server: "v1.34.2-eks-1a2b3c4",
			Nodes:  map[facts.Node]int{linuxNode("v1.34.1-eks-1"): 3},
			Addons: []facts.Addon{runningAddon("coredns", "CoreDNS", "v1.11.4-eksbuild.2"), runningAddon("kube-proxy", "kube-proxy", "v1.34.0-eksbuild.2")},
		}}
	}
	return &facts.Facts{Pair: "shop", Scope: facts.Full, Settings: facts.Settings{ReplicasAtLeast: 100}, Blue: cluster(shift.Blue), Green: cluster(shift.Green)}
}

// brief gives "block Code/Kind/name: message" of each finding, sorted.
func briefly(found []finding.Finding) []string {
	lines := make([]string, 0, len(found))
	for _, x := range found {
		lines = append(lines, string(x.Severity)+" "+x.ID+": "+x.Message)
	}
	slices.Sort(lines)
	return lines
}

// sound checks what every finding must have, and that the check explains its code.
func sound(t *testing.T, c Check, found []finding.Finding) {
	t.Helper()
	ids := map[string]bool{}
	for _, x := range found {
		if ids[x.ID] {
			t.Errorf("two findings have the id %s", x.ID)
		}
		ids[x.ID] = true
		if x.Message == "" || x.Do == "" {
			t.Errorf("%s has no message or nothing to do: %+v", x.ID, x)
		}
		if !slices.ContainsFunc(c.Codes, func(d finding.Doc) bool { return d.Code == x.Code }) {
			t.Errorf("check %s does not explain %s", c.Name, x.Code)
		}
	}
}

// compareBrief runs the check on the pair after with changed it.
func compareBrief(t *testing.T, c Check, f *facts.Facts, want []string) {
	t.Helper()
	found := c.Run(f)
	sound(t, c, found)
	slices.Sort(want)
	if diff := cmp.Diff(want, briefly(found)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVersionsOfTwoSides(t *testing.T) {
	t.Parallel()
	const (
		sameServers = "note ServerVersions/Cluster/green: blue's API server is v1.34.2-eks-1a2b3c4, green's is v1.34.2-eks-1a2b3c4"
		sameAddons  = "note AddonsAlike/Cluster/green: the same in blue and green: CoreDNS v1.11.4-eksbuild.2, kube-proxy v1.34.0-eksbuild.2"
	)
	for name, c := range map[string]struct {
		with func(blue, green *facts.Cluster)
		want []string
	}{
		"two that are alike": {with: func(_, _ *facts.Cluster) {}, want: []string{sameServers, sameAddons}},
		"green skips minors": {
			with: func(b, _ *facts.Cluster) { b.Versions.Server = "v1.31.9" },
			want: []string{sameAddons, "note ServerVersions/Cluster/green: blue's API server is v1.31.9, green's is v1.34.2-eks-1a2b3c4; 1.31 → 1.34 skips 2 minors, which is allowed for a new cluster"},
		},
		"green is one minor newer": {
			with: func(b, _ *facts.Cluster) { b.Versions.Server = "v1.33.9" },
			want: []string{sameAddons, "note ServerVersions/Cluster/green: blue's API server is v1.33.9, green's is v1.34.2-eks-1a2b3c4"},
		},
		"green is older": {
			with: func(b, _ *facts.Cluster) { b.Versions.Server = "v1.35.0" },
			want: []string{
				sameAddons, "note ServerVersions/Cluster/green: blue's API server is v1.35.0, green's is v1.34.2-eks-1a2b3c4",
				"block GreenOlder/Cluster/green: green's API server (v1.34.2-eks-1a2b3c4) is older than blue's (v1.35.0)",
			},
		},
		"green is older by a patch": {
			with: func(b, _ *facts.Cluster) { b.Versions.Server = "v1.34.3" },
			want: []string{
				sameAddons, "note ServerVersions/Cluster/green: blue's API server is v1.34.3, green's is v1.34.2-eks-1a2b3c4",
				"warn GreenOlder/Cluster/green/patch: green's API server (v1.34.2-eks-1a2b3c4) is older than blue's (v1.34.3)",
			},
		},
		"green acts as something older than blue": {
			with: func(_, g *facts.Cluster) { g.Versions.Emulated = 33 },
			want: []string{
				sameServers, sameAddons,
				"warn ServerEmulates/Cluster/green: green's API server is v1.34.2-eks-1a2b3c4, but acts as 1.33",
				"block GreenOlder/Cluster/green: green's API server (v1.34.2-eks-1a2b3c4 acting as 1.33) is older than blue's (v1.34.2-eks-1a2b3c4)",
			},
		},
		"a version that is garbage": {
			with: func(_, g *facts.Cluster) { g.Versions.Server = "devel" },
			want: []string{sameAddons, `block VersionUnknown/Cluster/green/server: green's API server calls its version "devel", which can't be compared`},
		},
		"no version at all": {
			with: func(b, _ *facts.Cluster) { b.Versions.Server = "" },
			want: []string{sameAddons, `block VersionUnknown/Cluster/blue/server: blue's API server calls its version "", which can't be compared`},
		},
		"a green that can't be read": {
			with: func(_, g *facts.Cluster) { *g = facts.Cluster{Side: shift.Green, Fault: "connection refused"} },
			want: []string{},
		},
		"a blue that can't be read": {
			with: func(b, g *facts.Cluster) {
				*b = facts.Cluster{Side: shift.Blue, Fault: "connection refused"}
				g.Versions.Nodes = nil
			},
			want: []string{"block NodesMissing/Cluster/green: green has no node, blue has 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := twoAlike()
			c.with(&f.Blue, &f.Green)
			compareBrief(t, versionsCheck(), f, c.want)
		})
	}
}

func TestSkippedMinorsAreNamed(t *testing.T) {
	t.Parallel()
	f := twoAlike()
	f.Blue.Versions.Server, f.Green.Versions.Server = "v1.33.1", "v1.37.0"
	f.Green.Versions.Nodes = map[facts.Node]int{linuxNode("v1.37.0"): 3}
	for _, x := range versions(f) {
		if x.Code == ServerVersions {
			if want := "Read the release notes of each: 1.34, 1.35, 1.36, 1.37."; x.Do != want || !strings.Contains(x.Message, "skips 3 minors") {
				t.Errorf("got %q, %q; want %q", x.Message, x.Do, want)
			}
			return
		}
	}
	t.Error("the control planes are not put side by side")
}

func TestGreensNodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		nodes map[facts.Node]int
		want  []string
	}{
		"none": {nil, []string{"block NodesMissing/Cluster/green: green has no node, blue has 3"}},
		"some not ready, one cordoned": {
			map[facts.Node]int{linuxNode("v1.34.1"): 2, with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Ready = false }): 2, with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Cordoned = true }): 1},
			[]string{"warn NodesNotReady/Cluster/green: of green's 5 nodes 2 are not ready and 1 is cordoned"},
		},
		"none that takes pods": {
			map[facts.Node]int{with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Ready = false }): 1, with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Cordoned = true }): 1},
			[]string{"block NodesNotReady/Cluster/green: of green's 2 nodes 1 is not ready and 1 is cordoned"},
		},
		"kubelets on both sides of what is supported": {
			map[facts.Node]int{linuxNode("v1.30.1"): 2, linuxNode("v1.35.0"): 1, linuxNode("v1.31.0"): 4},
			[]string{"block KubeletSkew/Node: kubelets of green are 2 v1.30.1 and 1 v1.35.0; its API server v1.34.2-eks-1a2b3c4 supports 1.31 to 1.34"},
		},
		"a kubelet with a version that is garbage": {
			map[facts.Node]int{linuxNode("custom"): 1, linuxNode("v1.34.0"): 1},
			[]string{`block VersionUnknown/Node/kubelet: the version of kubelets of green can't be compared: 1 "custom"`},
		},
		"of another architecture": {
			map[facts.Node]int{with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Arch = "arm64" }): 3, linuxNode("v1.34.1"): 1},
			[]string{"warn NodesDiffer/Node/architecture: the architecture of green's nodes is amd64 and arm64, of blue's amd64"},
		},
		"of another system, runtime and image": {
			map[facts.Node]int{with(linuxNode("v1.34.1"), func(n *facts.Node) {
				n.OS, n.Runtime, n.Image = "windows", "containerd://1.7.20", "Windows Server 2022 Datacenter"
			}): 3},
			[]string{
				"warn NodesDiffer/Node/os: the operating system of green's nodes is windows, of blue's linux",
				"note NodesDiffer/Node/runtime: the container runtime of green's nodes is containerd 1, of blue's containerd 2",
				"note NodesDiffer/Node/image: the operating system's image of green's nodes is Windows Server 2022 Datacenter, of blue's Bottlerocket OS 1",
			},
		},
		"of another build of the same image": {
			map[facts.Node]int{with(linuxNode("v1.34.1"), func(n *facts.Node) {
				n.Image, n.Runtime = "Bottlerocket OS 1.27.0 (aws-k8s-1.34)", "containerd://2.0.1"
			}): 9},
			[]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := twoAlike()
			f.Green.Versions.Nodes = c.nodes
			found := slices.DeleteFunc(versions(f), func(x finding.Finding) bool { return x.Code == ServerVersions || x.Code == AddonsAlike })
			sound(t, versionsCheck(), found)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, briefly(found)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNodesThatWereNotReadAreNotNone(t *testing.T) {
	t.Parallel()
	f := twoAlike()
	f.Green.Versions.Nodes = nil
	delete(f.Green.Objects, coreKind("Node"))
	for _, x := range versions(f) {
		if x.Code == NodesMissing {
			t.Errorf("found %+v", x)
		}
	}
}

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

func TestAddonsSideBySide(t *testing.T) {
	t.Parallel()
	type sides = map[shift.Side][]facts.Addon
	for name, c := range map[string]struct {
		addons sides
		with   func(*facts.Facts)
		want   []string
	}{
		"missing in green": {
			addons: sides{shift.Blue: {runningAddon("external-dns", "external-dns", "v0.15.0")}},
			want:   []string{"block AddonMissing/Addon/external-dns: blue has external-dns v0.15.0 (kube-system/external-dns), green has none"},
		},
		"replaced by another": {
			addons: sides{shift.Blue: {runningAddon("cluster-autoscaler", "the cluster autoscaler", "v1.34.0")}, shift.Green: {runningAddon("karpenter", "Karpenter", "1.6.2")}},
			want: []string{
				"warn AddonReplaced/Addon/cluster-autoscaler: blue has the cluster autoscaler v1.34.0, green has Karpenter 1.6.2 instead",
				"note AddonNewer/Addon/karpenter: green has Karpenter 1.6.2, which does not run in blue",
			},
		},
		"replaced by one that is switched off": {
			addons: sides{
				shift.Blue:  {runningAddon("vpc-cni", "the VPC CNI", "v1.20.0")},
				shift.Green: {with(runningAddon("cilium", "Cilium", "v1.18.0"), func(a *facts.Addon) { a.Off = true })},
			},
			want: []string{"block AddonMissing/Addon/vpc-cni: blue has the VPC CNI v1.20.0 (kube-system/vpc-cni), green has none"},
		},
		"done by EKS Auto Mode": {
			addons: sides{shift.Blue: {runningAddon("coredns", "CoreDNS", "v1.11.4"), runningAddon("external-dns", "external-dns", "v0.15.0")}},
			with: func(f *facts.Facts) {
				f.Green.Versions.Nodes = map[facts.Node]int{with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Auto = true }): 3}
			},
			want: []string{
				"warn AddonReplaced/Addon/coredns: blue has CoreDNS v1.11.4, green has EKS Auto Mode instead",
				"block AddonMissing/Addon/external-dns: blue has external-dns v0.15.0 (kube-system/external-dns), green has none",
			},
		},
		"Auto Mode beside other nodes does not do": {
			addons: sides{shift.Blue: {runningAddon("coredns", "CoreDNS", "v1.11.4")}},
			with: func(f *facts.Facts) {
				f.Green.Versions.Nodes[with(linuxNode("v1.34.1"), func(n *facts.Node) { n.Auto = true })] = 3
			},
			want: []string{"block AddonMissing/Addon/coredns: blue has CoreDNS v1.11.4 (kube-system/coredns), green has none"},
		},
		"switched off in green": {
			addons: sides{shift.Blue: {runningAddon("external-dns", "external-dns", "v0.15.0")}, shift.Green: {with(runningAddon("external-dns", "external-dns", "v0.15.0"), func(a *facts.Addon) { a.Off = true })}},
			want:   []string{"warn AddonOff/Addon/external-dns: external-dns v0.15.0 runs in blue and is scaled to zero in green (kube-system/external-dns)"},
		},
		"switched off in blue": {
			addons: sides{shift.Blue: {with(runningAddon("external-dns", "external-dns", "v0.15.0"), func(a *facts.Addon) { a.Off = true })}},
			want:   []string{},
		},
		"older, newer, another build and not to be told": {
			addons: sides{
				shift.Blue: {
					runningAddon("coredns", "CoreDNS", "v1.11.4-eksbuild.2"), runningAddon("cert-manager", "cert-manager", "v1.17.0"),
					runningAddon("keda", "KEDA", "2.17.0"), runningAddon("velero", "Velero", "main"),
				},
				shift.Green: {
					runningAddon("coredns", "CoreDNS", "v1.11.4-eksbuild.1"), runningAddon("cert-manager", "cert-manager", "v1.18.2"),
					runningAddon("keda", "KEDA", "2.17.0-debian"), runningAddon("velero", "Velero", "nightly"),
				},
			},
			want: []string{
				"warn AddonOlder/Addon/coredns: CoreDNS is v1.11.4-eksbuild.1 in green and v1.11.4-eksbuild.2 in blue, so green's is older",
				"note AddonNewer/Addon/cert-manager: cert-manager is v1.18.2 in green and v1.17.0 in blue, so green's is newer",
				"note AddonDiffers/Addon/keda: KEDA is 2.17.0-debian in green and 2.17.0 in blue, of the same release",
				"warn AddonDiffers/Addon/velero: Velero is nightly in green and main in blue; which is newer can't be told",
			},
		},
		"of two in each the older counts": {
			addons: sides{
				shift.Blue:  {runningAddon("ingress-nginx", "ingress-nginx", "v1.11.0"), runningAddon("ingress-nginx", "ingress-nginx", "v1.12.0")},
				shift.Green: {runningAddon("ingress-nginx", "ingress-nginx", "v1.10.0"), runningAddon("ingress-nginx", "ingress-nginx", "v1.13.0")},
			},
			want: []string{"warn AddonOlder/Addon/ingress-nginx: ingress-nginx is v1.10.0 and v1.13.0 in green and v1.11.0 and v1.12.0 in blue, so green's is older"},
		},
		"kube-proxy newer than the API server": {
			addons: sides{shift.Blue: {runningAddon("kube-proxy", "kube-proxy", "v1.35.0")}, shift.Green: {runningAddon("kube-proxy", "kube-proxy", "v1.35.0")}},
			want: []string{
				"block AddonSkew/Addon/kube-proxy: green's kube-proxy is v1.35.0; its API server v1.34.2-eks-1a2b3c4 supports 1.31 to 1.34",
				"note AddonsAlike/Cluster/green: the same in blue and green: kube-proxy v1.35.0",
			},
		},
		"kube-proxy without a version": {
			addons: sides{shift.Green: {runningAddon("kube-proxy", "kube-proxy", "latest")}},
			want: []string{
				"note AddonNewer/Addon/kube-proxy: green has kube-proxy latest, which does not run in blue",
				"block VersionUnknown/Addon/kube-proxy: the version of green's kube-proxy can't be told from latest",
			},
		},
		"a cluster autoscaler of another minor": {
			addons: sides{shift.Blue: {runningAddon("cluster-autoscaler", "the cluster autoscaler", "v1.33.0")}, shift.Green: {runningAddon("cluster-autoscaler", "the cluster autoscaler", "v1.33.0")}},
			want: []string{
				"warn AddonSkew/Addon/cluster-autoscaler: green's cluster autoscaler is v1.33.0 and its API server v1.34.2-eks-1a2b3c4; they are tested together with the same minor alone",
				"note AddonsAlike/Cluster/green: the same in blue and green: cluster autoscaler v1.33.0",
			},
		},
		"lists that were not read": {
			addons: sides{shift.Blue: {runningAddon("external-dns", "external-dns", "v0.15.0")}},
			with:   func(f *facts.Facts) { delete(f.Green.Objects, appsKind("Deployment")) },
			want:   []string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := twoAlike()
			f.Blue.Versions.Addons, f.Green.Versions.Addons = c.addons[shift.Blue], c.addons[shift.Green]
			if c.with != nil {
				c.with(f)
			}
			found := addons(f)
			sound(t, versionsCheck(), found)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, briefly(found)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
