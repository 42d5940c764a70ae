package v1alpha1

import (
	_ "embed"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

//go:embed clusterswitch.io_trafficswitches.yaml
var crdYAML []byte

// CRD returns the definition of the custom resource, for whoever has to install
// it: the tests and the sandbox. In production the chart does.
func CRD() (*apiextensionsv1.CustomResourceDefinition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(crdYAML, crd); err != nil {
		return nil, fmt.Errorf("reading the embedded definition of %s: %w", Kind, err)
	}
	return crd, nil
}
