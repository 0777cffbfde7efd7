//go:build !linux

package observe

// readNeighbours reads nothing: what others use is not known there either.
func readNeighbours() neighbours { return neighbours{} }

func inContainer(int) bool { return true }
