package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	// planted are how many ConfigMaps green lacks: a preflight that doesn't find
	// them measured nothing.
	planted = 10
	// leastObjects is the smallest cluster that is worth it.
	leastObjects = 1000
	// preflightRounds is how often each is measured.
	preflightRounds = 3
	// memoryAim is the most memory that a preflight should take, in bytes.
	memoryAim = 300 << 20
	// The users of the measured programs, by whom the API servers tell them apart.
	preflightUser, kubectlUser = "preflight", "kubectl"
)

// heavy is two clusters with very many objects, and what is measured at them.
type heavy struct {
	options Options
	kubectl string
	planes  []*controlplane.ControlPlane // blue, green
	audits  []*audit
	cloud   *cloud
	// kubeconfigs of the measured users, by user, then blue, green.
	kubeconfigs map[string][]string
	// kinds are those that the preflight listed, by cluster.
	kinds [][]string
}

// preflights measures the preflight of two clusters with very many objects, beside
// kubectl that lists the same kinds.
func preflights(ctx context.Context, o Options) (err error) {
	h := &heavy{options: o, kubeconfigs: map[string][]string{}, kinds: make([][]string, 2)}
	if h.kubectl, err = o.Assets.Program(ctx, o.Out, "kubectl"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.start(ctx); err != nil {
		return err
	}
	if err := h.fill(ctx); err != nil {
		return err
	}
	if err := h.configure(ctx); err != nil {
		return err
	}
	var preflight, kubectl []cost
	for range preflightRounds {
		p, err := h.preflight(ctx)
		if err != nil {
			return err
		}
		k, err := h.list(ctx)
		if err != nil {
			return err
		}
		preflight, kubectl = append(preflight, p), append(kubectl, k)
	}
	h.print(preflight, kubectl)
	return nil
}

func (h *heavy) say(format string, args ...any) {
	_, _ = fmt.Fprintf(h.options.Out, format+"\n", args...)
}

func (h *heavy) dir() string { return filepath.Join(h.options.Dir, "preflight") }

func (h *heavy) start(ctx context.Context) (err error) {
	if err := os.MkdirAll(h.dir(), 0o755); err != nil {
		return fmt.Errorf("making %s: %w", h.dir(), err)
	}
	dir, err := filepath.Abs(h.dir())
	if err != nil {
		return fmt.Errorf("finding %s: %w", h.dir(), err)
	}
	var planes []controlplane.Options
	for _, name := range []string{"blue", "green"} {
		log := filepath.Join(dir, name+"-audit.log")
		if err := os.RemoveAll(log); err != nil {
			return err
		}
		h.audits = append(h.audits, &audit{path: log})
		planes = append(planes, controlplane.Options{
			Name: name, Assets: h.options.Assets, Progress: h.options.Out, LogDir: dir, CRDs: customDefinitions(), UnsafeNoFsync: true,
			Audit: &controlplane.Audit{Log: log, Users: []string{preflightUser, kubectlUser}},
		})
	}
	if h.planes, err = controlplane.StartAll(ctx, planes...); err != nil {
		return err
	}
	for _, cp := range h.planes {
		for user, groups := range map[string][]string{preflightUser: {"clusterswitch"}, kubectlUser: {"system:masters"}} {
			kubeconfig, err := cp.UserKubeconfig(user, groups...)
			if err != nil {
				return err
			}
			h.kubeconfigs[user] = append(h.kubeconfigs[user], kubeconfig)
		}
	}
	h.cloud, err = newCloud(ctx, aws.Options{})
	return err
}

func (h *heavy) close() error {
	err := controlplane.StopAll(h.planes...)
	if h.cloud != nil {
		err = errors.Join(err, h.cloud.close())
	}
	return err
}

// fill creates the objects in both clusters side by side.
func (h *heavy) fill(ctx context.Context) error {
	var parts []string
	all := 0
	for _, p := range mix() {
		all += p.of(h.options.Objects)
		parts = append(parts, fmt.Sprintf("%d %s", p.of(h.options.Objects), p.sort))
	}
	h.say("filling two clusters with %d objects each: %s", all, strings.Join(parts, ", "))
	began := time.Now()
	var done atomic.Int64
	telling, told := context.WithCancel(ctx)
	defer told()
	filling, ctx := errgroup.WithContext(ctx)
	go tell(telling, h.say, &done, 2*all)
	for i, cp := range h.planes {
		f, err := newFiller(cp.RESTConfig(), h.options.Objects, i*planted, &done)
		if err != nil {
			return err
		}
		filling.Go(func() error { return f.fill(ctx) })
	}
	if err := filling.Wait(); err != nil {
		return err
	}
	took := time.Since(began)
	h.say("filled in %.0f s, %.0f objects a second; green lacks %d ConfigMaps", took.Seconds(), float64(done.Load())/took.Seconds(), planted)
	return nil
}

// configure writes the preflight's configuration, and grants its user what
// "clusterswitch rbac" prints.
func (h *heavy) configure(ctx context.Context) error {
	names := []string{"preflight." + zoneName}
	if err := h.cloud.createNames(ctx, names); err != nil {
		return err
	}
	kubeconfigs := h.kubeconfigs[preflightUser]
	text := fmt.Sprintf(`apiVersion: clusterswitch.io/v1alpha1
aws: {region: ap-northeast-1, endpointURL: %q}
pairs:
  - name: heavy
    serve: blue
    blue: {kubeconfig: {path: %q}}
    green: {kubeconfig: {path: %q}}
    soakOnly: true
    steps: [{share: 100}]
    traffic: [{route53: {hostedZoneID: %s, names: [%s], blueSetIdentifier: blue, greenSetIdentifier: green}}]
`, h.cloud.endpoint, kubeconfigs[0], kubeconfigs[1], h.cloud.zoneID, names[0])
	if err := os.WriteFile(h.file(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	rights, err := daemon.Command(ctx, h.options.Daemon, world.Credentials(), "rbac", "heavy", "--config", h.file())
	if err != nil {
		return err
	}
	manifest := filepath.Join(h.dir(), "rbac.yaml")
	if err := os.WriteFile(manifest, []byte(rights), 0o600); err != nil {
		return fmt.Errorf("writing the rights: %w", err)
	}
	for _, kubeconfig := range h.kubeconfigs[kubectlUser] {
		if _, err := daemon.Command(ctx, h.kubectl, nil, "--kubeconfig", kubeconfig, "apply", "--filename", manifest); err != nil {
			return err
		}
	}
	_, err = h.heard(preflightUser) // what was asked so far isn't counted
	return err
}

func (h *heavy) file() string { return filepath.Join(h.dir(), "clusterswitch.yaml") }

// heard counts a user's requests in both clusters since the last time.
func (h *heavy) heard(user string) ([]heard, error) {
	all := make([]heard, len(h.audits))
	for i, a := range h.audits {
		var err error
		if all[i], err = a.next(user); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// preflight runs the real command and judges that it saw what it should.
func (h *heavy) preflight(ctx context.Context) (cost, error) {
	output := filepath.Join(h.dir(), "report.json")
	c, err := measured(ctx, output, world.Credentials(), h.options.Daemon, "preflight", "heavy", "-o", "json", "--config", h.file())
	if err != nil {
		return c, err
	}
	all, err := h.heard(preflightUser)
	if err != nil {
		return c, err
	}
	for i, one := range all {
		c.requests += one.requests
		h.kinds[i] = one.listed
	}
	return c, h.judge(output, c.status)
}

// judge looks into the report: each ConfigMap that green lacks is a finding, and
// nothing is left unread.
func (h *heavy) judge(path string, status int) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	var report struct {
		Blue, Green struct{ Objects int }
		Findings    []struct {
			ID, Code, Message string
		}
	}
	if err := json.Unmarshal(content, &report); err != nil {
		return fmt.Errorf("reading the report of a preflight that ended with status %d: %w", status, err)
	}
	found := 0
	for _, f := range report.Findings {
		if f.Code == "NotChecked" || f.Code == "ClusterUnreadable" {
			return fmt.Errorf("the preflight could not read all: %s", f.Message)
		}
		if strings.Contains(f.ID, "/ConfigMap/") && strings.Contains(f.ID, "settings-") {
			found++
		}
	}
	if found != planted {
		return fmt.Errorf("the preflight found %d of %d ConfigMaps that green lacks, among %d findings", found, planted, len(report.Findings))
	}
	h.say("preflight: saw %d and %d objects, found %d of %d ConfigMaps that green lacks; %d findings",
		report.Blue.Objects, report.Green.Objects, found, planted, len(report.Findings))
	return nil
}

// list lets kubectl list the same kinds in both clusters at the same time, as the
// preflight does.
func (h *heavy) list(ctx context.Context) (cost, error) {
	costs := make([]cost, len(h.planes))
	began := time.Now()
	listing, ctx := errgroup.WithContext(ctx)
	for i, kubeconfig := range h.kubeconfigs[kubectlUser] {
		listing.Go(func() (err error) {
			// Its cache of what a cluster serves is kubectl's own business, but it must not
			// be that of somebody else.
			args := []string{"--kubeconfig", kubeconfig, "--cache-dir", filepath.Join(h.dir(), "cache"), "get", strings.Join(h.kinds[i], ","), "-A", "-o", "name"}
			costs[i], err = measured(ctx, filepath.Join(h.dir(), fmt.Sprintf("kubectl-%d.txt", i)), nil, h.kubectl, args...)
			if err == nil && costs[i].status != 0 {
				err = fmt.Errorf("kubectl ended with status %d", costs[i].status)
			}
			return err
		})
	}
	if err := listing.Wait(); err != nil {
		return cost{}, err
	}
	both := cost{wall: time.Since(began)}
	all, err := h.heard(kubectlUser)
	if err != nil {
		return cost{}, err
	}
	for i := range costs {
		both.cpu, both.peak, both.requests = both.cpu+costs[i].cpu, both.peak+costs[i].peak, both.requests+all[i].requests
	}
	return both, nil
}

// print gives the middle of each figure, and its ratio to kubectl's.
func (h *heavy) print(preflight, kubectl []cost) {
	h.say("\n%-46s %10s %10s %14s %10s", "", "wall", "CPU", "peak memory", "requests")
	for _, row := range []struct {
		name string
		of   []cost
	}{
		{"clusterswitch preflight -o json, both clusters", preflight},
		{"kubectl get KINDS -A -o name, both at once", kubectl},
	} {
		c := middle(row.of)
		h.say("%-46s %8.1f s %8.1f s %11d MB %10d", row.name, c.wall.Seconds(), c.cpu.Seconds(), c.peak>>20, c.requests)
	}
	p, k := middle(preflight), middle(kubectl)
	h.say("%-46s %10.2f %10.2f %14.2f %10.2f", "÷", p.wall.Seconds()/k.wall.Seconds(), p.cpu.Seconds()/k.cpu.Seconds(),
		float64(p.peak)/float64(k.peak), float64(p.requests)/float64(k.requests))
	most := slices.MaxFunc(preflight, func(a, b cost) int { return int(a.peak - b.peak) }).peak
	verdict := "met"
	if most > memoryAim {
		verdict = "missed"
	}
	h.say("the middle of %d rounds; kubectl's memory is that of its two processes together", preflightRounds)
	h.say("aim of at most %d MB for the preflight: %s, the most was %d MB", memoryAim>>20, verdict, most>>20)
}

// middle gives the median of each figure by itself.
func middle(costs []cost) cost {
	at := func(figure func(cost) int64) int64 {
		var all []int64
		for _, c := range costs {
			all = append(all, figure(c))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{
		wall: time.Duration(at(func(c cost) int64 { return int64(c.wall) })), cpu: time.Duration(at(func(c cost) int64 { return int64(c.cpu) })),
		peak: at(func(c cost) int64 { return c.peak }), requests: int(at(func(c cost) int64 { return int64(c.requests) })),
	}
}
