package gates

import (
	"fmt"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// usual are the settings of a gate that has none of its own.
func usual() evidence.Settings {
	return evidence.Settings{Compare: true, Tolerate: 1.25, MinExcess: 0.0005, Alarm: 0.01}
}

// ramp is a shift in six steps.
func ramp() []float64 { return []float64{0.01, 0.05, 0.1, 0.25, 0.5, 0.75} }

// usualHistory is how much of blue's past a gate looks at unless it is told otherwise.
const usualHistory = 6 * intervals

// plain is a row of even traffic at a constant share.
func plain(rps, share, base float64) row {
	return row{
		name:    fmt.Sprintf("%4g rps, %3g %%, base %5g %%", rps, share*100, base*100),
		traffic: traffic{rps: rps, base: base}, shares: []float64{share},
		history: usualHistory, onset: -1, settings: usual(), rivals: usualRivals,
	}
}

func rivalNames() []string { return []string{"1 % fixed", "2x base", "M-W", "z"} }

func usualRivals(w row) []rival {
	return []rival{
		&threshold{limit: 0.01}, &threshold{limit: 2 * w.traffic.base},
		&ranks{ratio: badRatio}, &repeated{},
	}
}

// from makes green bad from an interval on.
func (w row) from(onset int, name string, times, more float64) row {
	w.onset = onset
	w.name += ", " + name
	w.traffic.green = func(at int) (float64, float64) {
		if at < onset {
			return 1, 0
		}
		return times, more
	}
	return w
}

func evenRows() []row {
	var rows []row
	for _, rps := range []float64{100, 1000} {
		for _, share := range []float64{0.01, 0.05, 0.25} {
			for _, base := range []float64{0.0001, 0.001, 0.01} {
				rows = append(rows, plain(rps, share, base))
			}
		}
	}
	return rows
}

// kindOfTraffic is a traffic that is healthy on both sides.
type kindOfTraffic struct {
	name string
	set  func(*row)
}

func referenceKinds() []kindOfTraffic {
	return []kindOfTraffic{
		{"even", func(*row) {}},
		{"both x20 for 3 min", func(w *row) {
			w.traffic.both = func(at int) float64 {
				if at >= 120 && at < 132 {
					return 20
				}
				return 1
			}
		}},
		{"both drift to x4", func(w *row) {
			w.traffic.both = func(at int) float64 { return 1 + 3*max(0, float64(at))/intervals }
		}},
		{"noise by the minute, 50 %", func(w *row) { w.traffic.noise, w.traffic.noiseFor = 0.5, perMinute }},
		{"bursts of 5", func(w *row) { w.traffic.burst = 5 }},
		{"other clients, 1.15", func(w *row) { w.traffic.green = func(int) (float64, float64) { return 1.15, 0 } }},
		{"other clients, 1.30", func(w *row) { w.traffic.green = func(int) (float64, float64) { return 1.30, 0 } }},
	}
}

// rampRows has each kind at two ratios, in a shift of six steps at 1,000 rps.
func rampRows(kindsOf []kindOfTraffic) []row {
	var rows []row
	for _, base := range []float64{0.01, 0.001} {
		for _, kind := range kindsOf {
			w := plain(1000, 0, base)
			w.shares = ramp()
			w.name = fmt.Sprintf("%s, base %g %%", kind.name, base*100)
			kind.set(&w)
			rows = append(rows, w)
		}
	}
	return rows
}

// barely is the same without the scatter of the past.
func barely(rows []row) []row {
	bare := make([]row, len(rows))
	for i, w := range rows {
		w.bare, w.rivals = true, nil
		bare[i] = w
	}
	return bare
}

// anyExcess is the same with no least excess.
func anyExcess(w row) row {
	w.settings.MinExcess = 0
	w.name += ", any excess"
	return w
}

func detectRows() []row {
	var rows []row
	for _, c := range []struct {
		rps, share, base, times, more float64
		name                          string
	}{
		{100, 0.01, 0.0001, 5, 0, "x5"},
		{100, 0.01, 0.0001, 1, 0.01, "+1 pp"},
		{100, 0.01, 0.001, 2, 0, "x2"},
		{100, 0.01, 0.001, 5, 0, "x5"},
		{100, 0.01, 0.01, 2, 0, "x2 = +1 pp"},
		{100, 0.01, 0.01, 5, 0, "x5"},
		{100, 0.05, 0.001, 2, 0, "x2"},
		{100, 0.05, 0.001, 5, 0, "x5"},
		{100, 0.25, 0.0001, 5, 0, "x5"},
		{100, 0.25, 0.001, 2, 0, "x2"},
		{100, 0.25, 0.001, 5, 0, "x5"},
		{100, 0.25, 0.01, 2, 0, "x2"},
		{1000, 0.01, 0.0001, 5, 0, "x5"},
		{1000, 0.01, 0.001, 5, 0, "x5"},
		{1000, 0.01, 0.01, 2, 0, "x2"},
		{1000, 0.05, 0.0001, 1, 0.01, "+1 pp"},
		{1000, 0.05, 0.001, 2, 0, "x2"},
		{1000, 0.05, 0.001, 5, 0, "x5"},
		{1000, 0.25, 0.0001, 5, 0, "x5"},
		{1000, 0.25, 0.001, 2, 0, "x2"},
		{1000, 0.25, 0.01, 2, 0, "x2"},
	} {
		w := plain(c.rps, c.share, c.base).from(0, c.name, c.times, c.more)
		rows = append(rows, w)
		if c.base*(c.times-1)+c.more < w.settings.MinExcess {
			rows = append(rows, anyExcess(w))
		}
	}
	// Those that the aims speak of.
	return append(rows, plain(1000, 0.25, 0.001).from(0, "x5", 5, 0), disasterRow(0.2))
}

func disasterRow(ratio float64) row {
	return plain(1000, 0.25, 0.001).from(0, fmt.Sprintf("%g %% fail", ratio*100), 0, ratio*1.2)
}

func lateRows() []row {
	at30 := func(times float64) row { return plain(1000, 0.25, 0.001).from(120, "from minute 30", times, 0) }
	inRamp := func(name string, times float64, set func(*row)) row {
		w := plain(1000, 0, 0.001)
		w.shares, w.name = ramp(), name
		set(&w)
		return w.from(140, "in a ramp from minute 35", times, 0)
	}
	even := func(*row) {}
	kindsOf := referenceKinds()
	x2, x5 := at30(2), at30(5)
	x2.name, x5.name = "x2, "+x2.name, "x5, "+x5.name
	return []row{
		x2, x5, inRamp("x2", 2, even), inRamp("x5", 5, even), inRamp("bursts of 5, x5", 5, kindsOf[4].set),
		inRamp("noise by the minute, x5", 5, kindsOf[3].set), inRamp("noise by the minute, x2", 2, kindsOf[3].set),
	}
}

func passRows() []row {
	limited := func(w row) row {
		w.settings.Compare, w.settings.HasLimit = false, true
		w.settings.Limit = max(2*w.traffic.base, 0.005)
		w.name += ", by limit"
		return w
	}
	return []row{
		plain(1000, 0.01, 0.01), plain(1000, 0.01, 0.001), plain(1000, 0.05, 0.001), plain(1000, 0.05, 0.0001),
		plain(1000, 0.25, 0.001), plain(100, 0.01, 0.001), plain(100, 0.25, 0.001),
		limited(plain(100, 0.01, 0.01)), limited(plain(1000, 0.01, 0.01)), limited(plain(1000, 1, 0.01)),
	}
}

// wrongPassRows are the same, twice as bad: what passes of them passes wrongly.
// Where the ratio is so low that twice of it is no excess, it is the excess.
func wrongPassRows() []row {
	var rows []row
	for _, w := range passRows() {
		times := 2.0
		if w.settings.Compare {
			times = max(2, 1+w.settings.MinExcess/w.traffic.base)
		}
		if !w.settings.Compare {
			times = w.settings.Limit / w.traffic.base
		}
		rows = append(rows, w.from(0, fmt.Sprintf("x%g", times), times, 0))
	}
	return rows
}

func latencyRows() []row {
	var rows []row
	for _, c := range []struct{ rps, share float64 }{{100, 0.01}, {100, 0.05}, {100, 0.25}, {1000, 0.01}, {1000, 0.25}} {
		for _, f := range []struct {
			name string
			slow slowness
		}{
			{"healthy", slowness{}},
			{"all x1.25", slowness{longer: 1.25}},
			{"2 % +1 s", slowness{some: 0.02, extra: 1}},
			{"0.5 % +5 s", slowness{some: 0.005, extra: 5}},
		} {
			w := plain(c.rps, c.share, 0.001)
			w.name = fmt.Sprintf("%4g rps, %2g %%, %s", c.rps, c.share*100, f.name)
			w.traffic.slow, w.latency = &f.slow, true
			w.rivals = func(row) []rival {
				return []rival{&slowest{limit: 0.9}, &ranks{ratio: percentile99}, &repeated{kind: 2}}
			}
			if f.slow != (slowness{}) {
				w.onset = 0
			}
			rows = append(rows, w)
		}
	}
	return rows
}
