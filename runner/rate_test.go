package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/loadgen"
)

// equalLoad is sockets with an experiment before it whose rate is a share of what both servers reach.
func equalLoad() string {
	const steady = "```yaml experiment\nname: steady\nextends: sockets\n" +
		"load: {rate: {share: 80%, of: sockets}, requests: null, duration: 1s, warmup: 0s}\n" +
		"repetitions: 2\n```\n\n```yaml experiment\nname: sockets\n"
	return strings.Replace(fmt.Sprintf(sockets, "```"), "```yaml experiment\nname: sockets\n", steady, 1)
}

// schedules answers closed loops with a throughput that falls from repetition to repetition, and keeps the rates of
// open ones.
func schedules(t *testing.T, rates *[]float64) fake.Script {
	s := script()
	answered := s.Run
	closed := 0
	s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		if p.Name != "load" {
			return answered(ctx, p)
		}
		var config loadgen.Config
		must.Do(json.Unmarshal(p.Stdin, &config))
		exit, err := answered(ctx, p)
		var r loadgen.Result
		must.Do(errors.Join(err, json.Unmarshal(exit.Stdout, &r)))
		if config.Rate > 0 {
			r.Length = 1e9
			*rates = append(*rates, config.Rate)
			r.Lag, r.Service = &loadgen.Distribution{}, &loadgen.Distribution{}
		} else {
			closed++
			r.Length = 1e8 // too short for what else this machine does to make it invalid
			r.Completed.Right, r.InFlight = int64(100-closed), new(loadgen.InFlight)
		}
		exit.Stdout, err = json.Marshal(r)
		return exit, err
	}
	return s
}

// The rate is a share of the smaller of the centres, the same for all trials, and that experiment is measured first,
// whichever place it has in the article. search.TestRates has how long it stays.
func TestSharedRate(t *testing.T) {
	var rates []float64
	p, store := newPlan(t, equalLoad()), &memory{}
	r := newRunner(fake.New(schedules(t, &rates)), &quiet{})
	sum, err := r.Run(t.Context(), p, store, Options{})
	if err != nil || len(sum.LeftOut) > 0 {
		t.Fatalf("%v, %v", err, sum.LeftOut)
	}
	// The throughputs fall by 10 from 990 in the order of the steps.
	throughputs := map[string][]float64{}
	for i, step := range p.Experiments[1].Steps {
		throughputs[step.Trial.Name] = append(throughputs[step.Trial.Name], 990-10*float64(i))
	}
	smallest := math.Inf(1)
	for _, falling := range throughputs {
		// Of the six means of two of three, the two in the middle are the second value, and the mean of the others:
		// docs/method.md#one-cell.
		ends := math.Sqrt(falling[0] * falling[2])
		smallest = min(smallest, math.Sqrt(falling[1]*ends))
	}
	if len(rates) != 4 {
		t.Fatalf("%d repetitions with a rate, want 4", len(rates))
	}
	for _, rate := range rates {
		if math.Abs(rate-0.8*smallest) > 1e-9 {
			t.Errorf("rate %v, want 80 %% of %v", rate, smallest)
		}
	}
	last := store.records[len(store.records)-1]
	if last.Experiment != "steady" || last.Load.Open == nil || last.Load.Open.Rate != rates[0] {
		t.Errorf("the record of %s says %+v", last.Experiment, last.Load.Open)
	}
}
