package config

// PreflightEntrance names an object of blue by which users could enter, and which a declared entrance serves.
type PreflightEntrance struct {
	// Kind is Ingress, Gateway, Service or TargetGroupBinding.
	Kind string `yaml:"kind" required:"true" oneof:"Ingress Gateway Service TargetGroupBinding"`

	// Namespace is the object's namespace.
	Namespace string `yaml:"namespace" required:"true"`

	// Name is the object's name.
	Name string `yaml:"name" required:"true"`
}
