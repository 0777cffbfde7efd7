package show

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// Planned describes what a run would do. plan prints it.
type Planned struct {
	Host        string               `json:"host"` // class and digest, as in records
	Profile     string               `json:"profile"`
	Experiments []*PlannedExperiment `json:"experiments"`
}

// A PlannedExperiment describes what a run would do for one experiment.
type PlannedExperiment struct {
	Article     string         `json:"article"`
	Experiment  string         `json:"experiment"`
	Skipped     string         `json:"skipped,omitempty"` // why the profile skips it
	Repetitions int            `json:"repetitions"`       // of each trial, at most
	Looks       []int          `json:"looks"`             // rounds after which claims are judged
	Seed        int64          `json:"seed"`
	Trials      []PlannedTrial `json:"trials"`
	Seconds     float64        `json:"seconds"`         // expected time for pending repetitions, without images
	AtMost      float64        `json:"seconds_at_most"` // the same if claims stay undecided
	Warnings    []string       `json:"warnings"`

	plan *plan.Experiment

	least, most int    // pending repetitions of all trials
	where       string // CPUs of services and load
}

// A PlannedTrial describes what a run would do for one trial. Its definition is as in records: times are nanoseconds.
type PlannedTrial struct {
	Trial
	Key        string          `json:"key"`
	State      string          `json:"state"`
	ToMeasure  int             `json:"to_measure"` // repetitions up to the next look
	AtMost     int             `json:"at_most"`    // up to the last look, if claims about it stay undecided
	Why        []string        `json:"why"`
	Definition json.RawMessage `json:"definition"`
	Inputs     []record.Input  `json:"inputs"`
}

// Plan returns what a run of articles would do on this machine.
func Plan(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article) (*Planned, error) {
	this, err := a.Here()
	if err != nil {
		return nil, err
	}
	present := a.Present(project)
	defer present.Close()
	out := &Planned{Host: this.ID, Experiments: []*PlannedExperiment{}}
	for _, c := range list {
		out.Profile = c.Planned.Profile
		if err := out.add(ctx, a, project, c, present); err != nil {
			return nil, fmt.Errorf("article %s: %w", c.Slug, err)
		}
	}
	return out, nil
}

// add adds the experiments of an article, by its host's records and the images that are present.
func (p *Planned) add(ctx context.Context, a *lab.Session, project *article.Project, c *lab.Article, present *images.Present) error {
	planned := c.Planned
	on, err := a.HostOf(project, c)
	if err != nil {
		return err
	}
	records, bad, err := a.Records(project, c)
	if err != nil {
		return err
	}
	mine := slice.Filter(records, func(r *record.Record) bool { return r.Host == on.ID && r.Profile == planned.Profile })
	d, err := dataset.New(c.Doc, mine, dataset.Options{ThisHost: on.ID, Bad: bad,
		Plan: func(string) (*plan.Plan, error) { return planned, nil }})
	if err != nil {
		return err
	}
	whole, err := dataset.OfPlan(c.Doc, planned, mine, on.ID)
	if err != nil {
		return err
	}
	if planned.UsesHosts() {
		present = nil
	}
	if err := present.Look(ctx, mine); err != nil {
		return err
	}
	next := runner.NextOf(planned, mine, on.ID, runner.Options{Present: present, Conditions: on.Facts,
		Open: OpenTrials(c.Doc, planned, on.ID, claim.Open)}).ByTrial()
	more := repetitionsBeyond(d, next)
	doubts := claim.Undecidable(whole)
	for _, e := range d.Experiments {
		out := newPlanned(c.Slug, e.Plan, on)
		for _, cell := range dataset.OnePerTrial(e.AllCells()) {
			t := cell.Planned
			out.addTrial(cell, next[t], more[t], outdated(cell, present, on.Facts))
		}
		if out.Skipped == "" {
			out.Seconds = ExpectedTime(e.Plan, on, records, func(t *plan.Trial) int { return next[t].Count }).Seconds()
			out.AtMost = ExpectedTime(e.Plan, on, records, func(t *plan.Trial) int { return next[t].Count + more[t] }).Seconds()
		}
		for _, doubt := range doubts {
			if doubt.Experiment == e.Plan.Name {
				out.Warnings = append(out.Warnings, doubt.String())
			}
		}
		p.Experiments = append(p.Experiments, out)
	}
	return nil
}

func newPlanned(slug string, e *plan.Experiment, host machine.Host) *PlannedExperiment {
	out := &PlannedExperiment{Article: slug, Experiment: e.Name, Skipped: e.Skipped, Repetitions: e.Most(),
		Looks: append([]int{}, e.Looks...), Seed: e.Seed, Trials: []PlannedTrial{}, Warnings: []string{}, plan: e}
	if own := e.Place(host.Cores); len(host.Cores) > 0 {
		out.where = fmt.Sprintf(": services on CPU %s, load on CPU %s", own.Services, own.Load)
	}
	if len(e.Notes) > 0 && e.Skipped == "" {
		out.Warnings = append(out.Warnings, "Compose: "+strings.Join(e.Notes, "; "))
	}
	return out
}

// addTrial adds the trial of a cell. A run does next, and up to more further repetitions if claims stay undecided.
func (e *PlannedExperiment) addTrial(cell *dataset.Cell, next runner.Todo, more int, replaced []string) {
	t := cell.Planned
	out := PlannedTrial{Trial: newTrial(t), Key: t.Key, ToMeasure: next.Count, AtMost: next.Count + more, Definition: t.Definition, Inputs: t.Inputs}
	out.State, out.Why = explain(cell, next, replaced)
	if e.Trials = append(e.Trials, out); e.Skipped == "" {
		e.least, e.most = e.least+out.ToMeasure, e.most+out.AtMost
	}
}

// Text prints every trial if experiments are named or there is only one; else it prints a line for each experiment.
func (p *Planned) Text(w io.Writer, named bool) {
	if !named && len(p.Experiments) != 1 {
		p.overview().Text(w)
		return
	}
	var out Report
	for _, e := range p.Experiments {
		out = append(out, e.section(p))
	}
	out.Text(w)
}

func (e *PlannedExperiment) section(p *Planned) Section {
	s := Section{Title: e.Article + "#" + e.Experiment}
	if e.Skipped != "" {
		s.Lines = []string{"skipped: " + e.Skipped}
		return s
	}
	if e.plan.Description != "" {
		s.Lines = append(s.Lines, e.plan.Description)
	}
	s.Lines = append(s.Lines, "profile "+p.Profile, "host "+p.Host+e.where)
	if len(e.plan.Secrets) > 0 {
		s.Lines = append(s.Lines, "secrets "+strings.Join(slice.Map(e.plan.Secrets, plan.Secret.String), ", "))
	}
	trials := phrase.Count(len(e.Trials), "trial")
	if len(e.plan.Steps) == 0 {
		s.Lines = append(s.Lines, trials+", no repetitions")
	} else {
		s.Lines = append(s.Lines, fmt.Sprintf("%s, %s of each, %s to measure", trials,
			span(e.plan.Least(), e.plan.Most(), "repetition"), span(e.least, e.most, "")))
	}
	s.Lines = append(s.Lines, "time: "+e.outlook(), "timeout: "+terminal.Clock(e.plan.Timeout)+" for a repetition")
	for _, words := range e.Warnings {
		s.Lines = append(s.Lines, "warning: "+words)
	}
	s.Table.Head = []string{"trial", "parameters", "state"}
	var why noteGroups
	for _, t := range e.Trials {
		var about []string
		for _, p := range slices.Concat(t.Parameters, t.Labels) {
			about = append(about, p.Name+"="+p.Value)
		}
		if t.Calibration {
			about = []string{"A/A pair, for the noise floor"}
		}
		s.Table.Rows = append(s.Table.Rows, []string{t.Name, strings.Join(about, " "), t.State})
		for _, words := range t.Why {
			why.add(words, t.Name)
		}
	}
	for _, line := range why.lines() {
		s.Notes = append(s.Notes, strings.Join(terminal.Wrap(line, terminal.LineWidth), "\n    "))
	}
	return s
}

// overview returns a table with a row for each experiment, and their sum.
func (p *Planned) overview() Report {
	s := Section{Title: "profile " + p.Profile, Table: Table{Head: []string{"experiment", "trials", "to measure", "time"}}}
	sum := &PlannedExperiment{}
	row := func(name string, e *PlannedExperiment) {
		words := e.outlook()
		if e.Skipped != "" {
			words = "skipped"
		}
		s.Table.Rows = append(s.Table.Rows, []string{name, fmt.Sprint(len(e.Trials)), span(e.least, e.most, "repetition"), words})
	}
	for _, e := range p.Experiments {
		name := e.Article + "#" + e.Experiment
		for _, words := range e.Warnings {
			s.Notes = append(s.Notes, fmt.Sprintf("warning: %s: %s", name, words))
		}
		row(name, e)
		sum.Trials = append(sum.Trials, e.Trials...)
		sum.least, sum.most = sum.least+e.least, sum.most+e.most
		sum.Seconds, sum.AtMost = sum.Seconds+e.Seconds, sum.AtMost+e.AtMost
	}
	row("in all", sum)
	s.Notes = append(s.Notes, "all of one: benchbook plan ARTICLE#EXPERIMENT")
	return Report{s}
}

// outlook says how long the pending repetitions take.
func (e *PlannedExperiment) outlook() string {
	clock := func(seconds float64) string { return terminal.Clock(time.Duration(seconds * float64(time.Second))) }
	switch {
	case e.most == 0:
		return "none: everything is fresh"
	case e.AtMost > e.Seconds:
		return fmt.Sprintf("about %s to %s", clock(e.Seconds), clock(e.AtMost))
	}
	return "about " + clock(e.Seconds)
}

// span writes a range of counts, such as "3 to 20 repetitions".
func span(least, most int, what string) string {
	text := fmt.Sprint(most)
	if what != "" {
		text = phrase.Count(most, what)
	}
	if least < most {
		text = fmt.Sprintf("%d to %s", least, text)
	}
	return text
}

var stateWords = map[dataset.State]string{
	dataset.Fresh: "fresh", dataset.Stale: "stale", dataset.Partial: "unfinished", dataset.Missing: "missing",
}

// explain returns the state of a trial, and the reasons if it is not fresh.
func explain(cell *dataset.Cell, next runner.Todo, replaced []string) (state string, why []string) {
	t, e := cell.Planned, cell.Experiment.Plan
	state, why = stateWords[cell.State], []string{}
	switch {
	case cell.State == dataset.Missing:
	case cell.State == dataset.Stale || len(replaced) > 0:
		state, why = "stale", append(changes(t, cell.Records[0]), replaced...)
	case cell.State == dataset.Partial:
		why = []string{fmt.Sprintf("%d of %s done", len(cell.Records), phrase.Count(e.Least(), "repetition"))}
	case next.Again:
		state, why = "disturbed", []string{"too few repetitions are valid, because other programs or virtual machines took CPU " +
			"time: run repeats them"}
	case next.Count > 0:
		state, why = "undecided", []string{fmt.Sprintf("a claim about it is undecided after %s: run continues up to %d",
			phrase.Count(len(cell.Records), "repetition"), next.UpTo)}
	}
	for _, left := range cell.LeftOut {
		why = append(why, "a record was left out: "+left)
	}
	return state, why
}

// outdated returns which images, programs and conditions of a cell have changed, or may have, since it was measured.
func outdated(cell *dataset.Cell, present *images.Present, conditions map[string]string) []string {
	if cell.Experiment.Plan.Outside && len(cell.Records) > 0 {
		return []string{"its target ran already and may have changed: results are fresh for their run only"}
	}
	changes := present.Changes(cell.Records...)
	for _, r := range cell.Records {
		changes = slice.Add(changes, runner.ConditionsChanged(r, conditions)...)
	}
	return changes
}

// changes lists the inputs of a trial that differ from those of a record, and each changed value of the definition.
func changes(t *plan.Trial, r *record.Record) []string {
	if t.Key == r.Key {
		return nil
	}
	then := map[string]string{}
	for _, in := range r.Inputs {
		then[in.Name] = in.Digest
	}
	var out []string
	for _, in := range t.Inputs {
		was, ok := then[in.Name]
		delete(then, in.Name)
		switch {
		case was == in.Digest:
		case in.Name == "definition":
			out = append(out, slice.Map(spec.Edits(t.Definition, r.Definition), spec.Edit.String)...)
		case !ok:
			out = append(out, in.Name+" is new")
		default:
			out = append(out, in.Name+" changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(then)) {
		out = append(out, name+" was removed")
	}
	if len(out) == 0 {
		out = []string{"the definition is the same: a value that is not recorded changed, or it is of another version of benchbook"}
	}
	return out
}

// repetitionsBeyond returns, by trial, how many repetitions follow the next ones if claims stay undecided.
func repetitionsBeyond(d *dataset.Dataset, next map[*plan.Trial]runner.Todo) map[*plan.Trial]int {
	touched := claim.ComparedWith(d, func(c *dataset.Cell) bool {
		return next[c.Planned].Count > 0 && !next[c.Planned].Again
	})
	isTouched := func(c *dataset.Cell) bool { return touched[c] }
	out := map[*plan.Trial]int{}
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			if isTouched(c) || e.Plan.IsPaired(c.Planned) && slices.ContainsFunc(e.Cells, isTouched) {
				out[c.Planned] = max(0, e.Plan.Most()-cmp.Or(next[c.Planned].UpTo, len(c.Records)))
			}
		}
	}
	return out
}

// OpenTrials adapts open, such as claim.Open, to runner.Options.Open. Claims may also be about experiments that are
// left out of the plan.
func OpenTrials(doc *article.Document, p *plan.Plan, host string,
	open func(*dataset.Dataset) map[string][]string) runner.Undecided {
	return func(records []*record.Record) map[string][]string {
		d, err := dataset.OfPlan(doc, p, records, host)
		if err != nil { // cannot happen with a plan and a host
			return nil
		}
		return open(d)
	}
}

// overheadParts are the parts of a repetition except warm-up and window.
var overheadParts = []string{"settle", "prepare", "start", "load", "stop"}

// ExpectedTime estimates the time for an experiment's pending repetitions and searches on a host, from the records of
// its article. pending returns their number for a trial.
func ExpectedTime(e *plan.Experiment, on machine.Host, records []*record.Record,
	pending func(*plan.Trial) int) time.Duration {
	return e.Estimate(plan.Place(on.Cores), func(t *plan.Trial) plan.Experience {
		takes := experience(e, t, records, on.ID)
		takes.Pending = pending(t)
		return takes
	})
}

// experience estimates how long a trial takes: the window is the mean of the trial, or else of the experiment; the
// overhead is the mean of the experiment, or else of the article. It uses the host's records in all profiles. If the
// host has none of the experiment, it uses those of other hosts.
func experience(e *plan.Experiment, t *plan.Trial, records []*record.Record, host string) plan.Experience {
	isOf := func(r *record.Record) bool { return r.Experiment == e.Name }
	own := slice.Filter(records, func(r *record.Record) bool { return r.Host == host })
	of := slice.Filter(own, isOf)
	if len(of) == 0 {
		of = slice.Filter(records, isOf)
	}
	ofTrial := slice.Filter(of, func(r *record.Record) bool { return r.Trial == t.Name })
	out := plan.Experience{Window: cmp.Or(mean(ofTrial, "measure"), mean(of, "measure")),
		Overhead: cmp.Or(mean(of, overheadParts...), mean(own, overheadParts...))}
	out.Searched = !slices.ContainsFunc(t.Tune, func(s spec.Search) bool {
		return s.Of == "" && !slices.ContainsFunc(own, func(r *record.Record) bool {
			return isOf(r) && r.Key == t.Key && r.Search != nil && r.Search.Name == s.Name && r.Search.Chosen > 0
		})
	})
	return out
}

// mean returns the mean time that successful repetitions spent in the given parts; 0 if there are none.
func mean(records []*record.Record, parts ...string) time.Duration {
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Failure != "" || r.Search != nil {
			continue
		}
		n++
		for _, p := range parts {
			sum += max(0, r.Parts[p]) // a part that is computed as a remainder may be negative
		}
	}
	return time.Duration(sum / float64(max(1, n)) * float64(time.Second))
}
