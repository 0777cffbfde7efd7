package machine

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// MeasureNoise waits for twenty timers of a millisecond, and counts the threads of others that want a CPU when they fire.
func MeasureNoise(ctx context.Context) Noise {
	const timers, length = 20, time.Millisecond // a tick of many kernels
	noise := Noise{Foreign: -1}
	if ctx.Err() != nil {
		return noise
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	file, err := os.Open("/proc/loadavg")
	if err == nil {
		defer file.Close()
	}
	sum, known := 0, err == nil
	for range timers {
		wait := unix.NsecToTimespec(length.Nanoseconds())
		began := time.Now()
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil) // a signal makes it early, not late
		noise.Jitter = max(noise.Jitter, time.Since(began)-length)
		n, ok := runnable(file)
		sum, known = sum+n, known && ok
	}
	if known {
		noise.Foreign = min(1, float64(sum)/timers/float64(len(OnlineCPUs("/"))))
	}
	return noise
}

// runnable reads from /proc/loadavg how many threads of the whole machine want a CPU or have one, besides the calling
// thread. The file stays open: to open it each time makes other threads of this process run.
//
// Source: proc_loadavg(5).
func runnable(loadavg *os.File) (int, bool) {
	var room [128]byte
	length, _ := loadavg.ReadAt(room[:], 0) // it ends before the room does
	fields := bytes.Fields(room[:length])   // 0.20 0.18 0.12 1/80 11206
	if len(fields) < 4 {
		return 0, false
	}
	running, _, _ := bytes.Cut(fields[3], []byte("/"))
	n, err := strconv.Atoi(string(running))
	return max(0, n-1), err == nil
}

// ThreadTime returns the processor time of the calling thread, -1 if unknown.
func ThreadTime() time.Duration { return usedBy(unix.RUSAGE_THREAD, -1) }

// processTime returns the processor time of this process, 0 if unknown.
func processTime() time.Duration { return usedBy(unix.RUSAGE_SELF, 0) }

func usedBy(who int, unknown time.Duration) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(who, &usage); err != nil {
		return unknown
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
