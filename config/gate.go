package config

import "time"

// Gate judges whether green may rise, and whether traffic goes back by itself. It has exactly one of the kinds below. Those on
// users' traffic are requests, cloudwatch, and the others where onFail is rollback; a pair needs at least one of these, or
// soakOnly.
type Gate struct {
	// Name tells the gate apart within its pair. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// Requests counts users' requests on both sides, and tells a bad green from bad luck.
	Requests *Requests `yaml:"requests"`

	// CloudWatch holds the error ratio of green's target group against a limit.
	CloudWatch *CloudWatch `yaml:"cloudwatch"`

	// Prometheus holds the value of a query against a limit.
	Prometheus *PrometheusGate `yaml:"prometheus"`

	// Alertmanager passes while no alert with the labels fires.
	Alertmanager *Alertmanager `yaml:"alertmanager"`

	// Webhook asks a service of your own before each step.
	Webhook *Webhook `yaml:"webhook"`
}

// CloudWatch compares the failed requests of one target group, HTTPCode_Target_5XX_Count and
// TargetConnectionErrorCount, with its RequestCount. A request that was never answered is no evidence: it doesn't count. A
// window with too few requests is neither a pass nor a failure: the shift waits.
type CloudWatch struct {
	// LoadBalancer is the LoadBalancer dimension: app/NAME/ID, the end of the load balancer's ARN.
	LoadBalancer string `yaml:"loadBalancer" required:"true"`

	// TargetGroup is the TargetGroup dimension of green's group: targetgroup/NAME/ID, the end of its ARN.
	TargetGroup string `yaml:"targetGroup" required:"true"`

	// Region is the load balancer's. Empty uses aws.region.
	Region string `yaml:"region"`

	// RoleARN is the role that the daemon assumes to read the metrics, in another account for instance. Empty uses the
	// daemon's own credentials.
	RoleARN string `yaml:"roleARN"`

	// MaxErrorRatio is the largest share of failed requests that still passes: 0.01 or 1%. 0 takes no error at all.
	MaxErrorRatio float64 `yaml:"maxErrorRatio" required:"true" range:"0..1" unit:"fraction"`

	// MinRequests is how many requests a window needs to be judged.
	MinRequests int `yaml:"minRequests" default:"50" range:"1..1000000000"`

	// Window is the length of time that is judged at once, a multiple of period.
	Window time.Duration `yaml:"window" default:"5m" range:"1s..24h"`

	// Period is the length of one CloudWatch data point: 1s, 5s, 10s, 30s or a multiple of 60s. AWS stores load balancer
	// metrics by the minute, so less than 60s is for the sandbox.
	Period time.Duration `yaml:"period" default:"60s" range:"1s..24h"`

	// Settle is how long a data point is left to settle: newer ones are not judged.
	Settle time.Duration `yaml:"settle" default:"2m" range:"0s..1h"`

	// Breaches is how many measurements in a row must fail before the daemon rolls back by itself; a new one comes with
	// each period, and looks back over the window. The first failure already stops the rise.
	Breaches int `yaml:"breaches" default:"2" range:"1..100"`
}
