// Package prometheus asks Prometheus, or what speaks its HTTP API. An answer
// that is not whole is an error: nothing that is missing from it may pass for
// something that isn't there.
package prometheus

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// Options say how a server is reached.
type Options struct {
	// URL is the address that /api/v1 is appended to, /api/v2 for an Alertmanager.
	URL string
	// BearerTokenFile and BasicAuth say who asks; at most one is set. Files are read
	// for each request.
	BearerTokenFile string
	BasicAuth       *BasicAuth
	// CAFile has the certificates, in PEM, that the server's is checked by; empty:
	// the system's. It is read once.
	CAFile             string
	ServerName         string
	InsecureSkipVerify bool
	// Headers are sent with each request.
	Headers map[string]string
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
	// Timeout bounds one request, 0: 30 s. MaxBytes bounds one answer, 0: 16 MiB.
	Timeout  time.Duration
	MaxBytes int64
}

// BasicAuth is a user with the file of the password.
type BasicAuth struct {
	Username     string
	PasswordFile string
}

// Client asks one server. It may be used by many goroutines.
type Client struct {
	options Options
	base    *url.URL
	http    *http.Client
}

// New makes a client; it asks nothing yet. It fails on a URL that is none and on
// a CA file that can't be read.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the address of Prometheus: %w", err)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 16 << 20
	}
	trust := &tls.Config{
		ServerName:         o.ServerName,
		InsecureSkipVerify: o.InsecureSkipVerify, //nolint:gosec // asked for by the user
	}
	if o.CAFile != "" {
		pem, err := reach.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates for %s: %w", base.Host, err)
		}
		if trust.RootCAs = x509.NewCertPool(); !trust.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the certificates for %s: %s holds none in PEM", base.Host, o.CAFile)
		}
	}
	return &Client{options: o, base: base, http: &http.Client{
		Transport: &http.Transport{
			Proxy: o.Reach.Proxy, DialContext: o.Reach.DialContext, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		},
		// A redirect leads to a login page, and would take the headers elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Names gives the names of all metrics that have series between from and to,
// chosen by at least one of the selectors.
// https://prometheus.io/docs/prometheus/latest/querying/api/#querying-label-values
func (c *Client) Names(ctx context.Context, from, to time.Time, selectors []string) ([]string, error) {
	var names []string
	query := url.Values{"match[]": selectors, "start": {seconds(from)}, "end": {seconds(to)}}
	if err := c.get(ctx, "label/__name__/values", query, &names); err != nil {
		return nil, fmt.Errorf("asking %s for names of metrics: %w", c.base.Host, err)
	}
	return names, nil
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', 3, 64) }

// get asks for one thing and decodes the data of a whole answer.
func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.ask(ctx, "api/v1/"+path, query, func(resp *http.Response, body []byte) error { return read(resp, body, into) })
}

// ask asks for one thing and has the answer read.
func (c *Client) ask(ctx context.Context, path string, query url.Values, take func(*http.Response, []byte) error) error {
	ctx, done := context.WithTimeoutCause(ctx, c.options.Timeout, fmt.Errorf("no answer within %s", c.options.Timeout))
	defer done()
	at := c.base.JoinPath(path)
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	if err := c.sign(req); err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return plain(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.options.MaxBytes+1))
	if err != nil {
		return plain(ctx, err)
	}
	if int64(len(body)) > c.options.MaxBytes {
		return oversize(fmt.Sprintf("the answer is larger than %d bytes", c.options.MaxBytes))
	}
	return take(resp, body)
}

// sign puts on what the server wants to know of who asks.
func (c *Client) sign(req *http.Request) error {
	for name, value := range c.options.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Accept", "application/json")
	switch {
	case c.options.BearerTokenFile != "":
		token, err := secret(c.options.BearerTokenFile)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case c.options.BasicAuth != nil:
		password, err := secret(c.options.BasicAuth.PasswordFile)
		if err != nil {
			return err
		}
		req.SetBasicAuth(c.options.BasicAuth.Username, password)
	}
	return nil
}

// secret reads a file; its error never shows what is inside.
func secret(file string) (string, error) {
	content, err := reach.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the secret to send: %w", err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" || strings.ContainsAny(text, "\r\n\x00") {
		return "", fmt.Errorf("reading the secret to send: %s doesn't hold exactly one line", file)
	}
	return text, nil
}

// plain leaves out the URL that net/http puts around its errors, which is long
// and known, and says why a context ended.
func plain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// oversize is the error of an answer that is too much for the server or for us:
// less of it might not be.
type oversize string

func (o oversize) Error() string { return string(o) }

// answer is what every call of the API answers with.
// https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
type answer struct {
	Status   string          `json:"status"`
	Data     json.RawMessage `json:"data"`
	Error    string          `json:"error"`
	Warnings []string        `json:"warnings"`
}

func read(resp *http.Response, body []byte, into any) error {
	var a answer
	unread := json.Unmarshal(body, &a)
	switch {
	case unread == nil && resp.StatusCode == http.StatusUnprocessableEntity && strings.Contains(a.Error, "too many samples"):
		return oversize(fmt.Sprintf("it answered %s: %s", resp.Status, brief(a.Error)))
	case unread == nil && a.Error != "":
		return fmt.Errorf("it answered %s: %s", resp.Status, brief(a.Error))
	case resp.StatusCode != http.StatusOK:
		return refusal(resp)
	case unread != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		return errors.New("it answered with a web page and not with JSON; check the address")
	case unread != nil:
		return fmt.Errorf("its answer is not JSON: %w", unread)
	case a.Status != "success":
		return fmt.Errorf("its answer has the status %q and not success; is it a Prometheus?", brief(a.Status))
	case len(a.Warnings) > 0:
		return fmt.Errorf("its answer is not whole: %s", brief(strings.Join(a.Warnings, "; ")))
	case len(a.Data) == 0 || string(a.Data) == "null":
		return errors.New("its answer has no data; is it a Prometheus?")
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		return fmt.Errorf("its answer has other data than asked for: %w", err)
	}
	return nil
}

// refusal says what an answer without success means; nil: it is one.
func refusal(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("it answered %s; check the token or the user, and the headers", resp.Status)
	case code >= 300 && code < 400:
		return fmt.Errorf("it answered %s, which leads elsewhere, such as to a login page; check the address and the token or the user", resp.Status)
	default:
		return fmt.Errorf("it answered %s", resp.Status)
	}
}

// brief bounds what somebody else says in our sentence.
func brief(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
