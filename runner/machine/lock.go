package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"benchbook/runner/engine"
)

// LockFolder is where the runs of a machine find each other's locks. It is not TMPDIR, which may differ between shells.
const LockFolder = "/tmp"

// lockEvery is how often a waiting run tries the lock again.
const lockEvery = 100 * time.Millisecond

// Lock takes the machine h, so that no two runs of a user measure on it at the same time. doing says what for, such as
// "measuring async-101 in profile quick". The lock is a file in dir that no other user can open; runs of other users are
// found by the checks of each repetition.
//
// While another run has the lock, Lock calls waiting once and waits. If waiting is nil, it returns the *engine.BusyError
// instead. It ends with the context's error. The lock ends with the process at the latest.
func Lock(ctx context.Context, h Host, dir, doing string, waiting func(*engine.BusyError)) (unlock func(), err error) {
	unlock = func() {}
	file, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("benchbook-%s-%d.lock", h.ID, os.Getuid())),
		os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil { // another user put something there, and must not keep us from measuring
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
				_, _ = file.WriteAt(holder, 0) // without it the holder is unknown
			}
			return func() { _ = file.Close() }, nil
		}
		if tries == 2 { // the first try may meet a run that has not written what it does
			busy := &engine.BusyError{}
			_ = json.NewDecoder(io.NewSectionReader(file, 0, 4<<10)).Decode(busy) // else it is unknown
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

// isOurs reports whether a file belongs to this user, and others cannot open it.
func isOurs(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
