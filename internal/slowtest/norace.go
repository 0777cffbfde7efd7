//go:build !race

package slowtest

// RaceDetector reports whether the race detector is on.
const RaceDetector = false
