package machine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
)

func TestSettle(t *testing.T) {
	quiet := Noise{Jitter: time.Millisecond, Foreign: 0.1}
	busy, unknown := quiet, quiet
	busy.Foreign, unknown.Foreign = 0.5, -1
	for _, tt := range []struct {
		name      string
		noise     func(waited time.Duration) Noise
		disturbed bool
		longest   time.Duration
		want      record.Before
	}{
		{"at rest", func(time.Duration) Noise { return quiet }, false, 0,
			record.Before{Settled: true, Jitter: 0.001, Foreign: 0.1}},
		{"others that end", func(waited time.Duration) Noise {
			if waited < time.Second {
				return busy
			}
			return quiet
		}, false, 0, record.Before{Waited: 1, Settled: true, Jitter: 0.001, Foreign: 0.1}},
		{"others that do not end", func(time.Duration) Noise { return busy }, false, 0,
			record.Before{Waited: 3, Jitter: 0.001, Foreign: 0.5}},
		{"after a disturbed repetition", func(time.Duration) Noise { return busy }, true, 0,
			record.Before{Waited: 30, Jitter: 0.001, Foreign: 0.5}},
		{"for a moment at most", func(time.Duration) Noise { return busy }, true, 100 * time.Millisecond,
			record.Before{Waited: 0.1, Jitter: 0.001, Foreign: 0.5}},
		{"unknown", func(time.Duration) Noise { return unknown }, false, 0,
			record.Before{Settled: true, Jitter: 0.001, Foreign: -1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				s := &Settler{Longest: tt.longest, Noise: func(context.Context) Noise { return tt.noise(time.Since(began)) }}
				got := must.Get(s.Settle(t.Context(), tt.disturbed, &Machine{}))
				assert.Equal(t, *got, tt.want)
			})
		})
	}
}

// All waits together are limited to a share of the run's time.
func TestSettleAllWaits(t *testing.T) {
	for disturbed, most := range map[bool]time.Duration{false: longestWait, true: longestAfter} {
		synctest.Test(t, func(t *testing.T) {
			s := &Settler{Noise: func(context.Context) Noise { return Noise{Foreign: 1} }}
			const repetitions, window = 60, 10 * time.Second
			waited, began := time.Duration(0), time.Now()
			for range repetitions {
				before := must.Get(s.Settle(t.Context(), disturbed, &Machine{}))
				waited += time.Duration(before.Waited * float64(time.Second))
				time.Sleep(window)
			}
			bound := most + time.Duration(waitShare*float64(time.Since(began))) + repetitions*settlePause
			if waited < most || waited > bound {
				t.Errorf("disturbed %v: waited %v of %v, want %v to %v", disturbed, waited, time.Since(began), most, bound)
			}
		})
	}
}

func TestSettleInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &Settler{Noise: func(context.Context) Noise { cancel(); return Noise{Foreign: 1} }}
	_, err := s.Settle(ctx, false, &Machine{})
	assert.Is(t, err, context.Canceled)
}
