package vnet_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

func TestAProgramThatKnowsProxiesReachesTheNetwork(t *testing.T) {
	network := vnet.New()
	pod, err := network.Listen("10.10.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+r.URL.Path)
	})}
	go func() { _ = server.Serve(pod) }()
	t.Cleanup(func() { _ = server.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- network.ServeProxy(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()}), DisableKeepAlives: true,
	}}
	got := map[string]string{}
	for _, at := range []string{"http://10.10.0.1:8080/metrics", "http://10.10.0.2:8080/metrics"} {
		response, err := client.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		got[at] = response.Status + " " + string(body)
	}
	want := map[string]string{
		"http://10.10.0.1:8080/metrics": "200 OK 10.10.0.1:8080/metrics",
		"http://10.10.0.2:8080/metrics": "502 Bad Gateway dial tcp 10.10.0.2:8080: connection refused\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := client.Get("http://10.10.0.1:8080/metrics"); err == nil {
		t.Error("it answers after its end")
	}
}
