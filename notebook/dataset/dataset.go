// Package dataset picks samples out of records and says what they mean.
//
// A Dataset is one set of records, those of one host and profile, laid over the plan of that profile as the article
// stands now. Every planned trial is a Cell, also if nothing was measured of it: what is missing, stale or not valid
// is in the Dataset with its reason and never left out. Records, documents and plans are read and not changed, and
// a Dataset can be used by several goroutines at once.
//
// Numbers are unrounded and in base units. A repetition that is not valid enters no number, and its being left out
// is said beside every number it would have entered. What can be known without records is an error of the article,
// which Check finds and places; what only records can tell is a result: a verdict, or the reason why there is no
// number.
//
// The rules are those of docs/expressions.md, docs/claims.md, docs/records.md and docs/method.md; the statistics are
// those of package stats.
package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// ErrNoHost is wrapped by the error of New if there are no records of the host that Options ask for.
var ErrNoHost = errors.New("no records of host")

// Options choose what is shown.
type Options struct {
	ThisHost string // id of the machine we are on ("" where unknown): its own results come first
	Host     string // show this host's results and no others; "" for the rule of New
	Profile  string // show this profile's results and no others; "" for the rule of New

	// Bad are the files among the records that are none. The cells that they would have been of say so.
	Bad []record.Bad

	// Plan gives the plan of a profile as the article stands now. It is asked once for each profile that has
	// records. Sets of profiles for which it returns plan.ErrNoProfile are not shown.
	Plan func(profile string) (*plan.Plan, error)
}

// Dataset is the set of records that is shown, cell by cell.
type Dataset struct {
	Doc         *article.Document
	Plan        *plan.Plan
	Host        string // class and digest, as in records
	Profile     string // "full", "quick", …
	Own         bool   // Host is the machine we are on
	Experiments []*Experiment
	Others      []SetName // sets that are not shown, newest first

	made     *sync.Map        // what Once keeps, by key
	records  []*record.Record // of the set, those of earlier runs too
	siblings []*Dataset       // the sets that are not shown, in the order of Others
}

// Once returns what compute gives for a key. It is computed once for d. A key has a type of its caller's own, as keys of contexts do.
func Once[T any](d *Dataset, key any, compute func() T) T {
	known, _ := d.made.LoadOrStore(key, sync.OnceValue(compute))
	return known.(func() T)()
}

// SetName names the records of one host and profile.
type SetName struct {
	Host, Profile string
	Newest        time.Time // start of the newest repetition
}

// compare orders sets of records, the newest first.
func (s SetName) compare(o SetName) int {
	return cmp.Or(o.Newest.Compare(s.Newest), cmp.Compare(s.Host, o.Host), cmp.Compare(s.Profile, o.Profile))
}

// Experiment is one experiment of the plan with what was measured of it.
type Experiment struct {
	Plan        *plan.Experiment
	Cells       []*Cell // in the plan's order, without the A/A copy; none if the profile skips the experiment
	Calibration *Cell   // the A/A copy, or nil

	// Known says how much of the experiment problems of the article leave to be known: which metrics it has may be
	// hidden.
	Known article.Knowledge

	pairs []pair    // the A/A pairs of the runs that are shown, the newest last
	all   *allPairs // those of all experiments of the article

	decoders sync.Pool // of *histogram.Decoder, for cells

	measuring sync.Once // guards measured
	measured  record.Measured

	naming sync.Once // guards names
	names  []string  // of parameters and labels

}

// WithoutRecords is the dataset of a plan of which nothing was measured.
func WithoutRecords(doc *article.Document, p *plan.Plan) *Dataset { return assemble(doc, p, nil) }

// OfPlan is the set of a host under a plan that is already made, also of experiments that it leaves out. The host may
// be empty where there are no records.
func OfPlan(doc *article.Document, p *plan.Plan, records []*record.Record, host string) (*Dataset, error) {
	whole := *p
	whole.Experiments = p.All
	return New(doc, records, Options{ThisHost: host, Plan: func(string) (*plan.Plan, error) {
		return &whole, nil
	}})
}

// New picks, out of all records of an article, the set that is shown: what this host measured if it is complete, full
// before quick before other profiles; else the newest complete set of any host; else the
// set with the most fresh cells. Without any records it is the empty set of this host in full. A set is complete if
// every cell is Fresh.
//
// Records of other articles and of experiments that the article no longer has are ignored.
//
// The error is that of Options.Plan, or says that there are no records of Options.Host.
//
// Source: docs/records.md#freshness.
func New(doc *article.Document, records []*record.Record, o Options) (*Dataset, error) {
	candidates, unshown, err := candidates(doc, records, o)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(candidates)
	keep := func(isWanted func(*candidate) bool) {
		candidates = slices.DeleteFunc(candidates, func(c *candidate) bool {
			if !isWanted(c) {
				unshown = append(unshown, c.SetName)
			}
			return !isWanted(c)
		})
	}
	if o.Profile != "" {
		keep(func(c *candidate) bool { return c.Profile == o.Profile })
	}
	if o.Host != "" {
		hosts := slices.Sorted(slices.Values(slice.Map(candidates, func(c *candidate) string { return c.Host })))
		keep(func(c *candidate) bool { return c.Host == o.Host })
		if len(candidates) == 0 {
			return nil, fmt.Errorf("%w %q: records are there of %s", ErrNoHost, o.Host,
				cmp.Or(strings.Join(slices.Compact(hosts), ", "), "no host"))
		}
	}
	if len(candidates) == 0 {
		p, err := o.Plan(plan.Full)
		if err != nil {
			return nil, fmt.Errorf("planning article %s: %w", doc.Slug, err)
		}
		d := assemble(doc, p, nil)
		d.Host, d.Profile, d.Own, d.Others = o.ThisHost, plan.Full, true, newestFirst(unshown)
		d.leaveOut(o.Bad)
		return d, nil
	}
	shown := slices.MinFunc(candidates, func(a, b *candidate) int { return a.compare(b, o.ThisHost) })
	d := shown.dataset
	d.Own = shown.Host == o.ThisHost
	for _, c := range candidates {
		if c != shown {
			unshown = append(unshown, c.SetName)
		}
	}
	d.leaveOut(o.Bad)
	d.Others = newestFirst(unshown)
	slices.SortFunc(all, func(a, b *candidate) int { return a.SetName.compare(b.SetName) })
	for _, c := range all {
		if c != shown {
			d.siblings = append(d.siblings, c.dataset)
		}
	}
	return d, nil
}

// A candidate is a set that could be shown.
type candidate struct {
	SetName
	dataset         *Dataset
	fresh, measured int // cells
	complete        bool
}

// candidates lays every set of records over the plan of its profile. Sets of profiles that the article no longer has
// are given by name.
func candidates(doc *article.Document, records []*record.Record, o Options) (list []*candidate, gone []SetName,
	err error) {
	type set struct{ host, profile string }
	bySet := map[set][]*record.Record{}
	for _, r := range records {
		known := func(e *article.ExperimentBlock) bool { return e.Name.Value == r.Experiment }
		if slices.ContainsFunc(doc.Experiments, known) && r.Article == doc.Slug {
			s := set{r.Host, r.Profile}
			bySet[s] = append(bySet[s], r)
		}
	}
	plans := map[string]*plan.Plan{}
	sorted := slices.SortedFunc(maps.Keys(bySet), func(a, b set) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.profile, b.profile))
	})
	for _, s := range sorted {
		own := bySet[s]
		newest := slices.MaxFunc(own, func(a, b *record.Record) int { return a.Started.Compare(b.Started) }).Started
		name := SetName{Host: s.host, Profile: s.profile, Newest: newest}
		p, asked := plans[s.profile]
		if !asked {
			p, err = o.Plan(s.profile)
			if err != nil && !errors.Is(err, plan.ErrNoProfile) {
				return nil, nil, fmt.Errorf("planning article %s in profile %s: %w", doc.Slug, s.profile, err)
			}
			plans[s.profile] = p
		}
		if p == nil {
			gone = append(gone, name)
			continue
		}
		if s.profile == plan.Quick {
			own = slices.Concat(own, searchesIn(bySet[set{s.host, plan.Full}])) // which quick runs take their values from
		}
		list = append(list, newCandidate(name, assemble(doc, p, own)))
	}
	return list, gone, nil
}

// newCandidate counts the cells of a set.
func newCandidate(name SetName, d *Dataset) *candidate {
	d.Host, d.Profile = name.Host, name.Profile
	c := &candidate{SetName: name, dataset: d, complete: true}
	for _, e := range d.Experiments {
		for _, cell := range e.Cells {
			if cell.Trial.Unavailable != "" {
				continue // nothing can be missing
			}
			c.complete = c.complete && cell.State == Fresh
			c.fresh += boolean(cell.State == Fresh)
			c.measured += boolean(cell.State != Missing)
		}
	}
	c.complete = c.complete && c.fresh > 0
	return c
}

// compare orders candidates by the rule of New, the one to show first.
func (c *candidate) compare(o *candidate, thisHost string) int {
	own, otherOwn := c.Host == thisHost, o.Host == thisHost
	first := func(a, b bool) int { return boolean(b) - boolean(a) }
	byProfile := cmp.Or(cmp.Compare(ProfileOrder(c.Profile), ProfileOrder(o.Profile)), cmp.Compare(c.Profile, o.Profile))
	if order := cmp.Or(first(c.complete && own, o.complete && otherOwn), first(c.complete, o.complete)); order != 0 {
		return order
	}
	switch {
	case c.complete && own:
		return byProfile
	case c.complete:
		return cmp.Or(o.Newest.Compare(c.Newest), byProfile, cmp.Compare(c.Host, o.Host))
	}
	return cmp.Or(cmp.Compare(o.fresh, c.fresh), cmp.Compare(o.measured, c.measured), first(own, otherOwn),
		byProfile, o.Newest.Compare(c.Newest), cmp.Compare(c.Host, o.Host))
}

// ProfileOrder says which profile's results come first where several have some: full, then quick, then all others
// alike.
func ProfileOrder(profile string) int {
	switch profile {
	case plan.Full:
		return 0
	case plan.Quick:
		return 1
	}
	return 2
}

func newestFirst(names []SetName) []SetName {
	return slices.SortedFunc(slices.Values(names), SetName.compare)
}

// searchesIn are those of some records that are searches for values.
func searchesIn(records []*record.Record) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		return r.Search == nil ||
			r.Search.Kind != record.SearchTune
	})
}

// assemble lays records, which are all of one set, over a plan. Searches for values may be of another profile too.
func assemble(doc *article.Document, p *plan.Plan, records []*record.Record) *Dataset {
	d := &Dataset{Doc: doc, Plan: p, records: records, made: &sync.Map{}}
	byTrial := byTrial(records)
	all := &allPairs{}
	for _, planned := range p.Experiments {
		e := &Experiment{Plan: planned, Known: article.KnowsAll, all: all}
		var copies []*plan.Trial
		for _, t := range planned.Trials {
			if t.Calibration {
				copies = append(copies, t)
				continue
			}
			e.Cells = append(e.Cells, newCell(e, t, byTrial[trialOf(e, t)], ""))
		}
		for _, t := range copies {
			run := ""
			if original := e.original(t); original != nil {
				run = original.Run
			}
			e.Calibration = newCell(e, t, byTrial[trialOf(e, t)], run)
			e.pairs = e.pairsByRun(t, records)
		}
		for _, c := range e.Cells {
			c.pickSearches(byTrial[trialOf(e, c.Trial)])
		}
		d.Experiments = append(d.Experiments, e)
	}
	all.experiments = d.Experiments
	d.takeOver()
	return d
}

// OtherProfiles are the datasets of the article's other profiles, without records.
func (d *Dataset) OtherProfiles() []*Dataset {
	type key struct{}
	return Once(d, key{}, func() (out []*Dataset) {
		return slice.Map(d.Plan.Others(), func(other *plan.Plan) *Dataset { return WithoutRecords(d.Doc, other) })
	})
}

// Records are all of the set, those of earlier runs too.
func (d *Dataset) Records() []*record.Record { return d.records }

// Siblings are the sets that are not shown, in the order of Others.
func (d *Dataset) Siblings() []*Dataset { return d.siblings }

// RunName is what the run that records have this name of is known by: of older records, in which each experiment was a
// run of its own, it is the last name of all that was measured in one go, as record.Runs finds it.
func (d *Dataset) RunName(name string) string {
	type key struct{}
	names := Once(d, key{}, func() map[string]string {
		out := map[string]string{}
		for _, run := range record.Runs(d.records) {
			for _, name := range run.Names {
				out[name] = run.Name()
			}
		}
		return out
	})
	return cmp.Or(names[name], name)
}

// A trialID names a trial in records.
type trialID struct {
	experiment, trial string
	calibration       bool
}

func trialOf(e *Experiment, t *plan.Trial) trialID {
	return trialID{e.Plan.Name, t.Name, t.Calibration}
}

func byTrial(records []*record.Record) map[trialID][]*record.Record {
	out := map[trialID][]*record.Record{}
	for _, r := range records {
		id := trialID{r.Experiment, r.Trial, r.Calibration}
		out[id] = append(out[id], r)
	}
	return out
}

// Experiment finds an experiment by name; "" is the only one. It is false if there is none, or several for "".
func (d *Dataset) Experiment(name string) (*Experiment, bool) {
	if name == "" {
		if len(d.Experiments) != 1 {
			return nil, false
		}
		return d.Experiments[0], true
	}
	return slice.Find(d.Experiments, func(e *Experiment) bool { return e.Plan.Name == name })
}

// original is the cell that an A/A copy repeats, or nil.
func (e *Experiment) original(twin *plan.Trial) *Cell {
	i := slices.IndexFunc(e.Cells, func(c *Cell) bool { return slices.Equal(c.Trial.Parameters, twin.Parameters) })
	if i < 0 {
		return nil
	}
	return e.Cells[i]
}
