package plan_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain collects garbage less often than usual: what tests make is small, and thrown away at once.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
