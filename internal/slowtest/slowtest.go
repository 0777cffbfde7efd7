// Package slowtest leaves out, where tests are to be quick, those that take half a second or more.
package slowtest

import "testing"

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
