package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"benchbook/lab"
)

// An output is standard output. It remembers the first failed write and drops all later text, so verbs need not check
// their writes: the command reports the error when it ends.
type output struct {
	w io.Writer
	// failed is the error of the first failed write, or nil. It is atomic because an interrupted command may end while a
	// write is still blocked.
	failed atomic.Pointer[error]
}

func (o *output) Write(text []byte) (int, error) {
	if o.failed.Load() == nil {
		if _, err := o.w.Write(text); err != nil {
			o.failed.CompareAndSwap(nil, &err)
		}
	}
	return len(text), nil
}

// lost returns the error of a command whose output could not be written. It is nil if the reader closed the pipe, as
// head does when it has enough.
func (o *output) lost() error {
	failed := o.failed.Load()
	if failed == nil || errors.Is(*failed, syscall.EPIPE) {
		return nil
	}
	cause := *failed
	if path, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = path.Err
	}
	return lab.Failure(fmt.Errorf("writing output: %v", cause)) // not wrapped: a hint about old records would be wrong
}

// surviveClosedPipes makes a write to a pipe without a reader an error. Otherwise SIGPIPE would end the program before
// its containers are removed. The signal is caught rather than ignored, because programs that we start would inherit
// ignoring it.
func surviveClosedPipes() (stop func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGPIPE)
	return func() { signal.Stop(caught) }
}
