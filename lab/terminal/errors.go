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

// ErrorText is the text of an error without the words of libraries in it, which are names of system calls and of types
// of Go.
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

// walk visits an error and all that it wraps.
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

// inPlainWords says what an error of a library says, behind a text that may name the file already. It is empty for any
// other error.
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

// WithWayOut is the text of an error, with what to do about common causes when writing files.
func WithWayOut(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return ErrorText(err) + ": free some space there; benchbook clean --records removes old records"
	}
	return ErrorText(err)
}
