package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"benchbook/notebook/record"
)

// ErrorText returns the text of an error in plain words: without names of system calls and Go types, which errors of
// libraries contain.
func ErrorText(err error) string {
	text := err.Error()
	walk(err, func(part error) {
		said := part.Error()
		at := strings.Index(text, said)
		if words := inPlainWords(part, text[:max(at, 0)]); words != "" && at >= 0 {
			text = text[:at] + words + text[at+len(said):]
		}
	})
	return text
}

// walk visits an error and all errors that it wraps.
func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		walk(err.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, part := range err.Unwrap() {
			walk(part, visit)
		}
	}
}

// inPlainWords rewrites an error of the standard library, without its path if the text before it has that already. For
// all other errors it is empty.
func inPlainWords(err error, before string) string {
	switch err := err.(type) {
	case *fs.PathError:
		if strings.Contains(before, err.Path) {
			return err.Err.Error()
		}
		return err.Path + ": " + err.Err.Error()
	case *os.LinkError:
		return fmt.Sprintf("%s to %s: %v", err.Old, err.New, err.Err)
	case *os.SyscallError:
		return err.Err.Error()
	case *json.SyntaxError, *json.UnmarshalTypeError:
		return record.InvalidJSON(err).Error()
	}
	return ""
}

// WithWayOut returns the text of an error, with a remedy if a disk is full.
func WithWayOut(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return ErrorText(err) + ": free some space there; benchbook clean --records removes old records"
	}
	return ErrorText(err)
}
