package dataset

import "testing"

// Figures, tables and sentences name a cell alike: a value that says nothing by itself stands behind its parameter.
func TestIsName(t *testing.T) {
	for value, want := range map[string]bool{"async": true, "10 threads": true, "1 MB": true, "no limit": true,
		"10": false, "2ms": false, "-1": false, "none": false, "True": false, "off": false, "": false} {
		if got := IsName(value); got != want {
			t.Errorf("IsName(%q) is %v", value, got)
		}
	}
}
