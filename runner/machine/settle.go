package machine

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"benchbook/notebook/record"
	"benchbook/runner/engine"
)

// Noise is how busy a machine is, and how punctual its timers are, while benchbook runs nothing.
type Noise struct {
	Jitter  time.Duration // largest delay of some timers of a millisecond
	Foreign float64       // mean share of the CPUs that other threads wanted; -1 if unknown
}

// A Settler waits for machines to come to rest before each repetition of a run. The zero value uses MeasureNoise. Only
// one run at a time may use it.
type Settler struct {
	Noise   func(context.Context) Noise // noise of this machine; nil: MeasureNoise
	Longest time.Duration               // additional limit for each wait; 0: none

	began  time.Time     // start of the first repetition
	waited time.Duration // sum of all waits
}

// Limits of waiting. Most machines need no wait. A program that has just disturbed a repetition is likely to disturb
// the next one too, and a lost repetition costs more than a wait.
const (
	longestWait  = 3 * time.Second  // before a repetition
	longestAfter = 30 * time.Second // before a repetition after a disturbed one
	waitShare    = 0.05             // all waits but one, as a share of the time since the first repetition
	restForeign  = 0.12             // share of the CPUs that others may want; for the window see docs/validity.md#checks
	settlePause  = 20 * time.Millisecond
)

// Settle waits until the machines are at rest, or a limit has passed, and returns the worst of their states. Disturbed
// says that the previous repetition was disturbed, which raises the limit. The error is the context's, or means that
// another machine did not answer.
func (s *Settler) Settle(ctx context.Context, disturbed bool, machines ...*Machine) (*record.Before, error) {
	now := time.Now()
	if s.began.IsZero() {
		s.began = now
	}
	longest := longestWait
	if disturbed {
		longest = longestAfter
	}
	longest = min(longest, longest+time.Duration(waitShare*float64(now.Sub(s.began)))-s.waited)
	if s.Longest > 0 {
		longest = min(longest, s.Longest)
	}
	rests, failures := make([]record.Before, len(machines)), make([]error, len(machines))
	var settling sync.WaitGroup
	for i, m := range machines {
		settling.Go(func() { rests[i], failures[i] = m.settle(ctx, s.Noise, max(0, longest)) })
	}
	settling.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	worst := &record.Before{Settled: true}
	for _, r := range rests {
		worst.Waited = max(worst.Waited, r.Waited)
		worst.Settled = worst.Settled && r.Settled
		worst.Jitter = max(worst.Jitter, r.Jitter)
		if r.Foreign < 0 || worst.Foreign < 0 {
			worst.Foreign = -1
		} else {
			worst.Foreign = max(worst.Foreign, r.Foreign)
		}
	}
	s.waited += time.Duration(worst.Waited * float64(time.Second))
	return worst, ctx.Err()
}

// settle measures the noise of this machine until it is at rest or longest has passed.
func settle(ctx context.Context, noise func(context.Context) Noise, longest time.Duration) (r record.Before, err error) {
	if noise == nil {
		noise = MeasureNoise
	}
	began := time.Now()
	for waited := time.Duration(0); ; waited = time.Since(began) {
		n := noise(ctx)
		r = record.Before{Waited: waited.Seconds(), Settled: n.Foreign <= restForeign, Jitter: n.Jitter.Seconds(),
			Foreign: n.Foreign}
		if r.Settled || waited >= longest || engine.Sleep(ctx, settlePause) != nil {
			return r, ctx.Err()
		}
	}
}
