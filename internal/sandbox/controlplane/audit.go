package controlplane

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// Audit writes down requests. Each is one line of JSON, an Event of
// audit.k8s.io/v1, with neither body nor answer.
type Audit struct {
	// Log is the file that gets the lines, as soon as a request is answered.
	Log string
	// Users are those whose requests are written down; all others' are not.
	Users []string
}

// flags are those of kube-apiserver for it; policy is a file to write.
func (a Audit) flags(policy string) (map[string]string, error) {
	type object = map[string]any
	content, err := yaml.Marshal(object{
		"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": []string{"RequestReceived", "ResponseStarted"},
		"rules": []object{{"level": "Metadata", "users": a.Users}, {"level": "None"}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the audit policy: %w", err)
	}
	if err := os.WriteFile(policy, content, 0o600); err != nil {
		return nil, fmt.Errorf("writing the audit policy: %w", err)
	}
	return map[string]string{"audit-policy-file": policy, "audit-log-path": a.Log, "audit-log-mode": "blocking-strict"}, nil
}
