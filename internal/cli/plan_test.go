package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// countingServer is a Prometheus that has the counters of one pod: a hundred
// requests a second, of which one in a thousand fails.
func countingServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		perSecond := 100.0
		if strings.Contains(r.FormValue("query"), "5..") {
			perSecond = 0.1
		}
		number := func(key string) float64 {
			n, err := strconv.ParseFloat(r.FormValue(key), 64)
			if err != nil {
				t.Errorf("%s=%s", key, r.FormValue(key))
			}
			return n
		}
		start, end, step := number("start"), number("end"), number("step")
		var values []string
		for at := start; at <= end; at += step {
			values = append(values, fmt.Sprintf(`[%f,"%.0f"]`, at, perSecond*(at-1_700_000_000)))
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"web-0"},"values":[%s]}]}}`, strings.Join(values, ","))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// withCounts gives the zone's first pair a gate that counts users' requests.
func (z *zone) withCounts(server string) {
	z.Helper()
	document, err := os.ReadFile("clusterswitch.yaml")
	if err != nil {
		z.Fatal(err)
	}
	gate := fmt.Sprintf(`gates:
      - name: users
        requests:
          prometheus:
            blue: {url: %q, match: {cluster: blue}}
            green: {url: %q, match: {cluster: green}}
            requests: sum by (pod) (http_requests_total)
            errors: sum by (pod) (http_requests_total{code=~"5.."})
`, server, server)
	write(z.T, "clusterswitch.yaml", strings.Replace(string(document), "soakOnly: true\n", gate, 1))
}

func TestPlanRehearsesAShift(t *testing.T) {
	transcript, err := filepath.Abs("testdata/plan.txt") // before the working folder changes
	if err != nil {
		t.Fatal(err)
	}
	z := newZone(t)
	z.put("shop", 0)
	z.put("blog", 25)
	z.withCounts(countingServer(t))
	golden(t, transcript, run(t.Context(), "plan", "shop").out+
		"\n— what has no gate that counts, and begins halfway —\n\n"+run(t.Context(), "plan", "blog").out)
	if green := z.green(); green["shop"] != 0 || green["blog"] != 25 {
		t.Errorf("it wrote %v", green)
	}

	var document struct {
		ReachesStandby bool
		Scenes         []struct{ Share int }
		Finds          []struct{ Five struct{ After string } }
	}
	printed := run(t.Context(), "plan", "shop", "-o", "json")
	if err := json.Unmarshal([]byte(printed.out), &document); err != nil || printed.status != 0 {
		t.Fatalf("%+v: %v", printed, err)
	}
	if !document.ReachesStandby || len(document.Scenes) < 5 || len(document.Finds) != 2 {
		t.Errorf("got %s", printed.out)
	}
}

func TestPlanSaysWhatKeepsAShiftFromItsEnd(t *testing.T) {
	z := newZone(t)
	z.put("shop", 0)
	z.put("blog", 0)
	silent := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(silent.Close)
	z.withCounts(silent.URL)
	printed := run(t.Context(), "plan", "shop")
	if printed.status != 1 || !strings.Contains(printed.err, "it waits at 0 %") || !strings.Contains(printed.out, "gate users: blue can't be measured") {
		t.Errorf("got %+v", printed)
	}
	for _, wrong := range [][]string{{"plan", "nosuch"}, {"plan", "shop", "-o", "yaml"}, {"plan", "shop", "--start", "tomorrow"}, {"plan"}} {
		if got := run(t.Context(), wrong...); got.status != 2 {
			t.Errorf("%v: %+v", wrong, got)
		}
	}
}
