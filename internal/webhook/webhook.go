// Package webhook asks a service of the users' own whether green may rise. What
// it doesn't answer clearly is unknown: an error.
package webhook

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

// tries is how often one question is put before it is given up.
const tries = 3

// maxRead bounds what is read of an answer: its words are one short line.
const maxRead = 4 << 10

// Options say how the service is reached.
type Options struct {
	// URL is posted to. It may hold a secret and is never shown, but for its host.
	URL string
	// SecretFile has the secret that questions are signed by; empty: they aren't. It
	// is read for each question.
	SecretFile string
	// CAFile has the certificates, in PEM, that the server's is checked by; empty:
	// the system's. It is read once.
	CAFile string
	// Headers are sent with each question.
	Headers map[string]string
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
	// Timeout bounds a question with all its tries, 0: 10 s.
	Timeout time.Duration
	// Now is the clock that questions are stamped by; nil: time.Now.
	Now func() time.Time
}

// Hook asks one service. It may be used by many goroutines.
type Hook struct {
	options Options
	host    string
	http    *http.Client
}

// New makes a hook; it asks nothing yet. It fails on a URL that is none and on a
// CA file that can't be read.
func New(o Options) (*Hook, error) {
	at, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("reading the address of a webhook: it is not a URL")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := reach.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates for %s: %w", at.Host, err)
		}
		if trust.RootCAs = x509.NewCertPool(); !trust.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the certificates for %s: %s holds none in PEM", at.Host, o.CAFile)
		}
	}
	return &Hook{options: o, host: at.Host, http: &http.Client{
		// Questions are a minute apart: a connection that is kept would be found
		// broken more often than it would help.
		Transport: &http.Transport{
			Proxy: o.Reach.Proxy, DialContext: o.Reach.DialContext, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		},
		// A redirect leads to a login page, and would take the question elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Question is what is about to happen.
type Question struct {
	// Pair and Gate are names of the configuration.
	Pair, Gate string
	// Attempt and Step are the shift's; Step counts from 1, 0: there is none to come.
	Attempt, Step int
	// Share is what the step would bring green, Now what green has, in percent.
	Share, Now int
	// Since is when green reached what it has; zero: it is left out.
	Since time.Time
	// Asked tells questions of one step apart. The same one again, after a restart
	// for instance, has the same Idempotency-Key. Zero: now.
	Asked time.Time
}

// Key is the Idempotency-Key: the same for all tries of one question.
func (q Question) Key() string {
	return fmt.Sprintf("%s/%s/%d/%d/%d", q.Pair, q.Gate, q.Attempt, q.Step, q.Asked.Unix())
}

// body is the JSON that is sent. Keys are only ever added.
type body struct {
	ID      string    `json:"id"`
	Pair    string    `json:"pair"`
	Gate    string    `json:"gate"`
	Attempt int       `json:"attempt"`
	Step    int       `json:"step"`
	Share   int       `json:"share"`
	Now     int       `json:"now"`
	Since   time.Time `json:"since,omitzero"`
	Asked   time.Time `json:"asked"`
}

// Answer is what the service said.
type Answer struct {
	// Good: it answered 2xx. Otherwise it said no.
	Good bool
	// Note is the first line of its text, at most 200 bytes of printable characters;
	// where it has none, the status.
	Note string
}

// Ask puts a question. 2xx is good; 4xx is a no, but for what speaks of the asking
// itself and not of green. Any other answer, or none, is an error. It tries up to
// three times within the timeout where another try may help.
func (h *Hook) Ask(ctx context.Context, q Question) (Answer, error) {
	if q.Asked.IsZero() {
		q.Asked = h.options.Now()
	}
	q.Asked = q.Asked.UTC().Truncate(time.Second)
	content, err := json.Marshal(body{
		ID: q.Key(), Pair: q.Pair, Gate: q.Gate, Attempt: q.Attempt, Step: q.Step,
		Share: q.Share, Now: q.Now, Since: q.Since.UTC(), Asked: q.Asked,
	})
	if err != nil {
		return Answer{}, fmt.Errorf("writing the question for the webhook at %s: %w", h.host, err)
	}
	ctx, done := context.WithTimeoutCause(ctx, h.options.Timeout, fmt.Errorf("no answer within %s", h.options.Timeout))
	defer done()
	pause := h.options.Timeout / 20
	var before error
	for try := 1; ; try++ {
		answer, again, err := h.try(ctx, q, content)
		switch {
		case err == nil:
			return answer, nil
		case before != nil && ctx.Err() != nil:
			// What it said is worth more than that it then said nothing.
			err = fmt.Errorf("%w; then %w", before, err)
		}
		if !again || try == tries || !rest(ctx, pause) {
			return Answer{}, fmt.Errorf("asking the webhook at %s: %w", h.host, err)
		}
		before, pause = err, pause*4
	}
}

// rest waits, unless the context ends before.
func rest(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// try puts a question once. again tells whether another try may end otherwise.
func (h *Hook) try(ctx context.Context, q Question, content []byte) (answer Answer, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.options.URL, bytes.NewReader(content))
	if err != nil {
		return Answer{}, false, errors.New("its address is not a URL")
	}
	for name, value := range h.options.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "clusterswitch")
	req.Header.Set("Idempotency-Key", q.Key())
	if h.options.SecretFile != "" {
		secret, err := secret(h.options.SecretFile)
		if err != nil {
			return Answer{}, false, err
		}
		req.Header.Set(SignatureHeader, Sign(secret, h.options.Now(), content))
	}
	resp, err := h.http.Do(req)
	if err != nil {
		_, refused := errors.AsType[*tls.CertificateVerificationError](err)
		return Answer{}, !refused && ctx.Err() == nil, plain(ctx, err)
	}
	defer resp.Body.Close()
	// The status is the answer. Words that break off say less, and change nothing.
	words, _ := io.ReadAll(io.LimitReader(resp.Body, maxRead))
	return judge(resp, h.note(words))
}

// judge reads a status. Those that speak of the asking are no answer about green: a
// secret that was rotated on one side only must not send users back.
func judge(resp *http.Response, note string) (answer Answer, again bool, err error) {
	status := statusText(resp.StatusCode)
	said := "it answered " + status
	if note != "" {
		said += ": " + note
	} else {
		note = status
	}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return Answer{Good: true, Note: note}, false, nil
	case code == http.StatusUnauthorized || code == http.StatusProxyAuthRequired:
		return Answer{}, false, fmt.Errorf("%s; check the secret on both sides, and the headers", said)
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests:
		return Answer{}, true, errors.New(said)
	case code >= 400 && code < 500:
		return Answer{Note: note}, false, nil
	case code >= 300 && code < 400:
		return Answer{}, false, fmt.Errorf("%s, which leads elsewhere, such as to a login page; check the address", said)
	default:
		return Answer{}, true, errors.New(said)
	}
}

// statusText gives a status in our own words: the server's may be anything.
func statusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// plain leaves out the URL that net/http puts around its errors, which may hold a
// secret, and says why a context ended.
func plain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
