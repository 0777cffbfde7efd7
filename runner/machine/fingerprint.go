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

// AddTo adds the fingerprint of a machine, if it is known, to the facts of a host. Name is the machine's in the project,
// or empty.
func (f Fingerprint) AddTo(facts map[string]string, name string) {
	if f == (Fingerprint{}) {
		return
	}
	prefix := "host.speed."
	if name != "" {
		prefix = "hosts." + name + "." + prefix
	}
	facts[prefix+"calls"] = fmt.Sprintf("%.3g/s", f.Calls)
	facts[prefix+"switches"] = fmt.Sprintf("%.3g/s", f.Switches)
	facts[prefix+"copied"] = fmt.Sprintf("%.3g GB/s", f.Copied/1e9)
	facts[prefix+"integer"] = fmt.Sprintf("%.3g/s", f.Integer)
}
