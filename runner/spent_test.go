package runner

import (
	"context"
	"math"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
	"benchbook/runner/sysinfo"
)

// lasting is a driver whose measurements last as long as they say.
type lasting struct{ load.Driver }

func (d lasting) Measure(ctx context.Context, at load.Place, t *plan.Trial) (load.Measurement, error) {
	m, err := d.Driver.Measure(ctx, at, t)
	m.Length, m.Warmup = 60*time.Millisecond, 20*time.Millisecond
	time.Sleep(m.Length + m.Warmup)
	return m, err
}

// All of a run's time is some part's, none is counted twice, and each part has what belongs to it.
func TestSpent(t *testing.T) {
	slowtest.Skip(t)
	script := script(t)
	script.Start = func(_ context.Context, s engine.Service) error {
		time.Sleep(15 * time.Millisecond)
		return nil
	}
	script.Close = func(context.Context, string) error {
		time.Sleep(10 * time.Millisecond)
		return nil
	}
	r := newRunner(fake.New(script), &quiet{})
	r.Requests, r.Settler = lasting{r.Requests}, settlerOf(t, &sysinfo.Noise{})
	var sum Summary
	for tries := 1; ; tries++ { // between our clock and the run's the machine may do something else
		begin := time.Now()
		var err error
		if sum, err = r.Run(t.Context(), socketsPlan(t), &memory{}, Options{}); err != nil {
			t.Fatal(err)
		}
		took := time.Since(begin)
		whole := sum.Spent.Whole()
		if whole <= took && took-whole > 20*time.Millisecond && tries < 6 {
			continue
		}
		if whole > took || took-whole > 20*time.Millisecond {
			t.Errorf("the parts add up to %v of %v", whole, took)
		}
		break
	}
	for part, least := range map[Part]time.Duration{Measuring: 6 * 60 * time.Millisecond,
		Warmup: 6 * 20 * time.Millisecond, Starting: 6 * 15 * time.Millisecond,
		Stopping: 6 * 10 * time.Millisecond, Settling: 1, Saving: 1, Loading: 1, Preparing: 1} {
		if got := sum.Spent[part]; got < least {
			t.Errorf("%v %v, at least %v", part, got, least)
		}
	}
	for _, part := range []Part{Failing, Searching, Sharing, Hooks} {
		if sum.Spent[part] > time.Millisecond {
			t.Errorf("%v %v", part, sum.Spent[part])
		}
	}
	if got, want := sum.Spent.Efficiency(),
		(sum.Spent[Measuring]+sum.Spent[Warmup]).Seconds()/sum.Spent.Whole().Seconds(); math.Abs(got-want) > 1e-9 ||
		got < 0.1 {
		t.Errorf("efficiency %v, want %v", got, want)
	}
}

// What is within something else that is counted is taken out of that.
func TestSpentOfSharedServicesInASearch(t *testing.T) {
	slowtest.Skip(t)
	b := &simulation{throughput: curve}
	script := b.script(t)
	started := script.Start
	script.Start = func(ctx context.Context, s engine.Service) error {
		if s.Name == "db" {
			time.Sleep(time.Second)
		}
		return started(ctx, s)
	}
	text := pool("[sync, async]", "[sync]", "services:\n", "services:\n  db: {image: postgres, expose: [\"5432\"]}\n",
		"repetitions: 3\n", "repetitions: 3\nshared: [db]\n")
	sum, err := newRunner(fake.New(script), &quiet{}).Run(t.Context(), newPlan(t, text), &memory{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// What is counted twice is missing from the rest, which loads that only claim to take long make a little too small as
	// well.
	if s := sum.Spent; s[Sharing] < time.Second || s[Searching] <= 0 || s[Other] < -time.Second/2 {
		t.Errorf("%v for shared services, %v for searches, %v for the rest", s[Sharing], s[Searching], s[Other])
	}
}

// A repetition that failed is no measuring, however far it came.
func TestSpentOnWhatFailed(t *testing.T) {
	var s Spent
	s.repetition(&record.Record{Failure: "it ended", Parts: map[string]float64{"start": 1, "measure": 2, "warmup": 3,
		"prepare": 0.5, "load": 1}})
	s.repetition(&record.Record{Parts: map[string]float64{"start": 4, "measure": 5, "prepare": 1, "conclude": 2,
		"load": 0.5}})
	want := Spent{Failing: 7500 * time.Millisecond, Starting: 4 * time.Second, Measuring: 5 * time.Second,
		Hooks: 3 * time.Second, Loading: 500 * time.Millisecond}
	if s != want {
		t.Errorf("got %v, want %v", s, want)
	}
	searched := Spent{Measuring: time.Second, Searching: time.Hour, Other: time.Second}
	if got := searched.Efficiency(); got != 0.5 {
		t.Errorf("efficiency %v beside a search, want 0.5", got)
	}
	if got := (&Spent{}).Efficiency(); got != 0 {
		t.Errorf("efficiency %v of nothing", got)
	}
}
