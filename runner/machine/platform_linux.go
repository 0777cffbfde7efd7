package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// MeasureNoise waits for twenty timers of a millisecond and counts the runnable threads of others each time.
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
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil) // a signal makes it early, never late
		noise.Jitter = max(noise.Jitter, time.Since(began)-length)
		n, ok := runnable(file)
		sum, known = sum+n, known && ok
	}
	if known {
		noise.Foreign = min(1, float64(sum)/timers/float64(len(OnlineCPUs("/"))))
	}
	return noise
}

// runnable reads from /proc/loadavg how many threads of the machine are running or runnable, besides the calling
// thread. The file stays open, because opening it each time would make other threads of this process run.
//
// Source: proc_loadavg(5).
func runnable(loadavg *os.File) (int, bool) {
	var room [128]byte
	length, _ := loadavg.ReadAt(room[:], 0) // io.EOF, as the file is shorter
	fields := bytes.Fields(room[:length])   // 0.20 0.18 0.12 1/80 11206
	if len(fields) < 4 {
		return 0, false
	}
	running, _, _ := bytes.Cut(fields[3], []byte("/"))
	n, err := strconv.Atoi(string(running))
	return max(0, n-1), err == nil
}

// ThreadTime returns the processor time of the calling thread, or -1 if unknown.
func ThreadTime() time.Duration { return usedBy(unix.RUSAGE_THREAD, -1) }

// processTime returns the processor time of this process, or 0 if unknown.
func processTime() time.Duration { return usedBy(unix.RUSAGE_SELF, 0) }

func usedBy(who int, unknown time.Duration) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(who, &usage); err != nil {
		return unknown
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// dropCaches is the file that drops clean pages, directory entries and inodes when 3 is written to it.
const dropCaches = "/proc/sys/vm/drop_caches"

// CanDropCaches returns an error if this process may not drop the page cache of this machine.
func CanDropCaches() error {
	f, err := os.OpenFile(dropCaches, os.O_WRONLY, 0)
	if err == nil {
		err = f.Close()
	}
	return err
}

// DropCaches writes dirty pages and drops the page cache of this machine, so that files are read from disk.
func DropCaches() error {
	unix.Sync()
	if err := os.WriteFile(dropCaches, []byte("3\n"), 0); err != nil {
		return fmt.Errorf("dropping the page cache: %w", err)
	}
	return nil
}

const (
	fingerprintRounds = 5                     // the median of all rounds counts
	fingerprintSlice  = 50 * time.Millisecond // per task and round
)

// TakeFingerprint measures this machine for one second. It returns early with the error of ctx.
func TakeFingerprint(ctx context.Context) (f Fingerprint, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	switcher, err := newSwitcher()
	if err != nil {
		return f, fmt.Errorf("taking the machine's fingerprint: %w", err)
	}
	defer switcher.close()
	from, to := make([]byte, 16<<20), make([]byte, 16<<20)
	for i := range from {
		from[i] = byte(i)
	}
	probes := []struct {
		into *float64
		once func() float64 // one batch of work
	}{
		{&f.Calls, func() float64 {
			for range 1000 {
				_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
			}
			return 1000
		}},
		{&f.Switches, switcher.once},
		{&f.Copied, func() float64 { return float64(copy(to, from)) }},
		{&f.Integer, integerWork},
	}
	rates := make([][]float64, len(probes))
	for range fingerprintRounds {
		for i, p := range probes {
			if err := ctx.Err(); err != nil {
				return Fingerprint{}, err
			}
			rates[i] = append(rates[i], rate(p.once))
		}
	}
	for i, p := range probes {
		slices.Sort(rates[i])
		*p.into = rates[i][fingerprintRounds/2]
	}
	return f, nil
}

// rate returns how much once does per second.
func rate(once func() float64) float64 {
	done, began := 0.0, time.Now()
	for time.Since(began) < fingerprintSlice {
		done += once()
	}
	return done / time.Since(began).Seconds()
}

var integerResult uint64 // keeps the compiler from removing the loop

// integerWork runs a xorshift generator and returns the number of rounds.
func integerWork() float64 {
	const rounds = 10_000
	x := integerResult | 1
	for range rounds {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	integerResult = x
	return rounds
}

// A switcher passes a byte to another thread and waits for it to come back.
type switcher struct{ there, back [2]int }

func newSwitcher() (*switcher, error) {
	s := &switcher{}
	if err := errors.Join(unix.Pipe2(s.there[:], unix.O_CLOEXEC), unix.Pipe2(s.back[:], unix.O_CLOEXEC)); err != nil {
		return nil, err
	}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var b [1]byte
		for {
			if n, err := unix.Read(s.there[0], b[:]); n != 1 || err != nil {
				_ = unix.Close(s.there[0])
				_ = unix.Close(s.back[1])
				return
			}
			_, _ = unix.Write(s.back[1], b[:])
		}
	}()
	return s, nil
}

func (s *switcher) once() float64 {
	var b [1]byte
	_, _ = unix.Write(s.there[1], b[:])
	_, _ = unix.Read(s.back[0], b[:])
	return 2
}

// close stops the other thread, which closes its ends of the pipes.
func (s *switcher) close() {
	_ = unix.Close(s.there[1])
	_ = unix.Close(s.back[0])
}
