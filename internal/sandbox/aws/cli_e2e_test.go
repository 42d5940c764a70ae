//go:build e2e

package aws_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// awsCLI runs the AWS CLI with made-up credentials against the sandbox only.
func awsCLI(t *testing.T, w *world, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", w.url, "--region", "ap-northeast-1", "--output", "json"}, args...)...)
	foreign := func(setting string) bool { return strings.HasPrefix(setting, "AWS_") }
	cmd.Env = append(slices.DeleteFunc(os.Environ(), foreign),
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
	)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func needCLI(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI isn't on the PATH: ", err)
	}
}

func setJSON(t *testing.T, action string, weight int) string {
	t.Helper()
	batch, err := json.Marshal(map[string]any{"Changes": []any{map[string]any{"Action": action, "ResourceRecordSet": map[string]any{
		"Name": "shop.example.com", "Type": "A", "SetIdentifier": "blue", "Weight": weight, "TTL": 60,
		"ResourceRecords": []any{map[string]any{"Value": "192.0.2.1"}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(batch)
}

func TestE2EAWSCLIRoute53(t *testing.T) {
	needCLI(t)
	t.Parallel()
	w := newWorld(t, aws.Options{})
	zone := seedZone(t, w)
	for _, step := range []struct {
		name string
		args []string
		says string // in the output
		code string // of the refusal
	}{
		{name: "a change is accepted", args: []string{"route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", setJSON(t, "UPSERT", 42)}, says: "INSYNC"},
		{name: "the list shows it", args: []string{"route53", "list-resource-record-sets", "--hosted-zone-id", zone}, says: `"Weight": 42`},
		{name: "a stale DELETE is refused", args: []string{"route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", setJSON(t, "DELETE", 41)}, code: "InvalidChangeBatch"},
		{name: "weight 256 is refused", args: []string{"route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", setJSON(t, "UPSERT", 256)}, code: "InvalidInput"},
		{name: "an unknown zone is refused", args: []string{"route53", "list-resource-record-sets", "--hosted-zone-id", "Z0"}, code: "NoSuchHostedZone"},
	} {
		t.Run(step.name, func(t *testing.T) {
			out, err := awsCLI(t, w, step.args...)
			if (err != nil) != (step.code != "") {
				t.Fatalf("error %v: %s", err, out)
			}
			if want := step.says; !strings.Contains(out, want) || (step.code != "" && !strings.Contains(out, "("+step.code+")")) {
				t.Errorf("output lacks %q %q:\n%s", want, step.code, out)
			}
		})
	}
	if got := w.RecordSets("shop.example.com", "A")[0].Weight; got != 42 {
		t.Errorf("blue's weight is %d in the end, want 42", got)
	}
}

// TestE2EAWSCLIAliasesAndHealthChecks drives the shapes that a runbook of plain
// commands has to keep.
func TestE2EAWSCLIAliasesAndHealthChecks(t *testing.T) {
	needCLI(t)
	t.Parallel()
	n := newNamed(t, aws.Options{})
	batch := func(action string, weight int, more string) string {
		return fmt.Sprintf(`{"Changes":[{"Action":%q,"ResourceRecordSet":{"Name":"app.example.com.","Type":"A","SetIdentifier":"blue","Weight":%d,%s`+
			`"AliasTarget":{"HostedZoneId":%q,"DNSName":%q,"EvaluateTargetHealth":true}}}]}`, action, weight, more, n.elbZone, n.blueName+".")
	}
	change := func(batch string) []string {
		return []string{"change-resource-record-sets", "--hosted-zone-id", n.zone, "--change-batch", batch}
	}
	for _, step := range []struct {
		name string
		args []string
		says []string
		code string
	}{
		{name: "an alias is listed", args: []string{"list-resource-record-sets", "--hosted-zone-id", n.zone, "--start-record-name", "app.example.com", "--max-items", "1"}, says: []string{`"DNSName": "` + n.blueName + `."`, `"EvaluateTargetHealth": true`, `"Weight": 90`}},
		{name: "a stale alias is not deleted", args: change(batch("DELETE", 91, "")), code: "InvalidChangeBatch"},
		{name: "an alias gets another weight", args: change(batch("UPSERT", 7, "")), says: []string{"INSYNC"}},
		{name: "an alias has no TTL", args: change(batch("UPSERT", 7, `"TTL":60,`)), code: "InvalidInput"},
		{name: "an unknown health check is refused", args: change(batch("UPSERT", 7, `"HealthCheckId":"none",`)), code: "NoSuchHealthCheck"},
		{name: "a known one isn't", args: change(batch("UPSERT", 8, `"HealthCheckId":"`+n.check+`",`)), says: []string{"INSYNC"}},
		{name: "a health check is created", args: []string{"create-health-check", "--caller-reference", "cli", "--health-check-config", "Type=TCP,IPAddress=192.0.2.1,Port=443"}, says: []string{`"FailureThreshold": 3`, `"HealthCheckVersion": 1`}},
		{name: "health checks are listed", args: []string{"list-health-checks"}, says: []string{n.check, `"Type": "TCP"`}},
		{name: "a health check has a status", args: []string{"get-health-check-status", "--health-check-id", n.check}, says: []string{"Success: HTTP Status Code 200"}},
		{name: "a health check is deleted", args: []string{"delete-health-check", "--health-check-id", n.check}},
		{name: "a private zone is created", args: []string{"create-hosted-zone", "--name", "internal.example", "--caller-reference", "cli", "--vpc", "VPCRegion=eu-west-1,VPCId=vpc-1", "--hosted-zone-config", "PrivateZone=true"}, says: []string{`"PrivateZone": true`, `"VPCId": "vpc-1"`}},
	} {
		t.Run(step.name, func(t *testing.T) {
			out, err := awsCLI(t, n.world, append([]string{"route53"}, step.args...)...)
			if (err != nil) != (step.code != "") || (step.code != "" && !strings.Contains(out, "("+step.code+")")) {
				t.Fatalf("error %v, want %q: %s", err, step.code, out)
			}
			for _, want := range step.says {
				if !strings.Contains(out, want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
		})
	}
	if got := n.RecordSets("app.example.com", "A")[0].Weight; got != 8 {
		t.Errorf("blue's weight is %d in the end, want 8", got)
	}
}

func TestE2EAWSCLILoadBalancing(t *testing.T) {
	needCLI(t)
	t.Parallel()
	w := newWorld(t, aws.Options{})
	e := newEntrance(t, w)
	actions := `[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"` + e.blue + `","Weight":%B},{"TargetGroupArn":"` + e.green + `","Weight":%G}]}}]`
	weights := func(blue, green string) string { return strings.NewReplacer("%B", blue, "%G", green).Replace(actions) }
	for _, step := range []struct {
		name string
		args []string
		says string
		code string
	}{
		{name: "weights are set", args: []string{"elbv2", "modify-rule", "--rule-arn", e.ruleARN, "--actions", weights("75", "25")}, says: `"Weight": 25`},
		{name: "rules are described", args: []string{"elbv2", "describe-rules", "--listener-arn", e.listenerARN}, says: `"Priority": "default"`},
		{name: "weight 1000 is refused", args: []string{"elbv2", "modify-rule", "--rule-arn", e.ruleARN, "--actions", weights("1000", "0")}, code: "ValidationError"},
		{name: "an unknown rule is refused", args: []string{"elbv2", "describe-rules", "--rule-arns", e.ruleARN + "0"}, code: "RuleNotFound"},
		{name: "the caller is known", args: []string{"sts", "get-caller-identity"}, says: "123456789012"},
	} {
		t.Run(step.name, func(t *testing.T) {
			out, err := awsCLI(t, w, step.args...)
			if (err != nil) != (step.code != "") {
				t.Fatalf("error %v: %s", err, out)
			}
			if !strings.Contains(out, step.says) || (step.code != "" && !strings.Contains(out, "("+step.code+")")) {
				t.Errorf("output lacks %q %q:\n%s", step.says, step.code, out)
			}
		})
	}
}

// cliStep is one call of the AWS CLI, which goes right and says something, or is
// refused with a code.
type cliStep struct {
	name, command string
	more          []string // arguments that have spaces
	says, code    string
}

func runCLI(t *testing.T, w *world, steps []cliStep) {
	t.Helper()
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			out, err := awsCLI(t, w, append(strings.Fields(step.command), step.more...)...)
			if (err != nil) != (step.code != "") {
				t.Fatalf("error %v: %s", err, out)
			}
			if !strings.Contains(out, step.says) || (step.code != "" && !strings.Contains(out, "("+step.code+")")) {
				t.Errorf("output lacks %q %q:\n%s", step.says, step.code, out)
			}
		})
	}
}

func TestE2EAWSCLINetworkLoadBalancing(t *testing.T) {
	needCLI(t)
	t.Parallel()
	w := newWorld(t, aws.Options{})
	blue, green := w.groupOf(t, "blue", "TCP"), w.groupOf(t, "green", "TCP")
	balancer := w.networkBalancer(t, "edge")
	listener := must[string](t)(w.listen(t, balancer, "TCP", 443, forward(share{blue, 100}, share{green, 0})))
	actions := []string{`[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"` + blue + `","Weight":0},{"TargetGroupArn":"` + green + `","Weight":100}]}}]`}
	runCLI(t, w, []cliStep{
		{name: "weights are set", command: "elbv2 modify-listener --listener-arn " + listener + " --default-actions", more: actions, says: `"Weight": 100`},
		{name: "the load balancer is described", command: "elbv2 describe-load-balancers --names edge", says: `"Type": "network"`},
		{name: "cross-zone is read", command: "elbv2 describe-load-balancer-attributes --load-balancer-arn " + balancer, says: `"load_balancing.cross_zone.enabled"`},
		{name: "an attribute is set", command: "elbv2 modify-target-group-attributes --target-group-arn " + blue + " --attributes Key=deregistration_delay.timeout_seconds,Value=5", says: `"Value": "5"`},
		{name: "attributes are read", command: "elbv2 describe-target-group-attributes --target-group-arn " + green, says: `"source_ip"`},
		{name: "a target in a zone", command: "elbv2 register-targets --target-group-arn " + green + " --targets Id=10.0.0.9,Port=1,AvailabilityZone=ap-northeast-1c"},
		{name: "its zone is answered", command: "elbv2 describe-target-health --target-group-arn " + green + " --include All", says: `"AvailabilityZone": "ap-northeast-1c"`},
		{name: "a slow start is refused", command: "elbv2 modify-target-group-attributes --target-group-arn " + blue + " --attributes Key=slow_start.duration_seconds,Value=30", code: "InvalidConfigurationRequest"},
		{name: "a rule is refused", command: "elbv2 create-rule --priority 1 --conditions Field=host-header,Values=a --actions Type=forward,TargetGroupArn=" + blue + " --listener-arn " + listener, code: "UnsupportedOperation"},
		{name: "listeners are described", command: "elbv2 describe-listeners --load-balancer-arn " + balancer, says: `"Protocol": "TCP"`},
	})
	if forward := w.Listeners()[0].Rules[0].Forward; forward[1].Weight != 100 {
		t.Errorf("the edge is told %+v", forward)
	}
}

func TestE2EAWSCLIRolesAndClusters(t *testing.T) {
	needCLI(t)
	t.Parallel()
	w := newAccounts(t, aws.Options{})
	w.cluster(t, aws.Cluster{Name: "blue"})
	if err := w.AddAccessKey("AKIDEXAMPLE", "secret", "arn:aws:iam::123456789012:user/cli"); err != nil {
		t.Fatal(err)
	}
	runCLI(t, w, []cliStep{
		{name: "a role is assumed", command: "sts assume-role --role-session-name cli --role-arn " + otherRole, says: "arn:aws:sts::222222222222:assumed-role/dns-writer/cli"},
		{name: "an unknown role isn't", command: "sts assume-role --role-session-name cli --role-arn " + otherRole + "s", code: "AccessDenied"},
		{name: "a cluster is described", command: "eks describe-cluster --name blue", says: `"status": "ACTIVE"`},
		{name: "clusters are listed", command: "eks list-clusters", says: `"blue"`},
		{name: "an unknown cluster isn't there", command: "eks describe-cluster --name green", code: "ResourceNotFoundException"},
	})
	// Unlike the calls above, a token must not be signed for the sandbox's endpoint.
	out, err := awsCLI(t, w, "eks", "get-token", "--cluster-name", "blue", "--endpoint-url", "https://sts.ap-northeast-1.amazonaws.com")
	var token struct{ Status struct{ Token string } }
	if parseErr := json.Unmarshal([]byte(out), &token); err != nil || parseErr != nil {
		t.Fatalf("error %v, %v in:\n%s", err, parseErr, out)
	}
	account, arn, cluster, err := w.VerifyToken(token.Status.Token)
	if got := account + " " + arn + " " + cluster; err != nil || got != "123456789012 arn:aws:iam::123456789012:user/cli blue" {
		t.Errorf("the CLI's token is of %q, %v", got, err)
	}
}

func TestE2EAWSCLIMetrics(t *testing.T) {
	needCLI(t)
	t.Parallel()
	w := newWorld(t, aws.Options{})
	e := newEntrance(t, w)
	for range 7 {
		w.RecordRequest(routing.Request{LoadBalancerARN: e.balancerARN, TargetGroupARN: e.blue, Status: 200, FromTarget: true})
	}
	queries := `[{"Id":"n","MetricStat":{"Period":3600,"Stat":"Sum","Metric":{"Namespace":"AWS/ApplicationELB","MetricName":"RequestCount","Dimensions":[{"Name":"LoadBalancer","Value":"` + suffix(e.balancerARN) + `"}]}}}]`
	now := time.Now()
	span := []string{"--start-time", now.Add(-2 * time.Hour).Format(time.RFC3339), "--end-time", now.Add(time.Hour).Format(time.RFC3339)}
	out, err := awsCLI(t, w, append([]string{"cloudwatch", "get-metric-data", "--metric-data-queries", queries}, span...)...)
	var got struct{ MetricDataResults []struct{ Values []float64 } }
	if parseErr := json.Unmarshal([]byte(out), &got); err != nil || parseErr != nil {
		t.Fatalf("error %v, %v in:\n%s", err, parseErr, out)
	}
	if values := got.MetricDataResults[0].Values; !slices.Equal(values, []float64{7}) {
		t.Errorf("values %v, want the sum 7", values)
	}
	out, err = awsCLI(t, w, append([]string{"cloudwatch", "get-metric-data", "--metric-data-queries", strings.Replace(queries, "3600", "30", 1)}, span...)...)
	if err == nil || !strings.Contains(out, "(ValidationError)") {
		t.Errorf("error %v, want ValidationError in:\n%s", err, out)
	}
}
