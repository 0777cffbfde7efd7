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
	"benchbook/render/wording"
	"benchbook/runner/machine"
)

// A Comparison is what compare and bench print. Numbers are unrounded and in base units; null where there is none.
type Comparison struct {
	A           Side                 `json:"a"`
	B           Side                 `json:"b"`
	Changes     []Change             `json:"changes"`
	Differences []compare.Difference `json:"differences"`
	Explanation string               `json:"explanation"`
	LeftOut     []string             `json:"left_out"` // records without a cell, in sentences
	FailOn      *FailOn              `json:"fail_on,omitempty"`

	changes []compare.Change
}

// A Side is one of two sets of records.
type Side struct {
	Kind   string     `json:"kind"` // run, host, profile, revision or folder
	Name   string     `json:"name"` // as given, without the kind
	Commit string     `json:"commit,omitempty"`
	Sets   []Compared `json:"sets"` // one for each article

	records map[string][]*record.Record // by article
}

func (s *Side) String() string {
	if s.Commit != "" {
		return fmt.Sprintf("%s %s (%.10s)", s.Kind, s.Name, s.Commit)
	}
	return s.Kind + " " + s.Name
}

// A Compared is a set of records of an article.
type Compared struct {
	Article  string    `json:"article"`
	Host     string    `json:"host"`
	ThisHost bool      `json:"this_host"`
	Profile  string    `json:"profile"`
	Runs     []string  `json:"runs"`
	From     time.Time `json:"from"` // start of the first repetition
	To       time.Time `json:"to"`   // end of the last one
}

// A Change is the change of one metric of one cell.
type Change struct {
	Article    string     `json:"article"`
	Experiment string     `json:"experiment"`
	Trial      string     `json:"trial"`
	Metric     string     `json:"metric"`
	Unit       string     `json:"unit"`
	A          CellResult `json:"a"`
	B          CellResult `json:"b"`
	// Change is B/A - 1; of failures B - A. Its interval is at 95 %, widened by the noise floor.
	Change     *float64 `json:"change"`
	Lo         *float64 `json:"lo"`
	Hi         *float64 `json:"hi"`
	Difference bool     `json:"difference"` // Change is B - A
	P          *float64 `json:"p"`          // corrected for the cells of the metric and for looks; null without a test
	NoiseFloor float64  `json:"noise_floor"`
	Verdict    string   `json:"verdict"`
	Refused    bool     `json:"refused"` // numbers exist, but must not be compared, for Reason
	Reason     string   `json:"reason,omitempty"`
	Marks      []string `json:"marks"`
}

// A CellResult is a metric of a cell on one side.
type CellResult struct {
	Run      string `json:"run,omitempty"`
	State    string `json:"state"`
	Validity string `json:"validity"`
	Estimate
}

// A FailOn is what --fail-on found.
type FailOn struct {
	Condition string     `json:"condition"`
	Met       bool       `json:"met"`
	Refuted   bool       `json:"refuted"` // every cell is shown not to meet it
	Cells     []string   `json:"cells"`   // that meet it
	Unknown   [][]string `json:"unknown"` // cells that cannot be judged, each with the reason
	Judged    int        `json:"judged"`
}

// CompareOptions choose what is compared, and what fails.
type CompareOptions struct {
	FailOn      string
	Metrics     []string
	AcrossHosts bool
}

// FailOnError is the error of a wrong condition.
func FailOnError(text string, err error) error {
	return lab.UsageError(fmt.Errorf("--fail-on %q: %w", text, err))
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
	for i, side := range []*Side{&c.A, &c.B} {
		found, err := finder.find(ctx, args[i])
		if err != nil {
			return nil, err
		}
		*side = *found
	}
	common := slices.DeleteFunc(slices.Clone(list), func(l *lab.Article) bool {
		return len(c.A.records[l.Slug]) == 0 || len(c.B.records[l.Slug]) == 0
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
	if err := c.compare(sides, o, gate, flags.FailOn); err != nil {
		return nil, err
	}
	if len(c.changes) == 0 {
		return nil, lab.UsageError(errors.New("no cells to compare: the records are of experiments that the article no " +
			"longer has, or that the profile leaves out"))
	}
	return c, nil
}

// compare fills the changes, and what may explain them.
func (c *Comparison) compare(sides []compare.Sides, o compare.ChangeOptions, gate *compare.Gate, condition string) (err error) {
	if c.changes, err = compare.Compare(sides, o); err != nil {
		return lab.UsageError(err)
	}
	c.Differences = append([]compare.Difference{}, compare.Differences(c.changes)...)
	c.LeftOut = append([]string{}, c.LeftOut...)
	c.Explanation = compare.Explain(c.changes, c.Differences)
	c.Changes = []Change{}
	for i := range c.changes {
		c.Changes = append(c.Changes, newChange(&c.changes[i]))
	}
	c.judge(gate, condition)
	return nil
}

// layAll returns the sets of all articles.
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

// nothingInCommon is the error of sides without an article in common.
func (c *Comparison) nothingInCommon(list []*lab.Article) error {
	of := func(s *Side) string {
		var slugs []string
		for _, l := range list {
			if len(s.records[l.Slug]) > 0 {
				slugs = append(slugs, l.Slug)
			}
		}
		return cmp.Or(strings.Join(slugs, ", "), "none of the articles")
	}
	return fmt.Errorf("nothing to compare: %s has records of %s, and %s of %s", &c.A, of(&c.A), &c.B, of(&c.B))
}

// lay returns the sets of one article.
func (c *Comparison) lay(project *article.Project, l *lab.Article, host string) (compare.Sides, error) {
	x, y := alike(c.A.records[l.Slug], c.B.records[l.Slug], host)
	s := compare.Sides{Experiments: l.Experiments}
	for _, one := range []struct {
		name string
		set  *set
		to   **dataset.Dataset
		side *Side
	}{{"A", x, &s.A, &c.A}, {"B", y, &s.B, &c.B}} {
		d, err := dataset.New(l.Doc, one.set.records, lab.DatasetOptions(project, l, host))
		if err != nil {
			return s, lab.Failure(fmt.Errorf("article %s: %w", l.Slug, err))
		}
		if d.Host != one.set.host || d.Profile != one.set.profile {
			return s, lab.UsageError(fmt.Errorf("%s: its records are of profile %s, which article %s no longer has", one.name,
				one.set.profile, l.Slug))
		}
		*one.to = d
		one.side.Sets = append(one.side.Sets, setOf(l.Slug, d, one.set.records))
		c.LeftOut = append(c.LeftOut, goneTrials(one.name, l, d, one.set.records)...)
	}
	c.LeftOut = append(c.LeftOut, onlyPlannedIn("A", l, s.A, s.B)...)
	c.LeftOut = append(c.LeftOut, onlyPlannedIn("B", l, s.B, s.A)...)
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
func setOf(slug string, d *dataset.Dataset, records []*record.Record) Compared {
	s := Compared{Article: slug, Host: d.Host, ThisHost: d.Own, Profile: d.Profile, Runs: []string{}}
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

func (s *Compared) add(r *record.Record) {
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

// judge judges the condition for each cell.
func (c *Comparison) judge(gate *compare.Gate, condition string) {
	if gate == nil {
		return
	}
	f := &FailOn{Condition: condition, Refuted: true, Cells: []string{}, Unknown: [][]string{}}
	for _, cell := range gate.Judge(c.changes) {
		f.Refuted = f.Refuted && cell.Refuted
		switch {
		case cell.Met:
			f.Met = true
			f.Cells = append(f.Cells, cell.Name)
			f.Judged++
		case cell.Unknown != "":
			f.Unknown = append(f.Unknown, []string{cell.Name, cell.Unknown})
		default:
			f.Judged++
		}
	}
	c.FailOn = f
}

// Gated is the error of --fail-on. Cells that cannot be judged pass, unless none can.
func (c *Comparison) Gated(a *lab.Session) error {
	if c.FailOn == nil {
		return nil
	}
	f := c.FailOn
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

func newChange(c *compare.Change) Change {
	out := Change{Article: c.Article, Experiment: c.A.Experiment.Plan.Name, Trial: c.Trial(), Metric: c.Metric.Name,
		Unit: cmp.Or(c.Metric.Unit, "1"), A: newCellResult(c.A, c.ResultA), B: newCellResult(c.B, c.ResultB),
		Difference: c.Points, NoiseFloor: c.Floor, Verdict: string(c.Verdict), Refused: c.Refused, Reason: c.Reason,
		Marks: append([]string{}, c.Marks...)}
	if e := c.Effect; e != nil {
		out.Change = finite(e.Number)
		if e.Interval != nil {
			out.Lo, out.Hi = finite(e.Interval.Lo), finite(e.Interval.Hi)
			if !c.Points {
				out.P = finite(c.P)
			}
		}
	}
	return out
}

func newCellResult(cell *dataset.Cell, r dataset.Result) CellResult {
	return CellResult{Run: cell.Run, State: cell.State.String(), Validity: cell.Validity().Level().String(),
		Estimate: newEstimate(r)}
}

// Print prints the comparison in a format.
func (c *Comparison) Print(a *lab.Session, format string) error {
	switch format {
	case FormatJSON:
		return lab.PrintJSON(a.Stdout, c)
	case FormatCSV:
		return c.table().CSV(a.Stdout)
	case FormatMarkdown:
		c.report().Markdown(a.Stdout)
	default:
		c.report().Text(a.Stdout)
	}
	return nil
}

// table has a row for each change, in unrounded numbers.
func (c *Comparison) table() Table {
	t := Table{Head: []string{"article", "experiment", "trial", "metric", "unit", "a_run", "a_repetitions", "a", "a_lo", "a_hi",
		"b_run", "b_repetitions", "b", "b_lo", "b_hi", "change", "lo", "hi", "difference", "p", "noise_floor", "verdict",
		"reason", "marks"}}
	for _, d := range c.Changes {
		row := []string{d.Article, d.Experiment, d.Trial, d.Metric, d.Unit}
		for _, r := range []CellResult{d.A, d.B} {
			row = append(row, r.Run, fmt.Sprint(r.Repetitions), exact(r.Value), exact(r.Lo), exact(r.Hi))
		}
		t.Rows = append(t.Rows, append(row, exact(d.Change), exact(d.Lo), exact(d.Hi), fmt.Sprint(d.Difference), exact(d.P),
			exact(&d.NoiseFloor), d.Verdict, d.Reason, strings.Join(d.Marks, "; ")))
	}
	return t
}

// report has a table for each experiment, and what differs between the sides.
func (c *Comparison) report() Report {
	first := Section{Title: wording.Sum(c.changes)}
	for _, s := range []struct {
		name string
		side *Side
	}{{"A", &c.A}, {"B", &c.B}} {
		first.Lines = append(first.Lines, s.name+" is "+s.side.String())
		for _, set := range s.side.Sets {
			first.Lines = append(first.Lines, s.name+", "+set.String())
		}
	}
	if f := c.FailOn; f != nil {
		met := "is not met"
		if f.Met {
			met = "is met by " + strings.Join(f.Cells, ", ")
		}
		first.Lines = append(first.Lines, fmt.Sprintf("--fail-on %s %s", f.Condition, met))
	}
	out := Report{first}
	for _, e := range wording.Changes(c.changes) {
		out = append(out, experimentChanges(&e))
	}
	differs := Section{Title: "what differs", Lines: []string{c.Explanation}, Table: differences(c.Differences)}
	if words := c.apart(); words != "" {
		differs.Lines = append(differs.Lines, words)
	}
	for _, words := range c.LeftOut {
		differs.Notes = append(differs.Notes, "left out, "+words)
	}
	return append(out, differs)
}

func experimentChanges(e *wording.ExperimentChanges) Section {
	s := Section{Title: e.Name, Table: Table{Head: []string{"metric", "cell", "A", "B", "change", "verdict"},
		Right: []int{2, 3, 4}}}
	if e.Unchanged() {
		return Section{Title: e.Name, Lines: []string{"both sides are the same repetitions"}}
	}
	var floors grouped
	for _, t := range e.Tables {
		if floor, ok := strings.CutPrefix(t.Title(), t.Metric.Name+", "); ok {
			floors.add(floor, t.Metric.Name)
		}
		for i, row := range t.Rows() {
			metric := ""
			if i == 0 {
				metric = t.Metric.Name
			}
			s.Table.Rows = append(s.Table.Rows, slices.Insert(row, 0, metric))
		}
	}
	s.Notes = append(floors.lines(), e.Notes()...)
	return s
}

// differences has a row for each part of a difference.
func differences(list []compare.Difference) Table {
	t := Table{Head: []string{"what", "A", "B", "where"}}
	for i := range list {
		d := &list[i]
		where := cmp.Or(strings.TrimPrefix(wording.Where(d), ", "), "all cells")
		for k, p := range d.Parts {
			if k == wording.MaxDetails-1 && len(d.Parts) > wording.MaxDetails {
				t.Rows = append(t.Rows, []string{fmt.Sprintf("%d more of %s", len(d.Parts)-k, d.Subject), "", "", where})
				break
			}
			t.Rows = append(t.Rows, []string{p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"), where})
		}
	}
	if t.Rows == nil {
		return Table{}
	}
	return t
}

// String says where and when the records were measured.
func (s *Compared) String() string {
	host := s.Host
	if s.ThisHost {
		host += " (this one)"
	}
	runs := terminal.Count(len(s.Runs), "run")
	if len(s.Runs) == 1 {
		runs = s.Runs[0]
	}
	return fmt.Sprintf("%s: profile %s, host %s, %s, measured %s", s.Article, s.Profile, host, runs,
		s.From.UTC().Format("2006-01-02 15:04"))
}

// apart says how much later B was measured; empty if nothing new was measured.
func (c *Comparison) apart() string {
	longest := time.Duration(0)
	for i, x := range c.A.Sets {
		if y := c.B.Sets[i]; !slices.Equal(x.Runs, y.Runs) {
			longest = max(longest, y.From.Sub(x.From).Abs())
		}
	}
	return wording.Apart(longest)
}
