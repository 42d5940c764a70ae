package realnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// install installs the chart as its README says, into a namespace that refuses pods
// with more than the restricted rights.
func (s *stage) install(ctx context.Context) error {
	if err := s.writeContexts(); err != nil {
		return err
	}
	if err := s.writeValues(asked{Serve: "blue"}); err != nil {
		return err
	}
	for _, line := range []string{
		"kubectl create namespace " + namespace,
		"kubectl label namespace " + namespace + " pod-security.kubernetes.io/enforce=restricted",
		"kubectl --namespace " + namespace + " create secret generic aws --from-literal AWS_ACCESS_KEY_ID=sandbox --from-literal AWS_SECRET_ACCESS_KEY=sandbox",
	} {
		if _, err := s.types(ctx, strings.Fields(line)...); err != nil {
			return err
		}
	}
	for _, side := range []*world.Cluster{s.world.Blue, s.world.Green} {
		if err := s.enrol(ctx, side); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := s.helm(ctx, "install", "--create-namespace"); err != nil {
		return errors.Join(err, s.why(ctx))
	}
	s.ready = time.Since(began)
	s.say("  both pods are ready %.1f s after helm install began", s.ready.Seconds())
	return nil
}

// helm installs or upgrades the release, and waits until its pods are ready.
func (s *stage) helm(ctx context.Context, verb string, more ...string) error {
	words := append([]string{"helm", verb, release, filepath.Join(s.options.Root, "charts/clusterswitch"), "--namespace", namespace}, more...)
	_, err := s.types(ctx, append(words, "--values", s.values(), "--wait", "--timeout", "3m")...)
	return err
}

// why gathers what tells why pods don't become ready.
func (s *stage) why(ctx context.Context) error {
	var words strings.Builder
	for _, line := range []string{"get pods --output wide", "describe pods", "get events"} {
		out, err := s.quietly(ctx, append([]string{"kubectl", "--namespace", namespace}, strings.Fields(line)...)...)
		fmt.Fprintf(&words, "\n--- kubectl %s (error: %v)\n%s", line, err, lastOf(out, 6000))
	}
	return errors.New(words.String())
}

// examine gives the least rights in blue and green, as the chart's notes say, and runs
// the release's own test.
func (s *stage) examine(ctx context.Context) error {
	config, err := s.types(ctx, "kubectl", "--namespace", namespace, "get", "configmap", release, "--output", `jsonpath={.data.clusterswitch\.yaml}`)
	if err != nil {
		return err
	}
	file := s.options.file("clusterswitch.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	for _, side := range []string{"blue", "green"} {
		rights, err := s.types(ctx, "clusterswitch", "rbac", pairName, "--config", file, "--side", side, "--service-account", namespace+"/"+account)
		if err != nil {
			return err
		}
		manifest := s.options.file("rbac-" + side + ".yaml")
		if err := os.WriteFile(manifest, []byte(rights), 0o600); err != nil {
			return err
		}
		if _, err := s.types(ctx, "kubectl", "--context", side, "apply", "--filename", manifest); err != nil {
			return err
		}
	}
	if _, err := s.story.Await(ctx, 0, "the daemon has looked at the pair", func(m story.Moment) bool { return m.Reason == "NothingToDo" }); err != nil {
		return err
	}
	out, err := s.types(ctx, "helm", "test", release, "--namespace", namespace, "--timeout", "2m")
	if err != nil {
		return errors.Join(err, s.why(ctx))
	}
	if !strings.Contains(out, "Succeeded") {
		return fmt.Errorf("helm test doesn't say that it succeeded: %s", out)
	}
	s.say("  helm test passed")
	return nil
}

// shift lets the pair go to green by helm upgrade, and deletes the leader's pod on the
// way.
func (s *stage) shift(ctx context.Context) error {
	moments, _ := s.story.All()
	from := len(moments)
	if err := s.writeValues(asked{Serve: "green"}); err != nil {
		return err
	}
	if err := s.helm(ctx, "upgrade"); err != nil {
		return err
	}
	at, err := s.held(ctx, from, 25)
	if err != nil {
		return err
	}
	if err := s.deleteLeader(ctx); err != nil {
		return err
	}
	if at, err = s.story.Await(ctx, at, "the shift is complete", func(m story.Moment) bool { return m.Phase == "Completed" }); err != nil {
		return err
	}
	shares := map[int]bool{}
	moments, _ = s.story.All()
	last := 0
	for _, m := range moments[from:at] {
		if m.Share < last {
			return fmt.Errorf("the share fell from %d %% to %d %% without a rollback", last, m.Share)
		}
		if last = m.Share; m.Phase == "Shifting" && m.Share > 0 {
			shares[m.Share] = true
		}
	}
	s.steps = len(shares)
	s.say("  complete, by %d steps", s.steps)
	return s.everybodyOn(ctx, "green", 100)
}

// held waits until a share is reached.
func (s *stage) held(ctx context.Context, from, share int) (int, error) {
	return s.story.Await(ctx, from, fmt.Sprintf("%d %% is held", share), func(m story.Moment) bool {
		return m.Phase == "Shifting" && m.Share == share && (m.Reason == "Holding" || m.Reason == "GateWaits")
	})
}

// leader is the pod that holds the lease.
func (s *stage) leader(ctx context.Context) (string, error) {
	lease, err := s.client.CoordinationV1().Leases(namespace).Get(ctx, release, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("reading the lease: %w", err)
	}
	if lease.Spec.HolderIdentity == nil {
		return "", errors.New("nobody holds the lease")
	}
	pod, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	return pod, nil
}

func (s *stage) deleteLeader(ctx context.Context) error {
	before, err := s.leader(ctx)
	if err != nil {
		return err
	}
	if _, err := s.types(ctx, "kubectl", "--namespace", namespace, "delete", "pod", before, "--wait=false"); err != nil {
		return err
	}
	s.deleted++
	began := time.Now()
	err = s.node.until(ctx, "another pod leads", func() error {
		now, err := s.leader(ctx)
		if err == nil && (now == before || now == "") {
			err = fmt.Errorf("%s still does", before)
		}
		return err
	})
	if err == nil {
		s.say("  another pod leads %.1f s after that", time.Since(began).Seconds())
	}
	return err
}

// back takes everything back by the command, with the rights of an operator, and asks for a
// new attempt.
func (s *stage) back(ctx context.Context) error {
	operator, err := s.world.Management.UserKubeconfig("jane", "sre")
	if err != nil {
		return err
	}
	moments, _ := s.story.All()
	began := time.Now()
	if _, err := s.types(ctx, "clusterswitch", "rollback", pairName, "--namespace", namespace, "--kubeconfig", operator); err != nil {
		return err
	}
	if s.command, err = s.returned(ctx, len(moments), began); err != nil {
		return err
	}
	s.say("  back on blue %.0f ms after the command began", s.command.Seconds()*1000)
	moments, _ = s.story.All()
	if _, err := s.types(ctx, "clusterswitch", "start", pairName, "--namespace", namespace, "--kubeconfig", operator); err != nil {
		return err
	}
	_, err = s.held(ctx, len(moments), 50)
	return err
}

// flag takes everything back by the flag in the values.
func (s *stage) flag(ctx context.Context) (err error) {
	moments, _ := s.story.All()
	if err := s.writeValues(asked{Serve: "green", Rollback: true}); err != nil {
		return err
	}
	began := time.Now()
	if err := s.helm(ctx, "upgrade"); err != nil {
		return err
	}
	if s.rollback, err = s.returned(ctx, len(moments), began); err != nil {
		return err
	}
	s.say("  back on blue %.0f ms after helm upgrade began", s.rollback.Seconds()*1000)
	return nil
}

// returned waits for the end of a way back, and says how long it took from began to
// AWS's acknowledgement of the last weight.
func (s *stage) returned(ctx context.Context, from int, began time.Time) (time.Duration, error) {
	if _, err := s.story.Await(ctx, from, "blue has all traffic again", func(m story.Moment) bool { return m.Phase == "RolledBack" }); err != nil {
		return 0, err
	}
	last := s.region.LastWeight(began)
	if last.IsZero() {
		return 0, errors.New("the daemon says RolledBack, but wrote no weight")
	}
	return last.Sub(began), s.everybodyOn(ctx, "blue", 0)
}

// everybodyOn holds AWS's weights against what must be, and waits until all users get
// their answers from that cluster.
func (s *stage) everybodyOn(ctx context.Context, cluster string, green int64) error {
	weights, err := s.weights(ctx)
	if err != nil {
		return err
	}
	if want := map[string]int64{"record": green, "rule": green}; weights["record"] != want["record"] || weights["rule"] != want["rule"] {
		return fmt.Errorf("green has %d %% of the record and %d %% of the rule at AWS, not %d %%", weights["record"], weights["rule"], green)
	}
	err = s.node.until(ctx, "all users are on "+cluster, func() error {
		if share := s.users.Snapshot().Recent.Share(cluster); share < 100 {
			return fmt.Errorf("%.0f %% are", share)
		}
		return nil
	})
	if err == nil {
		s.say("  at AWS green has %d %% of record and rule, and all users get answers from %s", green, cluster)
	}
	return err
}

// upgrade changes the pods themselves, which replaces both; nothing moves meanwhile.
func (s *stage) upgrade(ctx context.Context) error {
	writes := s.writes()
	if err := s.writeValues(asked{Serve: "blue", Restart: "once"}); err != nil {
		return err
	}
	if err := s.helm(ctx, "upgrade"); err != nil {
		return errors.Join(err, s.why(ctx))
	}
	if n := s.writes() - writes; n != 0 {
		return fmt.Errorf("%d weights were written by an upgrade", n)
	}
	s.say("  both pods were replaced, and no weight was written")
	return nil
}

func (s *stage) writes() (n int) {
	for _, c := range s.region.Cloud.Calls() {
		if world.SetsWeight(c) {
			n++
		}
	}
	return n
}

// uninstall removes the release; what the pair's journal needs must stay.
func (s *stage) uninstall(ctx context.Context) error {
	writes := s.writes()
	if _, err := s.types(ctx, "helm", "uninstall", release, "--namespace", namespace, "--wait"); err != nil {
		return err
	}
	phase, err := s.types(ctx, "kubectl", "--namespace", namespace, "get", "trafficswitch", pairName, "--output", "jsonpath={.status.phase}")
	if err != nil {
		return fmt.Errorf("the journal is gone: %w", err)
	}
	began := time.Now()
	err = s.node.until(ctx, "all else of the release is gone", func() error {
		rest, err := s.quietly(ctx, "kubectl", "--namespace", namespace, "get", "deployments,replicasets,pods,services,configmaps,roles,rolebindings,poddisruptionbudgets,serviceaccounts",
			"--selector", "app.kubernetes.io/instance="+release, "--output", "name")
		if rest = strings.TrimSpace(rest); err == nil && rest != "" {
			err = fmt.Errorf("there is still %s", strings.Join(strings.Fields(rest), ", "))
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := s.quietly(ctx, "kubectl", "get", "customresourcedefinition", "trafficswitches.clusterswitch.io"); err != nil {
		return fmt.Errorf("the definition is gone: %w", err)
	}
	if n := s.writes() - writes; n != 0 {
		return fmt.Errorf("%d weights were written by an uninstall", n)
	}
	s.say("  the definition and the TrafficSwitch are kept (%s); all else of the release was gone %.1f s later", phase, time.Since(began).Seconds())
	return nil
}

// countRestarts keeps the most restarts that the pods had together.
func (s *stage) countRestarts(ctx context.Context) error {
	out, err := s.quietly(ctx, "kubectl", "--namespace", namespace, "get", "pods", "--output", "jsonpath={.items[*].status.containerStatuses[*].restartCount}")
	if err != nil {
		return err
	}
	sum := 0
	for count := range strings.FieldsSeq(out) {
		n, err := strconv.Atoi(count)
		if err != nil {
			return fmt.Errorf("reading restarts: %w", err)
		}
		sum += n
	}
	s.restarts = max(s.restarts, sum)
	return nil
}
