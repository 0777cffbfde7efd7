//go:build !linux

package machine

import (
	"context"
	"errors"
	"time"
)

// MeasureNoise returns an unknown noise.
func MeasureNoise(context.Context) Noise { return Noise{Foreign: -1} }

// TakeFingerprint returns the zero Fingerprint.
func TakeFingerprint(context.Context) (Fingerprint, error) { return Fingerprint{}, nil }

// ThreadTime returns -1, unknown.
func ThreadTime() time.Duration { return -1 }

func processTime() time.Duration { return 0 }

// CanDropCaches returns an error, because only Linux can drop caches.
func CanDropCaches() error { return errors.New("only Linux can do that") }

// DropCaches returns the error of CanDropCaches.
func DropCaches() error { return CanDropCaches() }
