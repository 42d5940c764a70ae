package awscontract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws/awstest"
)

const region = "ap-northeast-1"

// TestMain keeps what the machine is set up with away from the SDK.
func TestMain(m *testing.M) { awstest.Main(m) }

// tell gives figures to the test's log and, where go test shows it, to its output.
func tell(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	if !testing.Verbose() {
		fmt.Fprintln(os.Stdout, line)
	}
}

// pipes is a network of one server: real HTTP, but each connection is a
// net.Pipe, on which a synctest bubble knows that everybody waits.
type pipes struct {
	dialed chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{dialed: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialed:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.dialed <- far:
		return near, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// whole sends requests whose bodies are whole beforehand. The SDK closes a body
// as soon as the answer is there. On a pipe that is often before net/http has
// looked for the body's end, and net/http then gives the connection up.
type whole struct{ http.RoundTripper }

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return w.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return w.RoundTripper.RoundTrip(r)
}

// direct carries the requests of a client to a handler without any network.
type direct struct{ to http.Handler }

func (d direct) Do(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.to.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// config is what clients need that no session stands behind.
func config(client sdk.HTTPClient, endpoint string) sdk.Config {
	return sdk.Config{
		Region: region, BaseEndpoint: &endpoint, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer:     func() sdk.Retryer { return sdk.NopRetryer{} },
	}
}

// stage is the embedded AWS on the wire, with an eye on every write.
type stage struct {
	*sandbox.Cloud
	aside sdk.Config // of clients that no fault hits, for those who look and edit

	client *http.Client

	mu sync.Mutex // guards all below
	// arrives runs when a write has arrived, before it is carried out; leaves runs
	// when it was carried out, before it is answered.
	arrives, leaves []func(operation string)
	// patient lets AWS carry out what it was asked, though the client hung up.
	patient bool
}

// newStage must be called inside of a bubble, which waits for all that it starts.
func newStage(t *testing.T, o sandbox.Options) *stage {
	s := &stage{Cloud: sandbox.New(o)}
	s.aside = config(direct{s.Aside()}, "http://aside.test")
	server := httptest.NewUnstartedServer(s)
	server.Listener.Close() // on a real port, which isn't needed
	network := newPipes()
	server.Listener = network
	server.Start()
	transport := &http.Transport{DialContext: network.dial}
	s.client = &http.Client{Transport: whole{transport}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return s
}

// sessions are those of one daemon: production's own, but for the network.
func (s *stage) sessions(t *testing.T) func(role string) sdk.Config {
	made, err := awsapi.NewSessions(t.Context(), awsapi.SessionsOptions{Region: region, EndpointURL: "http://aws.test"})
	if err != nil {
		t.Fatal(err)
	}
	return func(role string) sdk.Config {
		c := made.For(role, region)
		c.HTTPClient = s.client
		return c
	}
}

// ServeHTTP lets those who watch know of each write.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client hung up
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	operation, write := writeOf(r, body)
	if !write {
		s.Cloud.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	arrives, leaves, patient := s.arrives, s.leaves, s.patient
	s.mu.Unlock()
	for _, f := range arrives {
		f(operation)
	}
	if patient {
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	defer func() { // also where the connection is cut
		for _, f := range leaves {
			f(operation)
		}
	}()
	s.Cloud.ServeHTTP(w, r)
}

// writeOf tells the operation of a request that changes something.
func writeOf(r *http.Request, body []byte) (operation string, write bool) {
	if strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/rrset") {
		return "ChangeResourceRecordSets", r.Method == http.MethodPost
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", false
	}
	operation = form.Get("Action")
	return operation, strings.HasPrefix(operation, "Modify") || strings.HasSuffix(operation, "Tags") && !strings.HasPrefix(operation, "Describe")
}

// whenArriving and whenLeft add to what runs at each write from now on.
func (s *stage) whenArriving(f func(operation string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrives = append(slices.Clip(s.arrives), f)
}

func (s *stage) whenLeft(f func(operation string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaves = append(slices.Clip(s.leaves), f)
}

func (s *stage) bePatient() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patient = true
}

// inject switches a fault on that must be possible.
func (s *stage) inject(f sandbox.Fault) {
	if _, err := s.Inject(f); err != nil {
		panic(err)
	}
}
