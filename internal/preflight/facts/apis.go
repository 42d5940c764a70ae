package facts

import (
	"cmp"
	"time"
)

// APIs is which versions of the API are in use.
type APIs struct {
	// Written counts the objects by the version in which each of their writers
	// last wrote them.
	Written map[Writing]Written
	// Releases are Helm's newest deployed releases, by namespace and name.
	Releases map[Name]Release
	// Deprecated are the requests for deprecated versions that an API server got
	// since it started. Behind a load balancer it is one of several.
	Deprecated []DeprecatedAPI
	// Fields are the fields that objects of custom kinds have.
	Fields map[GroupKind]FieldUse
	// Insights are EKS's findings about the cluster's next versions.
	Insights []Insight
}

// VersionKind is a kind in one of its versions.
type VersionKind struct {
	GroupKind
	Version string
}

// APIVersion gives what stands in a manifest: apps/v1, or v1.
func (k VersionKind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// String gives batch/v1 CronJob.
func (k VersionKind) String() string { return k.APIVersion() + " " + k.Kind }

// Compare orders by group, kind and version.
func (k VersionKind) Compare(o VersionKind) int {
	return cmp.Or(cmp.Compare(k.Group, o.Group), cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Version, o.Version))
}

// Writing is a version in which a manager of fields wrote objects.
type Writing struct {
	VersionKind
	Manager string
}

// Written is how much was written so.
type Written struct {
	Objects int
	// Example is the first of the objects by namespace and name.
	Example Name
	// Last is when it was last done; the zero time: it isn't recorded.
	Last time.Time
}

// Release is a Helm release, reduced to what its manifest is made of.
type Release struct {
	Revision int
	// Kinds counts the objects of the manifest.
	Kinds map[VersionKind]Written
}

// DeprecatedAPI is a deprecated version that somebody requested, as the metric
// apiserver_requested_deprecated_apis has it.
type DeprecatedAPI struct {
	Group, Version string
	// Resource is the plural; Subresource is empty for the resource itself.
	Resource, Subresource string
	// Removed is the release that no longer serves it, such as 1.32; empty: none
	// is announced.
	Removed string
}

// Insight is one finding of EKS.
type Insight struct {
	ID, Name string
	// Version is the minor that it is about, such as 1.35; empty: any.
	Version string
	Status  InsightStatus
	// Reason is EKS's own sentence.
	Reason string
	// About says what the insight looks at.
	About InsightTopic
	// Refreshed is when EKS last looked.
	Refreshed time.Time
}

// InsightStatus is EKS's verdict.
type InsightStatus string

// The verdicts.
const (
	InsightPassing InsightStatus = "PASSING"
	InsightWarning InsightStatus = "WARNING"
	InsightError   InsightStatus = "ERROR"
	InsightUnknown InsightStatus = "UNKNOWN"
)

// InsightTopic is what an insight looks at.
type InsightTopic string

// The topics. What is neither of the first two may matter to both clusters.
const (
	InsightAPIs   InsightTopic = "apis"   // deprecated versions that are called
	InsightAddons InsightTopic = "addons" // the cluster's own add-ons
	InsightOther  InsightTopic = "other"
)
