//go:build !race

package slowtest

// RaceDetector says that the race detector is on.
const RaceDetector = false
