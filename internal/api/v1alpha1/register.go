package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Names of the API.
const (
	Group    = "clusterswitch.io"
	Version  = "v1alpha1"
	Kind     = "TrafficSwitch"
	Resource = "trafficswitches"
)

// GroupVersion returns the group and version of this package's types.
func GroupVersion() schema.GroupVersion { return schema.GroupVersion{Group: Group, Version: Version} }

// AddToScheme makes the types known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(), &TrafficSwitch{}, &TrafficSwitchList{})
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
