package doctest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/cli"
)

// Every command that a document tells people to type is run by a test, or it is said
// here why it can't be.
func TestEveryCommandHasItsTest(t *testing.T) {
	all := classes()
	used := make([]bool, len(all))
	found := commands(t)
	for _, c := range found {
		i := classOf(all, c.Text)
		if i < 0 {
			t.Errorf("nobody says what tests this command; find it a place in classes():\n  %s\n  in %s", c.Text, strings.Join(c.Places, ", "))
			continue
		}
		used[i] = true
	}
	for i, c := range all {
		if !used[i] {
			t.Errorf("no document has a command like %q any more, or a class before it takes them all", c.like)
		}
		if needsWhy := c.how == cannot || c.how == elsewhere; needsWhy != (c.why != "") {
			t.Errorf("%q: a reason is for what isn't run here, and only for that", c.like)
		}
	}
	if len(found) < 150 {
		t.Errorf("only %d commands were found", len(found))
	}
}

// Where a command is run elsewhere by a test, that test is there.
func TestTestsOfCommandsElsewhereExist(t *testing.T) {
	name := regexp.MustCompile(`(internal/[a-z0-9/]+)\.(Test[A-Za-z0-9]+)`)
	for _, c := range classes() {
		for _, match := range name.FindAllStringSubmatch(c.why, -1) {
			files, err := filepath.Glob(filepath.Join(root, match[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files, func(file string) bool {
				content, err := os.ReadFile(file)
				return err == nil && bytes.Contains(content, []byte("\nfunc "+match[2]))
			}) {
				t.Errorf("%q: %s has no test %s", c.like, match[1], match[2])
			}
		}
	}
}

// Each command of clusterswitch is one that it takes, flag by flag, also where
// nothing here can run it.
func TestCommandsOfClusterswitchAreUnderstood(t *testing.T) {
	for _, c := range commands(t) {
		args, _, err := words(c.Text)
		if err != nil {
			t.Errorf("%s: %v", c.Text, err)
			continue
		}
		if args[0] != "clusterswitch" {
			continue
		}
		if got := program(t, append(args[1:], "--help")...); got.status != 0 {
			t.Errorf("%s\nin %s: %s", c.Text, strings.Join(c.Places, ", "), got.complaint)
		}
	}
}

// Each target of the Makefile that a document names is run by .ci/run, or it is said
// why it isn't.
func TestTargetsOfDocumentsAreRun(t *testing.T) {
	reached := reachedByCI(t)
	slow := slowTargets()
	all := classes()
	unused := slowTargets()
	for _, c := range commands(t) {
		if i := classOf(all, c.Text); i < 0 || all[i].how != target {
			continue
		}
		name := strings.Fields(c.Text)[1]
		delete(unused, name)
		switch {
		case reached[name] && slow[name] != "":
			t.Errorf("make %s is run by .ci/run, so it isn't one of slowTargets()", name)
		case !reached[name] && slow[name] == "":
			t.Errorf("make %s, in %s, isn't run by .ci/run; say in slowTargets() why", name, strings.Join(c.Places, ", "))
		}
	}
	for name := range unused {
		t.Errorf("no document names make %s any more", name)
	}
}

// reachedByCI gives the targets that .ci/run makes, with all that they stand on.
func reachedByCI(t *testing.T) map[string]bool {
	t.Helper()
	needs := map[string][]string{}
	for _, match := range regexp.MustCompile(`(?m)^([a-z0-9-]+):([^=#\n]*)`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		needs[match[1]] = strings.Fields(match[2])
	}
	reached := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		if !reached[name] {
			reached[name] = true
			for _, next := range needs[name] {
				reach(next)
			}
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^part ([a-z0-9-]+)$`).FindAllStringSubmatch(read(t, ".ci/run"), -1) {
		reach(match[1])
	}
	return reached
}

// Every command that needs neither AWS nor a cluster does what its document says.
// Those of a hand are given where a directory holds the journal.
func TestCommandsRunAsTheirDocumentsHaveThem(t *testing.T) {
	all := classes()
	ran := map[how]int{}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("CLUSTERSWITCH_CONFIG", "")
	for _, c := range commands(t) {
		i := classOf(all, c.Text)
		if i < 0 || !slices.Contains([]how{here, files, hand}, all[i].how) || strings.Contains(c.Text, " --namespace ") {
			continue
		}
		t.Run(c.Text, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.Symlink(filepath.Join(top, "examples"), "examples"); err != nil {
				t.Fatal(err)
			}
			writeJournal(t, all[i].at)
			got := perform(t, top, c.Text)
			if !slices.Contains(all[i].statuses(), got.status) {
				t.Errorf("%s\nin %s: exit status %d\n%s%s", c.Text, strings.Join(c.Places, ", "), got.status, got.out, got.complaint)
			}
			if got.out == "" {
				t.Errorf("%s\nin %s: it says nothing", c.Text, strings.Join(c.Places, ", "))
			}
		})
		ran[all[i].how]++
	}
	if ran[here] < 10 || ran[hand] < 10 || ran[files] == 0 {
		t.Errorf("only these were run: %v", ran)
	}
}

func (c class) statuses() []int {
	if c.exits == nil {
		return []int{0}
	}
	return c.exits
}

// result is what a command did.
type result struct {
	status         int
	out, complaint string
}

// perform does what a shell would with a line: it runs one command, whose output may
// go into a file. make is run in the repository's top folder.
func perform(t *testing.T, top, line string) result {
	t.Helper()
	args, rest, err := words(line)
	if err != nil {
		t.Fatal(err)
	}
	if args[0] == "make" {
		out, err := exec.CommandContext(t.Context(), "make", append([]string{"-C", top}, args[1:]...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return result{out: string(out)}
	}
	got := program(t, args[1:]...)
	if file, ok := strings.CutPrefix(rest, "> "); ok {
		if err := os.WriteFile(file, []byte(got.out), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if rest != "" {
		t.Fatalf("this test can't do what a shell does with %q; leave it to the journey", rest)
	}
	return got
}

// program runs clusterswitch in this process.
func program(t *testing.T, args ...string) result {
	t.Helper()
	var out, complaint bytes.Buffer
	status := cli.Run(t.Context(), cli.Options{Args: args, Out: &out, Err: &complaint, Build: cli.Build{Version: "v1.2.3"}})
	return result{status, out.String(), complaint.String()}
}

// configuration is one with what the documents' commands speak of: a pair shop, and
// the role of another account.
const configuration = `apiVersion: clusterswitch.io/v1alpha1
aws: {region: eu-west-1}
journal: {directory: %s}
pairs:
  - name: shop
    serve: green
    blue: {eks: {name: shop-v134}}
    green: {eks: {name: shop-v137}}
    traffic:
      - route53:
          hostedZoneID: Z0123456789ABCDEFGHIJ
          names: [shop.example.com]
          blueSetIdentifier: blue
          greenSetIdentifier: green
          roleARN: arn:aws:iam::222222222222:role/dns
    steps: [{share: 10, hold: 10m}, {share: 50, approval: true}, {share: 100}]
    singletons: {at: 50%%, cronJobs: [shop/nightly]}
    soakOnly: true
`

// statusOf is what the daemon wrote into the journal at a stage.
func statusOf(s stage) string {
	const common = `"attempt": 1, "observedGeneration": 1000000000, "updatedAt": "2026-03-02T10:02:50Z", "message": "m", `
	switch s {
	case shifting:
		return `{` + common + `"phase": "Shifting", "share": 10, "step": "1/3", "reason": "ApprovalNeeded",
			"singletons": [{"key": "CronJob shop/nightly", "side": "green", "stage": "giving", "since": "2026-03-02T10:02:00Z", "offSince": "2026-03-02T10:02:00Z"}]}`
	case drifted:
		return `{` + common + `"phase": "Shifting", "share": 10, "step": "1/3", "reason": "Drift", "question": {"id": "1-77", "reason": "Drift", "message": "m"}}`
	case backOnBlue:
		return `{` + common + `"phase": "RolledBack", "share": 0, "step": "0/3", "reason": "BackOnBlue"}`
	case completed:
		return `{` + common + `"phase": "Completed", "share": 100, "step": "3/3", "reason": "ShiftCompleted"}`
	case opening, anywhere, farewell:
	}
	return `{` + common + `"phase": "Idle", "share": 0, "reason": "NothingToDo"}`
}

// writeJournal writes the configuration, and the journal's files as the daemon does.
func writeJournal(t *testing.T, s stage) {
	t.Helper()
	journal, err := filepath.Abs("journal")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(journal, 0o700); err != nil {
		t.Fatal(err)
	}
	asked := "{}"
	if s == backOnBlue {
		asked = `{"rollback": true}`
	}
	for name, content := range map[string]string{
		"clusterswitch.yaml": fmt.Sprintf(configuration, journal), "journal/shop.request.json": asked,
		"journal/shop.journal.json": `{"apiVersion": "clusterswitch.io/v1alpha1", "kind": "TrafficSwitch", "metadata": {"name": "shop"}, "status": ` + statusOf(s) + `}`,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	generation := time.Unix(1, 0) // a request file's generation is its time, in nanoseconds
	if err := os.Chtimes("journal/shop.request.json", generation, generation); err != nil {
		t.Fatal(err)
	}
}
