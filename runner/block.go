package runner

import (
	"context"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// A block is the services of a trial that stay up from one of its repetitions to the next.
//
// Source: docs/experiment.md#blocks.
type block struct {
	trial    string // its name
	space    engine.Space
	services []*spec.Service
	running  []engine.Running
	began    time.Time
}

// enter gives the space of a repetition, with the services that an earlier one has left up; nil if they have to be
// started.
func (b *bench) enter(ctx context.Context, t *plan.Trial) (engine.Space, *block, error) {
	if up := b.up; up != nil {
		if up.trial == t.Name && allRun(ctx, up.running) {
			return up.space, up, nil
		}
		if err := b.endBlock(ctx); err != nil {
			return nil, nil, err
		}
	}
	space, err := b.open(ctx)
	return space, nil, err
}

// endBlock takes down the services that stayed up, if there are any.
func (b *bench) endBlock(ctx context.Context) error {
	up := b.up
	if up == nil {
		return nil
	}
	b.up = nil
	return engine.CloseSpace(ctx, up.space, longestStop(up.services))
}

// isUp reports whether services of a trial have stayed up.
func (b *bench) isUp(t *plan.Trial) bool { return b.up != nil && b.up.trial == t.Name }

// allRun reports whether none of the services that were to go on has ended, as far as can be found out.
func allRun(ctx context.Context, running []engine.Running) bool {
	for _, s := range stillRunning(running) {
		if _, ended, err := s.Ended(ctx); ended || err != nil {
			return false
		}
	}
	return true
}

// isClean reports whether nothing of a repetition can reach into the next one on the same services, as far as is known:
// a server may still be at work for a request whose answer nobody waits for any more.
func isClean(m *load.Measurement) bool {
	return m.Failure == "" && !m.GivenUp && (m.Load == nil || m.Load.Failed <= 0)
}

// startedFact says from which start of services a repetition is, if others may share it.
func (b *bench) startedFact(rec *record.Record, began time.Time) {
	if b.experiment.Blocks {
		rec.Facts[record.FactStart] = began.Format(startFormat)
	}
}

// startFormat is how facts tell one start of services from another.
const startFormat = "2006-01-02T15:04:05.000Z"
