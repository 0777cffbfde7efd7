//go:build !linux

package observe

import (
	"context"
	"time"
)

// Systems without Linux's files tell nothing of other programs, noise and the processor time of threads.

func readNeighbours() neighbours { return neighbours{} }

func inContainer(int) bool { return true }

// MeasureNoise knows nothing of machines without Linux.
func MeasureNoise(context.Context) Noise { return Noise{Runnable: -1} }

func writeDirty() {}

func threadTime() time.Duration { return -1 }

func processTime() time.Duration { return 0 }
