package config

import (
	"reflect"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// deriveReach hands the policy to whatever connects to an address of the document. It finds each by its field, so that what is
// added later can't be forgotten here; without a policy it would reach no link-local address at all.
func deriveReach(in reflect.Value, policy reach.Policy) {
	switch kind := in.Kind(); {
	case kind == reflect.Pointer:
		if !in.IsNil() {
			deriveReach(in.Elem(), policy)
		}
	case kind == reflect.Slice:
		for i := range in.Len() {
			deriveReach(in.Index(i), policy)
		}
	case kind == reflect.Struct:
		if in.Type() == reflect.TypeFor[reach.Policy]() {
			in.Set(reflect.ValueOf(policy))
			return
		}
		for i := range in.NumField() {
			if in.Type().Field(i).IsExported() {
				deriveReach(in.Field(i), policy)
			}
		}
	}
}
