package method

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
)

// CPUs are not named if they are all CPUs of the machine.
func TestCoresLine(t *testing.T) {
	for want, facts := range map[string]map[string]string{
		"services 0-2, load 3":      {"placement.services": "0-2", "placement.load": "3"},
		"services and load share 0": {"placement.services": "0", "placement.load": "0"},
		"services 0, load 0": {"placement.services": "0", "placement.load": "0",
			"placement.hosts": "server on services; load on load"},
		"":             {},
		"services 0-1": {"placement.services": "0-1"},
		"load 3":       {"placement.load": "3"},
	} {
		assert.Equal(t, coresLine([]*record.Record{{Facts: facts}}), want)
	}
}
