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

// An output is standard output. It remembers the first write that failed and drops all later text, so no verb has to
// check its writes: the command says at its end that text was lost.
type output struct {
	w io.Writer
	// failed is why text was lost; nil if all was written. It has no lock: an interrupted command ends while a write still
	// waits.
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

// lost is the error of a command whose text could not be written. It is nil where the reader has closed the pipe, as
// head does: it has all that it wants.
func (o *output) lost() error {
	failed := o.failed.Load()
	if failed == nil || errors.Is(*failed, syscall.EPIPE) {
		return nil
	}
	cause := *failed
	if path, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = path.Err
	}
	return lab.Failure(fmt.Errorf("writing output: %v", cause)) // not wrapped: gc makes no room where output goes
}

// surviveClosedPipes makes a write to a pipe without a reader an error. The signal would otherwise end us in the middle
// of a run, before its containers are removed. It is caught and not ignored, since programs that we start would ignore
// it too.
func surviveClosedPipes() (stop func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGPIPE)
	return func() { signal.Stop(caught) }
}
