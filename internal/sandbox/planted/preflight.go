package planted

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config.yaml.tmpl
var configTemplate string

// pair is the pair's name in the configuration.
const pair = "shop"

// settings are what rows may change of the configuration.
type settings struct {
	Blue, Green string // kubeconfig files
	Timeout     string
	RecordNames []string
	// TestURL is what the probe asks.
	TestURL string
	// BluePrometheus and GreenPrometheus are URLs, and Queries are what people named.
	BluePrometheus, GreenPrometheus string
	Queries                         []string
	Waivers                         []waiver
}

// waiver is openly what this world must block by design.
type waiver struct {
	ID, Reason string
	// Until is the day on which it no longer counts.
	Until string
}

// report is what the harness reads of the preflight's JSON.
type report struct {
	Findings []finding `json:"findings"`
	Blue     head      `json:"blue"`
	Green    head      `json:"green"`
	Took     int64     `json:"tookNanoseconds"`
}

type head struct {
	Version string `json:"version"`
	Objects int    `json:"objects"`
	Kinds   int    `json:"kinds"`
}

type finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Waived   *struct {
		Expired bool `json:"expired"`
	} `json:"waived"`
}

func (f finding) blocks() bool {
	return f.Severity == "block" && (f.Waived == nil || f.Waived.Expired)
}

// byID gives the findings by their ids.
func (r report) byID() map[string]finding {
	all := make(map[string]finding, len(r.Findings))
	for _, f := range r.Findings {
		all[f.ID] = f
	}
	return all
}

// usual are the settings without any row's change.
func (w *world) usual() settings {
	return settings{
		Blue: w.blue.kubeconfig, Green: w.green.kubeconfig, Timeout: "60s",
		RecordNames: []string{webName}, TestURL: "http://" + w.cloud.balancers["api"].dnsName + ":8080/healthz",
		BluePrometheus: w.blue.metrics.prometheus.URL, GreenPrometheus: w.green.metrics.prometheus.URL,
		Waivers: waivers(),
	}
}

// preflight runs the binary as a person would, and reads its report. Exit status
// 1 with a report says that something blocks.
func (w *world) preflight(ctx context.Context, name string, s settings) (report, error) {
	path := filepath.Join(w.options.Dir, name+".yaml")
	if err := w.writeConfig(path, s); err != nil {
		return report{}, err
	}
	cmd := exec.CommandContext(ctx, w.options.Binary, "preflight", pair, "--config", path, "-o", "json")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_EC2_METADATA_DISABLED=true")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		return report{}, fmt.Errorf("running the preflight: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return report{}, fmt.Errorf("reading the preflight's report: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return r, os.WriteFile(filepath.Join(w.options.Dir, name+".json"), out.Bytes(), 0o644)
}

func (w *world) writeConfig(path string, s settings) error {
	t, err := template.New("config").Parse(configTemplate)
	if err != nil {
		return fmt.Errorf("reading the configuration's template: %w", err)
	}
	var text bytes.Buffer
	if err := t.Execute(&text, map[string]any{
		"Settings": s, "Cloud": w.cloud.endpoint, "Zone": w.cloud.zoneID, "Rule": w.cloud.ruleARN, "Groups": w.cloud.groups, "APIName": apiName,
	}); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return os.WriteFile(path, text.Bytes(), 0o600)
}
