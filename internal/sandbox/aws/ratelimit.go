package aws

import (
	"sync"
	"time"
)

// RateLimit is a token bucket: as many calls at once as Burst, and then as many
// as flow in.
type RateLimit struct {
	PerSecond float64 // calls that flow in each second
	Burst     int     // calls that the bucket holds
}

// AWSRateLimits returns the limits that AWS has: for Route 53 those on all calls
// of an account, for ELBv2 those on calls that read, taken for all.
// Route 53 developer guide, throttling-api-requests (the buckets of single
// operations have the same size; the one for record changes has none published);
// ELB user guide, elb-api-throttling.
func AWSRateLimits() map[Service]RateLimit {
	return map[Service]RateLimit{
		Route53: {PerSecond: 10, Burst: 50},
		ELB:     {PerSecond: 10, Burst: 40},
	}
}

// rateLimiter counts the calls of each account and service.
type rateLimiter struct {
	limits map[Service]RateLimit
	now    func() time.Time

	mu   sync.Mutex
	full map[bucketKey]time.Time // guarded by mu; when each bucket is full again
}

type bucketKey struct {
	account string
	service Service
}

func newRateLimiter(limits map[Service]RateLimit, now func() time.Time) *rateLimiter {
	return &rateLimiter{limits: limits, now: now, full: map[bucketKey]time.Time{}}
}

// take reports whether a call is within the limit. One that isn't costs nothing.
// The bucket is kept as the time at which it would be full, since fractions of
// tokens don't add up.
func (l *rateLimiter) take(account string, service Service) bool {
	limit, limited := l.limits[service]
	if !limited {
		return true
	}
	each := time.Duration(float64(time.Second) / limit.PerSecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	now, key := l.now(), bucketKey{account, service}
	full := l.full[key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(each)
	if full.Sub(now) > time.Duration(limit.Burst)*each {
		return false
	}
	l.full[key] = full
	return true
}
