package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// crowd is many pairs of one kind below one daemon, each with one entrance.
type crowd struct {
	options Options
	world   *world.World
	cloud   *cloud
	client  *v1alpha1.Client
	daemon  *daemon.Daemon
	// name names the crowd's folder, namespace and pairs.
	name string
	// names are the records' names, shared out evenly among the pairs; rules are
	// one for each pair. One of the two is empty.
	names []string
	rules []ruled
	pairs int
	// budget is the daemon's call budget a second, and its burst.
	budget, burst int
	// listen is the address of the daemon's pages; empty: it has none.
	listen string
}

// crowdOf makes the resources of so many pairs: of rules, or of names.
func crowdOf(ctx context.Context, o Options, w *world.World, name string, pairs, names, rules int) (c *crowd, err error) {
	c = &crowd{options: o, world: w, name: name, pairs: pairs, budget: 1000, burst: 10_000}
	if c.cloud, err = newCloud(ctx, aws.Options{Propagation: 200 * time.Millisecond}); err != nil {
		return nil, err
	}
	for i := range names {
		c.names = append(c.names, fmt.Sprintf("name-%04d.%s", i, zoneName))
	}
	if err := c.cloud.createNames(ctx, c.names); err != nil {
		return nil, errors.Join(err, c.cloud.close())
	}
	if c.rules, err = c.cloud.createRules(ctx, rules); err != nil {
		return nil, errors.Join(err, c.cloud.close())
	}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(err, c.cloud.close())
	}
	return c, nil
}

func (c *crowd) prepare(ctx context.Context) error {
	if err := os.MkdirAll(c.dir(), 0o755); err != nil {
		return fmt.Errorf("making %s: %w", c.dir(), err)
	}
	rest := c.world.Management.RESTConfig()
	kube, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.name}}
	if _, err := kube.CoreV1().Namespaces().Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating namespace %s: %w", c.name, err)
	}
	c.client, err = v1alpha1.NewClient(v1alpha1.ClientOptions{Config: rest, Namespace: c.name})
	return err
}

func (c *crowd) dir() string  { return filepath.Join(c.options.Dir, c.name) }
func (c *crowd) file() string { return filepath.Join(c.dir(), "clusterswitch.yaml") }

// start runs the daemon with what is asked of every pair: serve: blue, serve:
// green, or that with rollback: true.
func (c *crowd) start(asked string, died func(error)) (err error) {
	if err := c.ask(asked); err != nil {
		return err
	}
	c.daemon, err = daemon.Start(daemon.Options{
		Binary: c.options.Daemon, Log: filepath.Join(c.dir(), "daemon.log"), Env: world.Credentials(), Died: died,
	}, "run", "--config", c.file())
	return err
}

func (c *crowd) close() error {
	var err error
	if c.daemon != nil {
		err = c.daemon.Stop()
	}
	return errors.Join(err, c.cloud.close())
}

// ask writes the configuration, whole: the daemon takes it over at once.
func (c *crowd) ask(asked string) error {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: clusterswitch.io/v1alpha1
interval: 10s
listen: %[6]q
aws:
  region: ap-northeast-1
  endpointURL: %[1]q
  budget: {route53: {perSecond: %[2]d, burst: %[3]d, reserve: 10}, elb: {perSecond: %[2]d, burst: %[3]d, reserve: 10}}
journal: {namespace: %[4]s, kubeconfig: {path: %[5]q}}
pairs:
`, c.cloud.endpoint, c.budget, c.burst, c.name, c.world.Management.Kubeconfig(), c.listen)
	for i := range c.pairs {
		fmt.Fprintf(&b, `  - name: %s-%04d
    %s
    blue: {kubeconfig: {path: %q}}
    green: {kubeconfig: {path: %q}}
    soakOnly: true
    preflight: {mode: off}
    steps: [{share: 100, hold: 24h}]
    traffic:
`, c.name, i, asked, c.world.Blue.Kubeconfig(), c.world.Green.Kubeconfig())
		if len(c.names) > 0 {
			each := len(c.names) / c.pairs
			fmt.Fprintf(&b, "      - route53: {hostedZoneID: %s, names: [%s], blueSetIdentifier: blue, greenSetIdentifier: green}\n",
				c.cloud.zoneID, strings.Join(c.names[i*each:(i+1)*each], ", "))
		}
		if len(c.rules) > 0 {
			r := c.rules[i]
			fmt.Fprintf(&b, "      - alb: {ruleARN: %q, blueTargetGroupARN: %q, greenTargetGroupARN: %q}\n", r.arn, r.blue, r.green)
		}
	}
	whole := c.file() + ".new"
	if err := os.WriteFile(whole, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(whole, c.file())
}

// await waits until every pair's status fulfils the condition.
func (c *crowd) await(ctx context.Context, what string, fulfils func(v1alpha1.TrafficSwitchStatus) bool) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		list, err := c.client.List(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		n := 0
		for _, t := range list {
			if fulfils(t.Status) {
				n++
			}
		}
		if n == c.pairs {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s (%d of %d pairs are): %w", what, n, c.pairs, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// awaitGreen waits until every record and rule gives green the weight.
func (c *crowd) awaitGreen(ctx context.Context, weight int) error {
	return poll(ctx, func() bool {
		records, rules := c.cloud.greenOf(c.names, weight)
		return records == len(c.names) && rules == len(c.rules)
	})
}

// callsFor counts the calls to AWS in a span of time, by operation.
func (c *crowd) callsFor(ctx context.Context, span time.Duration) (map[string]int, error) {
	from := time.Now()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(span):
	}
	counts := map[string]int{}
	for _, call := range c.cloud.Calls() {
		if call.At.After(from) {
			counts[call.Operation]++
		}
	}
	return counts, nil
}
