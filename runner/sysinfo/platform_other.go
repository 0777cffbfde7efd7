//go:build !linux

package sysinfo

import (
	"context"
	"time"
)

// Systems without Linux's files tell nothing of noise and the processor time of threads.

// MeasureNoise knows nothing of machines without Linux.
func MeasureNoise(context.Context) Noise { return Noise{Runnable: -1} }

func writeDirty() {}

// ThreadTime is not known.
func ThreadTime() time.Duration { return -1 }

func processTime() time.Duration { return 0 }
