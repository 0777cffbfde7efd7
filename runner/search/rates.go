package search

import (
	"fmt"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

func noRate(e *plan.Experiment, format string, args ...any) error {
	return &MissingError{&source.Problem{Pos: e.Pos, Rule: "no-rate",
		Message: fmt.Sprintf("experiment %q has no rate: %s", e.Name, fmt.Sprintf(format, args...)),
		Hint:    "measure that experiment first, in this profile, so that its repetitions are valid"}}
}

// InOrder sorts experiments so that each comes after those that it takes a rate or a value from. Apart from that it
// keeps their order.
func InOrder(experiments []*plan.Experiment) []*plan.Experiment {
	var out []*plan.Experiment
	var add func(e *plan.Experiment)
	add = func(e *plan.Experiment) {
		if slices.Contains(out, e) {
			return
		}
		for _, name := range Needs(e) {
			if i := slices.IndexFunc(experiments, func(o *plan.Experiment) bool { return o.Name == name }); i >= 0 {
				add(experiments[i]) // plans have no cycles
			}
		}
		out = append(out, e)
	}
	for _, e := range experiments {
		add(e)
	}
	return out
}

// Needs returns the names of the experiments that an experiment takes rates or values from.
func Needs(e *plan.Experiment) (names []string) {
	for _, t := range e.Trials {
		if t.Load != nil && t.Load.RateOf != "" {
			names = slice.Add(names, t.Load.RateOf)
		}
		for _, s := range t.Tune {
			if s.Of != "" {
				names = slice.Add(names, s.Of)
			}
		}
	}
	return names
}

// Rates returns the throughputs that rates are a share of, in requests per second, by rateName: the smallest of another
// experiment, or that of the trial's own cell there. A resumed run keeps the rates that it began with.
//
// Source: docs/load.md.
func Rates(p *plan.Plan, e *plan.Experiment, records []*record.Record, host, run string) (map[string]float64, error) {
	rates := map[string]float64{}
	for _, t := range e.Trials {
		if t.Load == nil || t.Load.RateOf == "" || rates[rateName(t)] > 0 {
			continue
		}
		if known := rateSoFar(p, e, records, host, run, rateName(t)); known > 0 {
			rates[rateName(t)] = known
			continue
		}
		other, ok := p.Find(t.Load.RateOf)
		if !ok {
			return nil, noRate(e, "there is no experiment %q", t.Load.RateOf)
		}
		of := other.Trials
		if t.Load.RateOwn {
			same, err := other.SameCell(e.Original(t))
			if err != nil {
				return nil, noRate(e, "%v", err)
			}
			of = []*plan.Trial{same}
		}
		smallest, err := smallestThroughput(p, e, other, of, records, host)
		if err != nil {
			return nil, err
		}
		rates[rateName(t)] = smallest
	}
	return rates, nil
}

// rateName returns the key of a trial's rate in the result of Rates.
func rateName(t *plan.Trial) string {
	if t.Load.RateOwn {
		return t.Load.RateOf + "#" + t.Name
	}
	return t.Load.RateOf
}

// smallestThroughput returns the smallest throughput of some trials of an experiment. An error says that e has no rate.
func smallestThroughput(p *plan.Plan, e, of *plan.Experiment, trials []*plan.Trial, records []*record.Record,
	host string) (float64, error) {
	var found []float64
	for _, t := range trials {
		if t.Calibration {
			continue
		}
		throughput := Throughput(p, of, t, records, host)
		if throughput <= 0 {
			return 0, noRate(e, "it is a share of the throughput of %q, of which %s has no valid repetition", of.Name, t.Name)
		}
		found = append(found, throughput)
	}
	if len(found) == 0 {
		return 0, noRate(e, "it is a share of the throughput of %q, which measures nothing", of.Name)
	}
	return slices.Min(found), nil
}

// rateSoFar returns the throughput from which a run took its rates; 0 if it has no repetition yet.
func rateSoFar(p *plan.Plan, e *plan.Experiment, records []*record.Record, host, run, name string) float64 {
	for _, t := range e.Trials {
		if t.Load == nil || rateName(t) != name {
			continue
		}
		for _, rec := range recordsOf(p, e, t, records, host) {
			if rec.Run == run && rec.Load != nil && rec.Load.Open != nil {
				return rec.Load.Open.Rate / t.Load.RateShare
			}
		}
	}
	return 0
}

// Throughput returns the pseudo-median over the valid repetitions of a trial under its present key, of the newest run
// that has one and all repetitions up to its first look; 0 if there is none.
//
// Source: docs/method.md#valid-cells: an invalid repetition is left out of all statistics.
func Throughput(p *plan.Plan, e *plan.Experiment, t *plan.Trial, records []*record.Record, host string) float64 {
	values, have, least := map[string][]float64{}, map[string]map[int]bool{}, map[string]int{}
	for _, rec := range recordsOf(p, e, t, records, host) {
		if rec.Search != nil {
			continue
		}
		if have[rec.Run] == nil {
			have[rec.Run] = map[int]bool{}
		}
		have[rec.Run][rec.Repetition] = true
		least[rec.Run] = rec.Least()
		if level, _ := validity.Of(rec); level == validity.Invalid || rec.Load == nil {
			continue
		}
		if value, missing := dataset.Value(rec, "throughput", nil); missing == "" {
			values[rec.Run] = append(values[rec.Run], value)
		}
	}
	newest := ""
	for run := range values {
		if record.Gapless(have[run]) >= least[run] {
			newest = max(newest, run)
		}
	}
	if newest == "" {
		return 0
	}
	return stats.PseudoMedian(values[newest])
}

// WithRate returns a trial with its rate filled in, if that is a share of a throughput.
func WithRate(t *plan.Trial, rates map[string]float64) *plan.Trial {
	if t.Load == nil || t.Load.RateOf == "" {
		return t
	}
	with, load := *t, *t.Load
	load.Rate = load.RateShare * rates[rateName(t)]
	with.Load = &load
	return &with
}
