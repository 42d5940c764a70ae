package evidence

// Trouble says why the interval can't be judged by the profile's metrics, such as
// a gap, a counter that was set back, or counts that can't be; empty: it can.
func (iv Interval) Trouble(p Profile) string { return iv.fault(len(p.Metrics)) }
