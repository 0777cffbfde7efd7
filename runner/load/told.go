package load

import (
	"slices"
	"time"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/loadgen"
)

// Told is the measurement of a load that another program than ours has put on, of what it told of each request. It
// began, with its warm-up, at a moment of the clock of the load's machine.
//
// The error says in which way it was another load.
func Told(l *spec.Load, at Place, began time.Time, requests []loadgen.Sample) (Measurement, error) {
	r, opened, err := loadgen.Count(requestsConfig(l, at), requests)
	if err != nil {
		return Measurement{}, err
	}
	r.Start = began.Add(opened).UTC()
	m := requestsMeasured(r, l)
	delete(m.Histograms, "latency.connect") // nobody tells how long that took, or how many bytes there were
	delete(m.Histograms, "latency.first_byte")
	m.Samples = slices.DeleteFunc(m.Samples, func(s record.Sample) bool { return s.Metric != "offered" })
	answered := int64(0)
	for _, n := range r.Status {
		answered += n
	}
	if answered < r.Answered {
		m.Load.Statuses = nil
	}
	return m, nil
}
