package show

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// An Experiment holds the results of an experiment.
type Experiment struct {
	Experiment string           `json:"experiment"`
	Skipped    string           `json:"skipped,omitempty"` // why the profile skips it, which leaves no cells
	NoiseFloor map[string]Floor `json:"noise_floor"`       // by metric, where known
	Cells      []*Cell          `json:"cells"`

	of      *dataset.Experiment
	metrics []record.Metric
}

// A Floor is the noise floor of a metric.
type Floor struct {
	Floor   float64  `json:"floor"`   // standard deviation of lasting offsets in the article, on logarithms
	Pair    *float64 `json:"pair"`    // difference within the experiment's A/A pair, as a share; null without a pair
	Biased  bool     `json:"biased"`  // the halves of the A/A pair differ significantly
	Exceeds bool     `json:"exceeds"` // the floor is larger than the smallest effect
}

// A Cell is a trial with its results.
type Cell struct {
	Trial
	State       string                 `json:"state"`
	Run         string                 `json:"run,omitempty"`
	Validity    string                 `json:"validity"`
	Checks      []validity.CheckResult `json:"checks"`
	Repetitions []Repetition           `json:"repetitions"` // number 0 is a search for a capacity
	Metrics     []Metric               `json:"metrics"`
	Searches    []*record.Search       `json:"searches,omitempty"`
	LimitedBy   string                 `json:"limited_by,omitempty"`

	cell *dataset.Cell
}

// A Trial is a trial with its place in the matrix.
type Trial struct {
	Name        string             `json:"trial"`
	Calibration bool               `json:"calibration"` // second half of the A/A pair
	Parameters  []record.Parameter `json:"parameters"`
	Labels      []record.Parameter `json:"labels"`
}

func newTrial(t *plan.Trial) Trial {
	return Trial{t.Name, t.Calibration, append([]record.Parameter{}, t.Parameters...),
		append([]record.Parameter{}, t.Labels...)}
}

// A Repetition is one repetition of a cell.
type Repetition struct {
	Repetition int       `json:"repetition"`
	Started    time.Time `json:"started"`
	Validity   string    `json:"validity"`
	Failure    string    `json:"failure,omitempty"`
	Words      []string  `json:"words"` // messages of the checks that are not ok
}

// A Metric is one metric of a cell.
type Metric struct {
	Metric string `json:"metric"`
	Unit   string `json:"unit"`
	Estimate
	Marks []string `json:"marks"`

	result dataset.Result
}

// An Estimate holds the numbers of a metric of a cell.
type Estimate struct {
	Repetitions int `json:"repetitions"`
	Number
	Interval string    `json:"interval,omitempty"` // kind of interval
	Missing  string    `json:"missing,omitempty"`
	Values   []float64 `json:"values"` // one for each valid repetition
}

func newEstimate(r dataset.Result) Estimate {
	out := Estimate{Missing: r.Missing, Values: append([]float64{}, r.Values...)}
	if e := r.Estimate; r.Missing == "" {
		out.Repetitions, out.Interval, out.Value = e.N, string(e.Kind), finite(e.Centre)
		out.Lo, out.Hi = finite(e.Interval.Lo), finite(e.Interval.Hi)
	}
	return out
}

func newExperiment(d *dataset.Dataset, e *dataset.Experiment) *Experiment {
	out := &Experiment{Experiment: e.Plan.Name, Skipped: e.Plan.Skipped, NoiseFloor: map[string]Floor{},
		Cells: []*Cell{}, of: e, metrics: e.AllMetrics()}
	for _, m := range out.metrics {
		f := d.Floor(m.Name)
		if f.Missing != "" {
			continue
		}
		floor := Floor{Floor: f.F, Exceeds: f.Exceeds}
		if p, missing := e.Pair(m.Name); missing == "" {
			difference := math.Expm1(p.D)
			floor.Pair, floor.Biased = &difference, p.Biased
		}
		out.NoiseFloor[m.Name] = floor
	}
	for _, c := range e.AllCells() {
		out.Cells = append(out.Cells, newCell(c, out.metrics))
	}
	return out
}

func newCell(c *dataset.Cell, metrics []record.Metric) *Cell {
	out := &Cell{Trial: newTrial(c.Trial), State: c.State.String(), Run: c.Run, Validity: c.Validity().Level().String(),
		Checks: append([]validity.CheckResult{}, c.Validity().Checks()...), Repetitions: []Repetition{},
		Metrics: []Metric{}, LimitedBy: c.Validity().LimitedBy().By, cell: c}
	for _, s := range append(slices.Clone(c.Trial.Tune), spec.Search{}) { // the tuned values, then the capacity
		if found := c.Search(s.Name); found != nil {
			out.Searches = append(out.Searches, found)
		}
	}
	for _, r := range c.Records {
		level, checks := validity.Of(r)
		if r.Failure != "" {
			checks = nil // they repeat the failure
		}
		out.Repetitions = append(out.Repetitions, Repetition{Repetition: r.Repetition, Started: r.Started,
			Validity: level.String(), Failure: r.Failure, Words: append([]string{}, warnings(checks)...)})
	}
	for _, m := range metrics {
		r := c.Metric(m.Name)
		out.Metrics = append(out.Metrics, Metric{Metric: m.Name, Unit: cmp.Or(m.Unit, "1"), Estimate: newEstimate(r),
			Marks: append([]string{}, r.Marks...), result: r})
	}
	return out
}

// warnings returns the messages of the checks that are not ok.
func warnings(checks []validity.CheckResult) (words []string) {
	for _, c := range checks {
		if c.Level == validity.Warn || c.Level == validity.Invalid {
			words = append(words, c.Words)
		}
	}
	return words
}

// columns returns the formats of the experiment's metrics, by name.
func (e *Experiment) columns() map[string]wording.Column {
	out := map[string]wording.Column{}
	for k, m := range e.metrics {
		results := slice.Map(e.Cells, func(c *Cell) dataset.Result { return c.Metrics[k].result })
		out[m.Name] = wording.ColumnOf(m, results...)
	}
	return out
}

func (f Floor) String() string {
	out := wording.PercentUnit.Alone(f.Floor)
	if f.Pair != nil {
		out += ", pair " + wording.PercentUnit.Alone(*f.Pair)
	}
	if f.Biased {
		out += ", biased"
	}
	return out
}

// section returns the section of an experiment without rows. If the profile skips it, the section says why.
func (e *Experiment) section(slug string, head ...string) Section {
	s := Section{Title: slug + "#" + e.Experiment}
	if e.Skipped != "" {
		s.Lines = []string{e.Skipped}
	} else {
		s.Table.Head = head
	}
	return s
}

// everything returns a table with a row for each metric of each cell.
func (e *Experiment) everything(slug string) Section {
	s := e.section(slug, "cell", "validity", "metric", "n", "centre and interval", "noise floor")
	columns := e.columns()
	var notes noteGroups
	for _, c := range e.Cells {
		first := []string{c.Name, c.status()}
		row := func(cells ...string) {
			s.Table.Rows = append(s.Table.Rows, append(first, cells...))
			first = []string{"", ""}
		}
		var missing noteGroups
		for _, m := range c.Metrics {
			words, floor := estimateWords(m.result, columns[m.Metric]), "–"
			if m.Missing != "" {
				missing.add(words, m.Metric)
				continue
			}
			if f, ok := e.NoiseFloor[m.Metric]; ok {
				floor = f.String()
			}
			row(m.Metric, fmt.Sprint(m.Repetitions), words, floor)
		}
		for _, why := range missing.texts {
			if names := missing.names[why]; len(names) == len(c.Metrics) {
				row("all", "0", why, "")
			} else {
				notes.add(strings.Join(names, ", ")+": "+why, c.Name)
			}
		}
		for _, words := range c.notes() {
			notes.add(words, c.Name)
		}
	}
	s.Notes = notes.lines()
	return s
}

// keyMetrics is the number of metrics that overview shows for a cell.
const keyMetrics = 3

// overview returns a table with a row for each cell and columns for the first key metrics.
func (e *Experiment) overview(slug string) Section {
	keys := e.of.KeyMetrics()
	keys = keys[:min(len(keys), keyMetrics)]
	s := e.section(slug, append([]string{"cell", "validity"}, cellview.NamesOf(keys)...)...)
	columns := e.columns()
	for _, c := range e.Cells {
		row := []string{c.Name, c.status()}
		for _, key := range keys {
			words := "–"
			if r := c.cell.Metric(key.Name); r.Missing == "" {
				words = estimateWords(r, columns[key.Name])
			}
			row = append(row, words)
		}
		s.Table.Rows = append(s.Table.Rows, row)
	}
	return s
}

// details returns what limited each cell, its repetitions and its searches.
func (e *Experiment) details() (out Report) {
	columns, keys := e.columns(), e.of.KeyMetrics()
	for _, c := range e.Cells {
		if limit := wording.Limit(c.cell.Validity().LimitedBy()); limit != "" {
			out = append(out, Section{Notes: []string{c.Name + ": limited by " + limit}})
		}
		if c.cell.Trial.Capacity == nil && len(c.Repetitions) > 0 {
			out = append(out, c.repetitions(keys, columns))
		}
		for _, found := range c.Searches {
			out = append(out, searchSection(found))
		}
	}
	return out
}

// repetitions returns a table of a cell's repetitions with the values of its key metrics.
func (c *Cell) repetitions(keys []record.Metric, columns map[string]wording.Column) Section {
	s := Section{Title: c.Name + ", repetition by repetition", Table: Table{
		Head: append([]string{"repetition", "started", "validity"}, cellview.NamesOf(keys)...)}}
	for i, r := range c.Repetitions {
		row := []string{fmt.Sprint(r.Repetition), startedAt(r.Started), r.Validity}
		for _, m := range keys {
			row = append(row, valueWords(c.cell, i, m, columns[m.Name]))
		}
		s.Table.Rows = append(s.Table.Rows, row)
		for _, w := range append(slices.Clone(r.Words), r.Failure) {
			if w != "" {
				s.Notes = append(s.Notes, fmt.Sprintf("repetition %d: %s", r.Repetition, w))
			}
		}
	}
	return s
}

// valueWords returns a metric of repetition i in words, or why it is missing.
func valueWords(c *dataset.Cell, i int, m record.Metric, u wording.Column) string {
	r := c.Records[i]
	value, missing := dataset.Value(r, m.Name, c.Experiment.Plan.Metrics)
	if missing != "" {
		return cmp.Or(strings.TrimSuffix(missing, ": "+r.Failure), missing)
	}
	step := math.Abs(value) * stats.MinResolution
	return u.Quantity(value, u.Decimals(wording.Figure{Value: value, Step: step, Exact: m.Counted}))
}

// estimateWords is like wording.Estimate, but does not say why a cell is not valid.
func estimateWords(r dataset.Result, u wording.Column) string {
	if strings.HasPrefix(r.Missing, wording.InvalidReason) {
		return strings.TrimPrefix(wording.Unsure(r)+", not valid", ", ")
	}
	return wording.Estimate(r, u)
}

// status returns the validity of a cell, after its state unless it is fresh.
func (c *Cell) status() string {
	switch {
	case len(c.Repetitions) == 0:
		return c.State
	case c.State != dataset.Fresh.String():
		return c.State + ", " + c.Validity
	}
	return c.Validity
}

// notes returns why a cell is not ok, and the marks of its metrics. Marks that not all metrics have name their metrics.
func (c *Cell) notes() []string {
	out := warnings(c.Checks)
	said := strings.Join(append(slices.Clone(out), c.status()), "; ")
	var marks noteGroups
	for _, m := range c.Metrics {
		for _, mark := range m.Marks {
			if !strings.Contains(said, mark) {
				marks.add(mark, m.Metric)
			}
		}
	}
	return append(out, marks.within(len(c.Metrics))...)
}

// noteGroups collects notes with the names that each applies to.
type noteGroups struct {
	texts []string
	names map[string][]string
}

func (g *noteGroups) add(text, name string) {
	if g.names == nil {
		g.names = map[string][]string{}
	}
	if g.names[text] == nil {
		g.texts = append(g.texts, text)
	}
	g.names[text] = slice.Add(g.names[text], name)
}

// lines returns each text after its names.
func (g *noteGroups) lines() []string {
	return slice.Map(g.texts, func(text string) string { return strings.Join(g.names[text], "; ") + ": " + text })
}

// within returns each text, followed by its names in brackets unless it applies to all n of them.
func (g *noteGroups) within(n int) []string {
	return slice.Map(g.texts, func(text string) string {
		if names := g.names[text]; len(names) < n {
			text += " (" + strings.Join(names, "; ") + ")"
		}
		return text
	})
}

// cellTable returns a table of all metrics of all cells, in unrounded numbers.
func cellTable(list []*Article) Table {
	t := Table{Head: []string{"article", "experiment", "trial", "calibration", "host", "profile", "run", "state", "validity",
		"metric", "unit", "repetitions", "value", "lo", "hi", "interval", "noise_floor", "missing", "marks"}}
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				for _, m := range c.Metrics {
					floor := ""
					if f, ok := e.NoiseFloor[m.Metric]; ok {
						floor = exact(&f.Floor)
					}
					t.Rows = append(t.Rows, []string{s.Article, e.Experiment, c.Name, fmt.Sprint(c.Calibration), s.Host, s.Profile,
						c.Run, c.State, c.Validity, m.Metric, m.Unit, fmt.Sprint(m.Repetitions), exact(m.Value), exact(m.Lo), exact(m.Hi),
						m.Interval, floor, m.Missing, strings.Join(m.Marks, "; ")})
				}
			}
		}
	}
	return t
}

// One is the JSON of one repetition: its record and its validity.
type One struct {
	Path     string                 `json:"path"` // below the records folder of the article
	Validity validity.Level         `json:"validity"`
	Checks   []validity.CheckResult `json:"checks"`
	Limited  string                 `json:"limited_by,omitempty"`
	Record   *record.Record         `json:"record"`
}

// printRepetition prints the main parts of a record as text, or all of it as JSON.
func printRepetition(a *lab.Session, r *record.Record) error {
	level, checks := validity.Of(r)
	limit := validity.LimitOf(r)
	return a.Print(One{Path: r.Path(), Validity: level, Checks: checks, Limited: limit.By, Record: r}, func() {
		first := Section{Title: fmt.Sprintf("%s#%s %s, repetition %d of %d: %s", r.Article, r.Experiment, r.Trial,
			r.Repetition, r.Planned, level), Notes: []string{"started " + startedAt(r.Started), "record " + r.Path()}}
		if words := wording.Limit(limit); words != "" {
			first.Notes = append(first.Notes, "limited by "+words)
		}
		if r.Failure != "" {
			first.Notes = append(first.Notes, r.Failure)
		}
		for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
			first.Notes = append(first.Notes, name+": "+r.Missing[name])
		}
		rows := slice.Map(checks, func(c validity.CheckResult) []string { return []string{c.Name, c.Level.String(), c.Words} })
		out := Report{first, {Title: "checks", Table: Table{Rows: rows}}}
		if r.Log != "" {
			out = append(out, Section{Title: "output", Notes: strings.Split(strings.TrimRight(r.Log, "\n"), "\n")})
		}
		out.Text(a.Stdout)
	})
}

func startedAt(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
