package compare

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// Moment is what the records of one host and profile said when a run had ended, laid over the article as it stands
// now. What the run left alone, and others had measured before, is part of the moment.
type Moment struct {
	*dataset.Dataset // as of the run: records of later runs are left out
	Run              string
	// its names, Run the last: of older records, in which each experiment was a run of its own, there may be several
	Runs        []string
	Experiments []string // that the run measured, by name
	// of them, those of which it has all repetitions that it was planned with, or was stopped by an interim analysis
	Whole    []string
	Started  time.Time // of its first repetition
	Ended    time.Time // of its last one
	Complete bool      // all of Experiments are among Whole

	own     []*record.Record
	options dataset.Options
}

// History lists the moments of an article, the newest first: one for each run of every host and profile that has
// records, as record.Runs finds them. Sets of profiles that the article no longer has are left out.
//
// Shown is what New made of the same article, records and plans, or nil. The moment that says just the same is it, so
// that what is worked out for the one serves the other.
//
// The error is that of Options.Plan; Options.Host, Profile and Until are not looked at.
func History(doc *article.Document, records []*record.Record, shown *dataset.Dataset, o dataset.Options) ([]*Moment,
	error) {
	o.Plan = planOnce(o.Plan)
	known := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		known := func(e *article.ExperimentBlock) bool { return e.Name.Value == r.Experiment }
		return r.Article != doc.Slug || !slices.ContainsFunc(doc.Experiments, known)
	})
	runs := record.Runs(known)
	slices.SortFunc(runs, func(a, b *record.Run) int {
		return cmp.Or(cmp.Compare(b.Name(), a.Name()), cmp.Compare(a.Host, b.Host),
			cmp.Compare(dataset.ProfileOrder(a.Profile), dataset.ProfileOrder(b.Profile)), cmp.Compare(a.Profile, b.Profile))
	})
	var out []*Moment
	for _, run := range runs {
		p, err := o.Plan(run.Profile)
		if p == nil {
			if err != nil && !errors.Is(err, plan.ErrNoProfile) {
				return nil, fmt.Errorf("planning article %s in profile %s: %w", doc.Slug, run.Profile, err)
			}
			continue
		}
		o.Host, o.Profile, o.Until = run.Host, run.Profile, run.Name()
		d := shown
		if !isAsOf(shown, run, doc, p, known, o.ThisHost) {
			if d, err = dataset.New(doc, records, o); err != nil {
				return nil, err
			}
		}
		whole := wholeIn(run.Records)
		out = append(out, &Moment{Dataset: d, Run: run.Name(), Runs: run.Names, Experiments: run.Experiments, Whole: whole,
			Started: run.Started, Ended: run.Ended, Complete: len(whole) == len(run.Experiments), own: run.Records, options: o})
	}
	return out, nil
}

// isAsOf reports whether New would make d once more as of a run, of all records that the article knows: they are of
// one set, and none was measured later. Of several sets a moment does not tell, while d does.
func isAsOf(d *dataset.Dataset, run *record.Run, doc *article.Document, p *plan.Plan, known []*record.Record,
	thisHost string) bool {
	return d != nil && d.Doc == doc && d.Plan == p && d.Host == run.Host && d.Profile == run.Profile &&
		d.Own == (run.Host == thisHost) &&
		len(d.Records()) == len(known) && !slices.ContainsFunc(known, func(r *record.Record) bool {
		return r.Host != run.Host || r.Profile != run.Profile || r.Run > run.Name()
	})
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

// wholeIn lists the experiments of which the records of one run are all that it was planned with. What was imported
// is what there is.
func wholeIn(records []*record.Record) []string {
	type trial struct {
		experiment, name string
		calibration      bool
	}
	trials := map[trial]map[int]*record.Record{} // by repetition
	of, planned, lacking := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, r := range records {
		if r.Search != nil && r.Search.Kind == record.SearchTune {
			continue // it stands beside the repetitions that use what it found
		}
		t := trial{r.Experiment, r.Trial, r.Calibration}
		if trials[t] == nil {
			trials[t] = map[int]*record.Record{}
		}
		trials[t][r.Repetition] = r
		of[r.Experiment] = max(of[r.Experiment], r.Order.Of)
	}
	for t, list := range trials {
		r := list[slices.Min(slices.Collect(maps.Keys(list)))]
		if r.Search != nil { // a capacity is found once
			planned[t.experiment]++
			continue
		}
		planned[t.experiment] += r.Planned
		if r.Imported == nil && !record.HasLeast(r.Least(), func(k int) bool { return list[k] != nil }) {
			lacking[t.experiment] = true
		}
	}
	isLacking := func(experiment string) bool { return lacking[experiment] || planned[experiment] < of[experiment] }
	return slices.DeleteFunc(slices.Sorted(maps.Keys(of)), isLacking)
}

// Has reports whether what is shown of a cell was measured by the run of the moment, and not before.
func (m *Moment) Has(c *dataset.Cell) bool { return slices.Contains(m.Runs, c.Run) }

// Rewritten is the moment of the same article in other words, as Dataset.Rewritten has it.
func (m *Moment) Rewritten(doc *article.Document) *Moment {
	out := *m
	out.Dataset = m.Dataset.Rewritten(doc)
	return &out
}

// Alone is what the records of the run say by themselves, as compare takes them.
func (m *Moment) Alone() (*dataset.Dataset, error) {
	o := m.options
	o.Until = ""
	return dataset.New(m.Doc, m.own, o)
}

// Before finds the moment that m is compared with: of the earlier ones of its host and profile that whose run has
// most of the same experiments whole, and the newest of these; nil if none has any. Moments are those of History.
func (m *Moment) Before(moments []*Moment) *Moment {
	var best *Moment
	most := 0
	for _, o := range moments {
		if o.Host != m.Host || o.Profile != m.Profile || o.Run >= m.Run {
			continue
		}
		common := slice.Count(o.Whole, func(e string) bool { return slices.Contains(m.Experiments, e) })
		if common > most {
			best, most = o, common
		}
	}
	return best
}

// VerdictChanges is what came out otherwise than before.
type VerdictChanges struct {
	StandingBefore, Standing claim.Standing  // as of before and now
	Claims                   []VerdictChange // those whose verdicts have changed, in the article's order
	New                      int             // claims that were not measured before, and are now
}

// VerdictChange is a verdict that has changed.
type VerdictChange struct {
	Claim         *article.Claim
	Before, After stats.Verdict
}

// VerdictChangesOf lists what came out otherwise in after than in before: two datasets of one article.
func VerdictChangesOf(before, after *dataset.Dataset) VerdictChanges {
	var t VerdictChanges
	t.StandingBefore, t.Standing = claim.StandingOf(before), claim.StandingOf(after)
	was := claim.Judgements(before)
	for i, j := range claim.Judgements(after) {
		switch b := was[i].Verdict; {
		case b == j.Verdict:
		case b == stats.NotMeasured:
			t.New++
		default:
			t.Claims = append(t.Claims, VerdictChange{j.Claim, b, j.Verdict})
		}
	}
	return t
}
