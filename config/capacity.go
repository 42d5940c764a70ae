package config

import "time"

// Capacity is what is wanted of blue from the first step to the end of standby, so that it can take everything back.
type Capacity struct {
	// AtLeast is how much of the replicas that the present load needs blue must have ready, in percent: 90% or 90. 0 wants
	// nothing.
	AtLeast int `yaml:"atLeast" default:"90%" range:"0..100" unit:"percent"`

	// OnBreach is hold, which stops rises while blue has less; or warn, which only says so.
	OnBreach string `yaml:"onBreach" default:"hold" oneof:"hold warn"`

	// PinAutoscalers holds minReplicas of HorizontalPodAutoscalers, and minReplicaCount of KEDA's ScaledObjects, on both
	// sides while a shift is under way: on blue at what carried everything, on green at what the next share needs. What was
	// changed is given back in the end. It needs rights to write: clusterswitch rbac prints them.
	PinAutoscalers bool `yaml:"pinAutoscalers"`

	// Loads say where requests a second are measured, up to 20. Empty takes RequestCount of each alb entrance's target groups
	// from CloudWatch: as the gate that judges green's group does, else as the entrance's role. What isn't measured counts by
	// ready replicas.
	Loads []LoadSource `yaml:"loads"`
}

// LoadSource is one stream of users' requests, measured on both sides. It has exactly one of cloudwatch and prometheus.
type LoadSource struct {
	// Name tells the load apart within its pair. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// CloudWatch reads RequestCount of both target groups of an Application Load Balancer.
	CloudWatch *LoadCloudWatch `yaml:"cloudwatch"`

	// Prometheus asks for requests a second.
	Prometheus *LoadPrometheus `yaml:"prometheus"`

	// Workloads carry this load, each written kind/namespace/name, such as Deployment/shop/web. Empty: all that the pair
	// counts.
	Workloads []string `yaml:"workloads"`

	// PerReplica is how many requests a second one replica of each of them is known to carry, from a load test for
	// instance. What blue was seen to carry counts where it is more. 0 knows nothing. It needs workloads.
	PerReplica float64 `yaml:"perReplica" default:"0" range:"0..1000000"`

	// Window is the length of time over which the rate is taken, a multiple of period. A Prometheus query has a range of its
	// own: let it be as long.
	Window time.Duration `yaml:"window" default:"5m" range:"1s..1h"`
}

// LoadCloudWatch names the target groups whose RequestCount is the load.
type LoadCloudWatch struct {
	// BlueLoadBalancer is the LoadBalancer dimension of blue's group: app/NAME/ID, the end of the load balancer's ARN.
	BlueLoadBalancer string `yaml:"blueLoadBalancer" required:"true"`

	// BlueTargetGroup is the TargetGroup dimension of blue's group: targetgroup/NAME/ID, the end of its ARN.
	BlueTargetGroup string `yaml:"blueTargetGroup" required:"true"`

	// GreenLoadBalancer is the LoadBalancer dimension of green's group.
	GreenLoadBalancer string `yaml:"greenLoadBalancer" derived:"blueLoadBalancer"`

	// GreenTargetGroup is the TargetGroup dimension of green's group.
	GreenTargetGroup string `yaml:"greenTargetGroup" required:"true"`

	// Region is the load balancers'. Empty uses aws.region.
	Region string `yaml:"region"`

	// RoleARN is the role that the daemon assumes to read the metrics. Empty uses the daemon's own credentials.
	RoleARN string `yaml:"roleARN"`

	// Period is the length of one CloudWatch data point: 1s, 5s, 10s, 30s or a multiple of 60s. AWS stores load balancer
	// metrics by the minute, so less than 60s is for the sandbox.
	Period time.Duration `yaml:"period" default:"60s" range:"1s..1h"`

	// Settle is how long a data point is left to settle: newer ones are not taken.
	Settle time.Duration `yaml:"settle" default:"2m" range:"0s..1h"`
}

// LoadPrometheus asks one Prometheus for each side.
type LoadPrometheus struct {
	// Blue is the query for blue's requests a second. It gives one number; where no series may mean none, add "or vector(0)".
	Blue LoadQuery `yaml:"blue" required:"true"`

	// Green is the query for green's requests a second.
	Green LoadQuery `yaml:"green" required:"true"`
}

// LoadQuery is one question to a Prometheus.
type LoadQuery struct {
	// Server is the Prometheus that is asked.
	Server Prometheus `yaml:"server" required:"true"`

	// Query is PromQL that gives requests a second, such as sum(rate(http_requests_total{code!="0"}[5m])).
	Query string `yaml:"query" required:"true"`
}

// Singletons says how what may run in one cluster only is handed over from blue to green, and back.
type Singletons struct {
	// At is the share after which they are handed over to green: one of the steps' shares. The next step waits for it.
	At int `yaml:"at" default:"100" range:"1..100" unit:"percent"`

	// CronJobs are handed over by suspend, each written namespace/name, or namespace/* for a whole namespace.
	CronJobs []string `yaml:"cronJobs"`

	// Deployments are handed over by their replicas, each written namespace/name.
	Deployments []string `yaml:"deployments"`

	// StatefulSets are handed over by their replicas, each written namespace/name.
	StatefulSets []string `yaml:"statefulSets"`

	// Drain is how long the giving side may take to end the jobs and pods that it began. After it, singletons go back to
	// blue while users rise; on the way back to blue they stay off, and a person is asked.
	Drain time.Duration `yaml:"drain" default:"10m" range:"0s..24h"`

	// Overlap is how long work that the giving side began may go on beside the taking side, where Kubernetes itself ends it
	// within that time: by a job's activeDeadlineSeconds, or a pod's grace period. 0s lets nothing run twice.
	Overlap time.Duration `yaml:"overlap" default:"0s" range:"0s..1h"`
}

// Retire says what is asked of blue before it may be deleted.
type Retire struct {
	// SilentFor is how long no request and no new connection may have reached blue.
	SilentFor time.Duration `yaml:"silentFor" default:"24h" range:"1m..1440h"`

	// Queries are questions to Prometheus that each must have given 0 over all of silentFor, beside what CloudWatch tells of
	// blue's target groups and load balancers. Nothing is no answer: append or vector(0) to a query whose series may be gone.
	Queries []RetireQuery `yaml:"queries"`

	// Names are further words by which objects in green would refer to blue, such as a cluster's name or an endpoint.
	Names []string `yaml:"names"`

	// Ignore leaves out objects in green that may refer to blue, each written kind/namespace/name, with * for any letters.
	// What has no namespace is written kind//name.
	Ignore []string `yaml:"ignore"`
}

// RetireQuery is one question about users of blue.
type RetireQuery struct {
	// Name tells the query apart. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// Server is the Prometheus that is asked.
	Server Prometheus `yaml:"server" required:"true"`

	// Query is PromQL that gives requests or connections a second to blue.
	Query string `yaml:"query" required:"true"`
}
