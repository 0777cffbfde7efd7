package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Exit statuses of the command. Statuses lists them for --help; docs/command.md has the same table.
const (
	StatusDone        = 0
	StatusFailed      = 1
	StatusUsage       = 2
	StatusGate        = 99
	StatusInterrupted = 130 // what shells report for a command that Ctrl-C ended
)

// Statuses are all exit statuses with their meanings.
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

// precedence orders statuses: of several errors of one command, the first status here is the one reported.
var precedence = []int{StatusUsage, StatusInterrupted, StatusFailed, StatusGate}

// A StatusError ends the command with a status. Err is nil if its message has been printed already.
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

// Failure ends the command with StatusFailed; err may be nil.
func Failure(err error) error { return WithStatus(StatusFailed, err) }

// UsageError ends the command with StatusUsage.
func UsageError(err error) error { return WithStatus(StatusUsage, err) }

// Worse returns the error whose status takes precedence.
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

// Interrupted is Failure, or StatusInterrupted if ctx has ended.
func Interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return WithStatus(StatusInterrupted, errors.New("interrupted"))
	}
	return Failure(err)
}
