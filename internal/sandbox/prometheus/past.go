package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Series is what a Prometheus would have scraped had it run before.
type Series struct {
	// Name and Labels are those of the series; job and instance are among the labels.
	Name   string
	Labels map[string]string
	// Samples are in the order of time. A scrape may go on with the series.
	Samples []Sample
}

// Sample is one value at one time.
type Sample struct {
	At    time.Time
	Value float64
}

// Write tells of a past that nobody scraped. It needs Options.Past. What is written
// may be queried at once.
//
// It comes in by the receiver for OpenTelemetry, the only one that takes JSON. Each
// series is sent as a gauge, whose name Prometheus leaves as it is:
// https://prometheus.io/docs/guides/opentelemetry/
func (s *Server) Write(ctx context.Context, series []Series) error {
	body, err := json.Marshal(otlp(series))
	if err != nil {
		return fmt.Errorf("telling prometheus of the past: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/otlp/v1/metrics", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("telling prometheus of the past: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("telling prometheus of the past: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // the status alone would do
		return fmt.Errorf("telling prometheus of the past: it answers %s: %s", resp.Status, said)
	}
	return nil
}

// otlp is the document of OTLP/HTTP in JSON.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
func otlp(series []Series) map[string]any {
	var resources []map[string]any
	for _, one := range series {
		resource, labels := []map[string]any{}, []map[string]any{}
		for name, value := range one.Labels {
			switch name {
			case "job":
				resource = append(resource, attribute("service.name", value))
			case "instance":
				resource = append(resource, attribute("service.instance.id", value))
			default:
				labels = append(labels, attribute(name, value))
			}
		}
		points := make([]map[string]any, len(one.Samples))
		for i, sample := range one.Samples {
			points[i] = map[string]any{
				"timeUnixNano": strconv.FormatInt(sample.At.UnixNano(), 10), "asDouble": sample.Value, "attributes": labels,
			}
		}
		resources = append(resources, map[string]any{
			"resource": map[string]any{"attributes": resource},
			"scopeMetrics": []map[string]any{{"metrics": []map[string]any{
				{"name": one.Name, "gauge": map[string]any{"dataPoints": points}},
			}}},
		})
	}
	return map[string]any{"resourceMetrics": resources}
}

func attribute(name, value string) map[string]any {
	return map[string]any{"key": name, "value": map[string]any{"stringValue": value}}
}
