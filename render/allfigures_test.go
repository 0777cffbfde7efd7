package render_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/render/figure"
	"benchbook/render/rendertest"
	"benchbook/render/typeface"
	"benchbook/slice"
	"benchbook/slowtest"
)

// A drawing is one drawing of a figure of a committed article, at one width.
type drawing struct {
	name  string // article, label, panel and width
	data  *dataset.Dataset
	block *article.Figure
	html  string // of the whole figure
	wide  float64
	lines []shape // what is drawn, in the order of drawing
	texts []setText
	hits  []hitArea
}

type shape struct {
	classes []string
	points  []spot
	open    bool // of several pieces
}

type setText struct {
	words                string
	classes              []string
	tick                 bool
	left, right, top, at float64 // at is the baseline
}

type hitArea struct {
	words  string
	centre spot
}

type spot struct{ x, y float64 }

func (s shape) has(class string) bool { return slices.Contains(s.classes, class) }

// away is how far a text is from a point.
func (t setText) away(p spot) float64 {
	dx := max(t.left-p.x, 0, p.x-t.right)
	dy := max(t.top-p.y, 0, p.y-t.at)
	return math.Hypot(dx, dy)
}

// awayFrom is how far a text is from a line.
func (t setText) awayFrom(line shape) float64 {
	least := math.Inf(1)
	for i := 1; i < len(line.points); i++ {
		a, b := line.points[i-1], line.points[i]
		const steps = 500
		for k := range steps + 1 {
			share := float64(k) / steps
			least = min(least, t.away(spot{a.x + share*(b.x-a.x), a.y + share*(b.y-a.y)}))
		}
	}
	return least
}

var (
	figuresOf  = regexp.MustCompile(`(?s)<figure class="fig" id="(fig-[^"]+)">.*?</figure>`)
	drawingsOf = regexp.MustCompile(`(?s)<svg class="(full|narrow)" viewBox.*?</svg>`)
	pathStep   = regexp.MustCompile(`([MLHVZ])([^MLHVZ]*)`)
)

// allDrawings are those of all figures of all articles, of the records that are committed.
func allDrawings(t *testing.T) []*drawing {
	t.Helper()
	all.Do(func() { all.drawings = drawCommitted(t) })
	if len(all.drawings) == 0 {
		t.Fatal("there are no drawings")
	}
	return all.drawings
}

var all struct {
	sync.Once
	drawings []*drawing
	pages    map[string]*render.Page // by article
}

func pageFonts(t *testing.T) *typeface.Fonts {
	var faces [2][]byte
	for i, name := range []string{"inter-400.woff2", "inter-600.woff2"} {
		face, err := os.ReadFile(filepath.Join("..", "site", "theme", "fonts", name))
		if err != nil {
			t.Fatal(err)
		}
		faces[i] = face
	}
	fonts, err := typeface.LoadFonts(faces[0], faces[1])
	if err != nil {
		t.Fatal(err)
	}
	return fonts
}

func drawCommitted(t *testing.T) []*drawing {
	articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
	if err != nil || len(articles) == 0 {
		t.Fatal(articles, err)
	}
	metrics := pageFonts(t).Metrics()
	all.pages = map[string]*render.Page{}
	var out []*drawing
	for _, file := range articles {
		slug := filepath.Base(filepath.Dir(file))
		d := rendertest.Committed(t, "..", slug)
		page, err := newRenderer(t).Page(d, render.Options{Address: "https://bench.example", Licence: "CC-BY-4.0"})
		if err != nil {
			t.Fatal(err)
		}
		all.pages[slug] = page
		html := string(page.HTML)
		for _, f := range d.Doc.Figures {
			isIts := func(m []string) bool { return m[1] == f.Label.Value }
			k := slices.IndexFunc(figuresOf.FindAllStringSubmatch(html, -1), isIts)
			if k < 0 {
				t.Errorf("%s has no figure %s", slug, f.Label.Value)
				continue
			}
			element := figuresOf.FindAllString(html, -1)[k]
			for i, svg := range drawingsOf.FindAllStringSubmatch(element, -1) {
				g := &drawing{name: fmt.Sprintf("%s %s %d %s", slug, f.Label.Value, i/2+1, svg[1]), data: d, block: f,
					html: element}
				if err := g.read(svg[0], metrics); err != nil {
					t.Fatal(g.name, err)
				}
				out = append(out, g)
			}
		}
	}
	return out
}

// read takes in what is drawn, apart from what only those see who point at it.
func (g *drawing) read(svg string, m *typeface.Metrics) error {
	decoder := xml.NewDecoder(strings.NewReader(svg))
	var groups []string
	var text *setText
	for {
		token, err := decoder.Token()
		if token == nil {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
			}
			classes := strings.Fields(attr["class"])
			number := func(key string) float64 {
				v, err := strconv.ParseFloat(attr[key], 64)
				if err != nil {
					panic(err)
				}
				return v
			}
			switch e.Name.Local {
			case "svg":
				g.wide, _ = strconv.ParseFloat(strings.Fields(attr["viewBox"])[2], 64)
			case "g":
				groups = append(groups, attr["class"])
				if attr["class"] == "hit" {
					g.hits = append(g.hits, hitArea{words: attr["aria-label"]})
				}
			case "circle":
				g.lines = append(g.lines, shape{classes: classes, points: []spot{{number("cx"), number("cy")}}})
			case "path":
				s := shape{classes: classes}
				s.points, s.open = pathPoints(attr["d"])
				switch {
				case s.has("area"):
					g.hits[len(g.hits)-1].centre = middle(s.points)
				case !slices.Contains(groups, "tip"):
					g.lines = append(g.lines, s)
				}
			case "text":
				if !slices.Contains(groups, "tip") {
					text = &setText{classes: classes, left: number("x"), at: number("y"), tick: slices.Contains(groups, "ticks")}
				}
			}
		case xml.CharData:
			if text != nil {
				text.words += string(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "g":
				groups = groups[:len(groups)-1]
			case "text":
				if text != nil {
					g.texts = append(g.texts, text.set(m))
				}
				text = nil
			}
		}
	}
}

// set gives a text its place.
func (t setText) set(m *typeface.Metrics) setText {
	size := 12.5
	if slices.Contains(t.classes, "small") {
		size = 11.5
	}
	wide := m.Width(t.words, size, slices.Contains(t.classes, "strong"))
	switch {
	case slices.Contains(t.classes, "mid"):
		t.left -= wide / 2
	case slices.Contains(t.classes, "end"):
		t.left -= wide
	}
	t.right, t.top = t.left+wide, t.at-size*typeface.Capital
	return t
}

func pathPoints(d string) (points []spot, pieces bool) {
	var at spot
	for i, step := range pathStep.FindAllStringSubmatch(d, -1) {
		var v []float64
		for _, field := range strings.Fields(step[2]) {
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				panic(err)
			}
			v = append(v, n)
		}
		switch step[1] {
		case "M", "L":
			at = spot{v[0], v[1]}
		case "H":
			at.x = v[0]
		case "V":
			at.y = v[0]
		case "Z":
			continue
		}
		pieces = pieces || step[1] == "M" && i > 0
		points = append(points, at)
	}
	return points, pieces
}

func middle(points []spot) spot {
	lo, hi := points[0], points[0]
	for _, p := range points {
		lo, hi = spot{min(lo.x, p.x), min(lo.y, p.y)}, spot{max(hi.x, p.x), max(hi.y, p.y)}
	}
	return spot{(lo.x + hi.x) / 2, (lo.y + hi.y) / 2}
}

// eachOf runs a test for each drawing of the kinds; of all kinds if none is named. There have to be some.
func eachOf(t *testing.T, test func(t *testing.T, g *drawing), kinds ...string) {
	t.Helper()
	some := false
	for _, g := range allDrawings(t) {
		if len(kinds) == 0 || slices.Contains(kinds, g.block.Kind.Value) {
			some = true
			t.Run(g.name, func(t *testing.T) { test(t, g) })
		}
	}
	if !some {
		t.Error("no figure is of these kinds")
	}
}

// In every figure of points, a name is nearer to its own mark than to any other, or has a line that ends there.
func TestNamesStandAtTheirMarks(t *testing.T) {
	slowtest.SkipSequential(t)
	named := 0
	eachOf(t, func(t *testing.T, g *drawing) {
		for _, w := range g.texts {
			own := slices.IndexFunc(g.hits, func(h hitArea) bool { return strings.HasPrefix(h.words, w.words+": ") })
			if own < 0 || !slices.Contains(w.classes, "halo") {
				continue
			}
			named++
			from, far := func(p spot) float64 { return w.away(p) }, 0.0
			for _, l := range g.lines {
				end := l.points[len(l.points)-1]
				if l.has("lead") && math.Abs(end.x+2-w.left) < 1 && end.y > w.top-3 && end.y < w.at+3 {
					start := l.points[0]
					from, far = func(p spot) float64 { return math.Hypot(p.x-start.x, p.y-start.y) }, 7
				}
			}
			distance := from(g.hits[own].centre)
			if far > 0 && distance > far {
				t.Errorf("the line of %q ends %.1f from its mark", w.words, distance)
			}
			for i, h := range g.hits {
				if i != own && h.centre != g.hits[own].centre && from(h.centre) <= distance {
					t.Errorf("%q is %.1f from its own mark, and %.1f from that of %.40s", w.words, distance,
						from(h.centre), h.words)
				}
			}
		}
	}, "scatter", "agreement")
	if named < 20 {
		t.Errorf("only %d names were found", named)
	}
}

// The lines of an agreement have their own names, each at its own line.
func TestLinesOfAgreementsAreNamed(t *testing.T) {
	slowtest.SkipSequential(t)
	eachOf(t, func(t *testing.T, g *drawing) {
		for _, own := range g.lines {
			if !isSlope(own) {
				continue
			}
			isOwn := func(w setText) bool {
				return !w.tick && slices.Contains(w.classes, "dim") &&
					(own.has("dash") && strings.HasSuffix(w.words, "×") || !own.has("dash") && w.words == "as published")
			}
			k := slices.IndexFunc(g.texts, isOwn)
			if k < 0 {
				t.Errorf("a line of the classes %q has no name", own.classes)
				continue
			}
			const most = 20
			distance := g.texts[k].awayFrom(own)
			if distance > most {
				t.Errorf("%q is %.1f from its line", g.texts[k].words, distance)
			}
			for _, other := range g.lines {
				if isSlope(other) && other.has("dash") != own.has("dash") && g.texts[k].awayFrom(other) <= distance {
					t.Errorf("%q is %.1f from its line and %.1f from the other", g.texts[k].words, distance,
						g.texts[k].awayFrom(other))
				}
			}
		}
	}, "agreement")
}

// isSlope tells whether a shape is a line that rises through the frame.
func isSlope(s shape) bool {
	return s.has("axis") && len(s.points) == 2 && s.points[0].x != s.points[1].x && s.points[0].y != s.points[1].y
}

// Lines that lead from a mark to its name, and lines of reference, are no lines of data: the first are dashed, by the
// style sheet of pages and by that of files, and the second have words at their own end.
func TestLinesThatAreNoData(t *testing.T) {
	slowtest.SkipSequential(t)
	sheet, err := os.ReadFile("../site/theme/style.css")
	if err != nil {
		t.Fatal(err)
	}
	standalone, err := os.ReadFile("../docs/gallery/scatter.svg")
	if err != nil {
		t.Fatal(err)
	}
	for name, style := range map[string]string{"pages": string(sheet), "files": string(standalone)} {
		rule := regexp.MustCompile(`\.lead ?\{[^}]*stroke[^}]*\}`).FindString(style)
		if !strings.Contains(rule, "stroke-dasharray") {
			t.Errorf("lines to names are not dashed in %s: %s", name, rule)
		}
	}
	eachOf(t, func(t *testing.T, g *drawing) {
		for _, l := range g.lines {
			isRule := l.has("axis") || l.has("lead")
			if !isRule || len(l.points) < 2 {
				continue
			}
			a, b := l.points[0], l.points[len(l.points)-1]
			level, upright := a.y == b.y && math.Abs(a.x-b.x) > g.wide/3, a.x == b.x && math.Abs(a.y-b.y) > 40
			if !level && !upright || l.has("lead") && level {
				continue
			}
			const near = 34
			isAtEnd := func(w setText) bool { return w.away(a) < near || w.away(b) < near }
			if !slices.ContainsFunc(g.texts, isAtEnd) {
				t.Errorf("the line from %v to %v has no words at its end", a, b)
			}
		}
	})
}

// A markOf is the mark of a cell in a drawing, with its colour.
type markOf struct {
	name   string
	cell   *dataset.Cell
	colour string
	value  string // as printed beside it
	at     spot
}

// marks are those of a drawing that stand for a cell each: rows, points and the names of lines.
func (g *drawing) marks(t *testing.T) []markOf {
	var out []markOf
	add := func(name, value string, at spot, colour string) {
		out = append(out, markOf{name, g.cellOf(t, name), colour, value, at})
	}
	switch g.block.Kind.Value {
	case "dots", "bars", "distribution", "capacity":
		for _, h := range g.hits {
			name, _, _ := strings.Cut(h.words, ": ")
			colour, value := "", ""
			for _, l := range g.lines {
				y := middle(l.points).y
				if c := colourOf(l.classes); c != "" && math.Abs(y-h.centre.y) < 20 && g.rowAt(y) == h.words {
					colour = c
				}
			}
			for _, w := range g.texts {
				if slices.Contains(w.classes, "end") && slices.Contains(w.classes, "strong") && g.rowAt(w.at-4) == h.words {
					value += w.words
				}
			}
			add(name, value, h.centre, colour)
		}
	case "scatter", "agreement":
		for _, h := range g.hits {
			name, _, _ := strings.Cut(h.words, ": ")
			for _, l := range g.lines {
				at := middle(l.points)
				if (l.has("pt") || l.has("open")) && math.Hypot(at.x-h.centre.x, at.y-h.centre.y) < 1.5 {
					add(name, "", h.centre, colourOf(l.classes))
					break
				}
			}
		}
	case "lines", "latency", "timeline", "tuning":
		seen := map[string]bool{}
		for _, h := range g.hits {
			name := h.words
			x := g.block.X.Value
			cuts := []string{": ", ", second ", ", " + x + " ", ", " + strings.TrimPrefix(x, "tune.") + " "}
			for _, cut := range cuts {
				name, _, _ = strings.Cut(name, cut)
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			for _, w := range g.texts {
				joined := strings.NewReplacer(" ", "")
				isIts := strings.HasPrefix(joined.Replace(name), joined.Replace(w.words))
				if c := colourOf(w.classes); c != "" && isIts {
					add(name, "", h.centre, c)
					break
				}
			}
		}
	}
	return out
}

// rowAt gives the words of the row at a height.
func (g *drawing) rowAt(y float64) string {
	words, least := "", math.Inf(1)
	for _, h := range g.hits {
		if d := math.Abs(h.centre.y - y); d < least {
			words, least = h.words, d
		}
	}
	return words
}

// colourOf is the colour that classes give, such as "1".
func colourOf(classes []string) string {
	for _, c := range classes {
		if len(c) == 2 && strings.Contains("fs", c[:1]) && c[1] >= '0' && c[1] <= '6' {
			return c[1:]
		}
	}
	return ""
}

// cellOf is the cell of a name: all that is in it are values of the cell, as claims name them.
func (g *drawing) cellOf(t *testing.T, name string) *dataset.Cell {
	e, _ := g.data.Experiment(g.block.Experiment.Value)
	for _, c := range e.Cells {
		var parts []string
		for _, list := range [][]record.Parameter{c.Trial.Parameters, c.Trial.Labels} {
			for _, p := range list {
				if parts = append(parts, p.Value); p.Value != "" && !dataset.IsName(p.Value) {
					parts[len(parts)-1] = p.Name + " " + p.Value
				}
			}
		}
		rest := name
		for rest != "" {
			isNext := func(v string) bool { return v != "" && (rest == v || strings.HasPrefix(rest, v+", ")) }
			k := slices.IndexFunc(parts, isNext)
			if k < 0 {
				break
			}
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, parts[k]), ", ")
		}
		if rest == "" {
			return c
		}
	}
	t.Errorf("%q names no cell by its values, with those that are no names after their parameter", name)
	return nil
}

// The names of cells in figures are those of claims, and can be told apart into the values that they are made of.
func TestNamesOfCellsAreOneSpelling(t *testing.T) {
	slowtest.SkipSequential(t)
	some := 0
	eachOf(t, func(t *testing.T, g *drawing) { some += len(g.marks(t)) })
	if some < 300 {
		t.Errorf("only %d marks were found", some)
	}
}

// A value has one colour in all figures of an article, and no other value of the same parameter has it; and a figure
// whose colours say nothing has one that says nothing elsewhere.
func TestValuesKeepTheirColours(t *testing.T) {
	articles := map[*dataset.Dataset]map[string][]markOf{}
	for _, g := range allDrawings(t) {
		if articles[g.data] == nil {
			articles[g.data] = map[string][]markOf{}
		}
		articles[g.data][g.block.Label.Value] = append(articles[g.data][g.block.Label.Value], g.marks(t)...)
	}
	compared := 0
	for d, figures := range articles {
		colours := map[string]string{} // by axis and value
		where := map[string]string{}
		plain := map[string]string{} // the only colour of figures, by label
		for _, f := range d.Doc.Figures {
			marks := figures[f.Label.Value]
			axis := axisOfColours(marks)
			if axis == "" {
				if len(marks) > 1 {
					plain[f.Label.Value] = marks[0].colour
				}
				continue
			}
			for _, m := range marks {
				value, _ := m.cell.Setting(axis)
				if known, ok := colours[value]; ok && known != m.colour {
					t.Errorf("%s of %s has the colour %s in %s and %s in %s", value, d.Doc.Front.Title.Value, m.colour,
						f.Label.Value, known, where[value])
				}
				compared++
				colours[value], where[value] = m.colour, f.Label.Value
			}
		}
		for label, colour := range plain {
			for value, known := range colours {
				if known == colour && colour != "0" {
					t.Errorf("all marks of %s in %s have the colour %s of %s", label, d.Doc.Front.Title.Value, colour, value)
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d colours were compared", compared)
	}
}

// axisOfColours is the parameter or label of which each value has a colour of its own; empty if all marks have one
// colour.
func axisOfColours(marks []markOf) string {
	several := slices.ContainsFunc(marks, func(m markOf) bool { return m.colour != marks[0].colour })
	if !several || slices.ContainsFunc(marks, func(m markOf) bool { return m.cell == nil }) {
		return ""
	}
	for _, list := range [][]record.Parameter{marks[0].cell.Trial.Parameters, marks[0].cell.Trial.Labels} {
		for _, p := range list {
			of, by := map[string]string{}, map[string]string{}
			isOne := !slices.ContainsFunc(marks, func(m markOf) bool {
				value, _ := m.cell.Setting(p.Name)
				colour, known := of[value]
				other, taken := by[m.colour]
				of[value], by[m.colour] = m.colour, value
				return known && colour != m.colour || taken && other != value
			})
			if isOne {
				return p.Name
			}
		}
	}
	return ""
}

// Rows have the better value on top, but keep the order of numbers that name them.
func TestBestRowsAreOnTop(t *testing.T) {
	pairs := 0
	eachOf(t, func(t *testing.T, g *drawing) {
		metric := g.block.X.Value
		if by := g.block.Sort.Value; by != "" {
			metric = by
		}
		marks := g.marks(t)
		for i := range marks[1:] {
			a, b := marks[i], marks[i+1]
			if a.cell == nil || b.cell == nil {
				continue
			}
			x, y := a.cell.Metric(metric), b.cell.Metric(metric)
			if x.Missing != "" || y.Missing != "" {
				if x.Missing != "" && y.Missing == "" {
					t.Errorf("%s, which is missing, stands above %s", a.name, b.name)
				}
				continue
			}
			ordered := false
			for _, p := range a.cell.Trial.Parameters {
				other, _ := b.cell.Setting(p.Name)
				v, errV := expr.ParseQuantity(p.Value)
				o, errO := expr.ParseQuantity(other)
				if g.block.Sort.Value == "" && errV == nil && errO == nil && v.Value != o.Value {
					if ordered = true; v.Value > o.Value {
						t.Errorf("%s stands above %s", a.name, b.name)
					}
				}
			}
			pairs++
			lower := x.Metric.Better == "lower" || x.Metric.Better == "" && x.Metric.Unit == "s"
			above, below := x.Estimate.Centre, y.Estimate.Centre
			if better := below < above; !ordered && better == lower && below != above {
				t.Errorf("%s (%v) stands above %s (%v)", a.name, above, b.name, below)
			}
		}
	}, "dots", "bars", "distribution")
	if pairs < 50 {
		t.Errorf("only %d pairs of rows were compared", pairs)
	}
}

// No more than six lines share a frame.
func TestFewLinesInAFrame(t *testing.T) {
	eachOf(t, func(t *testing.T, g *drawing) {
		beside := slice.Count(g.texts, func(w setText) bool {
			return colourOf(w.classes) != "" && !slices.Contains(w.classes, "strong") && !slices.Contains(w.classes, "halo")
		})
		names := map[string]bool{}
		for _, m := range g.marks(t) {
			names[m.name] = true
		}
		if beside > figure.MaxSeries && len(names) > figure.MaxSeries {
			t.Errorf("%d lines are named beside one frame", beside)
		}
	}, "lines", "latency", "timeline", "tuning")
}

// Published ticks leave the marks of what was measured at least a quarter of the axis.
func TestPublishedTicksLeaveRoom(t *testing.T) {
	some := 0
	eachOf(t, func(t *testing.T, g *drawing) {
		own, all := [2]float64{math.Inf(1), math.Inf(-1)}, [2]float64{math.Inf(1), math.Inf(-1)}
		ticks := 0
		for _, l := range g.lines {
			isTick := l.has("ghost") && len(l.points) == 2 && l.points[0].x == l.points[1].x
			if !isTick && !l.has("ibox") && !l.has("pt") && !l.has("bar") {
				continue
			}
			if isTick {
				ticks++
			}
			for _, p := range l.points {
				all = [2]float64{min(all[0], p.x), max(all[1], p.x)}
				if !isTick {
					own = [2]float64{min(own[0], p.x), max(own[1], p.x)}
				}
			}
		}
		if ticks < 2 {
			return
		}
		if some++; (own[1]-own[0])/(all[1]-all[0]) < .25 {
			t.Errorf("what was measured takes %.0f of %.0f units", own[1]-own[0], all[1]-all[0])
		}
	}, "dots", "bars", "distribution")
	if some < 6 {
		t.Errorf("only %d drawings have published ticks", some)
	}
}

// Printed values have the unit of the largest, and a column of them no more than two precisions.
func TestValuesOfAColumn(t *testing.T) {
	columns := 0
	eachOf(t, func(t *testing.T, g *drawing) {
		decimals := map[int][]string{}
		for _, m := range g.marks(t) {
			number, _, _ := strings.Cut(m.value, ", ")
			number = strings.TrimSpace(strings.TrimPrefix(number, "≥"))
			v, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
			if err != nil {
				continue
			}
			if caption := slices.IndexFunc(g.texts, func(w setText) bool {
				return !w.tick && (strings.Contains(w.words, ", ms") || strings.Contains(w.words, ", µs"))
			}); caption >= 0 && v > 1000 {
				t.Errorf("%s beside the axis %q", m.value, g.texts[caption].words)
			}
			_, fraction, _ := strings.Cut(number, ".")
			decimals[len(fraction)] = append(decimals[len(fraction)], number)
		}
		if columns++; len(decimals) > 2 {
			t.Errorf("%d precisions: %v", len(decimals), decimals)
		}
	}, "dots", "bars", "distribution", "capacity")
	if columns < 40 {
		t.Errorf("only %d columns", columns)
	}
}

var (
	tablesOf = regexp.MustCompile(`(?s)<table class="results.*?</table>`)
	rowsOf   = regexp.MustCompile(`<tr id="(tbl-[^"]+)-r\d+".*`)
	valuesOf = regexp.MustCompile(`data-l="([^"]+)" data-v="[^"]*"><span><b>([^<]+)</b>.*?<span class="ival">([^<]+)<`)
	digitsOf = regexp.MustCompile(`\d[\d,]*(\.\d+)?`)
)

// precisionOf is how many digits after the point numbers have, below zero where all of them are rounded before it.
func precisionOf(numbers []string) int {
	most := math.MinInt
	for _, n := range numbers {
		whole, fraction, _ := strings.Cut(strings.ReplaceAll(n, ",", ""), ".")
		if digits := len(fraction); digits > 0 {
			most = max(most, digits)
		} else if rounded := strings.TrimRight(whole, "0"); rounded != "" {
			most = max(most, len(rounded)-len(whole))
		}
	}
	return most
}

// A column of a table has no more than two precisions: one of its own, and one for numbers that are too small for it.
func TestPrecisionsOfTables(t *testing.T) {
	allDrawings(t)
	columns := 0
	for slug, page := range all.pages {
		for _, table := range tablesOf.FindAllString(string(page.HTML), -1) {
			shown := map[string]map[int][]string{} // by column and digits after the point
			for _, row := range rowsOf.FindAllStringSubmatch(table, -1) {
				for _, v := range valuesOf.FindAllStringSubmatch(row[0], -1) {
					numbers := digitsOf.FindAllString(v[2]+" "+v[3], -1)
					column, digits := slug+" "+row[1]+" "+v[1], precisionOf(numbers)
					if shown[column] == nil {
						shown[column] = map[int][]string{}
					}
					shown[column][digits] = append(shown[column][digits], v[2]+" "+v[3])
				}
			}
			columns += len(shown)
			for column, by := range shown {
				if len(by) > 2 {
					t.Errorf("%s has %d precisions: %v", column, len(by), by)
				}
			}
		}
	}
	if columns < 30 {
		t.Errorf("only %d columns", columns)
	}
}

// Open marks are explained, and every axis says of what it is.
func TestMarksAndAxesAreExplained(t *testing.T) {
	eachOf(t, func(t *testing.T, g *drawing) {
		words := wordsOf(g.html[strings.LastIndex(g.html, `<div class="side">`):])
		isOpen := func(l shape) bool { return l.has("open") }
		isSaid := strings.Contains(strings.ToLower(words), "open")
		if slices.ContainsFunc(g.lines, isOpen) && !isSaid {
			t.Errorf("open marks are not explained: %s", words)
		}
		if g.block.Kind.Value == "topology" {
			return
		}
		above, below := g.captions()
		x, y := axisWords(g.block.X.Value), axisWords(article.Texts(append(g.block.Y, source.Text{}))[0])
		switch g.block.Kind.Value {
		case "dots", "bars", "distribution":
			y = nil
		case "capacity":
			x, y = []string{"per second"}, nil
		case "multiverse":
			x, y = []string{"effect", "times", "%"}, nil
		case "latency":
			x, y = []string{"percent"}, []string{"latency"}
		case "timeline":
			x = []string{"second"}
		case "agreement":
			x, y = []string{"published "}, []string{"measured "}
		}
		for caption, words := range map[string][]string{below: x, above: y} {
			says := func(word string) bool { return strings.Contains(caption, word) }
			if len(words) > 0 && !slices.ContainsFunc(words, says) {
				t.Errorf("an axis is of %q, and says %q", words, caption)
			}
		}
		isNamed := func(w setText) bool { return strings.Contains(w.words, ": ") && slices.Contains(w.classes, "dim") }
		if g.block.Reference.Node != nil && !slices.ContainsFunc(g.texts, isNamed) {
			t.Error("the line of reference has no name")
		}
	})
}

// captions are the words above and below what is drawn, other than ticks.
func (g *drawing) captions() (above, below string) {
	top, bottom := math.Inf(1), math.Inf(-1)
	for _, l := range g.lines {
		if l.has("grid") || l.has("axis") {
			for _, p := range l.points {
				top, bottom = min(top, p.y), max(bottom, p.y)
			}
		}
	}
	for _, w := range g.texts {
		switch {
		case w.tick || !slices.Contains(w.classes, "dim"):
		case w.at < top:
			above += strings.ToLower(w.words) + "\n"
		case w.top > bottom:
			below += strings.ToLower(w.words) + "\n"
		}
	}
	return above, below
}

// axisWords are those of which an axis of a metric, parameter or label has one.
func axisWords(name string) []string {
	name = strings.TrimPrefix(name, "tune.")
	if m, ok := record.LookupMetric(name); ok {
		return []string{strings.ToLower(m.Title), "per second"}
	}
	return []string{strings.ToLower(name)}
}

// A title that the author did not write says what was found.
func TestAutomaticTitlesAreFindings(t *testing.T) {
	some := false
	eachOf(t, func(t *testing.T, g *drawing) {
		if g.block.Title.Value != "" {
			return
		}
		some = true
		title := wordsOf(regexp.MustCompile(`(?s)<figcaption.*?<span class="sub">`).FindString(g.html))
		if digits := regexp.MustCompile(`\d`).FindAllString(strings.TrimPrefix(title, "Figure"), -1); len(digits) < 2 {
			t.Errorf("the title %q says no finding", title)
		}
	})
	if !some {
		t.Error("all figures have titles of their authors")
	}
}

// An article that says which value has which colour has it in all figures, whatever they colour by.
func TestDeclaredColours(t *testing.T) {
	for _, tt := range []struct {
		name, colours, keys string
		want                [2]string // of async and of sync
	}{
		{"as declared", "[async, sync]", "x: throughput, y: [server, workers]", [2]string{"1", "2"}},
		{"another order", "[sync, async]", "x: throughput, y: [server, workers]", [2]string{"2", "1"}},
		{"a figure that colours by it", "[async, sync]", "x: throughput, y: [server, workers], colour: server",
			[2]string{"1", "2"}},
		{"none", "[]", "x: throughput, y: [server, workers]", [2]string{"1", "1"}},
		{"of another parameter", "['1', '2']", "x: throughput, y: [server, workers]", [2]string{"3", "3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := measuredGridOf(t, "colours: "+tt.colours+"\n", figureBlock("kind: dots, "+tt.keys))
			d := b.Dataset()
			page, err := newRenderer(t).Page(d, render.Options{})
			if err != nil {
				t.Fatal(err)
			}
			g := &drawing{data: d, block: d.Doc.Figures[0]}
			svg := drawingsOf.FindString(figureElement.FindString(string(page.HTML)))
			if err := g.read(svg, pageFonts(t).Metrics()); err != nil {
				t.Fatal(err)
			}
			for _, m := range g.marks(t) {
				want := tt.want[0]
				if strings.HasPrefix(m.name, "sync") {
					want = tt.want[1]
				}
				if m.colour != want {
					t.Errorf("%s has the colour %s, want %s", m.name, m.colour, want)
				}
			}
		})
	}
}

var (
	stampsOf    = regexp.MustCompile(`(?s)<(?:figure|div) class="(?:fig|tbl)[^"]*" id="([^"]+)".*?<p class="provenance">(.*?)</p>`)
	runsOf      = regexp.MustCompile(`\d{8}T\d{6}Z-[a-z]{4}`)
	revisionsOf = regexp.MustCompile(`revision\x{a0}([0-9a-f]+(?:\+changes)?)`)
)

// Every file of a figure or table says what it shows and where that is from, and its run is that of the stamp.
func TestFilesSayWhereTheyAreFrom(t *testing.T) {
	allDrawings(t)
	files, compared := map[string]int{}, 0
	for slug, page := range all.pages {
		stamps := map[string]string{}
		for _, m := range stampsOf.FindAllStringSubmatch(string(page.HTML), -1) {
			stamps[m[1]] = m[2]
		}
		for _, f := range page.Files {
			label, kind, _ := strings.Cut(strings.TrimPrefix(f.Path, "data/"), ".")
			read := aboutOf[kind]
			if read == nil || !strings.HasPrefix(f.Path, "data/") {
				continue
			}
			files[kind]++
			stamp := cmp.Or(stamps[label], stamps[label[:max(0, strings.LastIndex(label, "-"))]]) // of a panel
			said, err := read(f.Data)
			if err != nil {
				t.Errorf("%s %s: %v", slug, f.Path, err)
			}
			for _, name := range []string{"title", "finding", "source", "run", "host", "address", "licence"} {
				if said[name] == "" {
					t.Errorf("%s %s does not say its %s", slug, f.Path, name)
				}
			}
			at := "https://bench.example/" + slug + "/#"
			if !strings.HasPrefix(said["address"], at) || said["licence"] != "CC-BY-4.0" {
				t.Errorf("%s %s has the address %s and the licence %s", slug, f.Path, said["address"], said["licence"])
			}
			for _, run := range runsOf.FindAllString(stamp, -1) {
				if compared++; !strings.Contains(said["run"], run) {
					t.Errorf("%s %s is of the run %s, and its stamp of %s", slug, f.Path, said["run"], run)
				}
			}
			if revision := revisionsOf.FindStringSubmatch(html.UnescapeString(stamp)); revision != nil &&
				said["revision"] != revision[1] {
				t.Errorf("%s %s is of the revision %s, and its stamp of %s", slug, f.Path, said["revision"], revision[1])
			}
		}
	}
	if files["csv"] < 40 || files["csv"] != files["json"] || files["svg"] < 30 || files["svg"] != files["dark.svg"] {
		t.Errorf("the files are %v", files)
	}
	if compared < 100 {
		t.Errorf("only %d runs were compared with stamps", compared)
	}
}

// aboutOf reads what files say of themselves, by the ends of their names.
var aboutOf = map[string]func([]byte) (map[string]string, error){
	"csv": func(data []byte) (map[string]string, error) {
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil || len(rows) < 2 {
			return nil, fmt.Errorf("%d rows: %v", len(rows), err)
		}
		said := map[string]string{}
		for i, name := range rows[0] {
			if _, ok := said[name]; ok {
				return nil, fmt.Errorf("two columns are called %s", name)
			}
			said[name] = rows[1][i]
		}
		return said, nil
	},
	"json": func(data []byte) (map[string]string, error) {
		var file map[string]any
		err := json.Unmarshal(data, &file)
		said := map[string]string{}
		for name, value := range file {
			if words, ok := value.(string); ok {
				said[name] = words
			}
		}
		return said, err
	},
	"svg":      aboutDrawing,
	"dark.svg": aboutDrawing,
}

func aboutDrawing(data []byte) (map[string]string, error) {
	var file struct {
		Title string `xml:"title"`
		Desc  string `xml:"desc"`
		About struct {
			Title      string   `xml:"http://purl.org/dc/elements/1.1/ title"`
			Finding    string   `xml:"http://purl.org/dc/elements/1.1/ description"`
			Source     string   `xml:"http://purl.org/dc/elements/1.1/ source"`
			Address    string   `xml:"http://purl.org/dc/elements/1.1/ identifier"`
			Licence    string   `xml:"http://purl.org/dc/elements/1.1/ rights"`
			Provenance []string `xml:"http://purl.org/dc/terms/ provenance"`
		} `xml:"metadata>RDF>Description"`
	}
	err := xml.Unmarshal(data, &file)
	if file.Title == "" || file.Desc == "" {
		err = cmp.Or(err, errors.New("no title, or no description"))
	}
	a := file.About
	said := map[string]string{"title": a.Title, "finding": a.Finding, "source": a.Source, "address": a.Address,
		"licence": a.Licence}
	for _, p := range a.Provenance {
		name, words, _ := strings.Cut(p, " ")
		said[name] = words
	}
	return said, err
}
