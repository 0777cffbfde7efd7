package engine

import (
	"context"
	"time"
)

// LeftError is that containers are still there which should not be. Nothing can be measured beside them.
type LeftError struct{ Err error }

func (e *LeftError) Error() string { return "containers could not be removed: " + e.Err.Error() }

func (e *LeftError) Unwrap() error { return e.Err }

// closeGrace is how long taking down containers may last, beside the time that services get to end.
const closeGrace = 30 * time.Second

// CloseSpace takes a space down, whose services may take as long as stop to end. A cancelled run does not wait for
// them: they are killed, and removed all the same. The error is a *LeftError.
func CloseSpace(ctx context.Context, space Space, stop time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, stop+closeGrace)
	defer cancel()
	if err := space.Close(ctx); err != nil {
		return &LeftError{err}
	}
	return nil
}
