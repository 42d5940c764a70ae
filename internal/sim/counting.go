package sim

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// countEvery is the length of an interval in which requests are counted.
const countEvery = 10 * time.Second

const pastRatio = 0.01 // of blue's requests failed before the shift

func requestGate() shift.RequestGate {
	return shift.RequestGate{Name: "requests", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, Interval: countEvery}
}

// count closes the intervals that are over, by the source's own clock, which is
// the true one. It counts a hundred times what the ratio gate sees: a service that
// has that many requests.
func (u *users) count() {
	for ; u.counted+countEvery <= u.w.now; u.counted += countEvery {
		end := u.counted + countEvery
		requests, errors := u.between(u.counted, end)
		all := allRequests * countEvery.Seconds()
		green, bad := 100*requests, 100*errors+100*requests*pastRatio
		blue := 100 * max(0, all-requests)
		iv := evidence.Interval{Start: began().Add(u.counted), End: began().Add(end)}
		iv.Green = []evidence.Count{{Requests: green, Bad: min(green, bad)}}
		iv.Blue = []evidence.Count{{Requests: blue, Bad: blue * pastRatio}}
		switch {
		case u.reset > u.w.now:
			iv.Fault = "counters were set back"
		case u.nonsense > u.w.now:
			iv.Green[0].Bad = iv.Green[0].Requests + 1
		case u.swapped > u.w.now:
			iv.Green, iv.Blue = iv.Blue, iv.Green
		}
		u.intervals = append(u.intervals, iv)
	}
}

// requests is what the gate on requests is told: the newest intervals again and
// again, and blue's past until the shift starts.
func (u *users) requests(now time.Time) shift.RequestReading {
	u.count()
	r := shift.RequestReading{Gate: "requests", At: now, FreshFor: 45 * time.Second}
	if u.away > u.w.now {
		r.Err = "connection refused"
		return r
	}
	r.Intervals = u.intervals[max(0, len(u.intervals)-12):]
	if u.stale > u.w.now {
		r.Intervals = u.intervals[max(0, len(u.intervals)-24):max(0, len(u.intervals)-12)]
	}
	r.Profile = &evidence.Profile{Metrics: []evidence.Metric{{Name: "errors", Ratio: pastRatio, Dispersion: 1}}, Rate: 100 * allRequests, To: began()}
	return r
}
