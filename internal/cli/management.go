package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/app"
)

const (
	// defaultNamespace is where the custom resources are when nobody says
	// otherwise; it is the default of the configuration's journal.namespace too.
	defaultNamespace = "clusterswitch"
	// requestTimeout bounds each request to the management cluster: a person in
	// a hurry must not look at a command that hangs.
	requestTimeout = 15 * time.Second
	// fieldManager is the author of changes in metadata.managedFields.
	fieldManager = "clusterswitch-cli"
)

// place is where the TrafficSwitches are: in a management cluster, or in a
// directory. An empty kubeconfig means kubectl's rules: $KUBECONFIG,
// ~/.kube/config, or the cluster that the program runs in. An empty context means
// the kubeconfig's current one.
type place struct {
	kubeconfig, context, namespace string
	// directory holds the files of a journal without a management cluster; empty:
	// there is one.
	directory string
}

// define gives a command the flags that say where the place is.
func (l *place) define(command *cobra.Command) {
	command.Flags().StringVar(&l.kubeconfig, "kubeconfig", "",
		"the kubeconfig `file` for the management cluster (default the configuration's journal.kubeconfig, else as kubectl finds it)")
	command.Flags().StringVar(&l.context, "context", "", "the `context` in that kubeconfig (default its current one)")
	command.Flags().StringVar(&l.namespace, "namespace", "",
		"the `namespace` of the TrafficSwitches (default the configuration's journal.namespace, else "+defaultNamespace+")")
	command.Flags().StringVar(&l.directory, "journal-directory", "",
		"the `folder` with the journal, where there is no management cluster (default the configuration's journal.directory)")
}

// find completes what flags say about the place from the configuration's
// journal section. It is a function of its own because a configuration with
// faults must not stand between a person and a rollback: flags do without it.
func (p *program) find(flags place) (place, error) {
	clusterGiven := flags.kubeconfig != "" || flags.context != ""
	switch {
	case flags.directory != "" && (clusterGiven || flags.namespace != ""):
		return place{}, usagef("--journal-directory is for a journal without a management cluster; leave --kubeconfig, --context and --namespace out, or leave it out")
	case flags.directory != "", clusterGiven && flags.namespace != "":
		return flags, nil
	}
	c, err := config.LoadForRequests(config.Options{Path: p.config})
	switch {
	case errors.Is(err, config.ErrNotFound):
		flags.namespace = cmp.Or(flags.namespace, defaultNamespace)
		return flags, nil
	case err != nil:
		return place{}, configError{error: err, hint: "The management cluster is looked for in this configuration. " +
			"To do without it, give --namespace, and --kubeconfig or --context; or --journal-directory."}
	case c.Journal.Directory != "" && (clusterGiven || flags.namespace != ""):
		return place{}, usagef("%s keeps the journal in %s, without a management cluster: leave --kubeconfig, --context and --namespace out", c.File, c.Journal.Directory)
	case c.Journal.Directory != "":
		return place{directory: c.Journal.Directory}, nil
	}
	flags.namespace = cmp.Or(flags.namespace, c.Journal.Namespace)
	if k := c.Journal.Kubeconfig; k != nil && !clusterGiven {
		flags.kubeconfig, flags.context = k.Path, k.Context
	}
	return flags, nil
}

// restConfig says how to reach the place's API server.
func (l place) restConfig() (*rest.Config, error) {
	if l.directory != "" {
		return nil, fmt.Errorf("there is no management cluster: the journal is in %s", l.directory)
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = l.kubeconfig
	rules.WarnIfAllMissing = false // it would warn past our output
	overrides := &clientcmd.ConfigOverrides{CurrentContext: l.context}
	c, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err):
		return nil, errors.New("finding the management cluster: there is no kubeconfig; give --kubeconfig, or --config with a journal section")
	case err != nil:
		return nil, fmt.Errorf("finding the management cluster: %w", err)
	}
	return c, nil
}

// has says what a place has of pairs, in words for people.
func (l place) has() (where, what string) {
	if l.directory != "" {
		return "directory " + l.directory, "file of a pair"
	}
	return "namespace " + l.namespace, "TrafficSwitch"
}

// request names where people's requests for a pair are.
func (l place) request(pair string) string {
	if l.directory != "" {
		return l.file(pair)
	}
	return "the TrafficSwitch"
}

// file is the request file of a pair.
func (l place) file(pair string) string { return filepath.Join(l.directory, pair+".request.json") }

// kubectl gives the start of a kubectl command that speaks of the same place.
func (l place) kubectl() string {
	words := []string{"kubectl"}
	if l.kubeconfig != "" {
		words = append(words, "--kubeconfig", word(l.kubeconfig))
	}
	if l.context != "" {
		words = append(words, "--context", word(l.context))
	}
	return strings.Join(append(words, "-n", l.namespace), " ")
}

// word quotes what a shell would take apart.
func word(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// reachable finds the management cluster. It talks to nobody yet.
func (p *program) reachable(flags place) (place, *rest.Config, error) {
	at, err := p.find(flags)
	if err != nil {
		return place{}, nil, err
	}
	c, err := at.restConfig()
	if err != nil {
		return place{}, nil, err
	}
	c.Timeout = requestTimeout
	c.UserAgent = p.userAgent()
	return at, c, nil
}

// userAgent names this program in an API server's audit log.
func (p *program) userAgent() string { return "clusterswitch/" + p.resolvedBuild().Version }

// switches are the TrafficSwitches of a place, for a person. Their errors are
// those of v1alpha1.Client.
type switches interface {
	Get(ctx context.Context, pair string) (*v1alpha1.TrafficSwitch, error)
	List(ctx context.Context) ([]v1alpha1.TrafficSwitch, error)
	PatchSpec(ctx context.Context, pair string, change v1alpha1.SpecChange) (*v1alpha1.TrafficSwitch, error)
}

// reach makes a client for the place. It talks to nobody yet.
func (p *program) reach(flags place) (place, switches, error) {
	at, err := p.find(flags)
	if err != nil {
		return place{}, nil, err
	}
	if at.directory != "" {
		return at, app.NewHand(at.directory), nil
	}
	at, c, err := p.reachable(flags)
	if err != nil {
		return place{}, nil, err
	}
	client, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: c, Namespace: at.namespace, FieldManager: fieldManager})
	return at, client, err
}
