package probes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// HTTPStep is one request of a sequence.
type HTTPStep struct {
	// Name tells the step apart in an error.
	Name string
	// Path is asked for, with its query if any; it begins with a slash.
	Path string
	// Method is the request's method; empty means GET.
	Method string
	// Headers are sent with the request, before those of the whole probe.
	Headers map[string]string
	// Body is sent with the request.
	Body string
	// Expect says which answer is good.
	Expect Expect
	// Extract takes values from the answer.
	Extract []Extract
}

// Extract gives a name to a value of an answer: from then on it stands for ${NAME} in the steps' paths, headers and bodies.
// Exactly one of JSON, Header and Regexp says where it is.
type Extract struct {
	Name string
	// JSON leads to a text, number or truth in the body: keys and places in lists, from 0, joined by dots.
	JSON string
	// Header is a header's name.
	Header string
	// Regexp has a group, whose text is taken where the body matches first.
	Regexp string
}

// request is one request as it is sent, but for the values that are filled in.
type request struct {
	HTTPStep
	// base is put before the path.
	base string
	// filled: ${NAME} stands for a value. A probe that knows no values sends its texts as they are.
	filled bool
	takers []taker
}

// requests gives what one run sends.
func (o HTTPOptions) requests() ([]request, error) {
	if len(o.Steps) == 0 {
		return []request{{
			HTTPStep: HTTPStep{Method: o.Method, Headers: o.Headers, Body: o.Body, Expect: o.Expect},
			base:     o.URL, filled: len(o.SecretFiles) > 0,
		}}, nil
	}
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the URL: %w", withoutURL(err))
	}
	requests := make([]request, len(o.Steps))
	for i, step := range o.Steps {
		takers, err := takersOf(step.Extract)
		if err != nil {
			return nil, err
		}
		headers := map[string]string{}
		for _, given := range []map[string]string{o.Headers, step.Headers} {
			for name, value := range given {
				headers[http.CanonicalHeaderKey(name)] = value
			}
		}
		step.Headers = headers
		requests[i] = request{HTTPStep: step, base: base.Scheme + "://" + base.Host, filled: true, takers: takers}
	}
	return requests, nil
}

// inTurn sends one request after the other, up to the first that fails.
func (o HTTPOptions) inTurn(ctx context.Context, client *http.Client, requests []request, known values) error {
	for _, r := range requests {
		err := o.send(ctx, client, r, known)
		if err == nil {
			continue
		}
		if r.Name != "" {
			err = fmt.Errorf("step %s: %w", r.Name, err)
		}
		return known.hidden(r.withoutSent(err), o.SecretFiles)
	}
	return nil
}

// send sends one request, and adds to what is known what it takes from the answer.
func (o HTTPOptions) send(ctx context.Context, client *http.Client, r request, known values) error {
	req, err := r.with(ctx, known)
	if err != nil {
		return fmt.Errorf("making the request: %w", withoutURL(err))
	}
	req.Host = o.Host
	got, err := ask(client, req, r.Expect)
	if err != nil {
		return err
	}
	for _, taker := range r.takers {
		value, err := taker.take(got)
		if err != nil {
			return fmt.Errorf("taking %s: %w", taker.name, err)
		}
		known[taker.name] = value
	}
	return nil
}

// withoutSent takes what was sent as a header or in the query out of an error: a server may repeat it.
func (r request) withoutSent(err error) error {
	text := err.Error()
	for _, target := range []string{r.base, r.Path} {
		_, query, _ := strings.Cut(target, "?")
		for part := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(part, "="); len(value) > minHidden {
				text = strings.ReplaceAll(text, value, "${query "+name+"}")
			}
		}
	}
	for name, value := range r.Headers {
		// A scheme such as Bearer is no secret, and what follows it is one by itself.
		for part := range strings.FieldsSeq(value) {
			if len(part) > minHidden {
				text = strings.ReplaceAll(text, part, "${header "+name+"}")
			}
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// with makes the request with the values that are known.
func (r request) with(ctx context.Context, known values) (*http.Request, error) {
	var faults []error
	fill := func(text string, as func(string) string) string {
		if !r.filled {
			return text
		}
		filled, err := known.fill(text, as)
		faults = append(faults, err)
		return filled
	}
	asItIs := func(value string) string { return value }

	path, query, asked := strings.Cut(r.Path, "?")
	target := r.base + fill(path, url.PathEscape)
	if asked {
		target += "?" + fill(query, url.QueryEscape)
	}
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, fill(value, asItIs))
	}
	if r.Body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", contentType(r.Body))
	}
	body := fill(r.Body, escapeFor(header.Get("Content-Type")))
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = header
	return req, nil
}
