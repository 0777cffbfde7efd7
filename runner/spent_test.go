package runner

import (
	"context"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
)

// lasting is a driver whose measurements last as long as they say.
type lasting struct{ load.Driver }

func (d lasting) Measure(ctx context.Context, at load.Place, t *plan.Trial) (load.Measurement, error) {
	m, err := d.Driver.Measure(ctx, at, t)
	m.Length, m.Warmup = 60*time.Millisecond, 20*time.Millisecond
	time.Sleep(m.Length + m.Warmup)
	return m, err
}

// The time of a run has what repetitions measured, and is the time that it took.
func TestSpent(t *testing.T) {
	slowtest.Skip(t)
	r := newRunner(fake.New(script()), &quiet{})
	r.Requests = lasting{r.Requests}
	begin := time.Now()
	sum := must.Get(r.Run(t.Context(), socketsPlan(t), &memory{}, Options{}))
	if took, s := time.Since(begin), sum.Spent; s.Total > took || s.Measuring < 6*80*time.Millisecond ||
		s.Measuring > s.Total || s.Searching != 0 || s.Efficiency() < 0.1 {
		t.Errorf("%+v, efficiency %v, of %v", s, s.Efficiency(), took)
	}
}

func TestEfficiency(t *testing.T) {
	var s Spent
	if got := s.Efficiency(); got != 0 {
		t.Errorf("got %v of nothing", got)
	}
	s.Add(Spent{Total: 6*time.Second + time.Hour, Searching: time.Hour, Measuring: 3 * time.Second})
	if got := s.Efficiency(); got != 0.5 {
		t.Errorf("got %v of %+v, want 0.5", got, s)
	}
}
