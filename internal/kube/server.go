package kube

import (
	"context"
	"fmt"
	"net/http"

	"k8s.io/client-go/rest"
)

// Tokens prove to an API server who the daemon is. They must be safe for
// concurrent use.
type Tokens interface {
	// Token gives a token that is good for at least the call at hand.
	Token(ctx context.Context) (string, error)
	// Refused tells that the API server didn't take a token.
	Refused(token string)
}

// Server is an API server that is reached without a kubeconfig.
type Server struct {
	// URL is its address: https://….
	URL string
	// CA is what its certificate is signed with, in PEM.
	CA []byte
	// Tokens are put on each request, and are never stored.
	Tokens Tokens
}

func (s *Server) config() *rest.Config {
	return &rest.Config{
		Host: s.URL, TLSClientConfig: rest.TLSClientConfig{CAData: s.CA},
		WrapTransport: func(next http.RoundTripper) http.RoundTripper { return bearer{tokens: s.Tokens, next: next} },
	}
}

// bearer puts a token on each request.
type bearer struct {
	tokens Tokens
	next   http.RoundTripper
}

// RoundTrip sends the request with a token.
func (b bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := b.tokens.Token(request.Context())
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // as http.RoundTripper demands, also where nothing was sent
		}
		return nil, fmt.Errorf("authenticating: %w", err)
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := b.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		b.tokens.Refused(token)
	}
	return response, err
}
