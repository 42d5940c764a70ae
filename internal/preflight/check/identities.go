package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of pods' rights at AWS.
const (
	RoleDoesNotTrustGreen  finding.Code = "RoleDoesNotTrustGreen"
	PodIdentityRoleDiffers finding.Code = "PodIdentityRoleDiffers"
)

func identitiesCheck() Check {
	return Check{
		Name: "identities", Answers: "Do green's pods get the rights at AWS that blue's have?", Run: awsIdentities,
		Codes: []finding.Doc{
			{Code: RoleDoesNotTrustGreen, Meaning: "A ServiceAccount of green names an AWS role whose trust policy doesn't take the tokens of green.", Do: "Add green's OIDC issuer to the role's trust policy."},
			podIdentityDoc(),
			{Code: PodIdentityRoleDiffers, Meaning: "A ServiceAccount's Pod Identity association has another role in green.", Do: "Compare the rights of the two roles."},
		},
	}
}

// awsIdentities compares how pods get their rights at AWS, as far as EKS and IAM
// told.
func awsIdentities(f *facts.Facts) []finding.Finding {
	return append(podIdentities(f), roleTrusts(f)...)
}

// associationsKnown tells whether EKS told of the Pod Identity associations of
// both clusters. Otherwise parity goes by what they did to the pods.
func associationsKnown(f *facts.Facts) bool {
	return f.Blue.Identities.PodsKnown && f.Green.Identities.PodsKnown
}

func podIdentities(f *facts.Facts) []finding.Finding {
	if !associationsKnown(f) {
		return nil
	}
	blue, green := f.Blue.Identities, f.Green.Identities
	var found []finding.Finding
	for _, name := range sortedKeys(blue.Pods, facts.Name.Compare) {
		if f.Settings.Ignores(serviceAccount(), name) {
			continue
		}
		role, there := green.Pods[name]
		var x finding.Finding
		switch {
		case !there && slices.ContainsFunc(sortedKeys(green.Accounts, strings.Compare), func(role string) bool { return slices.Contains(green.Accounts[role], name) }):
			continue // it has a role by its annotation instead
		case !there:
			x = finding.New(PodIdentityMissing, finding.Block, finding.Of(serviceAccount(), name), "")
			x.Message = fmt.Sprintf("ServiceAccount %s has the Pod Identity association with %s in blue and none in green", name, blue.Pods[name])
			x.Do = "Make the association for green's cluster (`aws eks create-pod-identity-association`)."
		case role != blue.Pods[name]:
			x = finding.New(PodIdentityRoleDiffers, finding.Warn, finding.Of(serviceAccount(), name), "")
			x.Message = fmt.Sprintf("the Pod Identity association of ServiceAccount %s has the role %s in blue and %s in green", name, blue.Pods[name], role)
			x.Do = "Compare the rights of the two roles."
		default:
			continue
		}
		x.Side = shift.Green
		found = append(found, x)
	}
	return found
}

func serviceAccount() facts.GroupKind { return facts.GroupKind{Kind: "ServiceAccount"} }

// roleTrusts finds roles that don't take green's tokens. One that takes neither
// cluster's gets its pods' tokens otherwise, or is of no use in blue either.
func roleTrusts(f *facts.Facts) []finding.Finding {
	blue, green := f.Blue.Identities.Issuer, f.Green.Identities
	if green.Issuer == "" {
		return nil
	}
	var found []finding.Finding
	for _, role := range sortedKeys(green.Trusts, strings.Compare) {
		issuers := green.Trusts[role].Issuers
		if slices.Contains(issuers, green.Issuer) || len(issuers) == 0 {
			continue
		}
		severity, trusted := finding.Block, "blue's issuer"
		switch {
		case blue == "":
			severity, trusted = finding.Warn, strings.Join(issuers, " and ")
		case !slices.Contains(issuers, blue):
			continue
		}
		for _, name := range green.Accounts[role] {
			if _, byPod := green.Pods[name]; byPod || f.Settings.Ignores(serviceAccount(), name) {
				continue // an association comes before the annotation
			}
			x := finding.New(RoleDoesNotTrustGreen, severity, finding.Of(serviceAccount(), name), "")
			x.Side = shift.Green
			x.Message = fmt.Sprintf("ServiceAccount %s of green names the role %s, which trusts %s and not green's (%s)", name, role, trusted, green.Issuer)
			x.Do = "Add green's OIDC provider to the role's trust policy, beside blue's, so that the way back stays open."
			found = append(found, x)
		}
	}
	return found
}
