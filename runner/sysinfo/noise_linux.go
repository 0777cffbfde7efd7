package sysinfo

import (
	"context"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// How noise is measured: enough to see what disturbs a machine, in a thirtieth of a second.
const (
	noiseTimers = 20               // of a millisecond each
	noiseTimer  = time.Millisecond // as long as a tick of many kernels
	noiseSpins  = 20               // equal computations on each CPU
	spinSteps   = 200_000          // of one: about a fifth of a millisecond
)

// MeasureNoise waits for some timers and counts who else wants a CPU meanwhile, and then computes the same several
// times on every CPU that this process may use, on all of them at once. It takes about 30 ms.
func MeasureNoise(ctx context.Context) Noise {
	noise := Noise{Runnable: -1}
	if ctx.Err() != nil {
		return noise
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		noise.Jitter, noise.Runnable = timers()
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
			// The thread belongs to one CPU from here on, so it is not given back: it ends with this goroutine.
			runtime.LockOSThread()
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

// timers says how late the latest of some timers of the kernel was, and how many threads wanted a CPU when they went
// off.
func timers() (latest time.Duration, wanted float64) {
	file, err := os.Open("/proc/loadavg")
	if err == nil {
		defer file.Close()
	}
	wanted = -1
	sum, known := 0, err == nil
	for range noiseTimers {
		wait := unix.NsecToTimespec(noiseTimer.Nanoseconds())
		began := time.Now()
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil) // one that a signal interrupts is not late
		latest = max(latest, time.Since(began)-noiseTimer)
		if known {
			n := runnable(file)
			known = n >= 0
			sum += n
		}
	}
	if known {
		wanted = float64(sum) / noiseTimers
	}
	return latest, wanted
}

// spins computes the same again and again, and says by which share the slow ones took longer than the quick ones. The
// slowest two of twenty are left out: an interrupt now and then disturbs nobody who measures for seconds.
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

// writeDirty asks for everything to be written to disks.
func writeDirty() { unix.Sync() }

// ThreadTime is the processor time of the calling thread, or -1 where the system does not tell.
func ThreadTime() time.Duration { return usedBy(unix.RUSAGE_THREAD, -1) }

// processTime is the processor time of this process, or 0 where the system does not tell.
func processTime() time.Duration { return usedBy(unix.RUSAGE_SELF, 0) }

func usedBy(who int, unknown time.Duration) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(who, &usage); err != nil {
		return unknown
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
