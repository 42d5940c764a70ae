package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/reach"
)

const (
	// queueSize is how much news a target may be behind; older news gives way.
	queueSize = 256
	// sendTimeout bounds one try.
	sendTimeout = 10 * time.Second
	// firstRetry and lastRetry bound the growing distance between tries.
	firstRetry = time.Second
	lastRetry  = time.Minute
	// giveUpAfter is how long one piece of news is tried.
	giveUpAfter = 15 * time.Minute
	// lastWords is how long news that waits is still sent when the daemon stops.
	lastWords = 3 * time.Second
)

// The formats of a Target.
const (
	FormatCloudEvents = "cloudevents"
	FormatSlack       = "slack"
)

// Target is who is told.
type Target struct {
	// Name is that of the configuration.
	Name string
	// Format is FormatCloudEvents or FormatSlack.
	Format string
	// URL is posted to. It may be a secret by itself, as Slack's are: errors never
	// hold it. With URLFile it is read from that file, each time anew.
	URL, URLFile string
	// Least is the least severity that is told.
	Least Severity
	// Pairs are those that are told of; empty: all.
	Pairs []string
}

func (t Target) wants(n News) bool {
	return n.Severity >= t.Least && (len(t.Pairs) == 0 || slices.Contains(t.Pairs, n.Pair))
}

// SenderOptions are what a Sender is made of.
type SenderOptions struct {
	Target Target
	// Source is the CloudEvents source: a URI that names the daemon.
	Source string
	// Sign gives the header's value that a body is signed by; nil: nothing is signed.
	Sign func(now time.Time, body []byte) (string, error)
	// SignatureHeader is that header's name.
	SignatureHeader string
	// Transport leads to the network; nil: http.DefaultTransport.
	Transport http.RoundTripper
	UserAgent string
	// Count hears of each end: sent, dropped or refused; nil: nobody.
	Count  func(target, outcome string)
	Logger *zap.Logger
}

// Sender tells one target. Tell never blocks; Run sends.
type Sender struct {
	o     SenderOptions
	http  *http.Client
	queue chan News
}

// NewSender makes a Sender. It sends nothing yet.
func NewSender(o SenderOptions) *Sender {
	if o.Count == nil {
		o.Count = func(string, string) {}
	}
	return &Sender{
		o: o, queue: make(chan News, queueSize),
		http: &http.Client{
			Transport: o.Transport, Timeout: sendTimeout,
			// A redirect would send news, and the signature, to where nobody asked for.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Tell takes news that the target wants. Where the target is too far behind, the
// oldest news gives way.
func (s *Sender) Tell(n News) {
	if !s.o.Target.wants(n) {
		return
	}
	for {
		select {
		case s.queue <- n:
			return
		default:
		}
		select {
		case <-s.queue:
			s.o.Count(s.o.Target.Name, "dropped")
		default:
		}
	}
}

// Run sends until ctx ends, and then for a moment what still waits.
func (s *Sender) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			s.finish(ctx)
			return nil
		case n := <-s.queue:
			if !s.deliver(ctx, n) { // ctx ended: once more, with what is left
				s.Tell(n)
			}
		}
	}
}

func (s *Sender) finish(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer stop()
	for {
		select {
		case n := <-s.queue:
			outcome := "sent"
			if err := s.try(ctx, n); err != nil {
				outcome = "dropped"
				s.o.Logger.Error("notification not sent before the daemon stops", logkey.Pair(n.Pair), logkey.Target(s.o.Target.Name), zap.Error(err))
			}
			s.o.Count(s.o.Target.Name, outcome)
		default:
			return
		}
	}
}

// deliver tries until it is sent, refused, or too old. false: ctx ended before.
func (s *Sender) deliver(ctx context.Context, n News) bool {
	began, wait := time.Now(), firstRetry
	for {
		err := s.try(ctx, n)
		refused, final := errors.AsType[refusal](err)
		switch {
		case err == nil:
			s.o.Count(s.o.Target.Name, "sent")
			return true
		case ctx.Err() != nil:
			return false
		case final && refused.forGood():
			s.o.Count(s.o.Target.Name, "refused")
			s.o.Logger.Error("notification refused", logkey.Pair(n.Pair), logkey.Target(s.o.Target.Name), zap.Error(err))
			return true
		case time.Since(began)+wait > giveUpAfter:
			s.o.Count(s.o.Target.Name, "dropped")
			s.o.Logger.Error("notification given up", logkey.Pair(n.Pair), logkey.Target(s.o.Target.Name), zap.Error(err))
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
		wait = min(2*wait, lastRetry)
	}
}

// refusal is an answer that isn't 2xx.
type refusal struct{ status int }

func (r refusal) Error() string {
	return fmt.Sprintf("the answer is %d %s", r.status, http.StatusText(r.status))
}

// forGood tells whether the same message would be refused again.
func (r refusal) forGood() bool {
	switch r.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return r.status < 500
}

func (s *Sender) try(ctx context.Context, n News) error {
	m, err := s.message(n)
	if err != nil {
		return err
	}
	to, err := s.url()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(m.body))
	if err != nil {
		return errors.New("the URL can't be used") // the error would hold it
	}
	request.Header.Set("Content-Type", m.contentType)
	request.Header.Set("User-Agent", s.o.UserAgent)
	if s.o.Sign != nil {
		signature, err := s.o.Sign(time.Now(), m.body)
		if err != nil {
			return fmt.Errorf("signing: %w", err)
		}
		request.Header.Set(s.o.SignatureHeader, signature)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // lets the connection be used again
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return refusal{response.StatusCode}
	}
	return nil
}

func (s *Sender) message(n News) (message, error) {
	if s.o.Target.Format == FormatSlack {
		return slack(n)
	}
	return cloudEvents(n, s.o.Source)
}

func (s *Sender) url() (string, error) {
	if s.o.Target.URLFile == "" {
		return s.o.Target.URL, nil
	}
	text, err := reach.ReadFile(s.o.Target.URLFile)
	if err != nil {
		return "", fmt.Errorf("reading the URL: %w", err)
	}
	to := strings.TrimSpace(string(text))
	if u, err := url.Parse(to); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", fmt.Errorf("%s holds no http or https URL", s.o.Target.URLFile)
	}
	return to, nil
}

// withoutURL takes the URL out of an error: whoever knows a Slack URL may post.
func withoutURL(err error) error {
	if u, is := errors.AsType[*url.Error](err); is {
		return fmt.Errorf("posting: %w", u.Err)
	}
	return err
}
