package doctest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// namespaced finds in a kubectl command an object of the release or of a pair, which is in the
// release's namespace and seldom in that of the reader's context.
func namespaced() *regexp.Regexp {
	return regexp.MustCompile(`\b(?:trafficswitch(?:es)?(?:$|[^.a-z])|(?:configmap|service|deployment|deploy|lease|serviceaccount)[/ ]clusterswitch|` +
		`create (?:token|role|rolebinding) clusterswitch|logs .*name=clusterswitch)`)
}

// missesNamespace tells whether a command speaks of such an object and doesn't say
// where it is.
func missesNamespace(command string) bool {
	says := regexp.MustCompile(` (?:--namespace[ =]|-n |--all-namespaces|-A\b)`)
	return strings.HasPrefix(command, "kubectl ") && namespaced().MatchString(command) && !says.MatchString(command)
}

// A command that is copied finds its object whatever namespace the reader's context
// names: each kubectl command of the documents says it.
func TestKubectlCommandsNameTheNamespace(t *testing.T) {
	t.Parallel()
	looked := 0
	for _, c := range commands(t) {
		if namespaced().MatchString(c.Text) {
			looked++
		}
		if missesNamespace(c.Text) {
			t.Errorf("%s: %s\nnames no namespace", strings.Join(c.Places, ", "), c.Text)
		}
	}
	if looked < 20 {
		t.Errorf("only %d commands speak of what is in the release's namespace", looked)
	}
}

// What the program, its page and the chart's notes tell people to type names it as well.
func TestKubectlCommandsOfTheProgramNameTheNamespace(t *testing.T) {
	t.Parallel()
	typed := regexp.MustCompile("kubectl [^\"`\n]*")
	looked := 0
	for _, folder := range []string{"charts", "cmd", "config", "internal", "switcher"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			told := slices.Contains([]string{".go", ".js", ".txt", ".yaml", ".tpl"}, filepath.Ext(path))
			if err != nil || entry.IsDir() || !told || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, command := range typed.FindAllString(string(content), -1) {
				looked++
				if missesNamespace(command) && !strings.Contains(command, "{{ $n }}") {
					t.Errorf("%s: %s\nnames no namespace", path, command)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 20 {
		t.Errorf("only %d commands were found", looked)
	}
}

// The two tests above would see a mistake.
func TestWhatMissesTheNamespace(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"kubectl get trafficswitches":                                                              true,
		"kubectl --context management get trafficswitch shop --watch":                              true,
		"kubectl patch trafficswitch shop --type merge":                                            true,
		"kubectl get configmap clusterswitch-runbook-shop":                                         true,
		"kubectl logs deploy/clusterswitch":                                                        true,
		"kubectl logs --selector app.kubernetes.io/name=clusterswitch":                             true,
		"kubectl --namespace clusterswitch get trafficswitches":                                    false,
		"kubectl -n traffic patch trafficswitch shop":                                              false,
		"kubectl get trafficswitches --all-namespaces":                                             false,
		"kubectl get customresourcedefinition trafficswitches.clusterswitch.io":                    false,
		"kubectl --context blue apply --filename rbac.yaml":                                        false,
		"kubectl get deployments --all-namespaces --selector app.kubernetes.io/name=clusterswitch": false,
	} {
		if got := missesNamespace(command); got != want {
			t.Errorf("%s: misses the namespace: %t, want %t", command, got, want)
		}
	}
}
