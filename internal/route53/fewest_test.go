package route53

// FewestBatches is how many batches Route 53's limits demand at least for parts
// of these sizes: no order and no division can do with fewer.
func FewestBatches(sizes []BatchSize) int {
	var sum BatchSize
	for _, s := range sizes {
		sum = sum.Plus(s)
	}
	return max(ceil(sum.Records, MaxBatchRecords), ceil(sum.Characters, MaxBatchCharacters))
}

func ceil(n, by int) int { return (n + by - 1) / by }
