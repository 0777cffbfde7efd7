package render

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"path"
	"slices"
	"strings"

	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// comparison compares two runs of one article, A before and B after.
type comparison struct {
	a, b        *compare.Moment
	folder      string // of its page, below that of the article
	changes     []compare.Change
	differences []compare.Difference
	explanation compare.Explanation
}

// compareMoments compares what two runs measured; nil if they have no cell in common.
func compareMoments(a, b *compare.Moment, all []*compare.Moment) (*comparison, error) {
	c := &comparison{a: a, b: b, folder: path.Join(compareFolder, folderName(a.Run, a, all)+"-"+folderName(b.Run, b, all))}
	var err error
	var s compare.Sides
	if s.A, err = a.Alone(); err == nil {
		s.B, err = b.Alone()
	}
	if err != nil {
		return nil, fmt.Errorf("comparing runs %s and %s: %w", a.Run, b.Run, err)
	}
	for _, name := range b.Experiments { // what one side has not measured says nothing
		if slices.Contains(a.Whole, name) {
			s.Experiments = append(s.Experiments, name)
		}
	}
	if c.changes, err = compare.Compare([]compare.Sides{s}, compare.ChangeOptions{}); err == nil {
		c.differences, err = compare.Differences(c.changes)
	}
	if err != nil {
		return nil, fmt.Errorf("comparing runs %s and %s: %w", a.Run, b.Run, err)
	}
	if len(c.changes) == 0 {
		return nil, nil
	}
	c.explanation = compare.Explain(c.changes, c.differences)
	return c, nil
}

type comparisonView struct {
	Article     link
	History     string
	Sum         string
	Apart       string
	Sides       []sideView
	Experiments []changedExperiment
	Differences []differenceView
	Explanation string
	Command     string
}

type sideView struct {
	Name  string // A or B
	Run   link
	Facts []sideFact
}

type sideFact struct {
	Name, Text string
	Differs    bool
}

type changedExperiment struct {
	Name   string
	Figure template.HTML
	Tables []changeTableView
	Notes  []string
}

type changeTableView struct {
	ID, Title string
	Rows      []changeRow
}

type changeRow struct{ Cell, A, B, Change, Verdict, Class string }

type differenceView struct {
	Subject, Where string
	Input          bool
	Parts          []compare.Detail
	More           int
}

func (r *Renderer) comparisonPage(d *dataset.Dataset, o Options, k *comparison) (Subpage, error) {
	c := r.compose(d, o)
	c.prose.Up, c.folder = "../../../", k.folder
	_, title := c.prose.Inline(d.Doc.Front.Title.Value)
	v := comparisonView{Article: link{"../../index.html", title}, History: "../../" + historyFolder + "/index.html",
		Sum:   wording.Sum(k.changes),
		Apart: wording.Apart(k.b.Started.Sub(k.a.Started)), Explanation: wording.Sentence(k.explanation.Words),
		Command: fmt.Sprintf("benchbook compare %s %s %s", k.a.Run, k.b.Run, d.Doc.Slug)}
	facts := [2][]sideFact{sideFacts(k.a), sideFacts(k.b)}
	for i := range facts[0] {
		facts[0][i].Differs = facts[0][i].Text != facts[1][i].Text
		facts[1][i].Differs = facts[0][i].Differs
	}
	for i, m := range []*compare.Moment{k.a, k.b} {
		v.Sides = append(v.Sides, sideView{Name: string(rune('A' + i)),
			Run: link{"../../" + pageOf(m, o.Moments) + "/index.html", m.Run}, Facts: facts[i]})
	}
	for i, e := range wording.Changes(k.changes) {
		view := changedExperiment{Name: strings.TrimPrefix(e.Name, d.Doc.Slug+"#"), Notes: e.Notes()}
		for n := range e.Tables {
			t := &e.Tables[n]
			if n == 0 {
				view.Figure = c.changeFigure(i+1, t, k)
			}
			view.Tables = append(view.Tables, changeTableOf(fmt.Sprintf("tbl-change-%d-%d", i+1, n+1), t))
		}
		v.Experiments = append(v.Experiments, view)
	}
	for i := range k.differences {
		f := &k.differences[i]
		view := differenceView{Subject: f.Subject, Where: strings.TrimPrefix(wording.Where(f), ", "),
			Input: f.Kind == compare.InputDifference, Parts: f.Parts[:min(len(f.Parts), wording.MaxDetails)]}
		view.More = len(f.Parts) - len(view.Parts)
		v.Differences = append(v.Differences, view)
	}
	main := c.Fill("comparison", v)
	return Subpage{Path: k.folder, Title: "Two runs of " + title, Description: "Runs " + k.a.Run + " and " + k.b.Run +
		" side by side: " + v.Sum + ".", HTML: main, Files: c.allFiles(), Warnings: c.unclear}, c.failed()
}

// sideFacts identifies a side of a comparison; all sides have the same facts.
func sideFacts(m *compare.Moment) []sideFact {
	fact := func(name string) string {
		for _, e := range m.Dataset.Experiments {
			for _, cell := range e.Cells {
				for _, r := range cell.Records {
					if m.Has(cell) && r.Facts[name] != "" {
						return r.Facts[name]
					}
				}
			}
		}
		return "not recorded"
	}
	return []sideFact{{Name: "Date", Text: m.Started.UTC().Format("2\u00a0January\u00a02006, 15:04\u00a0MST")},
		{Name: "Host", Text: m.Host}, {Name: "Profile", Text: m.Profile},
		{Name: "Processor", Text: fact("host.cpu")}, {Name: "Kernel", Text: fact("host.kernel")},
		{Name: "Measured", Text: measuredWords(m)}}
}

func changeTableOf(id string, t *wording.ChangeTable) changeTableView {
	v := changeTableView{ID: id, Title: wording.Capital(wording.Lower(t.Metric.Title))}
	if t.Metric.Title == "" {
		v.Title = t.Metric.Name
	}
	if _, floor, ok := strings.Cut(t.Title(), ", "); ok {
		v.Title += ", " + floor
	}
	for i, row := range t.Rows() {
		v.Rows = append(v.Rows, changeRow{row[0], row[1], row[2], row[3], row[4], shiftClass(t.Changes[i].Verdict)})
	}
	return v
}

func shiftClass(s stats.Shift) string {
	switch s {
	case stats.Better:
		return "is-better"
	case stats.Worse:
		return "is-worse"
	case stats.Higher, stats.Lower:
		return "is-other"
	}
	return "is-same"
}

// changeFigure draws the cells of a metric in B, with a tick for A; empty if neither has a number.
func (c *composer) changeFigure(n int, t *wording.ChangeTable, k *comparison) template.HTML {
	id := fmt.Sprintf("fig-change-%d", n)
	const most = 40 // cells: the table has all of them
	f := figure.Rows{Published: "run A"}
	var results []dataset.Result
	var described []string
	for _, change := range t.Changes {
		results = append(results, change.ResultA, change.ResultB)
	}
	column := wording.ColumnOf(t.Metric, results...)
	data := &datafile.Table{Columns: []string{"cell", "metric", "unit", "a", "a_lo", "a_hi", "a_missing", "b", "b_lo",
		"b_hi", "b_missing", "change", "change_unit", "verdict"}}
	for _, change := range t.Changes {
		addChange(data, t.Metric, change)
		row := changedCell(change, column)
		described = append(described, row.Title)
		f.Rows = append(f.Rows, row)
	}
	isMeasured := func(r figure.Row) bool { return r.Missing == "" }
	if !slices.ContainsFunc(f.Rows, isMeasured) || len(f.Rows) > most {
		return ""
	}
	slices.SortStableFunc(f.Rows, func(x, y figure.Row) int {
		if x.Missing != "" || y.Missing != "" {
			return strings.Compare(x.Missing, y.Missing)
		}
		return cmp.Compare(y.Value, x.Value)
	})
	title := cmp.Or(wording.Capital(wording.Lower(t.Metric.Title)), t.Metric.Name)
	f.X = figure.Axis{Name: strings.TrimSuffix(wording.Lower(title)+", "+column.Symbol, ", "), Unit: column.Scale}
	f.Head = figure.Head{ID: id, Title: title + " in both runs", Desc: "Cells, first in A and then in B: " +
		strings.Join(described, "; ") + "."}
	full, narrow := c.draw(id, f)
	o := cellview.Origin{Runs: []string{k.a.Run, k.b.Run}, Hosts: cellview.SortedSet([]string{k.a.Host, k.b.Host})}
	part := provenancePart{c}
	files, embed := part.addFiles(id, part.about(id, f.Head.Title, "", o), data.Encode, drawing{id: id, svg: full})
	return c.Fill("figure", figureView{captioned: captioned{ID: id, Number: fmt.Sprintf("Figure\u00a0%d", n),
		Title: template.HTML(template.HTMLEscapeString(title + " in both runs")),
		Sub:   "Run B with its interval, and run A as a grey tick", Provenance: provenance{Cells: number.Count(len(f.Rows),
			"cell"), Files: files, Embed: embed}},
		Panels: []panelView{{Full: template.HTML(full), Narrow: template.HTML(narrow)}},
		HowTo:  []string{"Text on the right: how much B differs, where a difference is shown."}})
}

func addChange(data *datafile.Table, m record.Metric, change *compare.Change) {
	var numbers []any
	for _, r := range []dataset.Result{change.ResultA, change.ResultB} {
		lo, hi := cellview.Ends(r)
		numbers = append(numbers, cellview.Bound(r.Missing == "", r.Estimate.Centre), finiteOrNil(lo), finiteOrNil(hi),
			r.Missing)
	}
	var by any
	in := "1" // a share of A
	if change.Points {
		in = m.Unit
	}
	if change.Effect != nil {
		by = finiteOrNil(change.Effect.Number)
	}
	data.Add(append([]any{change.A.Trial.Name, m.Name, m.Unit}, numbers...), by, in, string(change.Verdict))
}

// changedCell is the row of a cell in B, with a tick for A.
func changedCell(change *compare.Change, column number.Column) figure.Row {
	v := cellview.Estimate(change.ResultB)
	row := figure.Row{Name: change.A.Name(), Series: 1, Value: v.Centre, Lo: v.Lo, Hi: v.Hi,
		Missing: shortReason(v.Missing), Published: math.NaN()}
	if v.Few != "" || math.IsInf(v.Lo, 0) || math.IsInf(v.Hi, 0) {
		row.Lo, row.Hi = math.NaN(), math.NaN()
	}
	if change.ResultA.Missing == "" {
		row.Published = change.ResultA.Estimate.Centre
	}
	if v.Missing == "" {
		row.Label = string(change.Verdict)
		if e := change.Effect; e != nil && change.Verdict != stats.NotShown && change.Verdict != stats.NotComparable &&
			!change.Points {
			row.Label = number.Percent.Signed(e.Number, number.Percent.Decimals(number.Reading{Value: e.Number, Step: e.Step}))
		}
	}
	row.Title = change.A.Name() + ": " + wording.Estimate(change.ResultA, column) + ", then " +
		wording.Estimate(change.ResultB, column) + "; " + wording.Verdict(change)
	return row
}
