package ready

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

const (
	metricsGroup   = "metrics.k8s.io"
	metricsVersion = "v1beta1"
	metricsName    = "metrics-server"
	metricsPort    = 4443
	// milliPerRequest is the CPU that one request a second takes: a pod that serves
	// all it can uses all that it asked for.
	milliPerRequest = podMilli / perPod
	// podMilli is what every pod asks for.
	podMilli = 100
	// usesAnnotation is the CPU that a pod uses that carries no users, in
	// thousandths; without it it uses none.
	usesAnnotation = "sandbox.clusterswitch.io/uses"
)

// metricsAPI is the resource metrics API of one cluster, aggregated as
// metrics-server is: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/.
type metricsAPI struct {
	cluster *cluster
	server  *http.Server
	served  chan error
}

// startMetricsAPI serves at the address, and returns when the API server hands
// requests on to it.
func startMetricsAPI(ctx context.Context, c *cluster, network *vnet.Network, address string) (*metricsAPI, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	l, err := network.Listen(net.JoinHostPort(address, strconv.Itoa(metricsPort)))
	if err != nil {
		return nil, err
	}
	m := &metricsAPI{cluster: c, served: make(chan error, 1)}
	mux := http.NewServeMux()
	const root = "/apis/" + metricsGroup + "/" + metricsVersion
	mux.HandleFunc("GET "+root, m.resources)
	mux.HandleFunc("GET "+root+"/pods", m.pods)
	mux.HandleFunc("GET "+root+"/namespaces/{namespace}/pods", m.pods)
	m.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13},
	}
	go func() { m.served <- m.server.ServeTLS(l, "", "") }()
	if err := m.register(ctx, address); err != nil {
		return m, err
	}
	return m, m.await(ctx)
}

func (m *metricsAPI) close() error {
	err := m.server.Close()
	if served := <-m.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// register makes the Service, its endpoint, and the APIService.
func (m *metricsAPI) register(ctx context.Context, address string) error {
	const namespace = "kube-system"
	meta := metav1.ObjectMeta{Namespace: namespace, Name: metricsName, Labels: map[string]string{discoveryv1.LabelServiceName: metricsName}}
	service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "https", Port: 443}}}}
	if _, err := m.cluster.client.CoreV1().Services(namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating the Service: %w", err)
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: meta, AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
		Ports:     []discoveryv1.EndpointPort{{Name: new("https"), Port: new(int32(metricsPort)), Protocol: new(corev1.ProtocolTCP)}},
	}
	if _, err := m.cluster.client.DiscoveryV1().EndpointSlices(namespace).Create(ctx, slice, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating the endpoint: %w", err)
	}
	client, err := dynamic.NewForConfig(m.cluster.RESTConfig())
	if err != nil {
		return err
	}
	api := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": metricsVersion + "." + metricsGroup},
		"spec": map[string]any{
			"group": metricsGroup, "version": metricsVersion, "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"insecureSkipTLSVerify": true,
			"service":               map[string]any{"namespace": namespace, "name": metricsName, "port": int64(443)},
		},
	}}
	_, err = client.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}).Create(ctx, api, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating the APIService: %w", err)
	}
	return nil
}

// await asks through the API server until it is answered.
func (m *metricsAPI) await(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		last = m.cluster.client.Discovery().RESTClient().Get().AbsPath("/apis/" + metricsGroup + "/" + metricsVersion + "/pods").Do(ctx).Error()
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waiting until the API server hands requests on: %w: %w", err, last)
	}
	return nil
}

// resources is the discovery document.
func (m *metricsAPI) resources(w http.ResponseWriter, _ *http.Request) {
	answer(w, metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: metricsGroup + "/" + metricsVersion,
		APIResources: []metav1.APIResource{{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: metav1.Verbs{"get", "list"}}},
	})
}

// podMetrics is what a pod uses; see the types of k8s.io/metrics.
type podMetrics struct {
	metav1.ObjectMeta `json:"metadata"`
	Timestamp         metav1.Time        `json:"timestamp"`
	Window            string             `json:"window"`
	Containers        []containerMetrics `json:"containers"`
}

type containerMetrics struct {
	Name  string            `json:"name"`
	Usage map[string]string `json:"usage"`
}

// pods lists what the pods of one namespace, or of all, use.
func (m *metricsAPI) pods(w http.ResponseWriter, r *http.Request) {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	listed, err := m.cluster.listed.Pods(r.PathValue("namespace")).List(selector)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	items, now := []podMetrics{}, metav1.Now()
	for _, p := range listed {
		if p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil {
			continue
		}
		item := podMetrics{
			ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, Labels: p.Labels},
			Timestamp:  now, Window: meterWindow.String(),
		}
		for i, container := range p.Spec.Containers {
			usage := "0"
			if i == 0 {
				usage = m.uses(p)
			}
			item.Containers = append(item.Containers, containerMetrics{Name: container.Name, Usage: map[string]string{"cpu": usage, "memory": "64Mi"}})
		}
		items = append(items, item)
	}
	answer(w, map[string]any{
		"kind": "PodMetricsList", "apiVersion": metricsGroup + "/" + metricsVersion, "metadata": map[string]any{}, "items": items,
	})
}

// uses is the CPU that a pod uses.
func (m *metricsAPI) uses(p *corev1.Pod) string {
	if p.Labels[carriesLabel] == "" {
		milli, err := strconv.Atoi(p.Annotations[usesAnnotation])
		if err != nil {
			return "0"
		}
		return strconv.Itoa(milli) + "m"
	}
	rate := m.cluster.meter.rate(net.JoinHostPort(p.Status.PodIP, strconv.Itoa(port)))
	return strconv.FormatInt(int64(rate*milliPerRequest*1e6), 10) + "n"
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	// A client that went away is the only one who could be told.
	_ = json.NewEncoder(w).Encode(body)
}

// selfSigned is a certificate that nobody checks.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{strings.Join([]string{metricsName, "kube-system", "svc"}, ".")},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}, nil
}
