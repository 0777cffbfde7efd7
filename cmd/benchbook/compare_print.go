package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/number"
)

// print writes the comparison in a format.
func (c *comparison) print(a *app, format string) error {
	switch format {
	case formatJSON:
		return printJSON(a.stdout, c.data())
	case formatCSV:
		return printCSV(a.stdout, c.rows())
	case formatMarkdown:
		c.printMarkdown(a)
	default:
		c.printText(a)
	}
	return nil
}

// changeWords writes the change of a metric with its interval.
func changeWords(c *dataset.Change) string {
	e := c.Effect
	if e == nil {
		return "–"
	}
	u := number.Percent
	switch {
	case c.Points && c.Metric.Share:
		u = number.Unit{Symbol: "points", Scale: 0.01}
	case c.Points:
		u = number.For(c.Metric.Unit, false, e.Number)
	}
	if e.Interval == nil {
		return u.Signed(e.Number, u.Decimals(e.Number, math.NaN(), math.NaN()))
	}
	decimals := u.Decimals(e.Number, e.Interval.Lo, e.Interval.Hi)
	return fmt.Sprintf("%s [%s]", u.Signed(e.Number, decimals), u.SignedBetween(e.Interval.Lo, e.Interval.Hi, decimals))
}

func verdictWords(c *dataset.Change) string {
	if c.Reason == "" {
		return string(c.Verdict)
	}
	var without []string // notes say why cells are not valid, once for all metrics
	for _, side := range []struct {
		name   string
		result dataset.Result
	}{{"A", c.ResultA}, {"B", c.ResultB}} {
		if strings.HasPrefix(side.result.Missing, invalidReason) {
			without = append(without, side.name)
		}
	}
	if len(without) > 0 {
		return fmt.Sprintf("%s: %s not valid", c.Verdict, strings.Join(without, " and "))
	}
	return string(c.Verdict) + ": " + c.Reason
}

// invalidReason is how results begin that are missing since the cell is not valid.
const invalidReason = "invalid: "

// A changeTable is the changes of one metric of one experiment.
type changeTable struct {
	experiment string // with its article
	metric     record.Metric
	changes    []*dataset.Change
}

func (c *comparison) tables() []changeTable {
	var out []changeTable
	for i := range c.changes {
		change := &c.changes[i]
		k := slices.IndexFunc(out, func(t changeTable) bool {
			return t.experiment == experimentName(change) && t.metric.Name == change.Metric.Name
		})
		if k < 0 {
			k = len(out)
			out = append(out, changeTable{experiment: experimentName(change), metric: change.Metric})
		}
		out[k].changes = append(out[k].changes, change)
	}
	return out
}

// title is the metric with the noise floor.
func (t *changeTable) title() string {
	floor := 0.0
	for _, c := range t.changes {
		floor = max(floor, c.Floor)
	}
	if floor == 0 {
		return t.metric.Name
	}
	return fmt.Sprintf("%s, noise floor %s", t.metric.Name, number.Percent.Quantity(floor, number.Percent.Decimals(floor, math.NaN(), math.NaN())))
}

// cells are the rows below the head "cell A B change verdict".
func (t *changeTable) cells() [][]string {
	var results []dataset.Result
	for _, c := range t.changes {
		results = append(results, c.ResultA, c.ResultB)
	}
	u := unitFor(t.metric, results...)
	var rows [][]string
	for _, c := range t.changes {
		// What is missing stands in the verdict, too.
		side := func(r dataset.Result) string {
			if r.Missing != "" {
				return "–"
			}
			return estimateWords(r, u)
		}
		rows = append(rows, []string{c.A.Trial.Name, side(c.ResultA), side(c.ResultB), changeWords(c), verdictWords(c)})
	}
	return rows
}

// An experimentTables is the tables of one experiment.
type experimentTables struct {
	name   string // with its article
	tables []changeTable
}

func (c *comparison) experiments() []experimentTables {
	var out []experimentTables
	for _, t := range c.tables() {
		if len(out) == 0 || out[len(out)-1].name != t.experiment {
			out = append(out, experimentTables{name: t.experiment})
		}
		out[len(out)-1].tables = append(out[len(out)-1].tables, t)
	}
	return out
}

// unchanged reports whether both sides of all cells are the same repetitions, so that there is nothing to show.
func (e *experimentTables) unchanged() bool {
	return !slices.ContainsFunc(e.tables, func(t changeTable) bool {
		return slices.ContainsFunc(t.changes, func(c *dataset.Change) bool { return !c.Unchanged })
	})
}

// notes are the marks of the changes, each with the metrics and the cells that have it, unless all do.
func (e *experimentTables) notes() []string {
	var marks []string
	cells, metrics := map[string][]string{}, map[string][]string{}
	add := func(list []string, name string) []string {
		if slices.Contains(list, name) {
			return list
		}
		return append(list, name)
	}
	var all []string
	for _, t := range e.tables {
		for _, c := range t.changes {
			all = add(all, c.A.Trial.Name)
			marksOfCell := c.Marks
			if strings.Contains(c.Reason, invalidReason) {
				marksOfCell = append(slices.Clip(marksOfCell), c.Reason)
			}
			for _, m := range marksOfCell {
				if cells[m] == nil {
					marks = append(marks, m)
				}
				cells[m], metrics[m] = add(cells[m], c.A.Trial.Name), add(metrics[m], t.metric.Name)
			}
		}
	}
	for i, m := range marks {
		var of []string
		if len(metrics[m]) < len(e.tables) {
			of = append(of, strings.Join(metrics[m], ", "))
		}
		if len(cells[m]) < len(all) {
			of = append(of, strings.Join(cells[m], "; "))
		}
		if len(of) > 0 {
			marks[i] = fmt.Sprintf("%s (%s)", m, strings.Join(of, " of "))
		}
	}
	return marks
}

// sum says how many changes there are of each verdict.
func (c *comparison) sum() string {
	words := []stats.Shift{stats.Worse, stats.Better, stats.Higher, stats.Lower, stats.NotShown, stats.NotComparable}
	var out []string
	for _, w := range words {
		n := 0
		for i := range c.changes {
			n += boolean(c.changes[i].Verdict == w)
		}
		if n > 0 || w == stats.Worse || w == stats.Better {
			out = append(out, fmt.Sprintf("%d %s", n, w))
		}
	}
	return strings.Join(out, ", ")
}

// times says when and where what is compared was measured.
func times(sets []setJSON) []string {
	var out []string
	for _, s := range sets {
		host := s.Host
		if s.ThisHost {
			host += " (this one)"
		}
		runs := count(len(s.Runs), "run")
		if len(s.Runs) == 1 {
			runs = s.Runs[0]
		}
		out = append(out, fmt.Sprintf("%s: profile %s, host %s, %s, measured %s", s.Article, s.Profile, host, runs,
			s.From.UTC().Format("2006-01-02 15:04")))
	}
	return out
}

// apart says how much later B was measured: what else changed on the machine meanwhile is part of every change, and no noise floor
// of one run tells of it. It is empty where nothing new was measured.
func (c *comparison) apart() string {
	longest := time.Duration(0)
	for i, x := range c.setsA {
		y := c.setsB[i]
		if slices.Equal(x.Runs, y.Runs) {
			continue
		}
		longest = max(longest, y.From.Sub(x.From).Abs())
	}
	if longest == 0 {
		return ""
	}
	words := duration(longest.Round(time.Minute))
	if longest < time.Minute {
		words = "less than a minute"
	}
	if days := int(longest.Hours() / 24); days > 1 {
		words = count(days, "day")
	}
	return fmt.Sprintf("A and B were measured %s apart: what else changed meanwhile is part of every change, and the noise floor does not hold it", words)
}

func (c *comparison) printText(a *app) {
	for _, s := range []struct {
		name string
		side *side
		sets []setJSON
	}{{"A", c.a, c.setsA}, {"B", c.b, c.setsB}} {
		fmt.Fprintf(a.stdout, "%s  %s\n", s.name, s.side)
		for _, line := range times(s.sets) {
			fmt.Fprintf(a.stdout, "   %s\n", line)
		}
	}
	for _, e := range c.experiments() {
		fmt.Fprintf(a.stdout, "\n%s\n", e.name)
		if e.unchanged() {
			fmt.Fprintln(a.stdout, "  both sides are the same repetitions")
			continue
		}
		for _, t := range e.tables {
			fmt.Fprintf(a.stdout, "  %s\n", t.title())
			printColumns(a.stdout, "    ", append([][]string{{"cell", "A", "B", "change", "verdict"}}, t.cells()...))
		}
		for _, note := range e.notes() {
			fmt.Fprintf(a.stdout, "  note: %s\n", note)
		}
	}
	fmt.Fprintf(a.stdout, "\nwhat differs\n")
	for i := range c.differences {
		d := &c.differences[i]
		fmt.Fprintf(a.stdout, "  %s, %s%s\n", d.Kind, d.Subject, d.where())
		for _, line := range d.lines() {
			fmt.Fprintf(a.stdout, "    %s\n", line)
		}
	}
	fmt.Fprintf(a.stdout, "  %s\n", c.explanation.Words)
	if words := c.apart(); words != "" {
		fmt.Fprintf(a.stdout, "  %s\n", words)
	}
	c.printLeftOut(a, "  ")
	fmt.Fprintf(a.stdout, "\n%s\n", c.sum())
}

func (c *comparison) printLeftOut(a *app, indent string) {
	for _, s := range c.leftOut {
		fmt.Fprintf(a.stdout, "%sleft out, %s\n", indent, s)
	}
}

// where says in which cells something differs, and whether it can be the cause of a shift.
func (d *difference) where() string {
	out := ""
	if !d.All {
		out = ", in " + strings.Join(d.Cells, "; ")
	}
	switch {
	case d.Follows != "":
		out += " (follows from " + d.Follows + ")"
	case d.OneSided:
		out += " (only one side tells)"
	}
	return out
}

// maxDetails is how many lines a difference has where people read it; data have all.
const maxDetails = 12

func (d *difference) lines() []string {
	var out []string
	for i, p := range d.Parts {
		if i == maxDetails-1 && len(d.Parts) > maxDetails {
			return append(out, fmt.Sprintf("and %d more", len(d.Parts)-i))
		}
		out = append(out, p.String())
	}
	return out
}

func (c *comparison) printMarkdown(a *app) {
	w := a.stdout
	fmt.Fprintf(w, "**%s**, from %s to %s\n\n", c.sum(), markdown.Replace(c.a.String()), markdown.Replace(c.b.String()))
	if c.failOn != nil {
		met := "is not met"
		if c.failOn.Met {
			met = "is met by " + strings.Join(c.failOn.Cells, ", ")
		}
		fmt.Fprintf(w, "`--fail-on %s` %s\n\n", strings.ReplaceAll(c.failOn.Condition, "`", "'"), markdown.Replace(met))
	}
	for _, e := range c.experiments() {
		fmt.Fprintf(w, "#### %s\n\n", markdown.Replace(e.name))
		if e.unchanged() {
			fmt.Fprint(w, "Both sides are the same repetitions.\n\n")
			continue
		}
		rows := [][]string{{"metric", "cell", "A", "B", "change", "verdict"}}
		for _, t := range e.tables {
			for _, row := range t.cells() {
				rows = append(rows, append([]string{t.title()}, row...))
			}
		}
		printMarkdown(w, rows, 2, 3, 4)
		for _, note := range e.notes() {
			fmt.Fprintf(w, "- %s\n", markdown.Replace(note))
		}
		if len(e.notes()) > 0 {
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintf(w, "#### What differs\n\n%s.\n\n", markdown.Replace(c.explanation.Words))
	if words := c.apart(); words != "" {
		fmt.Fprintf(w, "%s.\n\n", markdown.Replace(words))
	}
	if len(c.differences) > 0 {
		rows := [][]string{{"what", "A", "B", "where"}}
		for i := range c.differences {
			d := &c.differences[i]
			where := cmp.Or(strings.TrimPrefix(d.where(), ", "), "all cells")
			for k, p := range d.Parts {
				if k == maxDetails-1 && len(d.Parts) > maxDetails {
					rows = append(rows, []string{fmt.Sprintf("%d more of %s", len(d.Parts)-k, d.Subject), "", "", where})
					break
				}
				rows = append(rows, []string{p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"), where})
			}
		}
		printMarkdown(w, rows)
	}
	for _, sets := range []struct {
		name string
		list []setJSON
	}{{"A", c.setsA}, {"B", c.setsB}} {
		for _, line := range times(sets.list) {
			fmt.Fprintf(w, "- %s: %s\n", sets.name, markdown.Replace(line))
		}
	}
	for _, s := range c.leftOut {
		fmt.Fprintf(w, "- left out, %s\n", markdown.Replace(s))
	}
}

// data is the comparison for programs.
func (c *comparison) data() compareJSON {
	out := compareJSON{A: sideData(c.a, c.setsA), B: sideData(c.b, c.setsB), Changes: []changeJSON{},
		Differences: append([]difference{}, c.differences...), Explanation: c.explanation, LeftOut: append([]string{}, c.leftOut...), FailOn: c.failOn}
	for i := range c.changes {
		out.Changes = append(out.Changes, changeData(&c.changes[i]))
	}
	return out
}

func sideData(s *side, sets []setJSON) sideJSON {
	return sideJSON{Kind: s.kind, Name: s.name, Commit: s.commit, Sets: sets}
}

func changeData(c *dataset.Change) changeJSON {
	out := changeJSON{Article: c.Article, Experiment: c.A.Experiment.Plan.Name, Trial: c.A.Trial.Name, Metric: c.Metric.Name,
		Unit: cmp.Or(c.Metric.Unit, "1"), A: resultData(c.A, c.ResultA), B: resultData(c.B, c.ResultB), Difference: c.Points,
		NoiseFloor: c.Floor, Verdict: string(c.Verdict), Refused: c.Refused, Reason: c.Reason, Marks: append([]string{}, c.Marks...)}
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

func resultData(cell *dataset.Cell, r dataset.Result) resultJSON {
	out := resultJSON{Run: cell.Run, State: cell.State.String(), Validity: cell.Level().String(), Missing: r.Missing, Values: r.Values}
	if out.Values == nil {
		out.Values = []float64{}
	}
	if r.Missing == "" {
		out.Repetitions, out.Interval = r.Estimate.N, string(r.Estimate.Kind)
		out.Value = finite(r.Estimate.Centre)
		out.Lo, out.Hi = finite(r.Estimate.Interval.Lo), finite(r.Estimate.Interval.Hi)
	}
	return out
}

// rows are the changes as CSV.
func (c *comparison) rows() [][]string {
	rows := [][]string{{"article", "experiment", "trial", "metric", "unit", "a_run", "a_repetitions", "a", "a_lo", "a_hi",
		"b_run", "b_repetitions", "b", "b_lo", "b_hi", "change", "lo", "hi", "difference", "p", "noise_floor", "verdict", "reason", "marks"}}
	for i := range c.changes {
		d := changeData(&c.changes[i])
		rows = append(rows, []string{d.Article, d.Experiment, d.Trial, d.Metric, d.Unit,
			d.A.Run, fmt.Sprint(d.A.Repetitions), exact(d.A.Value), exact(d.A.Lo), exact(d.A.Hi),
			d.B.Run, fmt.Sprint(d.B.Repetitions), exact(d.B.Value), exact(d.B.Lo), exact(d.B.Hi),
			exact(d.Change), exact(d.Lo), exact(d.Hi), fmt.Sprint(d.Difference), exact(d.P), exact(&d.NoiseFloor), d.Verdict, d.Reason,
			strings.Join(d.Marks, "; ")})
	}
	return rows
}
