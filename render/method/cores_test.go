package method

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
)

// What has all CPUs of its machine has none that are worth naming.
func TestCoresLine(t *testing.T) {
	for _, tt := range []struct{ services, load, hosts, want string }{
		{"0-2", "3", "", "services 0-2, load 3"},
		{"0", "0", "", "services and load share 0"},
		{"0", "0", "server on services; load on load", "services 0, load 0"},
		{"", "", "", ""},
		{"0-1", "", "", "services 0-1"},
		{"", "3", "", "load 3"},
	} {
		facts := map[string]string{}
		if tt.services != "" {
			facts["placement.services"] = tt.services
		}
		if tt.load != "" {
			facts["placement.load"] = tt.load
		}
		if tt.hosts != "" {
			facts["placement.hosts"] = tt.hosts
		}
		assert.Equal(t, coresLine([]*record.Record{{Facts: facts}}), tt.want,
			"services on %q and load on %q", tt.services, tt.load)
	}
}
