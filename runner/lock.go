package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockEvery is how often a run that waits for another one looks whether it has ended.
const lockEvery = 100 * time.Millisecond

// Lock takes a machine for a run, so that no two measure at the same time, by a file in dir that all of them know. While another run
// has it Lock waits, after a call of waiting, until the context is done. The lock ends with the process at the latest.
func (h Host) Lock(ctx context.Context, dir string, waiting func()) (unlock func(), err error) {
	file, err := openLock(filepath.Join(dir, "benchbook-"+h.ID+".lock"))
	if err != nil {
		return nil, fmt.Errorf("making sure that no other run measures on this machine: %w", err)
	}
	unlock = func() { _ = file.Close() } // nothing was written to it
	for said := false; ; {
		taken, err := tryLock(file)
		if err != nil {
			unlock()
			return nil, fmt.Errorf("making sure that no other run measures on this machine: %w", err)
		}
		if taken {
			return unlock, nil
		}
		if !said {
			said = true
			waiting()
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		case <-time.After(lockEvery):
		}
	}
}

// openLock opens the file of a lock, or makes it. It is only read, so that whoever made it shares it with all users.
func openLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if os.IsNotExist(err) {
		file, err = os.OpenFile(path, os.O_RDONLY|os.O_CREATE|openFlags, 0o644)
	}
	return file, err
}

// openFlags keep us from following or waiting for what somebody else put in the place of the file.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// tryLock takes the lock of a file, if nobody has it.
func tryLock(file *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return err == nil, err
		}
	}
}
