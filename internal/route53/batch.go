package route53

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// The limits of one ChangeResourceRecordSets: ResourceRecord elements "including
// alias records", and "characters (including spaces) in all Value elements". An
// UPSERT counts twice for both. Developer guide, "Quotas on
// ChangeResourceRecordSets requests"; an older limit of 100 Change elements is
// gone.
const (
	MaxBatchRecords    = 1000
	MaxBatchCharacters = 32_000
)

// BatchSize is what Route 53 counts of a batch.
type BatchSize struct {
	// Records are the ResourceRecord elements; an alias is one.
	Records int
	// Characters are those of all values, quotation marks included. They are
	// counted as bytes, of which there are never fewer.
	Characters int
}

// SizeOf counts changes as Route 53 does.
func SizeOf(changes []types.Change) BatchSize {
	var size BatchSize
	for _, c := range changes {
		times := 1
		if c.Action == types.ChangeActionUpsert {
			times = 2
		}
		if c.ResourceRecordSet.AliasTarget != nil {
			size.Records += times
		}
		for _, r := range c.ResourceRecordSet.ResourceRecords {
			size.Records += times
			size.Characters += times * len(aws.ToString(r.Value))
		}
	}
	return size
}

// Plus is the size of both together.
func (s BatchSize) Plus(t BatchSize) BatchSize {
	return BatchSize{Records: s.Records + t.Records, Characters: s.Characters + t.Characters}
}

// Fits tells whether Route 53 takes it as one batch.
func (s BatchSize) Fits() bool {
	return s.Records <= MaxBatchRecords && s.Characters <= MaxBatchCharacters
}
