//go:build race

package slowtest

// RaceDetector says that the race detector is on, with which everything takes many times as long.
const RaceDetector = true
