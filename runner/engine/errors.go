package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// NotReadyError is a service that ended, or whose time ran out, before it was ready: a result about the service, and
// not a fault of the engine.
type NotReadyError struct {
	Service string
	After   time.Duration // how long it was waited for; 0 if it ended
	Reason  error
	Log     []byte // the end of what it wrote
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

// RejectedError is a container that the engine would not start as requested: a program or user that its image does not
// have, a value that it does not take. That is a result about the request, and not a fault of the engine.
type RejectedError struct {
	Name string // of the service
	Err  error
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("%q could not be started: %v", e.Name, e.Err)
}

func (e *RejectedError) Unwrap() error { return e.Err }

// Refuse returns a *RejectedError with why a container cannot be started as requested.
func Refuse(name, format string, args ...any) error {
	return &RejectedError{Name: name, Err: fmt.Errorf(format, args...)}
}

// startError is the error of Space.Start, given why a service could not be started.
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

// BuildError is an image that could not be built: a mistake in a Dockerfile, a package that is not there.
type BuildError struct {
	For  string
	Line int    // of the Dockerfile, counted from 1; 0 if unknown
	Tail string // the builder's last lines
	Err  error
}

func (e *BuildError) Error() string { return "building the image of " + e.For + ": " + e.Err.Error() }

func (e *BuildError) Unwrap() error { return e.Err }

// ImageError is an image that is not here and cannot be brought here: misspelt, out of reach, or of a kind that the
// engine does not have.
type ImageError struct {
	Reference string // or its purpose, if it has no name
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

// LeftError means that containers could not be removed. Nothing can be measured next to them.
type LeftError struct{ Err error }

func (e *LeftError) Error() string { return "containers could not be removed: " + e.Err.Error() }

func (e *LeftError) Unwrap() error { return e.Err }

// BusyError means that another run has the engine.
type BusyError struct {
	Doing string    // what that run measures; empty if unknown
	Since time.Time // by the engine's clock
}

func (e *BusyError) Error() string {
	if e.Doing == "" {
		return "another benchbook is using this machine"
	}
	return fmt.Sprintf("another benchbook is using this machine: it has been %s since %s", e.Doing,
		e.Since.Local().Format("15:04:05 on 2 January"))
}
