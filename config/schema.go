package config

import _ "embed"

// schema is made from the types by TestSchemaIsFresh.
//
//go:embed schema.json
var schema string

// Schema is the JSON Schema, draft 7, of the document: its keys, kinds, ranges and defaults, with what the reference says of
// each. Editors complete and check by it. What keys mean together only Parse knows, so a document that the schema takes may
// still be refused; one that it refuses always is.
func Schema() string { return schema }
