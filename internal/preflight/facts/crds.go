package facts

// CRD is one CustomResourceDefinition.
type CRD struct {
	Group string
	// Namespaced: its objects live in namespaces.
	Namespaced bool
	Kind       string
	ListKind   string
	Plural     string
	Singular   string
	ShortNames []string
	Categories []string
	// Storage is the version that objects are stored in, Stored those in which some
	// may still be stored.
	Storage  string
	Stored   []string
	Versions map[string]CRDVersion
	// Converter is the service of the conversion webhook; nil: versions are not
	// converted, or by a URL.
	Converter *Converter
	// Webhook: versions are converted by a webhook.
	Webhook bool
	// Established: the API server serves it.
	Established bool
}

// Converter is the service of a conversion webhook.
type Converter struct {
	Name
	// Trusted: the API server was given the certificates to trust it by.
	Trusted bool
}

// CRDVersion is one version of a CRD.
type CRDVersion struct {
	Served bool
	// Status and Scale say which subresources it has.
	Status, Scale bool
	// Schema is nil where the version has none.
	Schema *Schema
}

// FieldUse is which fields the objects of a kind have, as their managers
// recorded them.
type FieldUse struct {
	// Unknown counts the objects of which nothing or not all is recorded.
	Unknown int
	// Versions are those in which the fields were recorded.
	Versions map[string]struct{}
	// Fields are the fields of all objects together, beginning with the objects
	// themselves.
	Fields *FieldTree
}

// FieldTree is a field that is set, with those below it by their names; an item
// of a list is [].
type FieldTree struct {
	// Objects counts the objects that have the field.
	Objects int
	Below   map[string]*FieldTree
	// Open: what some object has below isn't recorded, so it may be anything.
	Open bool
}

// Schema is a structural OpenAPI v3 schema, reduced to what decides whether an
// object is taken and kept. Equal subtrees of one cluster may be shared:
// nothing may change them.
type Schema struct {
	// Type is object, array, string, integer, number, boolean; empty: any.
	Type string
	// IntOrString takes integers and strings; Type is empty then.
	IntOrString bool
	Nullable    bool
	// Preserve keeps fields that the schema doesn't name.
	Preserve bool
	// Default is the JSON of the default, shortened when long; empty: none.
	Default string
	// Fields are the properties in the order of their names.
	Fields []SchemaField
	// Items is the schema of an array's items, Values that of a map's values.
	Items, Values *Schema
	// Required are names of fields, in their order.
	Required []string
	// Limits is nil where values are not limited.
	Limits *SchemaLimits
	// Digest is equal for equal schemas.
	Digest [16]byte
}

// SchemaField is one property.
type SchemaField struct {
	Name   string
	Schema *Schema
}

// Field finds a property; nil: there is none of the name.
func (s *Schema) Field(name string) *Schema {
	for _, f := range s.Fields {
		if f.Name == name {
			return f.Schema
		}
	}
	return nil
}

// Size counts the fields of the schema and of all below.
func (s *Schema) Size() int {
	if s == nil {
		return 0
	}
	n := s.Items.Size() + s.Values.Size()
	for _, f := range s.Fields {
		n += 1 + f.Schema.Size()
	}
	return n
}

// SchemaLimits narrow the values that a schema takes.
type SchemaLimits struct {
	// Enum are the JSON values that are taken, sorted; nil: all are.
	Enum []string
	// Bounds by their JSON names: minimum, maxLength, minItems and so on.
	// An exclusive bound has its own name, such as "exclusive minimum".
	Bounds map[string]float64
	// Words are limits that can only be told apart: pattern, format, multipleOf,
	// list type. Their values are those of the schema.
	Words map[string]string
	// Rules are the CEL rules and the logic (allOf, anyOf, oneOf, not), by digest
	// or text; sorted.
	Rules []string
}
