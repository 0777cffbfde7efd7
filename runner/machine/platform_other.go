//go:build !linux

package machine

import (
	"context"
	"errors"
	"time"
)

// MeasureNoise measures nothing.
func MeasureNoise(context.Context) Noise { return Noise{Foreign: -1} }

// TakeFingerprint measures nothing.
func TakeFingerprint(context.Context) (Fingerprint, error) { return Fingerprint{}, nil }

// ThreadTime is unknown.
func ThreadTime() time.Duration { return -1 }

func processTime() time.Duration { return 0 }

// CanDropCaches returns an error: only Linux can.
func CanDropCaches() error { return errors.New("only Linux can do that") }

// DropCaches does nothing.
func DropCaches() error { return CanDropCaches() }
