package v1alpha1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// What callers of a Client branch on.
var (
	// ErrNotFound: there is no such object, or the API server doesn't know the
	// resource; List tells the two apart.
	ErrNotFound = errors.New("there is no such " + Kind)
	// ErrNotInstalled: the API server doesn't know the resource at all.
	ErrNotInstalled = errors.New("the cluster doesn't know the custom resource " + Resource + "." + Group)
	// ErrConflict: the object is no longer the one that the change was made for.
	ErrConflict = errors.New("the " + Kind + " was changed in the meantime")
)

// RESTClient makes a client for the resources of this API group. It talks to
// nobody yet.
func RESTClient(cfg *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering %s: %w", Kind, err)
	}
	cfg = rest.CopyConfig(cfg)
	cfg.GroupVersion = new(GroupVersion())
	cfg.APIPath = "/apis"
	cfg.ContentType = runtime.ContentTypeJSON // custom resources have no protobuf
	cfg.AcceptContentTypes = runtime.ContentTypeJSON
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", Kind, err)
	}
	return client, nil
}

// Client reads the TrafficSwitches of one namespace and changes what people ask
// for in their specs. It is a person's side: it never makes one and never
// touches a status.
//
// +kubebuilder:object:generate=false
type Client struct {
	rest      rest.Interface
	namespace string
	// fieldManager is who the API server notes as the author of a change.
	fieldManager string
}

// ClientOptions say whose TrafficSwitches a Client reads.
//
// +kubebuilder:object:generate=false
type ClientOptions struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace holds the TrafficSwitches.
	Namespace string
	// FieldManager is noted in metadata.managedFields as the author of changes;
	// at most 128 bytes. Empty lets the API server choose.
	FieldManager string
}

// NewClient makes a Client. It talks to nobody yet.
func NewClient(o ClientOptions) (*Client, error) {
	client, err := RESTClient(o.Config)
	if err != nil {
		return nil, err
	}
	return &Client{rest: client, namespace: o.Namespace, fieldManager: o.FieldManager}, nil
}

// Get reads one pair's TrafficSwitch. The error is ErrNotFound when it isn't
// there.
func (c *Client) Get(ctx context.Context, name string) (*TrafficSwitch, error) {
	object := &TrafficSwitch{}
	err := c.rest.Get().Namespace(c.namespace).Resource(Resource).Name(name).Do(ctx).Into(object)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, translate(err, ErrNotFound))
	}
	return object, nil
}

// List reads all TrafficSwitches of the namespace, ordered by name. The error
// is ErrNotInstalled when the API server doesn't know the resource.
func (c *Client) List(ctx context.Context) ([]TrafficSwitch, error) {
	list := &TrafficSwitchList{}
	err := c.rest.Get().Namespace(c.namespace).Resource(Resource).Do(ctx).Into(list)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", Resource, translate(err, ErrNotInstalled))
	}
	return list.Items, nil
}

// PatchSpec changes what is asked for one pair and leaves everything else as it
// is, in one write. It answers with the object as it stands then. The error is
// ErrNotFound when there is none, ErrConflict when change.IfVersion is over.
func (c *Client) PatchSpec(ctx context.Context, name string, change SpecChange) (*TrafficSwitch, error) {
	patch, err := change.mergePatch()
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", name, err)
	}
	object := &TrafficSwitch{}
	request := c.rest.Patch(types.MergePatchType).Namespace(c.namespace).Resource(Resource).Name(name).Body(patch)
	if c.fieldManager != "" {
		request.Param("fieldManager", c.fieldManager)
	}
	err = request.Do(ctx).Into(object)
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", name, translate(err, ErrNotFound))
	}
	return object, nil
}

// translate says the API server's answers that callers branch on in this
// package's words.
func translate(err, notFound error) error {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: %w", notFound, err)
	case apierrors.IsConflict(err):
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return err
}

// SpecChange is a change of a spec. A nil field stays as it is; a field that
// points to its zero value is taken away.
//
// +kubebuilder:object:generate=false
type SpecChange struct {
	Paused        *bool
	Rollback      *bool
	RollbackForce *bool
	Attempt       *int
	Approved      *Approval
	Resolve       *Resolution
	Vouch         *Vouch

	// IfVersion is the resourceVersion of the object that the change was made
	// for: if it is another by now, nothing is changed. Empty changes any.
	IfVersion string
}

// Apply changes a spec, for where it is kept without an API server. It doesn't
// look at IfVersion.
func (c SpecChange) Apply(to *TrafficSwitchSpec) {
	take(&to.Paused, c.Paused)
	take(&to.Rollback, c.Rollback)
	take(&to.RollbackForce, c.RollbackForce)
	take(&to.Attempt, c.Attempt)
	take(&to.Approved, c.Approved)
	take(&to.Resolve, c.Resolve)
	take(&to.Vouch, c.Vouch)
}

func take[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

// mergePatch gives the change as a JSON merge patch (RFC 7386), where null takes
// a field away.
func (c SpecChange) mergePatch() ([]byte, error) {
	spec := map[string]any{}
	put(spec, "paused", c.Paused)
	put(spec, "rollback", c.Rollback)
	put(spec, "rollbackForce", c.RollbackForce)
	put(spec, "attempt", c.Attempt)
	put(spec, "approved", c.Approved)
	put(spec, "resolve", c.Resolve)
	put(spec, "vouch", c.Vouch)
	patch := map[string]any{"spec": spec}
	if c.IfVersion != "" {
		patch["metadata"] = map[string]any{"resourceVersion": c.IfVersion}
	}
	return json.Marshal(patch)
}

func put[T comparable](patch map[string]any, key string, value *T) {
	var zero T
	switch {
	case value == nil:
	case *value == zero:
		patch[key] = nil
	default:
		patch[key] = *value
	}
}
