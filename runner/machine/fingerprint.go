package machine

import "fmt"

// A Fingerprint is how fast a machine is at four simple things, each on one core. Two hosts of a class, or one host on
// two days, may differ in it.
//
// Source: docs/method.md#hosts.
type Fingerprint struct {
	Calls    float64 // system calls, per second
	Switches float64 // switches between two threads, per second
	Copied   float64 // bytes copied in memory, per second
	Integer  float64 // rounds of a loop of integer operations, per second
}

// Facts writes the fingerprint as facts of records.
func (f Fingerprint) Facts() map[string]string {
	return map[string]string{
		"host.speed.calls":    fmt.Sprintf("%.3g/s", f.Calls),
		"host.speed.switches": fmt.Sprintf("%.3g/s", f.Switches),
		"host.speed.copied":   fmt.Sprintf("%.3g GB/s", f.Copied/1e9),
		"host.speed.integer":  fmt.Sprintf("%.3g/s", f.Integer),
	}
}
