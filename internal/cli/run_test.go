package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logLine is what the tests read of a line of the daemon's log.
type logLine struct{ Level, Msg, Version, File, Address, Cause, Error string }

// daemonConfig is a configuration for a daemon whose journal works, while AWS
// and both clusters are out of order.
func daemonConfig(t *testing.T, w *world, listen string) string {
	t.Helper()
	aws := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(aws.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	return "listen: \"" + listen + "\"\naws: {region: eu-west-1, endpointURL: \"" + aws.URL + "\"}\n" +
		strings.Replace(validConfig, "namespace: clusterswitch", "namespace: "+w.namespace+"\n  kubeconfig: {path: "+w.kubeconfig+"}", 1)
}

// daemon is a `run` under way. Its log is read line by line.
type daemon struct {
	t      *testing.T
	lines  *bufio.Scanner
	status chan int
}

func startDaemon(ctx context.Context, t *testing.T, args ...string) *daemon {
	t.Helper()
	read, write := io.Pipe()
	d := &daemon{t: t, lines: bufio.NewScanner(read), status: make(chan int, 1)}
	go func() {
		d.status <- Run(ctx, Options{Args: append([]string{"run"}, args...), Out: io.Discard, Err: write, Build: Build{Version: "v1.2.3"}})
		_ = write.Close() // a pipe's Close gives no error
	}()
	return d
}

// until reads the log up to a message.
func (d *daemon) until(message string) logLine {
	d.t.Helper()
	for d.lines.Scan() {
		var line logLine
		if err := json.Unmarshal(d.lines.Bytes(), &line); err != nil {
			d.t.Fatalf("this is no log line: %s", d.lines.Text())
		}
		if line.Msg == message {
			return line
		}
	}
	d.t.Fatalf("the log ended without %q", message)
	return logLine{}
}

func TestTheDaemonRunsUntilItIsTold(t *testing.T) {
	w := newWorld(t)
	alone(t)
	write(t, "clusterswitch.yaml", daemonConfig(t, w, "127.0.0.1:0"))
	ctx, stop := context.WithCancelCause(t.Context())
	d := startDaemon(ctx, t, "--rollback", "shop")

	want := logLine{Level: "info", Msg: "starting", Version: "v1.2.3", File: "clusterswitch.yaml"}
	if diff := cmp.Diff(want, d.until("starting")); diff != "" {
		t.Errorf("the first line (-want +got):\n%s", diff)
	}
	address := d.until("listening").Address
	response, err := http.Get("http://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %s", response.Status)
	}

	stop(errors.New("a test says so"))
	if cause := d.until("stopping").Cause; cause != "a test says so" {
		t.Errorf("it stops because %q", cause)
	}
	d.until("ended")
	if status := <-d.status; status != 0 {
		t.Errorf("it ends with status %d", status)
	}
}

func TestADaemonThatFailsSaysSoInItsLogOnly(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct{ listen, replace, by, says string }{
		"its address is taken":      {listen: taken.Addr().String(), says: "address already in use"},
		"there's no way to its hub": {listen: "127.0.0.1:0", replace: "kubeconfig: {path: /", by: "kubeconfig: {path: nowhere/", says: "nowhere"},
		"it runs outside of a hub":  {listen: "127.0.0.1:0", replace: "  kubeconfig: {path: /", by: "  # {path: /", says: "outside of it give journal.kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			alone(t)
			write(t, "clusterswitch.yaml", strings.Replace(daemonConfig(t, w, c.listen), c.replace, c.by, 1))
			d := startDaemon(t.Context(), t)
			if line := d.until("ended by a failure"); line.Level != "error" || !strings.Contains(line.Error, c.says) {
				t.Errorf("it says %+v, which should tell of %q", line, c.says)
			}
			if d.lines.Scan() {
				t.Errorf("after its end it says %s", d.lines.Text())
			}
			if status := <-d.status; status != 1 {
				t.Errorf("it ends with status %d", status)
			}
		})
	}
}
