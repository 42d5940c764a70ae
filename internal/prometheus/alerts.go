package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Alerts are those that fire, neither silenced nor inhibited.
type Alerts struct {
	Firing int
	// Names are up to five of them with their labels, those that have fired longest
	// first, for people.
	Names []string
	// Since is when the first of them began; zero: none fires.
	Since time.Time
}

// mostNamed is how many alerts are named.
const mostNamed = 5

// alert is what is taken of an alert.
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
type alert struct {
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"`
	Status   *struct {
		State       string   `json:"state"`
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status"`
}

// Alerts asks an Alertmanager which alerts fire that all matchers choose, written
// as in Alertmanager: severity="page". The URL of the options is what /api/v2 is
// appended to. An Alertmanager that nobody sends alerts to has none, too.
func (c *Client) Alerts(ctx context.Context, matchers []string) (Alerts, error) {
	query := url.Values{"filter": matchers, "active": {"true"}, "silenced": {"false"}, "inhibited": {"false"}}
	var all []alert
	if err := c.ask(ctx, "api/v2/alerts", query, func(resp *http.Response, body []byte) error {
		return readAlerts(resp, body, &all)
	}); err != nil {
		return Alerts{}, fmt.Errorf("asking %s for alerts: %w", c.base.Host, err)
	}
	// An older or other Alertmanager may leave the filters out.
	all = slices.DeleteFunc(all, func(a alert) bool {
		return a.Status.State == "suppressed" || len(a.Status.SilencedBy) > 0 || len(a.Status.InhibitedBy) > 0
	})
	slices.SortStableFunc(all, func(a, b alert) int {
		if by := a.StartsAt.Compare(b.StartsAt); by != 0 {
			return by
		}
		return strings.Compare(a.name(), b.name())
	})
	found := Alerts{Firing: len(all)}
	for i, a := range all {
		if i == 0 {
			found.Since = a.StartsAt
		}
		if i < mostNamed {
			found.Names = append(found.Names, a.name())
		}
	}
	return found, nil
}

// name is the name with the other labels: HighErrors{cluster="green"}.
func (a alert) name() string {
	labels := maps.Clone(a.Labels)
	delete(labels, "alertname")
	text := a.Labels["alertname"]
	if len(labels) > 0 || text == "" {
		text += keyOf(labels)
	}
	return brief(text)
}

// readAlerts reads a list of alerts. What isn't one is an error: an empty object,
// or a page, must not pass for no alerts.
func readAlerts(resp *http.Response, body []byte, into *[]alert) error {
	if resp.StatusCode == http.StatusBadRequest {
		var said string
		if json.Unmarshal(body, &said) == nil {
			return fmt.Errorf("it answered %s: %s", resp.Status, brief(said))
		}
	}
	if err := refusal(resp); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("its answer is no list of alerts; is it an Alertmanager? %w", err)
	}
	if *into == nil {
		return errors.New("its answer is no list of alerts; is it an Alertmanager?")
	}
	for _, a := range *into {
		if a.Status == nil || len(a.Labels) == 0 {
			return errors.New("its answer has an alert without labels or status; is it an Alertmanager?")
		}
	}
	return nil
}
