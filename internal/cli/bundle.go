package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/bundle"
)

const (
	// bundleLog bounds what is read of a log: its end, in bytes.
	bundleLog = 8 << 20
	// bundlePage bounds what is read of one page of the daemon, in bytes, and how
	// long that may take.
	bundlePage       = 8 << 20
	bundlePageWithin = 5 * time.Second
	// bundleAWS bounds the look at AWS.
	bundleAWS = 30 * time.Second
)

func (p *program) debugCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "debug",
		Short: "Find out what is wrong with clusterswitch itself",
		Long:  "Find out what is wrong with clusterswitch itself: collect what others need to\nhelp, in a form that may be sent to them.",
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(p.bundleCommand())
	return command
}

// bundling is one run of debug bundle.
type bundling struct {
	place                     place
	output, log, daemon, pair string
}

func (p *program) bundleCommand() *cobra.Command {
	b := &bundling{}
	command := &cobra.Command{
		Use:   "bundle [PAIR]",
		Short: "Pack what helps to understand a daemon into an archive without secrets",
		Long: `Pack what helps to understand a daemon into a .tar.gz that may be sent to
others: the configuration without secrets, where all pairs or one of them stand,
their journals, events, runbooks, preflight reports and the record of the newest
attempt, weights and marks as AWS has them now, the versions, the daemon's
health and metrics, and the end of its log where a file of it is given.

What can't be read is left out. manifest.json says what is there, what was left
out and why, and what is never in there. Headers, bodies, user names, and paths
and queries of URLs are taken out of the configuration, and whatever looks like
a token, a key or a password out of everything. Have a look at it all the same
before you send it: names of hosts, accounts and workloads are in there.

It writes nothing but the archive, and needs the rights of "status", those of
"runbook" for the weights, and "list" on Events for those.`,
		Args: atMostOnePair,
		RunE: func(command *cobra.Command, args []string) error {
			b.pair = strings.Join(args, "")
			return p.bundle(command.Context(), *b)
		},
	}
	b.place.define(command)
	command.Flags().StringVarP(&b.output, "output", "o", "", "the `file` to write, which must not be there yet (default clusterswitch-debug-TIME.tar.gz)")
	command.Flags().StringVar(&b.log, "log", "", "a `file` with the daemon's log, as from: kubectl --namespace clusterswitch logs --selector app.kubernetes.io/name=clusterswitch --tail -1 > FILE")
	command.Flags().StringVar(&b.daemon, "daemon", "", "the `address` of the daemon's pages, host:port (default the configuration's \"listen\", on this machine where it has no host)")
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

// bundle writes the archive.
func (p *program) bundle(ctx context.Context, b bundling) (err error) {
	at := p.now().UTC().Truncate(time.Second)
	folder := "clusterswitch-debug-" + at.Format("20060102T150405Z")
	b.output = cmp.Or(b.output, folder+".tar.gz")
	file, err := os.OpenFile(b.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	into := bundle.New(bundle.Options{To: file, Folder: folder, Made: at, By: p.resolvedBuild().Version})
	into.AddJSON("version.json", "which program made this, and what it is built from", p.versions())
	c := p.bundleConfig(into)
	pairs := p.bundleManagement(ctx, into, b, c)
	p.bundleEntrances(ctx, into, c, pairs)
	bundleDaemon(ctx, into, b.daemon, c)
	bundleTheLog(into, b.log)
	manifest, err := into.Close()
	if err != nil {
		return err
	}
	rows := [][]string{{"FILE", "WHAT IT IS"}}
	for _, f := range manifest.Files {
		rows = append(rows, []string{f.Name, f.What})
	}
	table(p.out, rows)
	if len(manifest.LeftOut) > 0 {
		p.out.say("\nLeft out:")
	}
	for _, l := range manifest.LeftOut {
		p.out.say("  %s: %s", l.What, l.Why)
	}
	p.out.say("\n%s is written. Have a look at it before you send it: names of hosts, accounts and workloads are in there.", b.output)
	return nil
}

// bundleVersions is the content of version.json.
type bundleVersions struct {
	Version string            `json:"version"`
	Commit  string            `json:"commit"`
	Go      string            `json:"go"`
	System  string            `json:"system"`
	Modules map[string]string `json:"modules"`
}

func (p *program) versions() bundleVersions {
	b := p.resolvedBuild()
	v := bundleVersions{Version: b.Version, Commit: b.Commit, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Modules: map[string]string{}}
	if recorded, ok := debug.ReadBuildInfo(); ok {
		for _, m := range recorded.Deps {
			v.Modules[m.Path] = m.Version
		}
	}
	return v
}

// bundleConfig adds the configuration, and gives it; nil: it can't be used.
func (p *program) bundleConfig(into *bundle.Bundle) *config.Config {
	const what = "the configuration"
	c, err := config.Load(config.Options{Path: p.config})
	file := ""
	switch faults, faulty := errors.AsType[config.Faults](err); {
	case err == nil:
		file = c.File
	case faulty && len(faults) > 0:
		into.Add("config-faults.txt", "where something is wrong with the configuration; validate says what", bundleFaults(faults))
		// A fault of an environment variable names no file.
		if i := slices.IndexFunc(faults, func(f config.Fault) bool { return !strings.HasPrefix(f.File, "$") }); i >= 0 {
			file = faults[i].File
		}
	default:
		into.LeaveOut(what, err)
		return nil
	}
	document, err := os.ReadFile(file)
	if err == nil {
		document, err = config.Redacted(document)
	}
	if err != nil {
		into.LeaveOut(what, err)
	} else {
		into.Add("config.yaml", what+", without what may be secret", document)
	}
	return c
}

// bundleFaults gives the places of faults alone: their sentences repeat what stands
// there.
func bundleFaults(faults config.Faults) []byte {
	var b bytes.Buffer
	for _, f := range faults {
		fmt.Fprintf(&b, "%s:%d: %s\n", f.File, f.Line, f.Path)
	}
	return b.Bytes()
}

// bundleManagement adds what the management cluster knows, or the journal's directory,
// and gives the pairs that the archive is about.
func (p *program) bundleManagement(ctx context.Context, into *bundle.Bundle, b bundling, c *config.Config) []string {
	var pairs []string
	if c != nil {
		pairs = pairNames(c)
	}
	if b.pair != "" {
		pairs = []string{b.pair}
	}
	what := "what the management cluster knows of the pairs"
	at, client, err := p.reach(b.place)
	var reached *rest.Config // nil: there is a directory
	switch {
	case err == nil && at.directory != "":
		what = "what the journal's directory has of the pairs"
	case err == nil:
		at, reached, err = p.reachable(b.place)
	}
	if isType[configError](err) {
		err = errors.New("the configuration can't be used to find it; give --namespace, and --kubeconfig or --context")
	}
	if err != nil {
		into.LeaveOut(what, err)
		return pairs
	}
	objects, err := client.List(ctx)
	where, kind := at.has()
	if err != nil {
		into.LeaveOut(what, err)
		return pairs
	}
	if b.pair != "" {
		objects = slices.DeleteFunc(objects, func(t v1alpha1.TrafficSwitch) bool { return t.Name != b.pair })
	}
	into.AddJSON("status.json", "where the pairs stand, as status -o json shows it", newReport(objects))
	for _, t := range objects {
		t.ManagedFields, t.Annotations = nil, nil
		into.AddJSON("pairs/"+t.Name+"/trafficswitch.json", "what is asked for "+t.Name+", what the daemon said last, and its journal", t)
		if !slices.Contains(pairs, t.Name) {
			pairs = append(pairs, t.Name)
		}
	}
	if b.pair != "" && len(objects) == 0 {
		into.LeaveOut("what is asked for "+b.pair+", and its journal", fmt.Errorf("%s has no %s of it", where, kind))
	}
	if reached != nil {
		bundleObjects(ctx, into, reached, at.namespace, pairs)
	} else {
		bundleFolder(into, at.directory, pairs)
	}
	bundleRecords(ctx, into, app.RecordOptions{Directory: at.directory, Management: reached, Namespace: at.namespace}, pairs)
	return pairs
}

// bundleObjects adds what stands beside the TrafficSwitches.
func bundleObjects(ctx context.Context, into *bundle.Bundle, reached *rest.Config, namespace string, pairs []string) {
	client, err := kubernetes.NewForConfig(reached)
	if err != nil {
		into.LeaveOut("events, runbooks and preflight reports", err)
		return
	}
	events, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=" + v1alpha1.Kind, Limit: 1000})
	if err != nil {
		into.LeaveOut("events of the pairs", err)
	} else {
		var about []corev1.Event
		for _, e := range events.Items {
			if e.ManagedFields = nil; slices.Contains(pairs, e.InvolvedObject.Name) {
				about = append(about, e)
			}
		}
		into.AddJSON("events.json", "events of the pairs that the cluster still has", about)
	}
	for _, pair := range pairs {
		for _, kept := range []string{"runbook", "preflight"} {
			name := "clusterswitch-" + kept + "-" + pair
			m, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				into.LeaveOut("the "+kept+" of "+pair, err)
				continue
			}
			into.AddJSON("pairs/"+pair+"/"+kept+".json", "the "+kept+" of "+pair+" that the daemon keeps", m.Data)
		}
	}
}

// bundleEntrances adds what AWS says now.
func (p *program) bundleEntrances(ctx context.Context, into *bundle.Bundle, c *config.Config, pairs []string) {
	const what = "weights and marks as AWS has them"
	if c == nil {
		into.LeaveOut(what, errors.New("there is no configuration that can be used"))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, bundleAWS)
	defer cancel()
	d, err := app.NewDirect(ctx, c)
	if err != nil {
		into.LeaveOut(what, err)
		return
	}
	for _, pair := range pairs {
		read, err := d.Readings(ctx, pair)
		if err != nil {
			into.LeaveOut(what+", of "+pair, err)
			continue
		}
		into.AddJSON("pairs/"+pair+"/entrances.json", "weights, marks and targets of "+pair+" as AWS has them now", read)
	}
}

// bundleDaemon adds the daemon's own pages.
func bundleDaemon(ctx context.Context, into *bundle.Bundle, address string, c *config.Config) {
	if address == "" && c != nil {
		address = c.Listen
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		into.LeaveOut("the daemon's health and metrics", errors.New("its address isn't known; give --daemon host:port"))
		return
	}
	client := &http.Client{
		Timeout:       bundlePageWithin,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, page := range []struct{ name, what string }{
		{"healthz", "whether the daemon's loops turn"}, {"readyz", "whether the daemon is ready"}, {"metrics", "the daemon's metrics"},
	} {
		content, err := bundleGet(ctx, client, "http://"+net.JoinHostPort(cmp.Or(host, "localhost"), port)+"/"+page.name)
		if err != nil {
			into.LeaveOut(page.what, err)
			continue
		}
		into.Add("daemon/"+page.name+".txt", page.what, content)
	}
}

func bundleGet(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, bundlePage))
	return append([]byte(response.Status+"\n"), content...), err
}

// bundleTheLog adds the end of a log, from the beginning of a line on: half a secret
// would not be recognised.
func bundleTheLog(into *bundle.Bundle, path string) {
	const what = "the daemon's log"
	if path == "" {
		into.LeaveOut(what, errors.New("no file of it was given; write one with kubectl logs, and give --log"))
		return
	}
	file, err := os.Open(path)
	if err != nil {
		into.LeaveOut(what, err)
		return
	}
	defer file.Close()
	if found, err := file.Stat(); err == nil && found.Size() > bundleLog {
		_, _ = file.Seek(-bundleLog, io.SeekEnd) // where that fails, the beginning is read
	}
	content, err := io.ReadAll(io.LimitReader(file, bundleLog))
	if err != nil {
		into.LeaveOut(what, err)
		return
	}
	if len(content) == bundleLog {
		if _, rest, found := bytes.Cut(content, []byte("\n")); found {
			content = rest
		}
	}
	into.Add("daemon/log.txt", "the end of the daemon's log", content)
}
