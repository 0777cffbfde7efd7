package observe

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of the calling thread, or -1 where the system does not tell.
func threadTime() time.Duration { return usedBy(unix.RUSAGE_THREAD, -1) }

// processTime is the processor time of this process, or 0 where the system does not tell.
func processTime() time.Duration { return usedBy(unix.RUSAGE_SELF, 0) }

func usedBy(who int, unknown time.Duration) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(who, &usage); err != nil {
		return unknown
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
