//go:build race

package slowtest

// RaceDetector reports whether the race detector is on, which makes code many times slower.
const RaceDetector = true
