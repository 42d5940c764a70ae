package probes

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ServiceOptions say which Service is asked through which API server.
type ServiceOptions struct {
	// BaseURL is the API server's address, such as https://10.0.0.1:6443.
	BaseURL string
	// Transport reaches the API server with its certificates and credentials. It may be shared.
	Transport http.RoundTripper `json:"-"`
	// Namespace, Name and Port name the Service and one of its ports.
	Namespace string
	Name      string
	Port      int
	// Path is asked for, with its query if any; empty means /.
	Path string
	// Scheme is what the pods speak: http, also when empty, or https. The API server does not check their certificate.
	Scheme string
	// Expect says which answer is good.
	Expect Expect
}

// Service makes a Check that asks a Service by GET through the API server's service proxy:
// /api/v1/namespaces/NAMESPACE/services/[https:]NAME:PORT/proxy/PATH. Nothing has to be exposed for it. The account
// needs the verb get on services/proxy.
func Service(opts ServiceOptions) Check {
	client := &http.Client{Transport: opts.Transport, CheckRedirect: keepRedirect}
	target := serviceURL(opts)
	return Check{identity: identity("service", opts), run: func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return fmt.Errorf("making the request: %w", err)
		}
		_, err = ask(client, req, opts.Expect)
		return err
	}}
}

func serviceURL(opts ServiceOptions) string {
	service := fmt.Sprintf("%s:%d", opts.Name, opts.Port)
	if opts.Scheme == "https" {
		service = "https:" + service
	}
	return fmt.Sprintf("%s/api/v1/namespaces/%s/services/%s/proxy/%s",
		strings.TrimSuffix(opts.BaseURL, "/"), url.PathEscape(opts.Namespace), service, strings.TrimPrefix(opts.Path, "/"))
}
