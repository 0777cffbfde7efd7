package render

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/render/badge"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/outcome"
	"benchbook/render/table"
	"benchbook/render/timeline"
	"benchbook/render/wording"
)

type historyView struct {
	Article link
	Lead    string
	Figures []template.HTML
	Values  []string // what the columns of values are of
	Rows    []historyRow
	Steps   timeline.Changes
	Partial bool
}

type historyRow struct {
	When, ISO, Sort string
	Run             link // without Href if the run has no page
	Host, Profile   string
	Measured        string
	Values          []historyValue
	Standing        badge.Badge
	Compared        string // where the run is compared with the one before; may be empty
	Partial         bool
}

type historyValue struct {
	Is, Value, Interval, Missing string
	Sort                         string // as of table.Cell
}

// trackedValue is a number whose history is shown.
type trackedValue struct {
	is   string
	read func(d *dataset.Dataset) (readValue, bool)
}

// readValue is such a number in one dataset.
type readValue struct {
	quantity       dataset.Quantity
	text, interval string
	ratio          bool // of two things, so that 1 is no difference
}

const maxTracked = 3

// tracked returns the key values of the article, or the effects of its headline claims.
func (c *composer) tracked() []trackedValue {
	var out []trackedValue
	for _, k := range c.doc.Front.KeyValues {
		in, err := expr.ParseInline(k.Value.Value)
		if err != nil {
			continue // the article's own page says so
		}
		_, is := c.prose.Inline(k.Is.Value)
		out = append(out, trackedValue{is, valueIn(in, isCall(c.resolved(in.Expr), "ratio"))})
	}
	if len(out) > 0 {
		return out[:min(len(out), maxTracked)]
	}
	for _, block := range c.doc.Claims {
		if !block.Headline.V || len(out) == maxTracked {
			continue
		}
		_, words := c.claimSentence(block)
		out = append(out, trackedValue{strings.TrimRight(words, "."), func(d *dataset.Dataset) (readValue, bool) {
			for _, j := range claim.Judgements(d) {
				if j.Claim.Name.Value == block.Name.Value && j.Effect != nil {
					e := outcome.EffectOf(&j)
					return readValue{*j.Effect, e.Text(), e.Interval(), j.IsRatio && !j.Effect.Share}, true
				}
			}
			return readValue{}, false
		}})
	}
	return out
}

func valueIn(in expr.Inline, ratio bool) func(d *dataset.Dataset) (readValue, bool) {
	return func(d *dataset.Dataset) (readValue, bool) {
		q, err := d.Eval(in.Expr, "")
		if err != nil || q.Text != "" || math.IsNaN(q.Number) || math.IsInf(q.Number, 0) {
			return readValue{}, false
		}
		q, _ = claim.AsJudged(d, in.Expr, q)
		w := wording.QuantityOf(q, in.Filters)
		v := readValue{quantity: q, text: w.Text(), ratio: ratio}
		if q.Interval != nil {
			v.interval = w.Interval()
		}
		return v, true
	}
}

// measuredIn reports whether a run measured any cell behind the number, rather than only earlier runs.
func (v readValue) measuredIn(m *compare.Moment) bool {
	return slices.ContainsFunc(v.quantity.Cells, m.Has)
}

// measuredWords names the experiments that a run measured, or counts them if it measured all.
func measuredWords(m *compare.Moment) string {
	all := 0
	for _, e := range m.Dataset.Experiments {
		switch {
		case e.Plan.Skipped != "":
		case !slices.Contains(m.Experiments, e.Plan.Name):
			return wording.List(m.Experiments)
		default:
			all++
		}
	}
	if all > 2 && all == len(m.Experiments) {
		return "all " + number.Count(all, "experiment")
	}
	return wording.List(m.Experiments)
}

func (r *Renderer) history(d *dataset.Dataset, o Options, comparisons []*comparison) (page Subpage,
	steps []timeline.News, err error) {
	c := r.compose(d, o)
	c.prose.Up = "../../"
	_, title := c.prose.Inline(d.Doc.Front.Title.Value)
	tracked := c.tracked()
	v := historyView{Article: link{"../index.html", title}, Lead: timeline.Lead(o.Moments)}
	for _, t := range tracked {
		v.Values = append(v.Values, wording.Capital(t.is))
	}
	for _, m := range o.Moments {
		v.Rows = append(v.Rows, historyRowOf(m, o, tracked, comparisons))
		v.Partial = v.Partial || !m.Complete
	}
	for i, t := range tracked {
		if drawn := c.historyFigure(fmt.Sprintf("fig-history-%d", i+1), fmt.Sprintf("Figure\u00a0%d", i+1), t,
			o.Moments); drawn != "" {
			v.Figures = append(v.Figures, drawn)
		}
	}
	if v.Steps, err = timeline.ChangesOf(o.Moments, func(m *compare.Moment) string {
		return runHref(m, o.Moments)
	}); err != nil {
		return Subpage{}, nil, err
	}
	main := c.Fill("history", v)
	return Subpage{Path: historyFolder, Title: "History of " + title, Description: v.Lead, HTML: main, Files: c.allFiles(),
		Warnings: c.unclear}, v.Steps.NewsOf(), c.failed()
}

// runHref is where the page of a run is from that of the history; empty without one.
func runHref(m *compare.Moment, all []*compare.Moment) string {
	if folder := pageOf(m, all); folder != "" {
		return "../" + folder + "/index.html"
	}
	return ""
}

func historyRowOf(m *compare.Moment, o Options, tracked []trackedValue, comparisons []*comparison) historyRow {
	row := historyRow{When: m.Started.UTC().Format("2\u00a0Jan\u00a02006, 15:04"),
		ISO: m.Started.UTC().Format(time.RFC3339), Sort: strconv.FormatInt(m.Started.Unix(), 10),
		Run: link{Words: m.Run}, Host: m.Host, Profile: m.Profile, Measured: measuredWords(m),
		Standing: badge.OfStanding(claim.StandingOf(m.Dataset)), Partial: !m.Complete}
	row.Run.Href = runHref(m, o.Moments)
	for _, k := range comparisons {
		if k.b == m {
			row.Compared = "../" + k.folder + "/index.html"
		}
	}
	for _, t := range tracked {
		value := historyValue{Is: t.is, Sort: table.SortsLast}
		switch read, ok := t.read(m.Dataset); {
		case !ok:
			value.Missing = wording.NotMeasured
		case !read.measuredIn(m):
			value.Missing = "as before"
		default:
			value.Value, value.Interval, value.Sort = read.text, read.interval, strconv.FormatFloat(read.quantity.Number, 'g',
				-1, 64)
		}
		row.Values = append(row.Values, value)
	}
	return row
}

// historyFigure draws a value over time, a line for each host and profile; empty for fewer than two runs.
func (c *composer) historyFigure(id, no string, t trackedValue, moments []*compare.Moment) template.HTML {
	type set struct{ host, profile string }
	var sets []set
	curves := map[set]*figure.Curve{}
	var values []float64
	var first dataset.Quantity
	var described, hosts, runs []string
	data := &datafile.Table{Columns: []string{"run", "started", "host", "profile", "value", "lo", "hi", "unit"}}
	isRatio, intervals := false, false
	for _, m := range slices.Backward(moments) { // oldest first
		read, ok := t.read(m.Dataset)
		if !ok || !read.measuredIn(m) {
			continue
		}
		q := read.quantity
		if len(values) == 0 {
			first, isRatio = q, read.ratio
		}
		at := set{m.Host, m.Profile}
		if curves[at] == nil {
			sets = append(sets, at)
			curves[at] = &figure.Curve{Name: setName(at.host, at.profile)}
		}
		words := wording.ShortDate(m.Started) + " on " + m.Host + ", run " + m.Run + ": " + read.text
		p := figure.Point{X: float64(m.Started.Unix()), Y: q.Number, YLo: math.NaN(), YHi: math.NaN()}
		var lo, hi any
		if q.Interval != nil {
			p.YLo, p.YHi = q.Interval.Lo, q.Interval.Hi
			lo, hi, intervals = finiteOrNil(p.YLo), finiteOrNil(p.YHi), true
			words += ", " + read.interval
		}
		p.Title = words
		values, described, hosts = append(values, q.Number), append(described, words), append(hosts, m.Host)
		runs = append(runs, m.Run)
		curves[at].Points = append(curves[at].Points, figure.CurvePoint{Point: p})
		data.Add([]any{m.Run, m.Started.UTC().Format(time.RFC3339), m.Host, m.Profile}, q.Number, lo, hi, q.Unit)
	}
	if len(values) < 2 {
		return ""
	}
	unit := number.For(first.Unit, first.Share, values...)
	f := figure.Curves{Dots: true, Boxes: true, X: figure.Axis{Name: "date", Scale: figure.Time},
		Y: figure.Axis{Name: historyAxis(unit, isRatio), Unit: unit.Scale}}
	for i, s := range sets {
		curve := curves[s]
		// Runs are named by their start, but a record may say another.
		slices.SortStableFunc(curve.Points, func(a, b figure.CurvePoint) int { return cmp.Compare(a.X, b.X) })
		if curve.Series = i + 1; i >= figure.MaxSeries {
			curve.Series = 0
		}
		curve.Dash = s.profile != plan.Full
		f.Curves = append(f.Curves, *curve)
	}
	if isRatio {
		f.Reference = &figure.Reference{Value: 1, Label: "no difference"}
	}
	title := wording.Capital(t.is)
	f.Head = figure.Head{ID: id, Title: title + ", over runs", Desc: "Values over time: " + strings.Join(described, "; ") +
		"."}
	full, narrow := c.draw(id, f)
	hosts = cellview.SortedSet(hosts)
	part := provenancePart{c}
	about := part.about(id, f.Head.Title, "", cellview.Origin{Runs: runs, Hosts: hosts})
	files, embed := part.addFiles(id, about, data.Encode, drawing{id: id, svg: full})
	howTo := []string{"Each point is a run; the line only connects them. Compare runs of different hosts by their " +
		"order, not by their height."}
	if len(sets) == 1 {
		howTo = []string{"Each point is a run; the line only connects them."}
	}
	if intervals {
		howTo = append(howTo, "Box: 95\u202f% interval.")
	}
	return c.Fill("figure", figureView{captioned: captioned{ID: id, Number: no,
		Title: template.HTML(template.HTMLEscapeString(title)),
		Sub:   "As each run measured it, over time", Provenance: provenance{Cells: number.Count(len(values), "run"),
			Where: template.HTML(template.HTMLEscapeString("host\u00a0" + strings.Join(hosts, ", "))), Files: files,
			Embed: embed}},
		Panels: []panelView{{Full: template.HTML(full), Narrow: template.HTML(narrow)}}, HowTo: howTo})
}

// historyAxis names the axis of values over time.
func historyAxis(unit number.Unit, isRatio bool) string {
	if isRatio {
		return "ratio, times"
	}
	return strings.TrimSuffix("value, "+unit.Symbol, ", ")
}

// setName names the records of a host and profile.
func setName(host, profile string) string {
	if profile == plan.Full {
		return host
	}
	return host + ", " + profile
}

// finiteOrNil returns nil for a number that is not finite.
func finiteOrNil(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}
