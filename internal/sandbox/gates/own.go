package gates

import "math"

// ownKinds are kinds of healthy traffic that the reference leaves out.
func ownKinds() []kindOfTraffic {
	return []kindOfTraffic{
		{"clients retry up to 3 times", func(w *row) { w.traffic.retry = 0.7 }},
		{"retries in an outage of both", func(w *row) {
			w.traffic.retry = 0.7
			w.traffic.both = func(at int) float64 {
				if at >= 120 && at < 140 {
					return 10
				}
				return 1
			}
		}},
		{"daily wave, rising", func(w *row) {
			w.traffic.load = func(at int) float64 { return 1 + 0.6*math.Sin(2*math.Pi*float64(at)/24/intervals) }
			w.traffic.both = w.traffic.load
		}},
		{"sessions of 10 min, 1 in 20 in trouble", func(w *row) { w.traffic.sessions = 40 }},
		{"sessions of 30 min, 1 in 20 in trouble", func(w *row) { w.traffic.sessions = 120 }},
		{"noise by 5 minutes, 20 %", func(w *row) { w.traffic.noise, w.traffic.noiseFor = 0.2, 20 }},
		{"noise by 15 minutes, 20 %", func(w *row) { w.traffic.noise, w.traffic.noiseFor = 0.2, 60 }},
		{"one scrape of five lost", func(w *row) { w.traffic.gaps = 0.2 }},
		{"20 min of history", func(w *row) { w.history = 80 }},
		{"20 min of history, bursts of 5", func(w *row) { w.history, w.traffic.burst = 80, 5 }},
		{"20 min of history, noise by the minute, 50 %", func(w *row) {
			w.history, w.traffic.noise, w.traffic.noiseFor = 80, 0.5, perMinute
		}},
		{"bursts of 50", func(w *row) { w.traffic.burst = 50 }},
		{"counted by the minute", func(w *row) { w.minutes = true }},
		{"counted by the minute, bursts of 5", func(w *row) { w.minutes, w.traffic.burst = true, 5 }},
		{"counted by the minute, bursts of 50", func(w *row) { w.minutes, w.traffic.burst = true, 50 }},
		{"1 h of history, sessions of 10 min", func(w *row) { w.history, w.traffic.sessions = intervals, 40 }},
		{"1 h of history, noise by 5 minutes, 20 %", func(w *row) {
			w.history, w.traffic.noise, w.traffic.noiseFor = intervals, 0.2, 20
		}},
		{"1 h of history, bursts of 50", func(w *row) { w.history, w.traffic.burst = intervals, 50 }},
	}
}

// ownFaults are faults that the reference leaves out, at 1,000 rps and 25 % but where it is said.
func ownFaults() []row {
	at := func(name string, set func(*row), green func(at int) (float64, float64)) row {
		w := plain(1000, 0.25, 0.001)
		w.name, w.onset, w.traffic.green = name, 0, green
		set(&w)
		return w
	}
	times := func(n float64) func(int) (float64, float64) {
		return func(int) (float64, float64) { return n, 0 }
	}
	outage := func(w *row) {
		w.traffic.both = func(at int) float64 {
			if at >= -100 && at < -88 {
				return 20
			}
			return 1
		}
	}
	return []row{
		at("clients retry, x5", func(w *row) { w.traffic.retry = 0.7 }, times(5)),
		at("clients retry, x2", func(w *row) { w.traffic.retry = 0.7 }, times(2)),
		at("sessions of 10 min, x5", func(w *row) { w.traffic.sessions = 40 }, times(5)),
		at("one bad pod of ten: a tenth fails at 5 %", func(*row) {}, func(int) (float64, float64) { return 1, 0.005 }),
		at("one bad pod of ten, at 5 % share", func(w *row) { w.shares = []float64{0.05} }, func(int) (float64, float64) { return 1, 0.005 }),
		at("slow leak: +0.1 % every 10 min", func(*row) {}, func(at int) (float64, float64) { return 1, 0.001 * float64(at) / 40 }),
		at("one scrape of five lost, x5", func(w *row) { w.traffic.gaps = 0.2 }, times(5)),
		at("20 min of history, x5", func(w *row) { w.history = 80 }, times(5)),
		at("outage of 3 min in 1 h of history, x5", func(w *row) { outage(w); w.history = intervals }, times(5)),
		at("outage of 3 min in 6 h of history, x5", outage, times(5)),
		at("counted by the minute, x5", func(w *row) { w.minutes = true }, times(5)),
		at("counted by the minute, x2", func(w *row) { w.minutes = true }, times(2)),
		at("1 h of history, x5", func(w *row) { w.history = intervals }, times(5)),
		at("1 h of history, x2", func(w *row) { w.history = intervals }, times(2)),
		at("daily wave, x2", func(w *row) {
			w.traffic.load = func(at int) float64 { return 1 + 0.6*math.Sin(2*math.Pi*float64(at)/24/intervals) }
			w.traffic.both = w.traffic.load
		}, times(2)),
		at("all of the traffic on green, x10", func(w *row) { w.shares = []float64{1} }, times(10)),
		at("99.8 % of the traffic on green, x10", func(w *row) { w.shares = []float64{0.998} }, times(10)),
	}
}
