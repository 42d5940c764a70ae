package config

import "time"

// Requests counts the requests of users on green and on blue at the same time, interval by interval. Green's ratio of bad
// requests is compared with blue's, and held against a limit where nothing can be compared. Bad is an error, and, for latency,
// an answer slower than edges that are chosen from blue's answers before the shift. The counts have exactly one source.
type Requests struct {
	// Prometheus counts by the counters of services, ingresses or meshes.
	Prometheus *RequestsPrometheus `yaml:"prometheus"`

	// CloudWatch counts by the target groups of an Application Load Balancer.
	CloudWatch *RequestsCloudWatch `yaml:"cloudwatch"`

	// MaxErrorRatio is the largest ratio of errors that is good on green, whatever blue has: 0.01 or 1%. Without it green is
	// held against twice what blue had before the shift, and at least 0.5%, where blue has no requests to compare with.
	MaxErrorRatio *float64 `yaml:"maxErrorRatio" range:"0.00001..0.9" unit:"fraction"`

	// Compare says how green is compared with blue.
	Compare Compare `yaml:"compare"`

	// Latency says how slow answers are judged.
	Latency Latency `yaml:"latency"`

	// SkipFirst is how long after a step was reached nothing is counted, for caches to fill. A disaster counts all the same:
	// twice in a row at least 20 errors (up to 200, where blue's come in bursts) which are 20% of green's requests or more, and
	// less than 5% on blue.
	SkipFirst time.Duration `yaml:"skipFirst" default:"30s" range:"0s..30m"`

	// History is how far back blue's requests are looked at before a shift: for how much they scatter, and how slow they are.
	// It needs at least 3h of data; with less the gate is slower, because much scatter is assumed.
	History time.Duration `yaml:"history" default:"6h" range:"1h..168h"`

	// Settle is how long an interval is left to settle before it is counted.
	Settle time.Duration `yaml:"settle" range:"1s..1h" derived:"30s for Prometheus, 2m for CloudWatch"`

	// Interval is the length of an interval. For Prometheus it is a multiple of the time between two scrapes; CloudWatch has
	// points of 60s and their multiples, so less than 60s is for the sandbox.
	Interval time.Duration `yaml:"interval" range:"1s..10m" derived:"15s for Prometheus, 60s for CloudWatch"`
}

// Compare says how green is compared with blue.
type Compare struct {
	// Off compares nothing: only the limit counts.
	Off bool `yaml:"off"`

	// Tolerate is how many times blue's ratio of bad requests green's may be: the clients of both sides may differ.
	Tolerate float64 `yaml:"tolerate" default:"1.25" range:"1..10"`

	// MinExcess is by how much green's ratio must lie above blue's before traffic goes back.
	MinExcess float64 `yaml:"minExcess" default:"0.05%" range:"0..0.5" unit:"fraction"`

	// FalseAlarms is the chance that traffic goes back although green is no worse, over the whole shift and all gates of this
	// kind of the pair together.
	FalseAlarms float64 `yaml:"falseAlarms" default:"1%" range:"0.0001..0.2" unit:"fraction"`
}

// Latency says how slow answers are judged.
type Latency struct {
	// Off judges errors only.
	Off bool `yaml:"off"`

	// Edges are the times beyond which an answer is slow, up to 3. For Prometheus they are bounds of the histogram's buckets.
	// Empty chooses them before each shift, where one in ten, one in a hundred and one in five hundred of blue's answers are
	// slower.
	Edges []time.Duration `yaml:"edges" range:"1ms..10m"`
}

// RequestsPrometheus counts by counters in Prometheus: by a template, or by queries of your own. A query names counters
// themselves, not rates of them: the daemon takes the differences, so that a counter that is set back doesn't count.
type RequestsPrometheus struct {
	// Blue is the Prometheus that has blue's series. Where one server has both, match tells the clusters apart.
	Blue Prometheus `yaml:"blue" required:"true"`

	// Green is the Prometheus that has green's series.
	Green Prometheus `yaml:"green" required:"true"`

	// Template names ready-made queries. Without it requests and errors are needed.
	Template string `yaml:"template" oneof:"istio linkerd ingress-nginx envoy-gateway"`

	// Select are labels that choose the service among all that the template counts, such as {destination_service_name: shop}
	// for istio, {namespace: shop, deployment: web} for linkerd, {exported_namespace: shop, ingress: shop} for ingress-nginx,
	// {envoy_cluster_name: httproute/shop/shop/rule/0} for envoy-gateway.
	Select map[string]string `yaml:"select"`

	// Requests is a query for the counters of all requests, one for each pod: sum by (pod) (http_requests_total).
	Requests string `yaml:"requests"`

	// Errors is a query for the counters of failed requests, with the same labels as requests.
	Errors string `yaml:"errors"`

	// ErrorsMayBeAbsent says that errors has no series before the first error, so that none means no errors. Otherwise none
	// is unknown, unless there was one within a day.
	ErrorsMayBeAbsent bool `yaml:"errorsMayBeAbsent"`

	// Buckets is a query for the buckets of a histogram in seconds, with the labels of requests and le. Empty judges no
	// latency.
	Buckets string `yaml:"buckets"`
}

// RequestsCloudWatch counts by the metrics of target groups: RequestCount, HTTPCode_Target_5XX_Count,
// TargetConnectionErrorCount and TargetResponseTime. Without any key it takes those of the pair's alb entrance.
type RequestsCloudWatch struct {
	// Entrance is the pair's alb entrance whose target groups are counted.
	Entrance string `yaml:"entrance" derived:"the pair's only alb entrance"`

	// Region is the load balancer's. Empty uses the entrance's.
	Region string `yaml:"region"`

	// RoleARN is the role that the daemon assumes to read the metrics. Empty uses the entrance's.
	RoleARN string `yaml:"roleARN"`
}
