package doctest

import "strings"

// how says what becomes of a command in the tests.
type how string

const (
	// here: it needs nobody, and is run by the tests of every commit.
	here how = "here"
	// files: it is run by the tests of every commit at a journal's directory.
	files how = "files"
	// hand: the same, and in the journey at a real API server.
	hand how = "hand"
	// journey: it is run in the journey: real API servers, the sandbox's AWS, the
	// real daemon (build tag e2e).
	journey how = "journey"
	// target: a target of the Makefile. What .ci/run doesn't reach is in slowTargets.
	target how = "target"
	// named: it isn't a command line, but the name of a command in a sentence.
	named how = "named"
	// elsewhere: it is run, as it stands or nearly so, by another test, which why names.
	elsewhere how = "elsewhere"
	// cannot: it can't be run here; why says what it needs.
	cannot how = "cannot"
)

// stage is where a pair stands when a command is given.
type stage string

const (
	opening    stage = "opening" // of the journey: nothing is installed yet
	anywhere   stage = ""
	shifting   stage = "shifting"  // green has users; the next step waits for approval
	drifted    stage = "drifted"   // somebody changed the weights: a question is open
	backOnBlue stage = "back"      // rolled back; the flag is set
	completed  stage = "completed" // green serves
	farewell   stage = "farewell"  // of the journey: nothing is needed any more
)

// class says of some commands what becomes of them.
type class struct {
	// like is the command, with * for anything. The first class that fits counts.
	like string
	how  how
	at   stage
	// exits are the exit statuses that are documented and may come; nil: 0.
	exits []int
	// why a command can't be run, or where else it is.
	why string
}

// classes has a place for every command of the documents. A command without one
// fails the tests, and so does a class that no document needs: add what you wrote
// about, and take away what you took out.
func classes() []class {
	var all []class
	for _, some := range [][]class{ofWalks(), ours(), ofKubernetes(), ofAWS(), others()} {
		all = append(all, some...)
	}
	return all
}

// ofWalks are the commands of the quick start, which is a test of its own, and of the
// walk-through on EKS, which needs an account.
func ofWalks() []class {
	const (
		start = "internal/doctest.TestE2EQuickStart"
		eks   = "it is a step of the walk-through on EKS, which the sandbox hasn't"
	)
	var all []class
	for _, like := range []string{
		"clusterswitch validate --config first.yaml", "clusterswitch plan shop --config first.yaml",
		"clusterswitch rollback shop --direct --config first.yaml", "clusterswitch runbook shop --config first.yaml",
		".cache/bin/sandbox aws", "export AWS_*", "export PATH=*", "sandbox_aws() *", "record() *", "weights*", "ZONE=*", "sed -i.bak *",
	} {
		all = append(all, class{like: like, how: elsewhere, why: start})
	}
	for _, like := range []string{
		"clusterswitch policy --config clusterswitch.yaml > examples/eks/policy.json", "clusterswitch * shop-to-*", "clusterswitch validate --config clusterswitch.yaml",
		"kubectl *targetgroupbinding-*", "kubectl * get configmap clusterswitch *> clusterswitch.yaml", "kubectl * rollout restart *", "curl --connect-to *", "terraform *",
		"aws elbv2 describe-target-health --target-group-arn GREEN-ARN *", "helm test clusterswitch --kube-context *", "helm upgrade * examples/eks/values.yaml",
	} {
		all = append(all, class{like: like, how: cannot, why: eks})
	}
	return all
}

// ours are the commands of clusterswitch itself.
func ours() []class {
	const forever = "it goes on until Ctrl-C; internal/cli tests it"
	return []class{
		{like: "clusterswitch validate*", how: here},
		{like: "clusterswitch schema*", how: here},
		{like: "clusterswitch policy*", how: here},
		{like: "clusterswitch completion bash --help", how: here},
		{like: "clusterswitch version", how: here},
		{like: "clusterswitch rbac shop --side green --offline", how: here},

		{like: "clusterswitch start shop*", how: hand, at: backOnBlue},
		{like: "clusterswitch pause shop", how: hand, at: shifting},
		{like: "clusterswitch resume shop", how: hand, at: shifting},
		{like: "clusterswitch resume shop --*", how: hand, at: drifted},
		{like: "clusterswitch approve shop", how: hand, at: shifting},
		{like: "clusterswitch status shop --watch", how: cannot, why: forever},
		{like: "clusterswitch status*", how: hand, at: shifting},
		{like: "clusterswitch wait shop --for completed*", how: hand, at: completed},
		{like: "clusterswitch wait shop --for rolledback*", how: hand, at: backOnBlue},
		{like: "clusterswitch singletons shop", how: hand, at: shifting},
		{like: "clusterswitch singletons shop --take blue", how: files, at: shifting},
		{like: "clusterswitch rollback shop --direct", how: journey, at: shifting},
		{like: "clusterswitch rollback shop --direct *", how: journey, at: shifting},
		{like: "clusterswitch rollback shop*", how: hand, at: shifting},

		{like: "clusterswitch preflight shop --stored", how: journey, at: shifting},
		{like: "clusterswitch preflight shop -o json > today.json", how: journey},
		{like: "clusterswitch preflight shop --stored --at-start -o json > start.json", how: journey, at: shifting},
		{like: "clusterswitch preflight shop --stored --against start.json", how: journey, at: shifting},
		{like: "clusterswitch preflight shop*", how: journey},
		{like: "clusterswitch plan shop", how: journey},
		{like: "clusterswitch runbook shop", how: journey, at: shifting},
		{like: "clusterswitch report shop*", how: elsewhere, why: "internal/cli.TestReportOfAnAttempt"},
		{like: "clusterswitch retire-check shop-v131", how: cannot, why: "the cluster's name is one of EKS, which the sandbox's pair isn't reached by"},
		{like: "clusterswitch retire-check shop*", how: journey, at: completed, exits: []int{0, 1, 3}},
		{like: "clusterswitch debug bundle shop --log daemon.log", how: journey, at: shifting},
		{like: "clusterswitch debug bundle shop", how: journey},
		{like: "clusterswitch rbac shop*", how: journey},

		{like: "clusterswitch run --config-map NAMESPACE/NAME", how: cannot, why: "the daemon; internal/charttest holds the flag against the chart"},
		{like: "clusterswitch run*", how: elsewhere, why: "internal/app.TestE2ETwoDaemonsAreOne"},
		{like: "clusterswitch debug bundle", how: named},
		{like: "clusterswitch plan", how: named},
		{like: "clusterswitch preflight", how: named},
		{like: "clusterswitch rbac", how: named},
		{like: "clusterswitch retire-check", how: named},
		{like: "clusterswitch rollback", how: named},
		{like: "clusterswitch start", how: named},
	}
}

// ofKubernetes are the commands that ask a cluster past clusterswitch.
func ofKubernetes() []class {
	const (
		pods    = "it needs pods with a kubelet, which the sandbox hasn't"
		reader  = "it leaves out the namespace, which is the reader's own context's"
		noKind  = "it needs kinds that the sandbox's clusters haven't"
		forever = "it goes on until Ctrl-C"
	)
	return []class{
		{like: "kubectl apply*", how: named},
		{like: "kubectl port-forward", how: named},
		{like: "kubectl edit configmap", how: named},
		{like: "kubectl get hpa NAME*", how: cannot, why: reader},
		{like: "kubectl * logs *", how: cannot, why: pods},
		{like: "kubectl * port-forward *", how: cannot, why: pods},
		{like: "kubectl * get events --watch", how: cannot, why: forever},
		{like: "kubectl * get targetgroupbindings.elbv2.k8s.aws *", how: cannot, why: noKind},
		{like: "kubectl --context blue get horizontalpodautoscalers,scaledobjects.keda.sh *", how: cannot, why: noKind},
		{like: "kubectl --context blue apply --filename rbac.yaml", how: journey},
		{like: "kubectl --context green apply --filename rbac.yaml", how: journey},
		{like: "kubectl --context blue apply --filename charts/*", how: journey, at: farewell},
		{like: "kubectl --context blue apply --filename workload-account.yaml", how: journey, at: farewell},
		{like: "kubectl --context blue --namespace clusterswitch get secret clusterswitch-token *", how: cannot, why: "no controller-manager fills the token in"},
		{like: "kubectl config --kubeconfig kubeconfig set-cluster blue *", how: cannot, why: "it reads the token's Secret, see above"},
		{like: "kubectl config --kubeconfig kubeconfig set-credentials *", how: cannot, why: "it reads the token's Secret, see above"},
		{like: "kubectl config --kubeconfig kubeconfig *", how: journey},
		{like: "kubectl --context management --namespace clusterswitch create secret *", how: journey},
		{like: "kubectl * wait --for=condition=SafeToRetire *", how: cannot, why: "the sandbox's blue isn't safe to delete: it has users to come"},
		{like: "kubectl * wait --for=condition=BlueReady trafficswitch/shop --timeout=10m", how: journey, at: shifting},
		{like: "kubectl * wait --for=jsonpath='{.status.phase}'=RolledBack trafficswitch/shop --timeout=2m", how: journey, at: backOnBlue},
		{like: "kubectl * create serviceaccount *", how: journey},
		{like: "kubectl * create rolebinding *", how: journey},
		{like: "kubectl * create token *", how: journey},
		{like: "kubectl * annotate *", how: journey},
		{like: "kubectl * patch *", how: journey},
		{like: "kubectl * create job *", how: journey},
		{like: "kubectl * auth can-i *", how: journey},
		{like: "kubectl delete customresourcedefinition *", how: journey, at: farewell},
		{like: "kubectl * get configmap clusterswitch-runbook-shop *", how: journey, at: shifting},
		{like: "kubectl * trafficswitch shop*", how: journey, at: shifting},
		{like: "kubectl * get *", how: journey},
		{like: "kubectl get *", how: journey},
	}
}

// ofAWS are the commands of the AWS CLI.
func ofAWS() []class {
	const no = "it needs an account at AWS: the sandbox has no "
	return []class{
		{like: "aws cloudtrail *", how: cannot, why: no + "CloudTrail"},
		{like: "aws iam put-role-policy *", how: cannot, why: no + "IAM but for roles to assume"},
		{like: "aws eks create-access-entry *", how: cannot, why: no + "access entries"},
		{like: "aws eks create-pod-identity-association *", how: cannot, why: no + "associations to write"},
		{like: "aws eks update-kubeconfig *", how: cannot, why: no + "EKS cluster of that name"},
		{like: "aws --endpoint-url http://127.0.0.1:4599 *", how: elsewhere, why: "internal/sandbox/aws.TestE2EAWSCLIRoute53, at a port of its own"},
		{like: "aws elbv2 modify-rule", how: named},
		{like: "aws route53 change-resource-record-sets", how: named},
		{like: "aws elbv2 *", how: journey},
		{like: "aws route53 *", how: journey},
		{like: "aws sts get-caller-identity", how: journey},
	}
}

// others are all others.
func others() []class {
	return []class{
		{like: "make help", how: here},
		{like: "make *", how: target},
		{like: ".cache/bin/sandbox sim --crash-points", how: elsewhere, why: "internal/sim.TestACrashAtAnyCallEndsTheSame"},
		{like: ".cache/bin/sandbox sim *", how: journey},
		{like: ".cache/bin/sandbox aws *", how: cannot, why: "it goes on until Ctrl-C"},
		{like: ".cache/bin/sandbox demo *", how: elsewhere, why: "make demo plays all scenarios"},
		{like: ".cache/bin/sandbox gates-scenes *", how: elsewhere, why: "make gates-scenes plays all scenes"},
		{like: ".cache/bin/sandbox preflight-planted *", how: elsewhere, why: "make preflight-planted makes all checks"},
		{like: ".cache/bin/sandbox ready-sim *", how: elsewhere, why: "make ready-scenes plays these scenes"},
		{like: ".cache/bin/sandbox real-node *", how: elsewhere, why: "make real-node plays it, by root where containerd is"},
		{like: ".cache/bin/sandbox soak *", how: elsewhere, why: "make soak-few plays such runs"},
		{like: "sandbox sim --crash-points", how: named},
		{like: "sandbox footprint --image NAME", how: cannot, why: "it needs an image and a container engine"},
		{like: "helm install clusterswitch charts/clusterswitch *", how: journey, at: opening},
		{like: "helm *", how: named},
		{like: "sed '1,/clusterswitch.yaml: *", how: elsewhere, why: "internal/charttest.TestTheCommandForTheConfigurationMakesThatOfTheChart"},
		{like: "jq -e *", how: journey},
		{like: "docker *", how: cannot, why: "it needs a container engine, the network and a registry"},
		{like: "curl --header *", how: cannot, why: "it needs the daemon's page on port 8080; internal/app.TestE2EAShiftAndItsRollbackAreSeenLive has one"},
		{like: "export *", how: cannot, why: "it sets variables, for which the journey has its own"},
		{like: "echo * > /var/lib/clusterswitch/shop.request.json", how: elsewhere, why: "internal/filejournal.TestACommandReachesTheDaemonWithinAMoment, in a directory of its own"},
		{like: "go tool pprof *", how: cannot, why: "it needs a daemon with debug.pprof behind a port-forward"},
		{like: "go *", how: named},
		{like: "flux suspend *", how: cannot, why: "it needs Flux"},
		{like: "timedatectl", how: cannot, why: "it is for the daemon's machine, and asks systemd"},
		{like: "apt install *", how: cannot, why: "it changes the machine"},
	}
}

// slowTargets are the Makefile's targets that documents name and .ci/run doesn't
// reach.
func slowTargets() map[string]string {
	return map[string]string{
		"bench":     "half an hour of measuring",
		"explore":   "4 minutes; a small world of it is in the tests",
		"footprint": "measures sizes and memory, for the documents",
		"fuzz":      "as long as one likes; the inputs that were kept are in the tests",
		"gates-sim": "20 minutes of statistics",
		"gen":       "it writes; the tests see that what it would write is there",
		"mutants":   "4 minutes of planted mistakes",
		"ready-sim": "15 minutes; make e2e plays all but the longest scene",
		"real-node": "it makes a node of the machine: root and containerd",
		"sim":       "make test plays the same seeds",
		"soak":      "an hour; make e2e plays three runs",
		"vuln":      "it needs the database of vulnerabilities",
	}
}

// fits tells whether a command is like a class's.
func (c class) fits(command string) bool {
	parts := strings.Split(c.like, "*")
	if !strings.HasPrefix(command, parts[0]) {
		return false
	}
	rest := command[len(parts[0]):]
	if len(parts) == 1 {
		return rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// classOf gives the first class that fits; -1: none.
func classOf(all []class, command string) int {
	for i, c := range all {
		if c.fits(command) {
			return i
		}
	}
	return -1
}
