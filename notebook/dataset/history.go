package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Moment is what the records of one host and profile said when a run had ended, laid over the article as it stands now. Runs are of
// one experiment; what others had measured before is part of the moment.
type Moment struct {
	*Dataset    // as of the run: records of later runs are left out
	Run         string
	Experiments []string  // that the run measured
	Started     time.Time // of its first repetition
	Ended       time.Time // of its last one
	Complete    bool      // it has all repetitions that it was planned with, or was looked at and stopped

	own     []*record.Record
	options Options
}

// History lists the moments of an article, the newest first: one for each run of every host and profile that has records.
// Sets of profiles that the article no longer has are left out.
//
// The error is that of Options.Plan; Options.Host, Profile and Until are not looked at.
func History(doc *article.Document, records []*record.Record, o Options) ([]*Moment, error) {
	o.Plan = planOnce(o.Plan)
	type id struct{ host, profile, run string }
	byRun := map[id][]*record.Record{}
	for _, r := range records {
		known := func(e *article.ExperimentBlock) bool { return e.Name.Value == r.Experiment }
		if r.Article == doc.Slug && slices.ContainsFunc(doc.Experiments, known) {
			key := id{r.Host, r.Profile, r.Run}
			byRun[key] = append(byRun[key], r)
		}
	}
	var out []*Moment
	for _, key := range slices.SortedFunc(maps.Keys(byRun), func(a, b id) int {
		return cmp.Or(cmp.Compare(b.run, a.run), cmp.Compare(a.host, b.host), cmp.Compare(ProfileOrder(a.profile), ProfileOrder(b.profile)),
			cmp.Compare(a.profile, b.profile))
	}) {
		if p, err := o.Plan(key.profile); p == nil {
			if err != nil && !errors.Is(err, plan.ErrNoProfile) {
				return nil, fmt.Errorf("planning article %s in profile %s: %w", doc.Slug, key.profile, err)
			}
			continue
		}
		o.Host, o.Profile, o.Until = key.host, key.profile, key.run
		d, err := New(doc, records, o)
		if err != nil {
			return nil, err
		}
		m := &Moment{Dataset: d, Run: key.run, own: byRun[key], options: o, Complete: isWhole(byRun[key])}
		for _, r := range m.own {
			if !slices.Contains(m.Experiments, r.Experiment) {
				m.Experiments = append(m.Experiments, r.Experiment)
			}
			if m.Started.IsZero() || r.Started.Before(m.Started) {
				m.Started = r.Started
			}
			if r.Ended.After(m.Ended) {
				m.Ended = r.Ended
			}
		}
		slices.Sort(m.Experiments)
		out = append(out, m)
	}
	return out, nil
}

// planOnce asks for the plan of each profile once.
func planOnce(ask func(string) (*plan.Plan, error)) func(string) (*plan.Plan, error) {
	type answer struct {
		plan *plan.Plan
		err  error
	}
	known := map[string]answer{}
	return func(profile string) (*plan.Plan, error) {
		a, ok := known[profile]
		if !ok {
			a.plan, a.err = ask(profile)
			known[profile] = a
		}
		return a.plan, a.err
	}
}

// isWhole reports whether the records of one run are all that it was planned with. What was imported is what there is.
func isWhole(records []*record.Record) bool {
	stops := record.StoppedIn(records)
	type trial struct {
		name        string
		calibration bool
	}
	repetitions := map[string]map[trial]map[int]*record.Record{}
	of := map[string]int{}
	for _, r := range records {
		if r.Search != nil && r.Search.Kind == record.SearchTune {
			continue // it stands beside the repetitions that use what it found
		}
		if repetitions[r.Experiment] == nil {
			repetitions[r.Experiment] = map[trial]map[int]*record.Record{}
		}
		t := trial{r.Trial, r.Calibration}
		if repetitions[r.Experiment][t] == nil {
			repetitions[r.Experiment][t] = map[int]*record.Record{}
		}
		repetitions[r.Experiment][t][r.Repetition] = r
		of[r.Experiment] = max(of[r.Experiment], r.Order.Of)
	}
	for experiment, trials := range repetitions {
		planned := 0
		for t, list := range trials {
			r := list[slices.Min(slices.Collect(maps.Keys(list)))]
			if r.Search != nil { // a capacity is found once
				planned++
				continue
			}
			planned += r.Planned
			if r.Imported == nil && !isComplete(list, stops.Needed(r.Run, experiment, t.name, r.Planned)) {
				return false
			}
		}
		if planned < of[experiment] {
			return false
		}
	}
	return len(repetitions) > 0
}

// Rewritten is the moment of the same article in other words, as Dataset.Rewritten has it.
func (m *Moment) Rewritten(doc *article.Document) *Moment {
	out := *m
	out.Dataset = m.Dataset.Rewritten(doc)
	return &out
}

// Alone is what the records of the run say by themselves, as compare takes them.
func (m *Moment) Alone() (*Dataset, error) {
	o := m.options
	o.Until = ""
	return New(m.Doc, m.own, o)
}

// Before finds the moment that m is compared with: the newest earlier one of its host and profile whose run is complete and measured
// one of the same experiments; nil if there is none. Moments are those of History.
func (m *Moment) Before(moments []*Moment) *Moment {
	for _, o := range moments {
		if o.Host == m.Host && o.Profile == m.Profile && o.Run < m.Run && o.Complete &&
			slices.ContainsFunc(o.Experiments, func(e string) bool { return slices.Contains(m.Experiments, e) }) {
			return o
		}
	}
	return nil
}

// Turns is what came out otherwise than before.
type Turns struct {
	StandingBefore, Standing stats.Standing // as of before and now; the same if the standing has not turned
	Claims                   []Turn         // those whose verdicts have turned, in the article's order
	New                      int            // claims that were not measured before, and are now
}

// Turn is a verdict that has turned.
type Turn struct {
	Claim         *article.Claim
	Before, After stats.Verdict
}

// TurnsOf lists what came out otherwise in after than in before: two datasets of one article.
func TurnsOf(before, after *Dataset) Turns {
	var t Turns
	t.StandingBefore, _ = before.Standing()
	t.Standing, _ = after.Standing()
	was := before.Judgements()
	for i, j := range after.Judgements() {
		switch b := was[i].Verdict; {
		case b == j.Verdict:
		case b == stats.NotMeasured:
			t.New++
		default:
			t.Claims = append(t.Claims, Turn{j.Claim, b, j.Verdict})
		}
	}
	return t
}
