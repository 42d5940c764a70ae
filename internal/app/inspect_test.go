package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// What people configured reaches the checks, key by key.
func TestTheConfigurationReachesTheChecks(t *testing.T) {
	c, err := config.Parse("test.yaml", []byte(`apiVersion: clusterswitch.io/v1alpha1
pairs:
  - name: shop
    serve: green
    blue: {kubeconfig: {path: blue}}
    green: {kubeconfig: {path: green}}
    replicas: {atLeast: 80%}
    probes:
      - {name: page, http: {url: "https://green.example.com/healthz"}}
      - {name: plain, http: {url: "http://[fd00::1]:8080/"}}
      - {name: port, tcp: {address: "green.example.com:9443"}}
      - {name: inside, service: {namespace: shop, name: web, port: 80}}
      - {name: login, http: {url: "http://[fd00::1]", headers: {X-A: "1"}, steps: [{name: one, path: /login, headers: {X-B: "1", X-A: "2"}}, {name: two, path: /read}]}}
      - {name: cert, tls: {address: "green.example.com:443"}}
      - {name: call, grpc: {address: "green.example.com:443", host: api.example.com, tls: {}}}
      - {name: plain-call, grpc: {address: "[fd00::1]:50051"}}
      - {name: live, websocket: {url: "wss://green.example.com/live?room=1", headers: {X-Probe: "1"}}}
      - {name: lookup, dns: {server: "10.0.0.2:53", name: shop.example.com}}
    preflight:
      secrets: digests
      ignore: [{kind: ConfigMap, name: "tmp-*"}, {group: example.com, namespace: lab}]
      waivers: [{id: Some/Finding, reason: it is meant, until: "2027-01-31"}]
    traffic: [{route53: {hostedZoneID: Z123, names: [shop.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}}]
    steps: [{share: 100}]
    soakOnly: true
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := settingsOf(c.Pairs[0])
	i := newInspector(ways{}, newAWS(adapters{}))
	i.lookUp = func(_ context.Context, host string) ([]string, error) {
		if host == "green.example.com" {
			return []string{"192.0.2.2", "192.0.2.1"}, nil
		}
		return nil, errors.New("no such host")
	}
	i.resolve(t.Context(), got.Probes)
	want := facts.Settings{
		ReplicasAtLeast: 80, Secrets: facts.SecretsDigests,
		Ignore: []facts.Ignore{{Kind: "ConfigMap", Name: "tmp-*"}, {Group: "example.com", Namespace: "lab"}},
		Probes: []facts.Probe{
			{Name: "page", Kind: "http", Address: "green.example.com:443", URL: "https://green.example.com/healthz", Addresses: []string{"192.0.2.1", "192.0.2.2"}},
			{Name: "plain", Kind: "http", Address: "[fd00::1]:8080", URL: "http://[fd00::1]:8080/"},
			{Name: "port", Kind: "tcp", Address: "green.example.com:9443", Addresses: []string{"192.0.2.1", "192.0.2.2"}},
			{Name: "inside", Kind: "service"},
			{Name: "login", Kind: "http", Address: "[fd00::1]:80", URL: "http://[fd00::1]/login", Headers: []string{"X-A", "X-B"}},
			{Name: "cert", Kind: "tls", Address: "green.example.com:443", Addresses: []string{"192.0.2.1", "192.0.2.2"}},
			{Name: "call", Kind: "grpc", Address: "green.example.com:443", URL: "https://green.example.com:443/grpc.health.v1.Health/Check", Host: "api.example.com", Addresses: []string{"192.0.2.1", "192.0.2.2"}},
			{Name: "plain-call", Kind: "grpc", Address: "[fd00::1]:50051", URL: "http://[fd00::1]:50051/grpc.health.v1.Health/Check"},
			{Name: "live", Kind: "websocket", Address: "green.example.com:443", URL: "https://green.example.com/live?room=1", Headers: []string{"X-Probe"}, Addresses: []string{"192.0.2.1", "192.0.2.2"}},
			{Name: "lookup", Kind: "dns"},
		},
	}
	// What single checks are told besides has tests of its own.
	got = facts.Settings{ReplicasAtLeast: got.ReplicasAtLeast, Secrets: got.Secrets, Ignore: got.Ignore, Probes: got.Probes}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	waivers := []finding.Waiver{{ID: "Some/Finding", Reason: "it is meant", Until: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}}
	if diff := cmp.Diff(waivers, waiversOf(c.Pairs[0].Preflight)); diff != "" {
		t.Errorf("waivers (-want +got):\n%s", diff)
	}
}

// A cluster to which no way is found is a finding, for both sides.
func TestClustersThatAreNotFoundAreFindings(t *testing.T) {
	pair := config.Pair{
		Name:      "shop",
		Blue:      config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "/none/blue.yaml"}},
		Green:     config.Cluster{KubeconfigSecret: &config.KubeconfigSecret{Name: "green", Key: "kubeconfig"}},
		Preflight: config.Preflight{Timeout: time.Second},
	}
	secrets := managementSecrets{reach: func() (*rest.Config, error) { return nil, errors.New("there is no kubeconfig") }}
	r := newInspector(ways{secrets: secrets}, newAWS(adapters{})).look(t.Context(), pair, wish{scope: facts.Full, attempt: 3})
	var said []string
	for _, f := range r.Findings {
		if f.Code == finding.ClusterUnreadable {
			said = append(said, f.Message)
		}
	}
	want := []string{
		"blue can't be read: reading kubeconfig /none/blue.yaml: open /none/blue.yaml: no such file or directory",
		"green can't be read: finding the way to a cluster: reading Secret green: there is no kubeconfig",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if r.Attempt != 3 || r.Clear() {
		t.Errorf("the report is %+v", r)
	}
}
