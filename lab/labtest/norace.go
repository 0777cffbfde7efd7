//go:build !race

package labtest

// RaceDetector says that the race detector is on.
const RaceDetector = false
