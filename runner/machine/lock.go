package machine

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
)

// LockFolder is the folder for the locks of all runs on a machine. It is not TMPDIR, which may differ between shells.
const LockFolder = "/tmp"

// lockEvery is the interval at which a waiting run retries the lock.
const lockEvery = 100 * time.Millisecond

// Lock locks the machine h, so that no two runs of a user measure on it at the same time. Doing says what for, such as
// "measuring async-101 in profile quick". The lock is a file in dir that other users cannot open; the checks of each
// repetition detect runs of other users.
//
// While another run holds the lock, Lock calls waiting once and waits, or returns an *engine.BusyError if waiting is
// nil. If the context is done, Lock returns its error. The end of the process releases the lock.
func Lock(ctx context.Context, h Host, dir, doing string, waiting func(*engine.BusyError)) (unlock func(), err error) {
	unlock = func() {}
	file, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("benchbook-%s-%d.lock", h.ID, os.Getuid())),
		os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil { // another user's file must not keep us from measuring
		return unlock, nil
	}
	if !isOurs(file) {
		_ = file.Close()
		return unlock, nil
	}
	for tries := 1; ; tries++ {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			holder, err := json.Marshal(engine.BusyError{Doing: fmt.Sprintf("%s (process %d)", doing, os.Getpid()),
				Since: time.Now().UTC().Truncate(time.Second)})
			if err == nil && file.Truncate(0) == nil {
				_, _ = file.WriteAt(holder, 0) // on failure the holder is unknown
			}
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) { // such as no locks on this file system
			_ = file.Close()
			return unlock, nil
		}
		if tries == 2 { // on the first try, the holder may not have written yet what it does
			busy := &engine.BusyError{}
			_ = json.NewDecoder(io.NewSectionReader(file, 0, 4<<10)).Decode(busy) // on failure the holder is unknown
			if waiting == nil {
				_ = file.Close()
				return nil, busy
			}
			waiting(busy)
		}
		if engine.Sleep(ctx, lockEvery) != nil {
			_ = file.Close()
			return nil, ctx.Err()
		}
	}
}

// isOurs reports whether a file belongs to this user and others cannot open it.
func isOurs(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
