package aws

import (
	"net/http"
	"slices"
)

// admit refuses a zone of another account, as AWS does where no policy of that
// account allows it; a zone that doesn't exist is the operation's to refuse.
func (s *dnsStore) admit(id string, caller principal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if z, err := s.zoneLocked(id); err == nil && z.account != caller.account {
		return refusal(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to access this resource", caller.arn)
	}
	return nil
}

// zonesOfLocked lists the zones of an account; the caller holds mu.
func (s *dnsStore) zonesOfLocked(account string) []*hostedZone {
	return slices.DeleteFunc(slices.Clone(s.zones), func(z *hostedZone) bool { return z.account != account })
}
