package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// NotReadyError means that a service exited or timed out before it was ready. It is a result about the service, not an
// engine failure.
type NotReadyError struct {
	Service string
	After   time.Duration // waiting time; 0 if the service exited
	Reason  error
	Log     []byte // the end of the service's log
}

func (e *NotReadyError) Error() string {
	after := ""
	if e.After > 0 {
		unit := 10 * time.Millisecond
		if e.After >= time.Second {
			unit = time.Second
		}
		after = " after " + e.After.Round(unit).String()
		if strings.HasSuffix(after, "m0s") {
			after = strings.TrimSuffix(after, "0s")
		}
	}
	return fmt.Sprintf("service %q was not ready%s: %v", e.Service, after, e.Reason)
}

func (e *NotReadyError) Unwrap() error { return e.Reason }

// RejectedError means that a container cannot be started as requested: its image lacks the program or user, or the
// engine does not accept a value. It is a result about the request, not an engine failure.
type RejectedError struct {
	Name string // of the service
	Err  error
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("%q could not be started: %v", e.Name, e.Err)
}

func (e *RejectedError) Unwrap() error { return e.Err }

// Refuse returns a *RejectedError with a formatted reason.
func Refuse(name, format string, args ...any) error {
	return &RejectedError{Name: name, Err: fmt.Errorf(format, args...)}
}

// startError turns the reason why a service could not be started into the error of Space.Start.
func startError(ctx context.Context, service string, err error) error {
	var notReady *NotReadyError
	var rejected *RejectedError
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &rejected):
		return rejected
	case errors.As(err, &notReady):
		return notReady
	}
	return fmt.Errorf("starting service %q: %w", service, err)
}

// BuildError means that an image could not be built, for example because of a mistake in its Dockerfile.
type BuildError struct {
	For  string
	Line int    // line of the Dockerfile, counted from 1; 0 if unknown
	Tail string // last lines of the builder's output
	Err  error
}

func (e *BuildError) Error() string { return "building the image of " + e.For + ": " + e.Err.Error() }

func (e *BuildError) Unwrap() error { return e.Err }

// ImageError means that an image is not available: misspelt, out of reach, or of a kind that the engine does not
// support.
type ImageError struct {
	Reference string // the image's purpose if it has no name
	Err       error  // names the image
	WayOut    string
}

func (e *ImageError) Error() string {
	if e.WayOut == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + ": " + e.WayOut
}

func (e *ImageError) Unwrap() error { return e.Err }

// LeftError means that containers could not be removed, so nothing more can be measured.
type LeftError struct{ Err error }

func (e *LeftError) Error() string { return "containers could not be removed: " + e.Err.Error() }

func (e *LeftError) Unwrap() error { return e.Err }

// BusyError means that another run is using the engine.
type BusyError struct {
	Doing string    // what that run is doing, such as "measuring X"; empty if unknown
	Since time.Time // in the engine's clock
}

func (e *BusyError) Error() string {
	if e.Doing == "" {
		return "another benchbook is using this machine"
	}
	return fmt.Sprintf("another benchbook is using this machine: it has been %s since %s", e.Doing,
		e.Since.Local().Format("15:04:05 on 2 January"))
}
