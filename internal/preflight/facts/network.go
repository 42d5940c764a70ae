package facts

// Network is what lets users in, and what exists once in the world. Every list
// is in the order of the API server's.
type Network struct {
	// Services are those of type LoadBalancer and NodePort alone.
	Services  []Service
	Ingresses []Ingress
	// IngressClasses gives the controller of each IngressClass, GatewayClasses that
	// of each GatewayClass, by the class's name.
	IngressClasses map[string]string
	GatewayClasses map[string]string
	Gateways       []Gateway
	Routes         []Route
	Bindings       []Binding
	Jobs           []CronJob
	Singletons     []Singleton
	Controllers    []OutsideController
	Schedules      []Schedule
}

// Service is a Service that is open outside of its cluster.
type Service struct {
	Name
	// Type is LoadBalancer or NodePort.
	Type string
	// Addresses are the host names and IP addresses of its load balancer.
	Addresses []string
	// NodePorts are the ports that each node listens on.
	NodePorts []int
	// Internal: its annotations ask for a load balancer inside of the network.
	Internal bool
}

// Ingress is one Ingress.
type Ingress struct {
	Name
	// Class names its IngressClass, by its field or the older annotation.
	Class     string
	Addresses []string
	// Hosts are those of its rules; a rule without one has none here.
	Hosts []string
	// Services are its backends, all in its own namespace.
	Services []string
	// TargetType is what its annotation says of the target groups that the
	// aws-load-balancer-controller makes: instance, ip, or empty.
	TargetType string
	Internal   bool
}

// Gateway is one Gateway of gateway.networking.k8s.io.
type Gateway struct {
	Name
	Class     string
	Addresses []string
	Hosts     []string
}

// Route is a route of the Gateway API with what it leads to.
type Route struct {
	Object
	Hosts []string
	// Gateways are its parents of kind Gateway.
	Gateways []Name
	// Services are its backends of kind Service.
	Services []Name
}

// Binding is a TargetGroupBinding: it registers a Service's pods or ports in a
// target group.
type Binding struct {
	// Object's group tells the controller: elbv2.k8s.aws, or eks.amazonaws.com of
	// EKS Auto Mode.
	Object
	// GroupARN or GroupName names the target group; one of them is set.
	GroupARN  string
	GroupName string
	// TargetType is instance or ip; empty: it isn't said.
	TargetType string
	// Service is in the binding's own namespace.
	Service string
	// Port is that of the Service, its number or its name.
	Port string
	// Maker is the object that a controller made it for; its Kind is empty where
	// no label tells of one. The name of an Ingress may be that of a group.
	Maker Object
}

// CronJob is one CronJob.
type CronJob struct {
	Name
	// Schedule is its cron expression, for people.
	Schedule  string
	Suspended bool
	// Allowed: an annotation says that it may run in both clusters.
	Allowed bool
	// Handed: clusterswitch itself says whether it is suspended.
	Handed bool
	// Local: it acts on its own cluster alone, such as the descheduler.
	Local bool
}

// Singleton is a workload of which one may run in the world, by its annotation.
type Singleton struct {
	Object
	// Replicas are the wanted ones; not set counts as 1.
	Replicas int
	// Handed: clusterswitch itself sets the replicas.
	Handed bool
}

// The programs of controllers that act outside of their cluster.
const (
	ExternalDNS       = "external-dns"
	ClusterAutoscaler = "cluster-autoscaler"
	Karpenter         = "karpenter"
	LoadBalancers     = "aws-load-balancer-controller"
)

// OutsideController is a workload that acts outside of its cluster, with
// replicas above 0.
type OutsideController struct {
	Object
	// Program is one of the constants above.
	Program string
	// Settings are the values of the settings by which instances are told apart,
	// each sorted, by the name of the command-line flag without dashes.
	Settings map[string][]string
	// Unknown are the settings whose values stand elsewhere, such as in a Secret.
	Unknown []string
}

// Schedule is a schedule of backups, which leave the cluster.
type Schedule struct {
	Object
	Paused bool
}
