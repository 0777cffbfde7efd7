package machine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	fingerprintRounds = 5                     // the median counts
	fingerprintSlice  = 50 * time.Millisecond // for each of the four in a round
)

// TakeFingerprint measures the machine for a second. It ends early with the error of ctx.
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

// rate is how much once does in a second.
func rate(once func() float64) float64 {
	done, began := 0.0, time.Now()
	for time.Since(began) < fingerprintSlice {
		done += once()
	}
	return done / time.Since(began).Seconds()
}

var integerResult uint64 // so that the loop is not left out

// integerWork runs a xorshift generator.
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

// close ends the other thread, which closes its ends.
func (s *switcher) close() {
	_ = unix.Close(s.there[1])
	_ = unix.Close(s.back[0])
}
