package probes

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 64 << 10

// maxHeaders bounds the headers of an answer, in bytes.
const maxHeaders = 256 << 10

// Expect says which answer to an HTTP request is good.
type Expect struct {
	// Status lists the good status codes; empty means 200 alone.
	Status []int
	// Body is a text that the first 64 KiB of the answer must contain.
	Body string
}

// HTTPOptions say what an HTTP probe asks.
type HTTPOptions struct {
	// URL is an absolute http or https URL. With Steps only its scheme and host are used.
	URL string
	// Host replaces the URL's host in the Host header.
	Host string
	// ServerName is the name that TLS asks for (SNI) and that the certificate must carry. Empty takes the name in Host,
	// else the URL's.
	ServerName string
	// Method is the request's method; empty means GET.
	Method string
	// Headers are sent with the request, and with that of each step.
	Headers map[string]string
	// Body is sent with the request.
	Body string
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
	TLSFiles
	// Expect says which answer is good.
	Expect Expect
	// Steps are requests that are sent one after the other instead of the one above. Cookies are kept from one to the next.
	Steps []HTTPStep
	// SecretFiles name the contents of files, which stand for ${NAME} in headers, bodies and the paths of steps. They are
	// read anew for each run, and are never shown in an error.
	SecretFiles map[string]string
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
}

// HTTP makes a Check that sends its requests over connections of their own, straight to the URL's host: no proxy, and no
// redirect followed.
func HTTP(opts HTTPOptions) Check {
	requests, err := opts.requests()
	return Check{identity: identity("http", opts), run: func(ctx context.Context) error {
		if err != nil {
			return err
		}
		client, err := opts.client()
		if err != nil {
			return err
		}
		defer client.CloseIdleConnections()
		known, err := readSecrets(opts.SecretFiles)
		if err != nil {
			return err
		}
		return opts.inTurn(ctx, client, requests, known)
	}}
}

// client makes a client for one run, with what the files hold now.
func (o HTTPOptions) client() (*http.Client, error) {
	secured := &tls.Config{
		ServerName: serverName(o.ServerName, o.Host),
		// The config says so in as many words, for a green cluster whose certificate is yet to come.
		InsecureSkipVerify: o.InsecureSkipVerify, //nolint:gosec // asked for by the user
	}
	if err := o.load(secured); err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:            o.Reach.DialContext,
			TLSClientConfig:        secured,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: maxHeaders,
			// A kept connection would go on to a pod that is no longer in the load balancer.
			DisableKeepAlives: true,
		},
		CheckRedirect: keepRedirect,
	}
	if len(o.Steps) == 0 {
		return client, nil
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("making room for cookies: %w", err)
	}
	client.Jar = jar
	return client, nil
}

// serverName returns the name for TLS: the one that is given, else the one in a Host header. Empty leaves it to net/http,
// which takes the URL's.
func serverName(given, host string) string {
	if given != "" || host == "" {
		return given
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// answered is an answer that is as it should be.
type answered struct {
	header http.Header
	// body is its first 64 KiB.
	body []byte
}

// ask sends a request and judges the answer.
func ask(client *http.Client, req *http.Request, expect Expect) (answered, error) {
	resp, err := client.Do(req)
	if err != nil {
		return answered{}, withoutURL(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))

	good := expect.Status
	if len(good) == 0 {
		good = []int{http.StatusOK}
	}
	if !slices.Contains(good, resp.StatusCode) {
		return answered{}, fmt.Errorf("got status %d, want %s%s", resp.StatusCode, anyOf(good), apiMessage(body))
	}
	if err != nil {
		return answered{}, fmt.Errorf("reading the body: %w", err)
	}
	if !strings.Contains(string(body), expect.Body) {
		return answered{}, fmt.Errorf("the body does not contain %q", expect.Body)
	}
	return answered{header: resp.Header, body: body}, nil
}

// withoutURL takes off the URL that net/http and net/url put around their errors: it is known, and may carry a secret.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// apiMessage returns what a Kubernetes API server says about its own error, such as a Service without endpoints.
func apiMessage(body []byte) string {
	var status struct{ Kind, Message string }
	if json.Unmarshal(body, &status) != nil || status.Kind != "Status" || status.Message == "" {
		return ""
	}
	return ": " + status.Message
}

func anyOf(codes []int) string {
	texts := make([]string, len(codes))
	for i, code := range codes {
		texts[i] = fmt.Sprint(code)
	}
	return strings.Join(texts, " or ")
}

// identity spells out a kind and its options. JSON sorts maps, so that equal options give equal text.
func identity(kind string, opts any) string {
	text, err := json.Marshal(opts)
	if err != nil {
		// Options are strings, numbers and booleans; a text beyond UTF-8 is replaced, not refused.
		return kind
	}
	return kind + " " + string(text)
}
