package awscontract

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

const contractRole = "arn:aws:iam::123456789012:role/contract"

// contract is one demand that the adapters have of AWS. notMoto says why moto
// is not asked; empty: it is.
type contract struct {
	holds   func(t *testing.T, b *backend) error
	notMoto string
}

// TestContract asks every AWS that is there for what the adapters demand.
func TestContract(t *testing.T) {
	t.Parallel()
	contracts := contracts()
	kept := map[string]int{}
	backends := []*backend{embedded(t)}
	other := moto(t)
	if other != nil {
		backends = append(backends, other)
	}
	for _, b := range backends {
		for _, name := range slices.Sorted(maps.Keys(contracts)) {
			c := contracts[name]
			if b == other && c.notMoto != "" {
				continue
			}
			kept[b.name]++
			t.Run(b.name+"/"+name, func(t *testing.T) {
				if err := c.holds(t, b); err != nil {
					t.Error(err)
				}
			})
		}
	}
	var left []string
	for _, name := range slices.Sorted(maps.Keys(contracts)) {
		if why := contracts[name].notMoto; why != "" {
			left = append(left, fmt.Sprintf("%s (%s)", name, why))
		}
	}
	if other == nil {
		tell(t, "%d contracts, %d at the embedded AWS; moto_server isn't on the PATH and was not asked", len(contracts), kept[backends[0].name])
		return
	}
	tell(t, "%d contracts: %d at the embedded AWS, %d at moto; not asked of moto: %s", len(contracts), kept[backends[0].name], kept[other.name], strings.Join(left, "; "))
}

func contracts() map[string]contract {
	all := routeContracts()
	maps.Copy(all, balancerContracts())
	maps.Copy(all, identityContracts())
	return all
}
