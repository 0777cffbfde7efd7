// Package show prints what was measured, how it compares, and what a run would do.
package show

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"

	"benchbook/internal/slice"
	"benchbook/render/wording"
	"benchbook/runner/machine"
)

// ShowJSON is an article as show prints it with --json, in a list. Fields are added to it in later versions,
// none are renamed or removed. Numbers are unrounded and in base units; null where there is none.
type ShowJSON struct {
	Article     string              `json:"article"`
	Title       string              `json:"title"`
	Host        string              `json:"host"`
	ThisHost    bool                `json:"this_host"`
	Profile     string              `json:"profile"`
	Standing    string              `json:"standing"`
	Count       string              `json:"count,omitempty"` // of the headline claims that are supported: "2 of 3"
	Reason      string              `json:"reason,omitempty"`
	Published   []string            `json:"published,omitempty"` // how far published numbers agree, a sentence for each
	Experiments []shownExperiment   `json:"experiments"`
	Claims      []shownClaim        `json:"claims"`
	Others      []map[string]string `json:"others"` // sets of records that are not shown, by host and profile

	standing string // with its count
}

type shownExperiment struct {
	Experiment string                `json:"experiment"`
	Skipped    string                `json:"skipped,omitempty"` // why the profile leaves it out; then there are no cells
	NoiseFloor map[string]shownFloor `json:"noise_floor"`       // by metric; those that are not here are not known
	Cells      []shownCell           `json:"cells"`

	metrics []record.Metric
	noFloor map[string]string // why a metric has no noise floor
}

type shownFloor struct {
	Floor   float64  `json:"floor"`   // of the article: the standard deviation of lasting offsets, on logarithms
	Pair    *float64 `json:"pair"`    // how far apart the A/A pair of the experiment is, as a share; null without one
	Biased  bool     `json:"biased"`  // that pair can be told apart
	Exceeds bool     `json:"exceeds"` // the floor the smallest effect
}

type shownCell struct {
	Trial       string             `json:"trial"`
	Calibration bool               `json:"calibration"`
	Parameters  []record.Parameter `json:"parameters"`
	Labels      []record.Parameter `json:"labels"`
	Unavailable string             `json:"unavailable,omitempty"`
	State       string             `json:"state"`
	Run         string             `json:"run,omitempty"`
	Validity    string             `json:"validity"`
	Checks      []shownCheck       `json:"checks"`
	Repetitions []shownRepetition  `json:"repetitions"` // a search for a capacity stands there as number 0
	Metrics     []ShownMetric      `json:"metrics"`
	Searches    []*record.Search   `json:"searches,omitempty"` // what was tried and found, as records have it
	LimitedBy   string             `json:"limited_by,omitempty"`

	cell *dataset.Cell
}

type shownCheck struct {
	Check string `json:"check"`
	Level string `json:"level"`
	Words string `json:"words,omitempty"`
}

type shownRepetition struct {
	Repetition int       `json:"repetition"`
	Started    time.Time `json:"started"`
	Validity   string    `json:"validity"`
	Failure    string    `json:"failure,omitempty"`
	Words      []string  `json:"words"` // of the checks that are not ok
}

type ShownMetric struct {
	Metric string `json:"metric"`
	Unit   string `json:"unit"`
	measuredJSON
	Marks []string `json:"marks"`

	result dataset.Result
}

// oneJSON is one repetition as show prints it with --json: its record, and what it is worth.
type oneJSON struct {
	Path     string         `json:"path"` // below the records folder of the article
	Validity string         `json:"validity"`
	Checks   []shownCheck   `json:"checks"`
	Values   []shownValue   `json:"values"`
	Limited  string         `json:"limited_by,omitempty"`
	Record   *record.Record `json:"record"`
}

type shownValue struct {
	Metric  string   `json:"metric"`
	Unit    string   `json:"unit"`
	Value   *float64 `json:"value"`
	Missing string   `json:"missing,omitempty"`

	metric record.Metric
}

// A Selection says which records are shown, and what of them: everything where a field is empty.
type Selection struct {
	Run, Host, Profile string
	Trials             []string
	Claim              string
	Repetition         int
}

// Selected is all that is known of the articles that are named, in the sets of records that flags ask for. A trial or a
// claim is not looked for.
func Selected(a *lab.Session, args []string, flags Selection) ([]ShowJSON, error) {
	project, list, _, err := a.SelectPlanned(args, plan.Options{}, "articles with problems are not shown")
	if err != nil {
		return nil, err
	}
	this, err := machine.Here()
	if err != nil {
		return nil, lab.Failure(err)
	}
	var out []ShowJSON
	for _, c := range list {
		records, o, err := a.Lay(project, c, this)
		if err != nil {
			return nil, lab.Failure(err)
		}
		wanted := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return !flags.Wants(r) })
		if len(wanted) == 0 && cmp.Or(flags.Run, flags.Host, flags.Profile) != "" {
			if len(list) > 1 {
				continue // another article may have some
			}
			return nil, lab.UsageError(flags.nothing(c.Slug, records))
		}
		d, err := dataset.New(c.Doc, wanted, o)
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
		}
		out = append(out, shown(c, d))
	}
	if len(out) == 0 {
		return nil, lab.UsageError(errors.New("no article has such records: leave out --run, --host or --profile"))
	}
	return out, nil
}

// Show prints what is selected in a format.
func Show(a *lab.Session, args []string, flags Selection, format string) error {
	out, err := Selected(a, args, flags)
	if err != nil {
		return err
	}
	about := ofAll
	switch {
	case len(flags.Trials) > 0:
		about, err = ofTrial, OnlyTrials(out, flags.Trials)
	case flags.Claim != "":
		about = ofClaim
		out, err = onlyClaim(out, flags.Claim)
	}
	if err != nil {
		return lab.UsageError(err)
	}
	if flags.Repetition != 0 {
		return showRepetition(a, out, flags, format)
	}
	if about == ofAll && format == FormatText {
		about = extentOf(out, args)
	}
	if err := printShown(a, out, format, about); err != nil {
		return lab.Failure(err)
	}
	return nil
}

// Wants reports whether a record is selected.
func (f *Selection) Wants(r *record.Record) bool {
	return (f.Run == "" || r.Run == f.Run) && (f.Host == "" || r.Host == f.Host) && (f.Profile == "" ||
		r.Profile == f.Profile)
}

// nothing says that no record is wanted, with those that there are.
func (f *Selection) nothing(slug string, records []*record.Record) error {
	var words []string
	for _, k := range []struct {
		flag, wanted string
		field        func(*record.Record) string
	}{{"run", f.Run, lab.RecordRun}, {"host", f.Host, lab.RecordHost}, {"profile", f.Profile, lab.RecordProfile}} {
		if k.wanted == "" {
			continue
		}
		known := map[string]bool{}
		for _, r := range records {
			known[k.field(r)] = true
		}
		if !known[k.wanted] {
			return fmt.Errorf("no records of article %s with --%s %s: %s", slug, k.flag, k.wanted,
				cmp.Or(source.Suggest(k.wanted, slices.Sorted(maps.Keys(known))), "it has none"))
		}
		words = append(words, fmt.Sprintf("--%s %s", k.flag, k.wanted))
	}
	return fmt.Errorf("no records of article %s with %s together", slug, strings.Join(words, " and "))
}

// ShowAll returns all that show prints of an article as JSON.
func ShowAll(c *lab.Article, d *dataset.Dataset) []ShowJSON { return []ShowJSON{shown(c, d)} }

func shown(c *lab.Article, d *dataset.Dataset) ShowJSON {
	judged := claim.JudgeAll(d)
	standing := judged.Standing()
	out := ShowJSON{Article: c.Slug, Title: c.Doc.Front.Title.Value, Host: d.Host, ThisHost: d.Own, Profile: d.Profile,
		Standing: string(standing.Is), Count: standing.Count, Reason: standing.Reason, Published: standing.Published,
		standing: standing.String(), Experiments: []shownExperiment{}, Claims: []shownClaim{}, Others: []map[string]string{}}
	for _, s := range d.Others {
		out.Others = append(out.Others, map[string]string{"host": s.Host, "profile": s.Profile})
	}
	for _, e := range d.Experiments {
		if c.Wants(e.Plan.Name) {
			out.Experiments = append(out.Experiments, showExperiment(d, e))
		}
	}
	for _, j := range judged.Claims {
		if len(c.Experiments) > 0 && !concerns(j.Claim, c.Experiments) {
			continue
		}
		out.Claims = append(out.Claims, showClaim(&j))
	}
	return out
}

// concerns reports whether a claim is about one of some experiments. One that names none is about the only one, or
// about more than can be told from its words.
func concerns(c *article.Claim, experiments []string) bool {
	named := []string{}
	if c.Experiment.Value != "" {
		named = append(named, c.Experiment.Value)
	}
	if c.Expect.Node != nil {
		for _, s := range expr.Selectors(c.Expect.Node) {
			for _, m := range s.Matches {
				if m.Name == "experiment" {
					named = append(named, m.Value)
				}
			}
		}
	}
	return len(named) == 0 || slices.ContainsFunc(named, func(name string) bool {
		return slices.Contains(experiments, name)
	})
}

func showExperiment(d *dataset.Dataset, e *dataset.Experiment) shownExperiment {
	out := shownExperiment{Experiment: e.Plan.Name, Skipped: e.Plan.Skipped, NoiseFloor: map[string]shownFloor{},
		Cells: []shownCell{}, noFloor: map[string]string{}, metrics: e.AllMetrics()}
	for _, m := range out.metrics {
		f := d.Floor(m.Name)
		if f.Missing != "" {
			out.noFloor[m.Name] = f.Missing
			continue
		}
		shown := shownFloor{Floor: f.F, Exceeds: f.Exceeds}
		if p, missing := e.Pair(m.Name); missing == "" {
			difference := math.Expm1(p.D)
			shown.Pair, shown.Biased = &difference, p.Biased
		}
		out.NoiseFloor[m.Name] = shown
	}
	cells := e.Cells
	if e.Calibration != nil {
		cells = append(slices.Clone(cells), e.Calibration)
	}
	for _, c := range cells {
		out.Cells = append(out.Cells, showCell(c, out.metrics))
	}
	return out
}

func showCell(c *dataset.Cell, metrics []record.Metric) shownCell {
	t := c.Trial
	out := shownCell{Trial: t.Name, Calibration: t.Calibration, Parameters: append([]record.Parameter{}, t.Parameters...),
		Labels: append([]record.Parameter{}, t.Labels...), Unavailable: t.Unavailable, State: c.State.String(), Run: c.Run,
		Validity: c.Validity().Level().String(), Checks: showChecks(c.Validity().Checks()), Repetitions: []shownRepetition{},
		Metrics: []ShownMetric{}, Searches: searchesOf(c), LimitedBy: c.Validity().LimitedBy().By, cell: c}
	for _, r := range c.Records {
		level, checks := validity.Of(r)
		one := shownRepetition{Repetition: r.Repetition, Started: r.Started, Validity: level.String(), Failure: r.Failure,
			Words: []string{}}
		for _, check := range checks {
			if r.Failure == "" && (check.Level == validity.Warn || check.Level == validity.Invalid) {
				one.Words = append(one.Words, check.Words)
			}
		}
		out.Repetitions = append(out.Repetitions, one)
	}
	for _, m := range metrics {
		r := c.Metric(m.Name)
		out.Metrics = append(out.Metrics, ShownMetric{Metric: m.Name, Unit: cmp.Or(m.Unit, "1"),
			measuredJSON: measuredData(r), Marks: append([]string{}, r.Marks...), result: r})
	}
	return out
}

func showChecks(list []validity.CheckResult) []shownCheck {
	out := []shownCheck{}
	for _, c := range list {
		out = append(out, shownCheck{c.Name, c.Level.String(), c.Words})
	}
	return out
}

// OnlyTrials leaves some trials in what is shown. Without a trial of each name it is an error.
func OnlyTrials(list []ShowJSON, trials []string) error {
	var known []string
	for i := range list {
		for k := range list[i].Experiments {
			e := &list[i].Experiments[k]
			for _, c := range e.Cells {
				known = append(known, c.Trial)
			}
			e.Cells = slices.DeleteFunc(e.Cells, func(c shownCell) bool { return !slices.Contains(trials, c.Trial) })
		}
		list[i].Experiments = slices.DeleteFunc(list[i].Experiments,
			func(e shownExperiment) bool { return len(e.Cells) == 0 })
		list[i].Claims = []shownClaim{}
	}
	for _, trial := range trials {
		if !slices.Contains(known, trial) {
			return fmt.Errorf("no trial %q: %s", trial, source.Suggest(trial, known))
		}
	}
	return nil
}

// An extent is what of an article is shown.
type extent int

const (
	ofAll      extent = iota
	ofTrial           // one cell, with its repetitions
	ofClaim           // one claim
	ofCells           // the claims and a line for each cell
	ofArticles        // a line for each article
)

func printShown(a *lab.Session, list []ShowJSON, format string, about extent) error {
	switch {
	case format == FormatJSON:
		return lab.PrintJSON(a.Stdout, list)
	case format == FormatBenchfmt:
		cells := benchCells(list)
		if len(cells) == 0 {
			return errors.New("no valid results: benchbook plan lists what is missing, benchbook show tells why a number " +
				"is not valid")
		}
		return exportBenchfmt(a.Stdout, cells)
	case format == FormatCSV && about == ofClaim:
		return terminal.PrintCSV(a.Stdout, claimRows(list))
	case format == FormatCSV:
		return terminal.PrintCSV(a.Stdout, shownRows(list))
	}
	if about == ofArticles {
		printArticles(a, list)
		return nil
	}
	for i, s := range list {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		printShownText(a, &s, about)
	}
	return nil
}

// head says of which records the numbers are.
func (s *ShowJSON) head() string {
	where := fmt.Sprintf("profile %s, host %s", s.Profile, s.Host)
	if !s.ThisHost {
		where += ", not this one"
	}
	return fmt.Sprintf("%s: %s (%s)", s.Article, s.standing, where)
}

// about says what has to be known of a cell beside its numbers: its state unless it is fresh, and its validity with the
// words of the checks that are not ok.
func (c *shownCell) about() []string {
	switch {
	case c.Unavailable != "":
		return []string{"unavailable: " + c.Unavailable}
	case len(c.Repetitions) == 0:
		return []string{c.State}
	}
	out := []string{c.Validity}
	if c.State != dataset.Fresh.String() {
		out = []string{c.State, c.Validity}
	}
	for _, check := range c.Checks {
		if check.Level == validity.Warn.String() || check.Level == validity.Invalid.String() {
			out = append(out, check.Words)
		}
	}
	return out
}

// columns say how the metrics of an experiment are written, each in one way.
func (e *shownExperiment) columns() map[string]wording.Column {
	out := map[string]wording.Column{}
	for k, m := range e.metrics {
		results := slice.Map(e.Cells, func(c shownCell) dataset.Result { return c.Metrics[k].result })
		out[m.Name] = wording.ColumnOf(m, results...)
	}
	return out
}

// floor is the noise floor of a metric. For one that is not known there may be a reason, to be said once.
func (e *shownExperiment) floor(metric string) (words, why string) {
	if record.IsSearched(metric) {
		return "–", "" // no claim about it has one
	}
	f, ok := e.NoiseFloor[metric]
	if !ok {
		if why := e.noFloor[metric]; why != dataset.NoPair {
			return "–", why
		}
		return "no A/A pair", ""
	}
	out := wording.PercentUnit.Alone(f.Floor)
	if f.Pair != nil {
		out += ", pair " + wording.PercentUnit.Alone(*f.Pair)
	}
	if f.Biased {
		out += ", biased"
	}
	return out, ""
}

func printShownText(a *lab.Session, s *ShowJSON, about extent) {
	fmt.Fprintln(a.Stdout, s.head())
	for _, line := range linesBelow(s.Reason, s.Published) {
		fmt.Fprintln(a.Stdout, line)
	}
	if about == ofCells {
		printCells(a, s)
		return
	}
	for _, e := range s.Experiments {
		fmt.Fprintf(a.Stdout, "\n%s#%s\n", s.Article, e.Experiment)
		if e.Skipped != "" {
			fmt.Fprintf(a.Stdout, "  %s\n", e.Skipped)
		}
		columns := e.columns()
		for i := range e.Cells {
			printCell(a, &e, &e.Cells[i], columns, about)
		}
		for _, line := range e.floorReasons() {
			fmt.Fprintf(a.Stdout, "  %s\n", line)
		}
	}
	printShownClaims(a, s)
}

// printCell prints all that is known of a cell.
func printCell(a *lab.Session, e *shownExperiment, c *shownCell, columns map[string]wording.Column, about extent) {
	fmt.Fprintf(a.Stdout, "  %s: %s\n", c.Trial, strings.Join(c.about(), "; "))
	if len(c.Repetitions) == 0 {
		return
	}
	rows := [][]string{{"metric", "n", "centre and interval", "noise floor"}}
	for _, m := range c.Metrics {
		floor, _ := e.floor(m.Metric)
		rows = append(rows, []string{m.Metric, fmt.Sprint(m.Repetitions), shownWords(m.result, columns[m.Metric]), floor})
	}
	if words := c.without(); words != "" {
		fmt.Fprintf(a.Stdout, "    %s\n", words)
	} else {
		terminal.PrintColumns(a.Stdout, "    ", rows)
	}
	for _, note := range c.notes() {
		fmt.Fprintf(a.Stdout, "    note: %s\n", note)
	}
	if limit := wording.Limit(c.cell.Validity().LimitedBy()); about == ofTrial && limit != "" {
		fmt.Fprintf(a.Stdout, "    limited by: %s\n", limit)
	}
	if about == ofTrial && c.cell.Trial.Capacity == nil {
		printRepetitions(a, c, columns)
	}
	if about == ofTrial {
		for _, found := range c.Searches {
			printSearch(a, found)
		}
	}
}

// without is why the cell has no number at all; empty if it has one, or lacks them for different reasons.
func (c *shownCell) without() string {
	words, plain := "", wording.Plain.Column()
	for i, m := range c.Metrics {
		if i > 0 && shownWords(m.result, plain) != words || m.Missing == "" {
			return ""
		}
		words = shownWords(m.result, plain)
	}
	return words
}

// shownWords is wording.Estimate beside what says already that the cell is not valid, and why.
func shownWords(r dataset.Result, u wording.Column) string {
	if strings.HasPrefix(r.Missing, wording.InvalidReason) {
		return "not valid"
	}
	return wording.Estimate(r, u)
}

// notes are the marks of metrics that about does not say, each with the metrics that have it, unless all do.
func (c *shownCell) notes() []string {
	about := strings.Join(c.about(), "; ")
	var marks []string
	metrics := map[string][]string{}
	for _, m := range c.Metrics {
		for _, mark := range m.Marks {
			if strings.Contains(about, mark) {
				continue
			}
			if metrics[mark] == nil {
				marks = append(marks, mark)
			}
			metrics[mark] = append(metrics[mark], m.Metric)
		}
	}
	for i, mark := range marks {
		if len(metrics[mark]) < len(c.Metrics) {
			marks[i] = mark + " (" + strings.Join(metrics[mark], ", ") + ")"
		}
	}
	return marks
}

// printRepetitions lists the repetitions of a cell with the values of its key metrics.
func printRepetitions(a *lab.Session, c *shownCell, columns map[string]wording.Column) {
	keys := c.cell.Experiment.KeyMetrics()
	head := []string{"repetition", "started", "validity"}
	for _, m := range keys {
		head = append(head, m.Name)
	}
	rows := [][]string{head}
	var words []string
	for i, r := range c.Repetitions {
		row := []string{fmt.Sprint(r.Repetition), r.Started.UTC().Format("2006-01-02 15:04:05"), r.Validity}
		for _, m := range keys {
			row = append(row, valueWords(c.cell, i, m, columns[m.Name]))
		}
		rows = append(rows, row)
		for _, w := range append(slices.Clone(r.Words), r.Failure) {
			if w != "" {
				words = append(words, fmt.Sprintf("repetition %d: %s", r.Repetition, w))
			}
		}
	}
	fmt.Fprintln(a.Stdout)
	terminal.PrintColumns(a.Stdout, "    ", rows)
	for _, w := range words {
		fmt.Fprintf(a.Stdout, "    %s\n", w)
	}
}

// valueWords writes a metric of one repetition, or why there is none.
func valueWords(c *dataset.Cell, i int, m record.Metric, u wording.Column) string {
	r := c.Records[i]
	value, missing := dataset.Value(r, m.Name, c.Experiment.Plan.Metrics)
	if missing != "" {
		return cmp.Or(strings.TrimSuffix(missing, ": "+r.Failure), missing)
	}
	step := math.Abs(value) * stats.MinResolution
	return u.Quantity(value, u.Decimals(wording.Figure{Value: value, Step: step, Exact: m.Counted}))
}

// shownRows are the metrics of all cells as CSV.
func shownRows(list []ShowJSON) [][]string {
	rows := [][]string{{"article", "experiment", "trial", "calibration", "host", "profile", "run", "state", "validity",
		"metric", "unit", "repetitions", "value", "lo", "hi", "interval", "noise_floor", "missing", "marks"}}
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				for _, m := range c.Metrics {
					floor := ""
					if f, ok := e.NoiseFloor[m.Metric]; ok {
						floor = terminal.Exact(&f.Floor)
					}
					rows = append(rows, []string{s.Article, e.Experiment, c.Trial, fmt.Sprint(c.Calibration), s.Host, s.Profile, c.Run,
						c.State, c.Validity, m.Metric, m.Unit, fmt.Sprint(m.Repetitions), terminal.Exact(m.Value), terminal.Exact(m.Lo),
						terminal.Exact(m.Hi), m.Interval, floor, m.Missing, strings.Join(m.Marks, "; ")})
				}
			}
		}
	}
	return rows
}
