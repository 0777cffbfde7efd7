package show

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// A Comparison is what compare and bench print. Numbers are unrounded and in base units; missing ones are null.
type Comparison struct {
	A           Side                 `json:"a"`
	B           Side                 `json:"b"`
	Same        bool                 `json:"same,omitempty"` // the measured parts are the same, so nothing was measured
	Changes     []Change             `json:"changes"`
	Differences []compare.Difference `json:"differences"`
	Explanation string               `json:"explanation"`
	LeftOut     []string             `json:"left_out"` // sentences about records without a cell
	FailOn      *FailOn              `json:"fail_on,omitempty"`
	Proofs      []Proof              `json:"proofs,omitempty"`

	changes []*compare.Change
}

// A Compared describes the records of an article on one side.
type Compared struct {
	Article  string    `json:"article"`
	Host     string    `json:"host"`
	ThisHost bool      `json:"this_host"`
	Profile  string    `json:"profile"`
	Runs     []string  `json:"runs"`
	From     time.Time `json:"from"` // start of the first repetition
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
	// Change is B/A - 1, or B - A for failures. Its 95 % interval is widened by the noise floor.
	Change     *float64 `json:"change"`
	Lo         *float64 `json:"lo"`
	Hi         *float64 `json:"hi"`
	Difference bool     `json:"difference"` // Change is B - A
	P          *float64 `json:"p"`          // corrected for the number of cells and looks; null without a test
	NoiseFloor float64  `json:"noise_floor"`
	Verdict    string   `json:"verdict"`
	Refused    bool     `json:"refused"` // there are numbers, but Reason forbids comparing them
	Reason     string   `json:"reason,omitempty"`
	Marks      []string `json:"marks"`
}

// A CellResult is the result of a metric of a cell on one side.
type CellResult struct {
	Run      string `json:"run,omitempty"`
	State    string `json:"state"`
	Validity string `json:"validity"`
	Estimate
}

// A FailOn is the outcome of --fail-on.
type FailOn struct {
	Condition string             `json:"condition"`
	Met       bool               `json:"met"` // by any cell
	Cells     []compare.GateCell `json:"cells"`
}

// CompareSides compares two sides. args names the sides, then the articles; without articles, all are compared.
func CompareSides(ctx context.Context, a *lab.Session, args []string, o compare.ChangeOptions) (*Comparison, error) {
	project, list, err := a.Select(args[2:])
	if err != nil {
		return nil, err
	}
	c := &Comparison{}
	f, err := newFinder(a, project, list)
	if err != nil {
		return nil, lab.Failure(err)
	}
	for i, side := range []*Side{&c.A, &c.B} {
		if err := f.find(ctx, args[i], side); err != nil {
			return nil, err
		}
	}
	common := slice.Filter(list, func(l *lab.Article) bool {
		return len(c.A.records[l.Slug]) > 0 && len(c.B.records[l.Slug]) > 0
	})
	if len(common) == 0 || len(args) > 2 && len(common) < len(list) {
		articles := func(s *Side) string { return strings.Join(slices.Sorted(maps.Keys(s.records)), ", ") }
		return nil, lab.UsageError(fmt.Errorf("nothing to compare: %s has records of %s, and %s of %s", &c.A,
			articles(&c.A), &c.B, articles(&c.B)))
	}
	if err := a.Plans(project, common, plan.Options{}, "articles with problems are not compared"); err != nil {
		return nil, err
	}
	sides := make([]compare.Sides, len(common))
	for i, l := range common {
		if sides[i], err = c.lay(a, project, l); err != nil {
			return nil, err
		}
	}
	if err := c.compare(sides, o); err != nil {
		return nil, err
	}
	if len(c.changes) == 0 {
		return nil, lab.UsageError(errors.New("no cells to compare: the records are of experiments that the article no " +
			"longer has, or that the profile leaves out"))
	}
	return c, nil
}

// lay returns datasets of an article for both sides, from the two sets of records that are most alike.
func (c *Comparison) lay(a *lab.Session, project *article.Project, l *lab.Article) (s compare.Sides, err error) {
	host, err := a.HostOf(project, l)
	if err != nil {
		return s, lab.Failure(err)
	}
	x, y := alike(c.A.records[l.Slug], c.B.records[l.Slug], host.ID)
	if s.A, err = c.A.lay(project, l, x, host.ID); err == nil {
		s.B, err = c.B.lay(project, l, y, host.ID)
	}
	if err == nil {
		s.Experiments = l.Experiments
		c.LeftOut = slices.Concat(c.LeftOut, leftOut("A", l, x, s), leftOut("B", l, y, s))
	}
	return s, err
}

func (s *Side) lay(project *article.Project, l *lab.Article, from *set, host string) (*dataset.Dataset, error) {
	d, err := dataset.New(l.Doc, from.records, lab.DatasetOptions(project, l, host))
	if err != nil {
		return nil, lab.Failure(fmt.Errorf("article %s: %w", l.Slug, err))
	}
	if d.Host != from.host || d.Profile != from.profile {
		return nil, lab.UsageError(fmt.Errorf("%s: its records are of profile %s, which article %s no longer has", s,
			from.profile, l.Slug))
	}
	s.Sets = append(s.Sets, newCompared(l.Slug, d))
	return d, nil
}

// newCompared describes the records in the cells of d.
func newCompared(slug string, d *dataset.Dataset) Compared {
	s := Compared{Article: slug, Host: d.Host, ThisHost: d.Own, Profile: d.Profile, Runs: []string{}}
	for _, e := range d.Experiments {
		for _, r := range dataset.RecordsOf(e.Cells) {
			s.Runs = slice.Add(s.Runs, r.Run)
			if s.From.IsZero() || r.Started.Before(s.From) {
				s.From = r.Started
			}
		}
	}
	slices.Sort(s.Runs)
	return s
}

// leftOut returns a sentence for each measured trial that is not planned on both sides.
func leftOut(side string, l *lab.Article, measured *set, planned compare.Sides) (sentences []string) {
	for _, r := range measured.records {
		lacks := func(d *dataset.Dataset) bool {
			e, ok := d.Experiment(r.Experiment)
			return !ok || !slices.ContainsFunc(e.Cells, func(c *dataset.Cell) bool { return c.Planned.Name == r.Trial })
		}
		if !r.Calibration && l.Wants(r.Experiment) && (lacks(planned.A) || lacks(planned.B)) {
			sentences = slice.Add(sentences, fmt.Sprintf("%s: %s#%s %s, which the article does not plan for both sides", side,
				l.Slug, r.Experiment, r.Trial))
		}
	}
	slices.Sort(sentences)
	return sentences
}

// compare sets the changes, the differences that may explain them, the proofs, and the outcome of the gate.
func (c *Comparison) compare(sides []compare.Sides, o compare.ChangeOptions) error {
	changes, proofs, err := compare.Compare(sides, o)
	if err != nil {
		return lab.UsageError(err)
	}
	c.changes, c.Changes = changes, []Change{}
	c.Differences = append([]compare.Difference{}, compare.Differences(c.changes)...)
	c.LeftOut = append([]string{}, c.LeftOut...)
	c.Explanation = compare.Explain(c.changes, c.Differences)
	for _, change := range changes {
		c.Changes = append(c.Changes, newChange(change))
	}
	for i := range proofs {
		c.Proofs = append(c.Proofs, newProof(&proofs[i], o.Prove))
	}
	if o.Gate != nil {
		c.FailOn = &FailOn{Condition: o.Gate.Condition, Cells: o.Gate.Judge(c.changes)}
		c.FailOn.Met = slices.ContainsFunc(c.FailOn.Cells, func(g compare.GateCell) bool { return g.Met })
	}
	return nil
}

// Gated returns the error of --fail-on. Cells that cannot be judged pass; it is an error if none can be judged.
func (c *Comparison) Gated(a *lab.Session) error {
	if c.FailOn == nil {
		return nil
	}
	judged := false
	for _, g := range c.FailOn.Cells {
		judged = judged || g.Unknown == ""
		if g.Unknown != "" {
			fmt.Fprintf(a.Stderr, "--fail-on cannot be judged for %s: %s\n", g.Name, g.Unknown)
		}
	}
	switch {
	case c.FailOn.Met:
		return lab.WithStatus(lab.StatusGate, errors.New(c.FailOn.String()))
	case !judged:
		return lab.UsageError(fmt.Errorf("--fail-on %q cannot be judged for any cell", c.FailOn.Condition))
	}
	return nil
}

// nothingJudged says why the first change could not be judged if none could; otherwise it is empty.
func (c *Comparison) nothingJudged() string {
	isJudged := func(c *compare.Change) bool { return c.Verdict != stats.NotComparable || c.Unchanged }
	if len(c.changes) == 0 || slices.ContainsFunc(c.changes, isJudged) {
		return ""
	}
	first := c.changes[0]
	return fmt.Sprintf("nothing could be judged: %s, %s: %s", first.CellName(), first.Metric.Name, first.Reason)
}

// Judged returns an error if nothing could be judged.
func (c *Comparison) Judged() error {
	if why := c.nothingJudged(); why != "" {
		return lab.UsageError(errors.New(why))
	}
	return nil
}

func (f *FailOn) String() string {
	var names []string
	for _, g := range f.Cells {
		if g.Met {
			names = append(names, g.Name)
		}
	}
	if names == nil {
		return fmt.Sprintf("--fail-on %q is not met", f.Condition)
	}
	return fmt.Sprintf("--fail-on %q is met by %s", f.Condition, strings.Join(names, ", "))
}

func newChange(c *compare.Change) Change {
	n := numberOf(c.Effect)
	out := Change{Article: c.Article, Experiment: c.A.Experiment.Plan.Name, Trial: c.Trial, Metric: c.Metric.Name,
		Unit: cmp.Or(c.Metric.Unit, "1"), A: newCellResult(c.A, c.ResultA), B: newCellResult(c.B, c.ResultB),
		Change: n.Value, Lo: n.Lo, Hi: n.Hi, Difference: c.Points, NoiseFloor: c.Floor, Verdict: string(c.Verdict),
		Refused: c.Refused, Reason: c.Reason, Marks: append([]string{}, c.Marks...)}
	if c.Effect != nil && c.Effect.Interval != nil && !c.Points {
		out.P = finite(c.P)
	}
	return out
}

func newCellResult(cell *dataset.Cell, r dataset.Result) CellResult {
	return CellResult{Run: cell.Run, State: cell.State.String(), Validity: cell.Validity().Level().String(),
		Estimate: newEstimate(r)}
}

// Print prints the comparison in a format.
func (c *Comparison) Print(a *lab.Session, format string) error {
	switch {
	case a.JSON:
		return lab.PrintJSON(a.Stdout, c)
	case format == FormatCSV:
		return c.table().CSV(a.Stdout)
	case format == FormatMarkdown:
		c.report().Markdown(a.Stdout)
	default:
		c.report().Text(a.Stdout)
	}
	return nil
}

// table returns a row for each change, in unrounded numbers.
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

// report returns a table for each experiment, and a section with the differences between the sides.
func (c *Comparison) report() Report {
	first := Section{Title: cmp.Or(c.nothingJudged(), countVerdicts(c.changes)),
		Lines: slices.Concat(c.A.lines("A"), c.B.lines("B"))}
	differs := Section{Title: "what differs", Lines: []string{c.Explanation}, Table: differences(c.Differences)}
	longest := time.Duration(0) // between the measurements of A and B in different runs
	for i, a := range c.A.Sets {
		if b := c.B.Sets[i]; len(a.Runs) > 0 && len(b.Runs) > 0 && !slices.Equal(a.Runs, b.Runs) {
			longest = max(longest, b.From.Sub(a.From).Abs())
		}
	}
	for i := range c.Proofs {
		first.Lines = append(first.Lines, c.Proofs[i].String())
	}
	if c.FailOn != nil {
		first.Lines = append(first.Lines, c.FailOn.String())
	}
	out := Report{first}
	for _, group := range groups(c.changes, (*compare.Change).ExperimentName) {
		out = append(out, experimentSection(group))
	}
	if longest > 0 {
		differs.Lines = append(differs.Lines, fmt.Sprintf("A and B were measured %s apart: every change includes whatever else "+
			"changed in between, which the noise floor does not cover", spec.FormatDuration(longest.Round(time.Second))))
	}
	for _, words := range c.LeftOut {
		differs.Notes = append(differs.Notes, "left out, "+words)
	}
	return append(out, differs)
}

// String says where and when the records were measured, if there are any.
func (s *Compared) String() string {
	host := s.Host
	if s.ThisHost {
		host += " (this one)"
	}
	runs := phrase.Count(len(s.Runs), "run") + ", measured " + minuteOf(s.From)
	switch len(s.Runs) {
	case 0:
		runs = "no records to compare"
	case 1:
		runs = s.Runs[0] + ", measured " + minuteOf(s.From)
	}
	return fmt.Sprintf("%s: profile %s, host %s, %s", s.Article, s.Profile, host, runs)
}

func minuteOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
