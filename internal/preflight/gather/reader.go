package gather

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

const (
	// atOnce is how many kinds of one cluster are listed at a time. It is what
	// bounds the load on the API server; a rate besides it would only wait. The
	// server's priority and fairness judges such a client as it judges kubectl.
	atOnce = 4
	// answerWithin bounds one answer. An API server gives up after a minute itself.
	answerWithin = 90 * time.Second
	// helloWithin bounds the first answer of all: who doesn't say which version it
	// is won't say more.
	helloWithin = 10 * time.Second
	// mostOfAnAnswer is how many bytes of one answer are taken. A page that is
	// larger is asked for again in smaller parts.
	mostOfAnAnswer = 16 << 20
	// mostTries bounds how often one page is asked for.
	mostTries = 6
)

// errTooLarge says that an answer has more than mostOfAnAnswer.
var errTooLarge = errors.New("the answer is larger than 16 MiB")

// reader reads one cluster. Its clients are for what topics read besides the
// lists.
type reader struct {
	options   Options
	discovery *discovery.DiscoveryClient
	dynamic   dynamic.Interface
	rest      rest.Interface
	cloud     Cloud // nil: there is none
	http      *http.Client
	base      *url.URL

	// mu guards the facts while several kinds are listed. It is held while a page is
	// handed out.
	mu sync.Mutex
	// lost says why the cluster is no longer asked: it stopped answering.
	lost error
	// namespaces holds each name of a namespace once: a hundred thousand objects
	// share a few of them.
	namespaces map[string]string
}

func newReader(config *rest.Config, o Options) (*reader, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.RateLimiter = -1, nil // atOnce is the bound
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	d, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	all, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the API server: %w", err)
	}
	// Whoever sends us elsewhere is no API server; our token isn't for others.
	straight := *httpClient
	straight.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &reader{
		options: o, discovery: d, dynamic: all, rest: d.RESTClient(), http: &straight, base: base,
		namespaces: map[string]string{},
	}, nil
}

// ask sends one GET and puts the answer's body into the buffer. It asks again
// while the server wants to be asked later, as long as the deadline allows.
func (r *reader) ask(ctx context.Context, path string, query url.Values, accept string, into *bytes.Buffer) error {
	for try := 1; ; try++ {
		err := r.askOnce(ctx, path, query, accept, into)
		if err == nil || ctx.Err() != nil || try == mostTries {
			return err
		}
		wait, again := later(err, try)
		if !again {
			return err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
			return fmt.Errorf("%w; it wants to be asked again in %s, which is too late", err, wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (r *reader) askOnce(ctx context.Context, path string, query url.Values, accept string, into *bytes.Buffer) error {
	ctx, done := context.WithTimeoutCause(ctx, answerWithin, errNoAnswer)
	defer done()
	target := r.base.JoinPath(path)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	request.Header.Set("Accept", accept)
	response, err := r.http.Do(request)
	if err != nil {
		return &unreachable{cause(ctx, err)}
	}
	defer response.Body.Close()
	into.Reset()
	n, err := into.ReadFrom(http.MaxBytesReader(nil, response.Body, mostOfAnAnswer))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case err != nil:
		return &unreachable{fmt.Errorf("the answer broke off after %d bytes: %w", n, cause(ctx, err))}
	case response.StatusCode != http.StatusOK:
		return refusalOf(response, into.Bytes())
	}
	return nil
}

// cause prefers the reason why a context ended.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// later tells whether to ask again, and when. try counts from 1.
func later(err error, try int) (wait time.Duration, again bool) {
	backoff := time.Second << (try - 1)
	var refused *refusal
	var gone *unreachable
	switch {
	case errors.As(err, &refused) && refused.after > 0:
		return refused.after, true
	case errors.As(err, &refused):
		return backoff, (refused.code == http.StatusTooManyRequests || refused.code >= http.StatusInternalServerError) && try < 3
	case errors.Is(err, errNoAnswer):
		return 0, false // a minute and a half were enough
	case errors.As(err, &gone):
		return backoff / 2, try < 3
	}
	return 0, false
}

// refusal is an answer that isn't the one that was asked for.
type refusal struct {
	code    int
	message string
	// next is where a list whose token expired may be gone on with.
	next string
	// after is how long the server wants to be left alone; 0: it doesn't say.
	after time.Duration
}

func (r *refusal) Error() string {
	if r.message == "" {
		return fmt.Sprintf("the server answers %d %s", r.code, http.StatusText(r.code))
	}
	return fmt.Sprintf("the server answers %d: %s", r.code, r.message)
}

// unreachable is a request without an answer.
type unreachable struct{ error }

func (u *unreachable) Unwrap() error { return u.error }

func refusalOf(response *http.Response, body []byte) error {
	x := &refusal{code: response.StatusCode}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		x.after = time.Duration(seconds) * time.Second
	}
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return x // a proxy's page says less than the status code
	}
	if status, ok := o.(*metav1.Status); ok {
		x.message, x.next = status.Message, status.Continue
	}
	return x
}
