package machine

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// What MeasureNoise does, in about 30 ms.
const (
	noiseTimers = 20               // timers that it waits for
	noiseTimer  = time.Millisecond // the length of each: a tick of many kernels
	noiseSpins  = 20               // equal computations on each CPU
	spinSteps   = 200_000          // of one computation: a fifth of a millisecond
)

// MeasureNoise waits for some timers while it counts the threads of others that want a CPU, and then computes the same
// several times on all CPUs that this process may use, at once. It takes about 30 ms.
func MeasureNoise(ctx context.Context) Noise {
	noise := Noise{Foreign: -1}
	if ctx.Err() != nil {
		return noise
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		noise.Jitter, noise.Foreign = timers()
	}()
	<-done
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return noise
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, cpu := range onlineCPUs("/") {
		if !allowed.IsSet(cpu) {
			continue
		}
		all.Go(func() {
			runtime.LockOSThread() // until the goroutine ends, and the thread with it: it belongs to one CPU from here on
			var one unix.CPUSet
			one.Set(cpu)
			if unix.SchedSetaffinity(0, &one) != nil {
				return
			}
			spread := spins()
			mu.Lock()
			noise.Spin = max(noise.Spin, spread)
			mu.Unlock()
		})
	}
	all.Wait()
	return noise
}

// timers returns how late the latest of some timers was, and the share of the CPUs that threads of others wanted when
// they fired, -1 if unknown.
func timers() (latest time.Duration, foreign float64) {
	sum, known := 0, true
	for range noiseTimers {
		wait := unix.NsecToTimespec(noiseTimer.Nanoseconds())
		began := time.Now()
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil) // a signal makes it early, not late
		latest = max(latest, time.Since(began)-noiseTimer)
		n, ok := runnable()
		sum, known = sum+n, known && ok
	}
	if !known {
		return latest, -1
	}
	return latest, min(1, float64(sum)/noiseTimers/float64(len(onlineCPUs("/"))))
}

// runnable returns how many threads of the whole machine want a CPU or have one, besides the calling thread.
//
// Source: proc_loadavg(5).
func runnable() (int, bool) {
	data, err := os.ReadFile("/proc/loadavg")
	fields := bytes.Fields(data) // 0.20 0.18 0.12 1/80 11206
	if err != nil || len(fields) < 4 {
		return 0, false
	}
	running, _, _ := bytes.Cut(fields[3], []byte("/"))
	n, err := strconv.Atoi(string(running))
	return max(0, n-1), err == nil
}

// spins computes the same several times, and returns the share by which the slow ones took longer than the quick ones.
// The slowest two of twenty do not count: a rare interrupt disturbs no measurement of seconds.
func spins() float64 {
	took := make([]time.Duration, noiseSpins)
	x := uint64(1)
	for i := range took {
		began := time.Now()
		for range spinSteps {
			x = x*6364136223846793005 + 1442695040888963407
		}
		took[i] = time.Since(began)
	}
	runtime.KeepAlive(x)
	slices.Sort(took)
	quick, slow := took[noiseSpins/10], took[noiseSpins-1-noiseSpins/10]
	return slow.Seconds()/quick.Seconds() - 1
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
