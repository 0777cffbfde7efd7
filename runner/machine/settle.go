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

// Noise is how busy a machine is, and how well it keeps time, while nothing of ours runs.
type Noise struct {
	Jitter  time.Duration // how late the latest of some timers of a millisecond was
	Foreign float64       // share of the CPUs that threads of others wanted, the mean; -1 unknown
}

// A Settler lets machines come to rest before each repetition of a run. The zero value measures noise by MeasureNoise.
// It is used by one run at a time.
type Settler struct {
	Noise   func(context.Context) Noise // of this machine; nil: MeasureNoise
	Longest time.Duration               // bounds each wait further; 0: no further bound

	began  time.Time     // the first repetition
	waited time.Duration // since then
}

// Bounds of waiting: most machines need none, and services start with fresh ports and files. Others that have just
// disturbed a repetition are likely to disturb the next one too, which takes longer than a wait.
const (
	longestWait  = 3 * time.Second  // before a repetition
	longestAfter = 30 * time.Second // before one that follows a disturbed one
	waitShare    = 0.05             // of the time since the first repetition, for all waits together, besides one wait
	restForeign  = 0.12             // share of the CPUs that others may want; docs/validity.md#checks has it for the window
	settlePause  = 20 * time.Millisecond
)

// Settle waits until the machines are at rest, for a few seconds at most, and returns what the most restless one is
// like. It waits longer if one of them disturbed the repetition before. The error is the context's, or says that another
// machine cannot be asked.
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

// settle measures the noise of this machine until it is at rest, or longest has passed.
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
