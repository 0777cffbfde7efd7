package runner

import (
	"context"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// A block is the services of a trial, which may stay up from one of its repetitions to the next.
//
// Source: docs/experiment.md#blocks.
type block struct {
	trial    string // its name
	space    engine.Space
	services []*spec.Service
	running  []engine.Running
	began    time.Time // zero until they are started
}

// newBlock opens a space for the services of a trial.
func (b *bench) newBlock(ctx context.Context, t *plan.Trial) (*block, error) {
	space, err := b.open(ctx)
	return &block{trial: t.Name, space: space, services: b.fresh(t)}, err
}

// goOn gives the services of a trial that stayed up, nil if there are none. Others are taken down.
func (b *bench) goOn(ctx context.Context, t *plan.Trial) (*block, error) {
	if up := b.up; up != nil && up.trial == t.Name && allRun(ctx, up.running) {
		b.up = nil
		return up, nil
	}
	return nil, b.endBlock(ctx)
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

// startFormat is how facts tell one start of services from another.
const startFormat = "2006-01-02T15:04:05.000Z"
