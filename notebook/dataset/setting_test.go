package dataset

import "testing"

func TestSetting(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"workers", "4", "4 workers"}, {"trips", "1", "1 trip"}, {"processes", "1", "1 process"},
		{"queries", "1", "1 query"}, {"pool", "10", "pool = 10"}, {"change", "none", "change = none"},
		{"status", "1", "status = 1"}, {"share", "60%", "share = 60%"}, {"workers", "2.5", "workers = 2.5"},
		{"clients", "", "clients = "},
	} {
		if got := Setting(tt.name, tt.value); got != tt.want {
			t.Errorf("Setting(%q, %q) = %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}
