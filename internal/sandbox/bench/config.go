package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// writeConfig declares every pair with one step to 100 %, held for as long as
// the measurement may take.
func (r *run) writeConfig(entrances []world.Entrances) error {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: clusterswitch.io/v1alpha1
interval: 2s
listen: ""
aws: {region: ap-northeast-1, endpointURL: %q}
journal: {namespace: %s, kubeconfig: {path: %q}}
pairs:
`, r.region.Endpoint, namespace, r.world.Management.Kubeconfig())
	for i, e := range entrances {
		fmt.Fprintf(&b, `  - name: %s
    serve: green
    preflight: {mode: off}
    blue: {kubeconfig: {path: %q}}
    green: {kubeconfig: {path: %q}}
    soakOnly: true
    steps: [{share: 100, hold: 24h}]
    traffic:
      - route53: {hostedZoneID: %s, names: [%s], blueSetIdentifier: blue, greenSetIdentifier: green}
      - alb: {ruleARN: %q, blueTargetGroupARN: %q, greenTargetGroupARN: %q}
`, r.pairs[i], r.world.Blue.Kubeconfig(), r.world.Green.Kubeconfig(), r.region.HostedZoneID, e.Record,
			e.RuleARN, r.region.Groups["api-blue"], r.region.Groups["api-green"])
	}
	return os.WriteFile(filepath.Join(r.options.Dir, "clusterswitch.yaml"), []byte(b.String()), 0o600)
}
