//go:build !linux

package machine

import (
	"context"
	"time"
)

// MeasureNoise measures nothing.
func MeasureNoise(context.Context) Noise { return Noise{Foreign: -1} }

// ThreadTime is unknown.
func ThreadTime() time.Duration { return -1 }

func processTime() time.Duration { return 0 }
