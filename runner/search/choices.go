package search

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// A MissingError means that an experiment lacks a rate or a value that it takes from another one.
type MissingError struct{ *source.Problem }

func (e *MissingError) Error() string { return e.Message }

func noTune(e *plan.Experiment, reason string) error {
	return &MissingError{&source.Problem{Pos: e.Pos, Rule: "no-tune",
		Message: fmt.Sprintf("experiment %q has no value of what it tunes: %s", e.Name, reason),
		Hint:    "measure the experiment that chooses it first, on this machine and in this profile or in full"}}
}

// tuneFact returns the name of the fact, and of the metric, that has a tuned value in a record.
func tuneFact(name string) string { return "tune." + name }

// A Choice has the values that searches found for a trial, by name, or the reason why there are none.
type Choice struct {
	Values map[string]int
	Reason string // why a value was not found; empty if all were
	Busy   bool   // the reason is that the machine was busy with something else
}

// Choices are what searches found for the trials of an experiment. The second half of the A/A pair shares the choice of the
// first.
type Choices struct {
	Plan       *plan.Plan
	Experiment *plan.Experiment
	Host       string
	Anew       bool // repeat the experiment's own searches, except those of the present run

	byTrial map[*plan.Trial]*Choice
}

// Of returns what searches found for a trial.
func (c *Choices) Of(t *plan.Trial) *Choice {
	if found := c.byTrial[c.Experiment.Original(t)]; found != nil {
		return found
	}
	return &Choice{}
}

// Tuned returns a trial with the values that were chosen for it, if all of them were.
func (c *Choices) Tuned(t *plan.Trial) (*plan.Trial, error) {
	found := c.Of(t)
	if found.Reason != "" {
		return t, nil // it is not run
	}
	return t.Tuned(found.Values)
}

// AddTo adds the values that were chosen for a trial to a record, as facts and as metrics.
func (c *Choices) AddTo(rec *record.Record, t *plan.Trial) {
	values := c.Of(t).Values
	for _, name := range slices.Sorted(maps.Keys(values)) {
		rec.Facts[tuneFact(name)] = strconv.Itoa(values[name])
		rec.Samples = append(rec.Samples, record.Sample{Metric: tuneFact(name), Value: float64(values[name]), Unit: "1"})
	}
}

// Recall fills in choices that need no search, for trials without one: the values that the resumed run was measured
// with, and those that recorded searches found, in another experiment or here. A search is fresh as long as its trial
// is. run is empty if none is resumed.
//
// The error is a *MissingError.
func (c *Choices) Recall(records []*record.Record, trials []*plan.Trial, run string) error {
	if c.byTrial == nil {
		c.byTrial = map[*plan.Trial]*Choice{}
	}
	for _, t := range trials {
		if c.byTrial[t] != nil {
			continue
		}
		choice := &Choice{Values: map[string]int{}}
		c.byTrial[t] = choice
		for _, s := range t.Tune {
			if value, ok := c.measuredWith(records, t, s.Name, run); ok {
				choice.Values[s.Name] = value
				continue
			}
			e, by, own, err := c.Plan.TunedBy(c.Experiment, t, s)
			if err != nil {
				return noTune(c.Experiment, err.Error())
			}
			rec := c.recorded(records, e, by, own.Name)
			if rec != nil && c.Anew && s.Of == "" && rec.Run != run {
				rec = nil
			}
			switch {
			case rec != nil:
				choice.Values[s.Name] = rec.Search.Chosen
			case s.Of != "":
				return noTune(c.Experiment, fmt.Sprintf("experiment %q has chosen no %s for %s", e.Name, s.Name, by.Name))
			}
		}
	}
	return nil
}

// TakeFirst fills in the first value that each search would try.
func (c *Choices) TakeFirst(trials []*plan.Trial) error {
	c.byTrial = map[*plan.Trial]*Choice{}
	for _, t := range trials {
		choice := &Choice{Values: map[string]int{}}
		for _, s := range t.Tune {
			_, _, own, err := c.Plan.TunedBy(c.Experiment, t, s)
			if err != nil {
				return noTune(c.Experiment, err.Error())
			}
			choice.Values[s.Name] = own.First()
		}
		c.byTrial[t] = choice
	}
	return nil
}

// measuredWith returns the value that repetitions of a run were measured with.
func (c *Choices) measuredWith(records []*record.Record, t *plan.Trial, name, run string) (int, bool) {
	for _, o := range c.Experiment.Trials {
		if c.Experiment.Original(o) != t {
			continue
		}
		for _, rec := range recordsOf(c.Plan, c.Experiment, o, records, c.Host) {
			value, err := strconv.Atoi(rec.Facts[tuneFact(name)])
			if err == nil && rec.Run == run && rec.Search == nil {
				return value, true
			}
		}
	}
	return 0, false
}

// recorded returns the newest search that chose a value of a trial under its present key; nil if there is none.
func (c *Choices) recorded(records []*record.Record, e *plan.Experiment, t *plan.Trial, name string) (found *record.Record) {
	for _, rec := range recordsOf(c.Plan, e, t, records, c.Host) {
		s := rec.Search
		hasChosen := s != nil && s.Kind == record.SearchTune && s.Name == name && s.Chosen >= 1
		if hasChosen && (found == nil || rec.Run > found.Run) {
			found = rec
		}
	}
	return found
}
