package kernel

import "testing"

func TestLimits(t *testing.T) {
	if own := Limits("/"); own["somaxconn"] == "" {
		t.Errorf("got %v", own)
	}
}
