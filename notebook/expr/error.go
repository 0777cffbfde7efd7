package expr

import (
	"errors"
	"fmt"
)

// Span is a half-open range of byte offsets in the source text of an expression, a template or an inline value.
type Span struct{ Start, End int }

// Pos returns s itself. Nodes and Matches get it from the Span they embed.
func (s Span) Pos() Span { return s }

// Error is a mistake in an expression.
type Error struct {
	Span Span
	Msg  string // in lower case and without a full stop
	Hint string // how to fix it, or empty
	Err  error  // the cause, such as ErrUnknownName or the error of an Env, or nil
}

// ErrUnknownName is the cause of an Error about an unknown name. Its Span is that of the Selector, so that the caller
// can suggest near misses.
var ErrUnknownName = errors.New("unknown name")

// Error returns the message and the hint, without the place.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Msg
	}
	return e.Msg + ": " + e.Hint
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errorAt returns an Error without hint or cause.
func errorAt(at Span, format string, args ...any) *Error {
	return &Error{Span: at, Msg: fmt.Sprintf(format, args...)}
}

// hint sets how to fix the mistake.
func (e *Error) hint(text string) *Error {
	e.Hint = text
	return e
}

// placed gives an error the place of a node. An *Error keeps its own place, unless it is wrapped: then that is in
// another source, such as a named value.
func placed(at Span, err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{Span: at, Msg: err.Error(), Err: err}
}

// fail ends parsing at any depth; catch, deferred by the function that began it, returns the error.
func fail(at Span, msg, hint string) {
	panic(&Error{Span: at, Msg: msg, Hint: hint})
}

func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}

// MessageOf returns the text of an error without the hint of an *Error, which is for authors, not readers.
func MessageOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Msg
	}
	return err.Error()
}
