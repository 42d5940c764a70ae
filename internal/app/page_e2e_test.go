//go:build e2e

package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/browser"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// shown configures a pair whose way up has three steps, one of them by approval,
// and gives the address of its page.
func (s *story) shown() (address string) {
	s.Helper()
	free, err := (&net.ListenConfig{}).Listen(s.Context(), "tcp", "127.0.0.1:0")
	s.ok(err)
	address = free.Addr().String()
	s.ok(free.Close())
	users := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") { // as Prometheus answers
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%d,"0.21"]}]}}`, time.Now().Unix())
		}
	}))
	s.Cleanup(users.Close)
	s.configure(fmt.Sprintf(`    preflight: {mode: warn}
    workloads: {namespaces: [%s]}
    probes: [{name: storefront, http: {url: %q}, interval: 1s, timeout: 900ms}]
    gates: [{name: checkout-p99, prometheus: {server: {url: %q}, query: "vector(0.21)", max: 0.8, window: 0s, interval: 1s}}]
`, s.namespace, users.URL, users.URL))
	text, err := os.ReadFile(s.file)
	s.ok(err)
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "- route53:") && !strings.Contains(line, "soakOnly") {
			lines = append(lines, line)
		}
	}
	replaced := strings.NewReplacer("serve: blue", "serve: green", "listen: 127.0.0.1:0", "listen: "+address,
		"[{share: 100}]", "[{share: 10, hold: 1s}, {share: 50, hold: 1s, approval: true}, {share: 100, hold: 1h}]").Replace(strings.Join(lines, ""))
	s.ok(os.WriteFile(s.file, []byte(replaced), 0o600))
	return "http://" + address + "/"
}

// viewer makes a service account that may see the page, and gives a token of it.
func (s *story) viewer(verbs ...string) string {
	s.Helper()
	client, name := cptest.Client(s.T, plane.Start(s.T)), "viewer-"+verbs[0]
	meta := metav1.ObjectMeta{Name: name}
	_, err := client.CoreV1().ServiceAccounts(s.namespace).Create(s.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	s.ok(err)
	_, err = client.RbacV1().Roles(s.namespace).Create(s.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.Group}, Resources: []string{v1alpha1.Resource}, Verbs: verbs},
	}}, metav1.CreateOptions{})
	s.ok(err)
	_, err = client.RbacV1().RoleBindings(s.namespace).Create(s.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: s.namespace, Name: name}},
	}, metav1.CreateOptions{})
	s.ok(err)
	made, err := client.CoreV1().ServiceAccounts(s.namespace).CreateToken(s.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	s.ok(err)
	return made.Status.Token
}

// saw is a script that notes, from now on, each share that the page shows, without
// any help of the page.
const saw = `(() => {
	window.seen = [];
	const look = () => {
		const green = document.querySelector(".hero .green-text b")?.textContent;
		if (green !== undefined && window.seen.at(-1) !== green) window.seen.push(green);
	};
	new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
	look();
	return 1;
})()`

// One person signs in to the page of a whole daemon and watches, without a reload,
// a shift from 0 to 100 and the rollback after it.
func TestE2EAShiftAndItsRollbackAreSeenLive(t *testing.T) {
	b, err := browser.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	s := newStory(t)
	_, err = s.rules.ModifyRule(t.Context(), &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.rule, Actions: s.forward(0)})
	s.ok(err)
	s.readyNode()
	s.readyWorkload()
	address := s.shown()
	defer s.run()()
	s.awaitFor(3*within, "the first step", func(status v1alpha1.TrafficSwitchStatus) bool { return status.Phase != "" })

	tab, err := b.Open(browser.View{Width: 1280, Height: 900})
	s.ok(err)
	defer tab.Close()
	s.signIn(tab, address)
	_, err = browser.Tell[int](tab, saw)
	s.ok(err)
	const long = 90 * time.Second // the machine may have much else to do
	s.awaitFor(long, "the wait for an approval", reason("ApprovalNeeded"))
	s.ok(tab.Await(`document.querySelector(".wanted .command code")?.textContent === "clusterswitch approve shop --namespace ` + s.namespace + `"`))
	s.ask(`{"approved": {"attempt": 1, "step": 2}}`)
	s.awaitFor(long, "all users on green", func(status v1alpha1.TrafficSwitchStatus) bool { return status.Share == 100 })
	s.ok(tab.Await(`window.seen.includes("100")`))
	s.ok(tab.Await(`[...document.querySelectorAll(".gates li")].some((g) => g.textContent.includes("checkout-p99") && g.textContent.includes("0.21")) &&
		document.querySelectorAll(".tries rect.good").length > 0 && document.querySelector(".plot .line:not(.joins):not(.restored)").getAttribute("d").length > 20`))
	s.ask(`{"rollback": true}`)
	s.ok(tab.Await(`document.querySelector(".page-head .pill").textContent === "Rolled back" && window.seen.at(-1) === "0"`))
	seen, err := browser.Tell[[]string](tab, `window.seen`)
	s.ok(err)
	seen = slices.DeleteFunc(seen, func(share string) bool { return !slices.Contains([]string{"0", "10", "50", "100"}, share) })
	if got := strings.Join(seen, " "); !strings.HasSuffix(got, "10 50 100 0") {
		t.Errorf("the page showed these shares, one after the other: %s", got)
	}
	told, err := browser.Tell[string](tab, `document.querySelector(".timeline").textContent`)
	s.ok(err)
	for _, words := range []string{"Rollback, asked for by the custom resource", "Blue has all traffic again", "A person approved step 2", "Green is sent to 100 %, step 3 of 3"} {
		if !strings.Contains(told, words) {
			t.Errorf("what happened doesn't tell %q: %s", words, told)
		}
	}
	if faults := tab.Faults(); len(faults) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(faults, "\n"))
	}
}

// signIn comes in by keyboard alone, with a token that is good, and goes to the pair.
func (s *story) signIn(tab *browser.Tab, address string) {
	s.Helper()
	focused := func(expression string) {
		s.Helper()
		for range 40 {
			at, err := browser.Tell[bool](tab, expression)
			s.ok(err)
			if at {
				return
			}
			s.ok(tab.Press("\t"))
		}
		s.Fatalf("the keyboard doesn't reach %s", expression)
	}
	s.ok(tab.Go(address))
	s.ok(tab.Await(`document.querySelector("#signin")`))
	focused(`document.activeElement.id === "token"`)
	s.ok(tab.Paste(s.viewer("get")))
	s.ok(tab.Press("\r"))
	s.ok(tab.Await(`document.querySelector(".tile")`))
	focused(`document.activeElement.className === "cover"`)
	s.ok(tab.Press("\r"))
	s.ok(tab.Await(`document.querySelector("h1")?.textContent === "shop" && document.querySelector(".plot")`))
	if kept, err := browser.Tell[string](tab, `JSON.stringify(localStorage) + document.cookie`); err != nil || kept != "{}" {
		s.Errorf("the browser keeps %s (%v)", kept, err)
	}
}

// Who has a token without the right is told so, and sees nothing; a reload of who is
// in asks nothing again.
func TestE2EWhoMayNotReadSeesNothing(t *testing.T) {
	b, err := browser.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	s := newStory(t)
	address := s.shown()
	defer s.run()()
	s.awaitFor(3*within, "a daemon", func(status v1alpha1.TrafficSwitchStatus) bool { return status.Phase != "" })
	tab, err := b.Open(browser.View{Width: 360, Height: 740, Dark: true})
	s.ok(err)
	defer tab.Close()
	s.ok(tab.Go(address))
	enter := func(token string) {
		s.Helper()
		s.ok(tab.Await(`document.querySelector("#token")`))
		_, err := browser.Tell[int](tab, `document.querySelector("#token").focus() ?? 0`)
		s.ok(err)
		s.ok(tab.Paste(token))
		s.ok(tab.Press("\r"))
	}
	enter(s.viewer("list"))
	s.ok(tab.Await(`document.querySelector("[role=alert]")?.textContent.includes("may not get trafficswitches in namespace ` + s.namespace + `")`))
	enter(s.viewer("get"))
	s.ok(tab.Await(`document.querySelector(".tile")`))
	s.ok(tab.Go(address))
	s.ok(tab.Await(`document.querySelector(".tile") && performance.getEntriesByName("first-view").length === 1`))
	s.ok(tab.Await(`document.querySelector("[data-do=signout]")`))
	_, err = browser.Tell[int](tab, `(document.querySelector("[data-do=signout]").click(), 0)`)
	s.ok(err)
	s.ok(tab.Await(`document.querySelector("#signin") && sessionStorage.length === 0`))
}
