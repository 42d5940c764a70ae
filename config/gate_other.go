package config

import (
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// PrometheusGate passes while the value of a query is within its limits. No value, or several, is unknown.
type PrometheusGate struct {
	// Server is the Prometheus that is asked.
	Server Prometheus `yaml:"server" required:"true"`

	// Query is PromQL that gives one number, such as
	// histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[2m]))).
	Query string `yaml:"query" required:"true"`

	// Max is the largest good value.
	Max *float64 `yaml:"max"`

	// Min is the smallest good value.
	Min *float64 `yaml:"min"`

	// Window is how far the query looks back, by its ranges and offsets. A value passes only when all that it looks at lies after
	// the last change.
	Window time.Duration `yaml:"window" default:"5m" range:"0s..24h"`

	// Interval is how often it is asked.
	Interval time.Duration `yaml:"interval" default:"30s" range:"1s..1h"`

	// OnFail is rollback, which sends traffic back by itself when the value is bad often enough in a row; or hold, which only
	// stops rises. Let only what users feel roll back.
	OnFail string `yaml:"onFail" default:"rollback" oneof:"rollback hold"`

	// Breaches is how many bad values in a row roll back.
	Breaches int `yaml:"breaches" default:"3" range:"1..100"`
}

// Alertmanager passes while no alert with the labels fires. Silenced and inhibited alerts don't count.
type Alertmanager struct {
	// Server is the Alertmanager that is asked, by its HTTP API version 2.
	Server Prometheus `yaml:"server" required:"true"`

	// Matchers choose the alerts, each written as in Alertmanager: severity="page", cluster=~"shop-.*". All must match.
	Matchers []string `yaml:"matchers" required:"true"`

	// Interval is how often it is asked.
	Interval time.Duration `yaml:"interval" default:"30s" range:"1s..1h"`

	// OnFail is hold, which only stops rises; or rollback, for alerts on what users of green feel.
	OnFail string `yaml:"onFail" default:"hold" oneof:"rollback hold"`

	// Breaches is how many times in a row an alert must be seen before traffic goes back.
	Breaches int `yaml:"breaches" default:"3" range:"1..100"`
}

// Webhook asks a service of your own, by a POST with what is about to happen as JSON; docs/webhook.md shows it. An answer of 2xx
// passes, 4xx fails; 401, 407, 408, 425, 429, any other one or none is unknown. What it answered counts for one step of one
// attempt.
type Webhook struct {
	// URL is asked.
	URL string `yaml:"url" required:"true"`

	// SecretFile is a file with the secret that requests are signed by: the header Clusterswitch-Signature has the HMAC-SHA256
	// of time and body. Empty signs nothing.
	SecretFile string `yaml:"secretFile"`

	// CAFile is a file with the certificates, in PEM, that the server's certificate is checked by. Empty takes those of the
	// system. It needs an https URL.
	CAFile string `yaml:"caFile"`

	// Headers are sent with each request. Secrets don't belong here.
	Headers map[string]string `yaml:"headers"`

	// Timeout is how long one answer may take.
	Timeout time.Duration `yaml:"timeout" default:"10s" range:"1s..5m"`

	// Interval is how often it is asked while a share is held, and how long an answer counts.
	Interval time.Duration `yaml:"interval" default:"1m" range:"1s..1h"`

	// OnFail is hold, which only stops rises; or rollback, where the service judges users' traffic.
	OnFail string `yaml:"onFail" default:"hold" oneof:"rollback hold"`

	// Breaches is how many failing answers in a row roll back.
	Breaches int `yaml:"breaches" default:"2" range:"1..100"`

	// Reach is made of allowLinkLocal.
	Reach reach.Policy `yaml:"-"`
}

// ObservedShare compares the share of requests that green really gets with the intended one, by the loads of
// standby.capacity: weights that don't act, sides that are swapped, and a cache that keeps users show there.
type ObservedShare struct {
	// OnBreach is hold, which stops rises; warn, which only says so; or off.
	OnBreach string `yaml:"onBreach" default:"hold" oneof:"hold warn off"`

	// Tolerance is how many percentage points the share may be off, beside what chance explains.
	Tolerance int `yaml:"tolerance" default:"10" range:"1..100" unit:"percent"`

	// Required waits until the share was measured after each change. Otherwise a share that can't be measured stops nothing.
	Required bool `yaml:"required"`
}
