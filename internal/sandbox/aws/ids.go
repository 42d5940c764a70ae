package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
)

// idSource makes identifiers of the shapes that AWS uses. The same writes in the
// same order give the same identifiers, so transcripts of a demo compare.
type idSource struct {
	seed string
	used atomic.Uint64
}

func (s *idSource) next() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", s.seed, s.used.Add(1)))
	return hex.EncodeToString(sum[:])
}

// hex16 is the identifier at the end of an ELBv2 ARN.
func (s *idSource) hex16() string { return s.next()[:16] }

// upper returns a Route 53 identifier: the prefix (Z for zones, C for changes)
// and 20 upper-case letters and digits.
func (s *idSource) upper(prefix string) string {
	return prefix + strings.ToUpper(s.next()[:20])
}

func (s *idSource) requestID() string {
	h := s.next()
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:32]}, "-")
}
