package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Exit statuses of the command. docs/command.md has a table of them.
const (
	StatusDone        = 0
	StatusFailed      = 1
	StatusUsage       = 2
	StatusGate        = 99
	StatusInterrupted = 130 // what shells report for a command that Ctrl-C ended
)

// Statuses lists all exit statuses with their meanings, for --help.
var Statuses = []struct {
	Status  int
	Meaning string
}{
	{StatusDone, "done"},
	{StatusFailed, "something failed"},
	{StatusUsage, "wrong usage, or nothing that bench or compare could judge"},
	{StatusGate, "a claim (--claims) or a condition (--fail-on) failed"},
	{StatusInterrupted, "interrupted (Ctrl-C, TERM or HUP)"},
}

// precedence decides which status is reported if a command has several errors: the first in this list.
var precedence = []int{StatusUsage, StatusInterrupted, StatusFailed, StatusGate}

// A StatusError ends the command with an exit status. Err is nil if the message has been printed already.
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

// WithStatus returns an error that ends the command with a status; err may be nil.
func WithStatus(status int, err error) error { return &StatusError{Status: status, Err: err} }

// Failure returns an error with StatusFailed; err may be nil.
func Failure(err error) error { return WithStatus(StatusFailed, err) }

// UsageError returns an error with StatusUsage.
func UsageError(err error) error { return WithStatus(StatusUsage, err) }

// Worse returns the error whose status takes precedence; either may be nil.
func Worse(a, b error) error {
	for _, status := range precedence {
		for _, err := range []error{a, b} {
			if s, ok := errors.AsType[*StatusError](err); ok && s.Status == status {
				return err
			}
		}
	}
	return cmp.Or(a, b)
}

// Interrupted returns an error with StatusInterrupted if ctx has ended, else Failure(err).
func Interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return WithStatus(StatusInterrupted, errors.New("interrupted"))
	}
	return Failure(err)
}
