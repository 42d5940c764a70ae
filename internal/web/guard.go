package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/bearer"
)

// Admit tells who a bearer token is and what they may. An error says that nobody
// could be asked.
type Admit func(ctx context.Context, token string) (bearer.Answer, error)

// maxToken bounds a token; those of Kubernetes have one to two thousand bytes.
const maxToken = 12 << 10

// refusal is why a request is not answered.
type refusal struct {
	status int
	// Code is a CamelCase token for programs.
	Code string `json:"code"`
	// Error says it to a person.
	Error string `json:"error"`
}

// admitted tells whether the request may read; nil: it may.
func (p *page) admitted(r *http.Request) *refusal {
	if p.admit == nil {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	switch {
	case token == "":
		return &refusal{http.StatusUnauthorized, "TokenMissing", "this needs a Kubernetes bearer token of the management cluster"}
	case !strings.EqualFold(scheme, "Bearer"), len(token) > maxToken:
		return &refusal{http.StatusUnauthorized, "TokenRefused", "this is no bearer token"}
	}
	answer, err := p.admit(r.Context(), token)
	switch {
	case err != nil:
		return &refusal{http.StatusServiceUnavailable, "TokenUnknown", "whose token it is could not be asked: " + err.Error()}
	case answer.User == "":
		return &refusal{http.StatusUnauthorized, "TokenRefused", "the management cluster doesn't know this token, or it is over"}
	case !answer.Allowed:
		return &refusal{http.StatusForbidden, "RightMissing", fmt.Sprintf("%s may not get trafficswitches in namespace %s", answer.User, p.namespace)}
	}
	return nil
}

// guarded answers those who may read.
func (p *page) guarded(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if no := p.admitted(r); no != nil {
			refuse(w, no)
			return
		}
		answer(w, r)
	}
}

func refuse(w http.ResponseWriter, no *refusal) {
	switch no.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="clusterswitch"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, no.status, no)
}

// policy lets the page load what the daemon serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// secured sends the headers that keep a browser strict.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
