package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/sysinfo"
)

// LockFolder is where runs of a machine find each other's lock. It is not the TMPDIR of any of them: whoever has
// another one, as another user may, measures on the same machine.
const LockFolder = "/tmp"

// lockEvery is how often a run that waits for another one looks whether it has ended.
const lockEvery = 100 * time.Millisecond

// A Holder is who has a machine for itself.
type Holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
	Doing string    `json:"doing"` // behind its name and "has been": "measuring async-101 in profile quick"
	Owner string    `json:"owner"` // as engine.Owner has it: the number of a process alone may soon be another's
}

// BusyError is that somebody else has the machine.
type BusyError struct {
	Holder *Holder // nil where it cannot be told, as of another user's process
}

func (e *BusyError) Error() string {
	if e.Holder == nil {
		return "another benchbook is using this machine"
	}
	return fmt.Sprintf("another benchbook is using this machine: process %d has been %s since %s", e.Holder.PID,
		e.Holder.Doing, e.Holder.Since.Local().Format("15:04:05 on 2 January"))
}

// Lock takes a machine for what is to be done, in words as in Holder.Doing, so that no two measure at the same time, by
// a file in dir that all of them know. While somebody else has it Lock waits, after a call of waiting, until the
// context is done; where waiting is nil it does not, and the error is a *BusyError. The lock ends with the process at
// the latest.
func Lock(ctx context.Context, h sysinfo.Host, dir, doing string, waiting func(*BusyError)) (unlock func(), err error) {
	path := filepath.Join(dir, "benchbook-"+h.ID+".lock")
	file, err := openLock(path)
	if err != nil {
		return nil, fmt.Errorf("making sure that no other run measures on this machine: %w", err)
	}
	for looks := 1; ; looks++ {
		taken, err := tryLock(file)
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("making sure that no other run measures on this machine: %w", err)
		}
		if taken {
			sayHolder(path, Holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second), Doing: doing,
				Owner: engine.Owner()})
			return func() { _ = file.Close() }, nil
		}
		if looks == 2 { // the first may have met somebody who only looks, or who has not said yet who it is
			busy := &BusyError{readHolder(file)}
			if waiting == nil {
				_ = file.Close()
				return nil, busy
			}
			waiting(busy)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(lockEvery):
		}
	}
}

// maxHolder is how much of the file of a lock is read, in bytes: anybody may have made it.
const maxHolder = 4 << 10

// sayHolder writes into the file of a lock who has it. Whoever did not make it may not write to it; then nobody is
// named.
func sayHolder(path string, holder Holder) {
	data, err := json.Marshal(holder)
	if err != nil || len(data) > maxHolder {
		return
	}
	file, err := os.OpenFile(path, os.O_WRONLY|openFlags, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if file.Truncate(0) == nil {
		_, _ = file.Write(data) // who cannot read it whole names nobody
	}
}

// readHolder reads who has a lock, or returns nil: what stands there may be of somebody who has ended.
func readHolder(file *os.File) *Holder {
	data, err := io.ReadAll(io.NewSectionReader(file, 0, maxHolder))
	var holder Holder
	if err != nil || json.Unmarshal(data, &holder) != nil {
		return nil
	}
	if alive, known := engine.OwnerAlive(holder.Owner); !alive || !known {
		return nil
	}
	return &holder
}

// openLock opens the file of a lock, or makes it. It is only read, so that whoever made it shares it with all users.
func openLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if os.IsNotExist(err) {
		if file, err = os.OpenFile(path, os.O_RDONLY|os.O_CREATE|openFlags, 0o644); err == nil {
			// whatever our umask says; of a file that somebody else has just made it is theirs to say
			_ = file.Chmod(0o644)
		}
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
