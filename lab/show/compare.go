package show

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/machine"
)

// CompareJSON is what compare prints with --json. Fields are added to it in later versions, none are renamed or
// removed. Numbers are unrounded and in base units; null where there is none.
type CompareJSON struct {
	A           sideJSON             `json:"a"`
	B           sideJSON             `json:"b"`
	Changes     []ChangeJSON         `json:"changes"`
	Differences []compare.Difference `json:"differences"`
	Explanation string               `json:"explanation"`
	LeftOut     []string             `json:"left_out"`
	FailOn      *failOnJSON          `json:"fail_on,omitempty"`
}

type sideJSON struct {
	Kind   string    `json:"kind"` // run, host, profile, revision or folder
	Name   string    `json:"name"`
	Commit string    `json:"commit,omitempty"`
	Sets   []setJSON `json:"sets"` // of each article what is compared
}

type setJSON struct {
	Article  string    `json:"article"`
	Host     string    `json:"host"`
	ThisHost bool      `json:"this_host"`
	Profile  string    `json:"profile"`
	Runs     []string  `json:"runs"`
	From     time.Time `json:"from"` // start of the first repetition
	To       time.Time `json:"to"`   // end of the last one
}

// ChangeJSON is what became of one metric of one cell.
type ChangeJSON struct {
	Article    string     `json:"article"`
	Experiment string     `json:"experiment"`
	Trial      string     `json:"trial"`
	Metric     string     `json:"metric"`
	Unit       string     `json:"unit"`
	A          resultJSON `json:"a"`
	B          resultJSON `json:"b"`
	// Change is B/A - 1; of failures B - A. Its interval is at 95 %, widened by the noise floor.
	Change     *float64 `json:"change"`
	Lo         *float64 `json:"lo"`
	Hi         *float64 `json:"hi"`
	Difference bool     `json:"difference"` // Change is B - A
	// corrected for the cells of the metric and for looks; null where there is no such test
	P          *float64 `json:"p"`
	NoiseFloor float64  `json:"noise_floor"`
	Verdict    string   `json:"verdict"`
	Refused    bool     `json:"refused"` // there are numbers that must not be compared, for Reason
	Reason     string   `json:"reason,omitempty"`
	Marks      []string `json:"marks"`
}

type resultJSON struct {
	Run      string `json:"run,omitempty"`
	State    string `json:"state"`
	Validity string `json:"validity"`
	measuredJSON
}

type failOnJSON struct {
	Condition string     `json:"condition"`
	Met       bool       `json:"met"`
	Refuted   bool       `json:"refuted"` // of every cell it is shown that it does not meet it
	Cells     []string   `json:"cells"`   // that meet it
	Unknown   [][]string `json:"unknown"` // cells of which it cannot be judged, each with the reason
	Judged    int        `json:"judged"`  // cells of which it can
}

// CompareOptions say what of two sides is compared, and what fails.
type CompareOptions struct {
	FailOn      string
	Metrics     []string
	AcrossHosts bool
}

// FailOnError says what is wrong with a condition, which is a mistake of use.
func FailOnError(text string, err error) error {
	return lab.UsageError(fmt.Errorf("--fail-on %q: %w", text, err))
}

// A Comparison is all that compare prints.
type Comparison struct {
	a, b        *side
	setsA       []setJSON
	setsB       []setJSON
	changes     []compare.Change
	differences []compare.Difference
	explanation string
	leftOut     []string // sentences about records that have no cell
	failOn      *failOnJSON
}

// CompareSides compares the two sides that args begin with, of the articles that follow.
func CompareSides(ctx context.Context, a *lab.Session, args []string, flags CompareOptions,
	gate *compare.Gate) (*Comparison, error) {
	project, list, err := a.Select(args[2:])
	if err != nil {
		return nil, err
	}
	finder, err := newRecordFinder(a, project, list)
	if err != nil {
		return nil, lab.Failure(err)
	}
	c := &Comparison{}
	for i, side := range []**side{&c.a, &c.b} {
		if *side, err = finder.find(ctx, args[i]); err != nil {
			return nil, err
		}
	}
	common := slices.DeleteFunc(slices.Clone(list), func(l *lab.Article) bool {
		return len(c.a.records[l.Slug]) == 0 || len(c.b.records[l.Slug]) == 0
	})
	if len(common) == 0 || len(args) > 2 && len(common) < len(list) {
		return nil, lab.UsageError(c.nothingInCommon(list))
	}
	if _, err := a.Plans(project, common, plan.Options{}, "articles with problems are not compared"); err != nil {
		return nil, err
	}
	sides, err := c.layAll(a, project, common)
	if err != nil {
		return nil, err
	}
	o := compare.ChangeOptions{Metrics: flags.Metrics, AcrossHosts: flags.AcrossHosts}
	if gate != nil {
		o.Also = []string{gate.Metric}
	}
	if c.changes, err = compare.Compare(sides, o); err != nil {
		return nil, lab.UsageError(err)
	}
	if len(c.changes) == 0 {
		return nil, lab.UsageError(errors.New("no cells to compare: the records are of experiments that the article no " +
			"longer has, or that the profile leaves out"))
	}
	c.differences = compare.Differences(c.changes)
	c.explanation = compare.Explain(c.changes, c.differences)
	c.judge(gate, flags.FailOn)
	return c, nil
}

// layAll lays the sets of all articles that are compared over them.
func (c *Comparison) layAll(a *lab.Session, project *article.Project, list []*lab.Article) (sides []compare.Sides,
	err error) {
	this, err := machine.Here()
	if err != nil {
		return nil, lab.Failure(err)
	}
	for _, l := range list {
		host, err := a.HostOf(project, l, this)
		if err != nil {
			return nil, lab.Failure(err)
		}
		s, err := c.lay(project, l, host.ID)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	return sides, nil
}

// nothingInCommon says which articles the sides have records of.
func (c *Comparison) nothingInCommon(list []*lab.Article) error {
	of := func(s *side) string {
		var slugs []string
		for _, l := range list {
			if len(s.records[l.Slug]) > 0 {
				slugs = append(slugs, l.Slug)
			}
		}
		return cmp.Or(strings.Join(slugs, ", "), "none of the articles")
	}
	return fmt.Errorf("nothing to compare: %s has records of %s, and %s of %s", c.a, of(c.a), c.b, of(c.b))
}

// lay lays the sets of one article that are compared over it.
func (c *Comparison) lay(project *article.Project, l *lab.Article, host string) (compare.Sides, error) {
	x, y := alike(c.a.records[l.Slug], c.b.records[l.Slug], host)
	s := compare.Sides{Experiments: l.Experiments}
	for _, one := range []struct {
		name string
		set  *set
		to   **dataset.Dataset
		sets *[]setJSON
	}{{"A", x, &s.A, &c.setsA}, {"B", y, &s.B, &c.setsB}} {
		d, err := dataset.New(l.Doc, one.set.records, lab.DatasetOptions(project, l, host))
		if err != nil {
			return s, lab.Failure(fmt.Errorf("article %s: %w", l.Slug, err))
		}
		if d.Host != one.set.host || d.Profile != one.set.profile {
			return s, lab.UsageError(fmt.Errorf("%s: its records are of profile %s, which article %s no longer has", one.name,
				one.set.profile, l.Slug))
		}
		*one.to = d
		*one.sets = append(*one.sets, setOf(l.Slug, d, one.set.records))
		c.leftOut = append(c.leftOut, goneTrials(one.name, l, d, one.set.records)...)
	}
	c.leftOut = append(c.leftOut, onlyPlannedIn("A", l, s.A, s.B)...)
	c.leftOut = append(c.leftOut, onlyPlannedIn("B", l, s.B, s.A)...)
	return s, nil
}

// onlyPlannedIn says which cells with records the profile of the other side does not have.
func onlyPlannedIn(side string, l *lab.Article, d, other *dataset.Dataset) []string {
	var out []string
	for _, e := range d.Experiments {
		o, ok := other.Experiment(e.Plan.Name)
		for _, c := range e.Cells {
			if l.Wants(e.Plan.Name) && len(c.Records) > 0 && (!ok || !hasTrial(o, c.Trial.Name)) {
				out = append(out, fmt.Sprintf("%s: %s#%s %s, which profile %s of the other side does not have", side, l.Slug,
					e.Plan.Name, c.Trial.Name, other.Profile))
			}
		}
	}
	return out
}

func hasTrial(e *dataset.Experiment, name string) bool {
	return slices.ContainsFunc(e.Cells, func(c *dataset.Cell) bool { return c.Trial.Name == name })
}

// setOf describes the records that are shown of a set.
func setOf(slug string, d *dataset.Dataset, records []*record.Record) setJSON {
	s := setJSON{Article: slug, Host: d.Host, ThisHost: d.Own, Profile: d.Profile, Runs: []string{}}
	for _, e := range d.Experiments {
		for _, cell := range e.Cells {
			for _, r := range cell.Records {
				s.add(r)
			}
		}
	}
	if len(s.Runs) == 0 { // of trials that are gone
		for _, r := range records {
			s.add(r)
		}
	}
	slices.Sort(s.Runs)
	return s
}

func (s *setJSON) add(r *record.Record) {
	s.Runs = slice.Add(s.Runs, r.Run)
	if s.From.IsZero() || r.Started.Before(s.From) {
		s.From = r.Started
	}
	if r.Ended.After(s.To) {
		s.To = r.Ended
	}
}

// goneTrials says which trials that were measured the article no longer has.
func goneTrials(side string, l *lab.Article, d *dataset.Dataset, records []*record.Record) []string {
	gone := map[string]int{}
	var names []string
	for _, r := range records {
		e, ok := d.Experiment(r.Experiment)
		if r.Calibration || !l.Wants(r.Experiment) || ok && (e.Plan.Skipped != "" || hasTrial(e, r.Trial)) {
			continue
		}
		name := l.Slug + "#" + r.Experiment + " " + r.Trial
		if gone[name]++; gone[name] == 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%s: %s of %s, which the article no longer has", side, terminal.Count(gone[name], "record"),
			name)
	}
	return names
}

// judge asks of every cell whether the condition is met.
func (c *Comparison) judge(gate *compare.Gate, text string) {
	if gate == nil {
		return
	}
	c.failOn = &failOnJSON{Condition: text, Refuted: true, Cells: []string{}, Unknown: [][]string{}}
	for _, cell := range gate.Judge(c.changes) {
		name := cell.Name
		c.failOn.Refuted = c.failOn.Refuted && cell.Refuted
		switch {
		case cell.Met:
			c.failOn.Met = true
			c.failOn.Cells = append(c.failOn.Cells, name)
			c.failOn.Judged++
		case cell.Unknown != "":
			c.failOn.Unknown = append(c.failOn.Unknown, []string{name, cell.Unknown})
		default:
			c.failOn.Judged++
		}
	}
}

// Gated gives the status that --fail-on asks for. What could not be judged lets a cell pass, but not all of them.
func (c *Comparison) Gated(a *lab.Session) error {
	if c.failOn == nil {
		return nil
	}
	f := c.failOn
	for _, u := range f.Unknown {
		fmt.Fprintf(a.Stderr, "--fail-on cannot be judged for %s: %s\n", u[0], u[1])
	}
	switch {
	case f.Met:
		return lab.WithStatus(lab.StatusGate, fmt.Errorf("--fail-on %q is met by %s", f.Condition, strings.Join(f.Cells, ", ")))
	case f.Judged == 0:
		return lab.Failure(fmt.Errorf("--fail-on %q cannot be judged for any cell", f.Condition))
	}
	return nil
}
