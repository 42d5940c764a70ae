package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// askAgain is how often Await looks.
const askAgain = 20 * time.Millisecond

// Await waits until each expression has a result: until what it names was scraped,
// or recorded by a rule. Prometheus tells nobody when that happens, so it is asked
// again and again.
func (s *Server) Await(ctx context.Context, expressions ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("not within %s", startWithin))
	defer cancel()
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for _, expression := range expressions {
		for {
			there, err := s.has(ctx, expression)
			if err != nil {
				return fmt.Errorf("waiting for %s: %w", expression, err)
			}
			if there {
				break
			}
			select {
			case <-again.C:
			case <-ctx.Done():
				return fmt.Errorf("waiting for %s: %w", expression, context.Cause(ctx))
			}
		}
	}
	return nil
}

func (s *Server) has(ctx context.Context, expression string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/query?query="+url.QueryEscape(expression), nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return false, err
	}
	if answer.Error != "" {
		return false, fmt.Errorf("prometheus answers: %s", answer.Error)
	}
	return len(answer.Data.Result) > 0, nil
}
