package facts

// APIs is which versions of the API are in use.
type APIs struct{}

// CRD is one CustomResourceDefinition.
type CRD struct{}
