//go:build !linux

package observe

// Systems without Linux's files tell nothing of other programs.

func readNeighbours() neighbours { return neighbours{} }

func inContainer(int) bool { return true }
