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

// LockFolder is where the runs of a machine find each other's locks. It is not TMPDIR, which may differ between users.
const LockFolder = "/tmp"

// lockEvery is how often a waiting run tries the lock again.
const lockEvery = 100 * time.Millisecond

// patience is how long a run waits for a lock that another user may hold. Any user can hold the file of all users, so it
// must not stop runs; checks of each repetition find out when somebody measures beside it.
var patience = 10 * time.Minute

// Holder is the run that has a lock.
type Holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
	Doing string    `json:"doing"` // such as "measuring async-101 in profile quick"
	Owner string    `json:"owner"` // as engine.Owner returns it: the PID alone may be another process's later
}

// BusyError reports that another run has the machine.
type BusyError struct {
	Holder *Holder       // nil where it is unknown, as for another user's process
	Limit  time.Duration // how long it is waited for; 0: until it ends
}

func (e *BusyError) Error() string {
	who := "another benchbook is using this machine"
	if e.Holder != nil {
		who = fmt.Sprintf("%s: process %d has been %s since %s", who, e.Holder.PID, e.Holder.Doing,
			e.Holder.Since.Local().Format("15:04:05 on 2 January"))
	}
	if e.Limit > 0 {
		who += fmt.Sprintf(" (perhaps for another user; it is given %s)", e.Limit)
	}
	return who
}

// Lock takes the machine h, so that no two runs measure on it at the same time. doing says what for, as in Holder. Locks
// are files in dir: one of the user, which no other user can open, and one of all users.
//
// While another run has one of them Lock calls waiting once and waits, for another user's run at most patience. If
// waiting is nil, it returns a *BusyError instead. It ends with the context's error. The locks end with the process at
// the latest.
func Lock(ctx context.Context, h sysinfo.Host, dir, doing string, waiting func(*BusyError)) (unlock func(), err error) {
	user := fmt.Sprintf("benchbook-%s-%d.lock", h.ID, os.Getuid())
	own, err := take(ctx, filepath.Join(dir, user), 0o600, doing, waiting, 0)
	if err != nil {
		return nil, err
	}
	shared, err := take(ctx, filepath.Join(dir, "benchbook-"+h.ID+".lock"), 0o644, doing, waiting, patience)
	if err != nil {
		own()
		return nil, err
	}
	return func() { shared(); own() }, nil
}

// take takes one lock. Without a limit only a file of this user counts. A file that cannot be opened or locked, as
// somebody may have planted one, is left alone.
func take(ctx context.Context, path string, mode os.FileMode, doing string, waiting func(*BusyError),
	limit time.Duration) (unlock func(), err error) {
	unlock = func() {}
	file, err := openLock(path, mode)
	if err != nil || limit == 0 && !isOurs(file) {
		if err == nil {
			_ = file.Close()
		}
		return unlock, nil
	}
	began := time.Now()
	for tries := 1; ; tries++ {
		taken, err := tryLock(file)
		if err != nil || limit > 0 && time.Since(began) > limit {
			_ = file.Close()
			return unlock, nil
		}
		if taken {
			sayHolder(path, Holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second), Doing: doing,
				Owner: engine.Owner()})
			return func() { _ = file.Close() }, nil
		}
		if tries == 2 { // the first may have met a run that is only looking, or has not written who it is
			busy := &BusyError{readHolder(file), limit}
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

// maxHolder is how much of a lock's file is read, in bytes: any user may have made it.
const maxHolder = 4 << 10

// sayHolder writes the holder into the file of a lock. A file of another user stays as it is.
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
		_, _ = file.Write(data) // a torn line names nobody
	}
}

// readHolder returns who has a lock, or nil if the file names no process that is alive.
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

// openLock opens or makes the file of a lock. It is opened for reading, so that all who may read it can share it.
func openLock(path string, mode os.FileMode) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if os.IsNotExist(err) {
		if file, err = os.OpenFile(path, os.O_RDONLY|os.O_CREATE|openFlags, mode); err == nil {
			_ = file.Chmod(mode) // whatever our umask is; fails for a file that another user has just made
		}
	}
	return file, err
}

// isOurs reports whether a file belongs to this user, and others cannot open it.
func isOurs(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// openFlags keep us from following or waiting for what another user put in the place of the file.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// tryLock takes the lock of a file, if no other process has it.
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
