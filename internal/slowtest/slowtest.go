// Package slowtest leaves out tests: where they are to be quick, those that take half a second or more, and elsewhere
// those for which something is missing.
package slowtest

import (
	"os"
	"strings"
	"testing"
)

// Run says whether slow tests are run: without -short, and with the race detector, which CI runs with -short in order
// to leave out containers and browsers.
func Run() bool { return !testing.Short() || RaceDetector }

// Skip leaves out a test where slow ones are not run.
func Skip(t testing.TB) {
	t.Helper()
	if !Run() {
		t.Skip("takes long: leave out -short, or add -race")
	}
}

// SkipSequential leaves out a test where slow ones are not run, and with the race detector and -short: it takes long in
// one goroutine, or begins none that quicker tests of its package do not begin in the same way.
func SkipSequential(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long, and is nothing for the race detector: leave out -short")
	}
}

// Missing leaves out a test for which something is missing, as an error says, or fails it where the variable
// BENCHBOOK_TEST_REQUIRE names that. Without an error nothing is missing.
func Missing(t testing.TB, what, how string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), what) {
		t.Fatalf("BENCHBOOK_TEST_REQUIRE asks for %s: %v", what, err)
	}
	t.Skipf("there is no %s: %s (%v)", what, how, err)
}
