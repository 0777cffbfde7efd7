package dataset

import (
	"testing"

	"benchbook/internal/test/assert"
)

func TestSetting(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"workers", "4", "4 workers"}, {"trips", "1", "1 trip"}, {"processes", "1", "1 process"},
		{"queries", "1", "1 query"}, {"pool", "10", "pool = 10"}, {"change", "none", "change = none"},
		{"status", "1", "status = 1"}, {"share", "60%", "share = 60%"}, {"workers", "2.5", "workers = 2.5"},
		{"clients", "", "clients = "}, {"caches", "1", "1 cache"}, {"cookies", "1", "1 cookie"}, {"searches", "1", "1 search"},
		{"series", "1", "series = 1"},
	} {
		assert.Equal(t, Setting(tt.name, tt.value), tt.want, "Setting(%q, %q)", tt.name, tt.value)
	}
}
