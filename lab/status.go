package lab

import (
	"context"
	"errors"
	"fmt"
)

// Exit statuses of docs/command.md#exit-statuses. Earlier ones take precedence.
const (
	StatusUsage        = 2
	StatusProblems     = 104
	StatusInterrupted  = 105
	StatusFailed       = 1
	StatusContradicted = 99  // with --claims: a claim is
	StatusInvalid      = 110 // with --claims: a claim rests on a number that is not valid
)

// A StatusError ends the command with a status. Its text has not been printed yet; it may be empty.
type StatusError struct {
	Status int
	Err    error
}

func (e *StatusError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("status %d", e.Status)
	}
	return e.Err.Error()
}

func (e *StatusError) Unwrap() error { return e.Err }

// WithStatus ends the command with a status; err may be nil.
func WithStatus(status int, err error) error { return &StatusError{Status: status, Err: err} }

// Failure returns an error with StatusFailed.
func Failure(err error) error { return WithStatus(StatusFailed, err) }

// UsageError returns an error with StatusUsage.
func UsageError(err error) error { return WithStatus(StatusUsage, err) }

// Worse returns the error whose status takes precedence.
func Worse(a, b error) error {
	order := []int{StatusUsage, StatusProblems, StatusInterrupted, StatusFailed, StatusContradicted, StatusInvalid}
	for _, status := range order {
		for _, err := range []error{a, b} {
			if s, ok := errors.AsType[*StatusError](err); ok && s.Status == status {
				return err
			}
		}
	}
	if a != nil {
		return a
	}
	return b
}

// Interrupted returns an error with StatusInterrupted if ctx is done, else Failure(err).
func Interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return WithStatus(StatusInterrupted, errors.New("interrupted"))
	}
	return Failure(err)
}
