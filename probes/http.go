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
	"net/url"
	"slices"
	"strings"
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 64 << 10

// Expect says which answer to an HTTP request is good.
type Expect struct {
	// Status lists the good status codes; empty means 200 alone.
	Status []int
	// Body is a text that the first 64 KiB of the answer must contain.
	Body string
}

// HTTPOptions say what an HTTP probe asks.
type HTTPOptions struct {
	// URL is an absolute http or https URL.
	URL string
	// Host replaces the URL's host in the Host header.
	Host string
	// ServerName is the name that TLS asks for (SNI) and that the certificate must carry. Empty takes the name in Host,
	// else the URL's.
	ServerName string
	// Method is the request's method; empty means GET.
	Method string
	// Headers are sent with the request.
	Headers map[string]string
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
	// Expect says which answer is good.
	Expect Expect
}

// HTTP makes a Check that sends one request over a connection of its own, straight to the URL's host: no proxy, and no
// redirect followed.
func HTTP(opts HTTPOptions) Check {
	client := &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{
				ServerName: serverName(opts),
				// The config says so in as many words, for a green cluster whose certificate is yet to come.
				InsecureSkipVerify: opts.InsecureSkipVerify, //nolint:gosec // asked for by the user
			},
			ForceAttemptHTTP2: true,
			// A kept connection would go on to a pod that is no longer in the load balancer.
			DisableKeepAlives: true,
		},
		CheckRedirect: keepRedirect,
	}
	return Check{identity: identity("http", opts), run: func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, opts.Method, opts.URL, nil)
		if err != nil {
			return fmt.Errorf("making the request: %w", err)
		}
		for name, value := range opts.Headers {
			req.Header.Set(name, value)
		}
		req.Host = opts.Host
		return ask(client, req, opts.Expect)
	}}
}

// serverName returns the name for TLS; empty leaves it to net/http, which takes the URL's.
func serverName(opts HTTPOptions) string {
	if opts.ServerName != "" || opts.Host == "" {
		return opts.ServerName
	}
	if host, _, err := net.SplitHostPort(opts.Host); err == nil {
		return host
	}
	return opts.Host
}

func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ask sends a request and judges the answer.
func ask(client *http.Client, req *http.Request, expect Expect) error {
	resp, err := client.Do(req)
	if err != nil {
		// The URL that net/http puts around its error is known, and may carry a secret in its query.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))

	good := expect.Status
	if len(good) == 0 {
		good = []int{http.StatusOK}
	}
	if !slices.Contains(good, resp.StatusCode) {
		return fmt.Errorf("got status %d, want %s%s", resp.StatusCode, anyOf(good), apiMessage(body))
	}
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if !strings.Contains(string(body), expect.Body) {
		return fmt.Errorf("the body does not contain %q", expect.Body)
	}
	return nil
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
