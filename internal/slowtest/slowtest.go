// Package slowtest skips tests: with -short those that take half a second or more, and everywhere those that need
// something which is missing.
package slowtest

import (
	"os"
	"strings"
	"testing"
)

// Run reports whether slow tests run: without -short, or with the race detector. CI combines the two to leave out
// containers and browsers only.
func Run() bool { return !testing.Short() || RaceDetector }

// Skip skips a test unless slow tests run.
func Skip(t testing.TB) {
	t.Helper()
	if !Run() {
		t.Skip("takes long: leave out -short, or add -race")
	}
}

// SkipSequential skips a slow test with -short, even with the race detector: the test has a single goroutine, or none
// that quicker tests of its package do not start too.
func SkipSequential(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long, and is nothing for the race detector: leave out -short")
	}
}

// Missing skips a test that needs what if err says that it is missing. If the variable BENCHBOOK_TEST_REQUIRE names
// what, the test fails instead. how says how to provide it.
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
