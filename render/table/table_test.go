package table

import (
	"math"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/render/wording"
)

var nan = math.NaN()

func value(centre, lo, hi float64) Value {
	return Value{Figure: wording.Figure{Value: centre, Lo: lo, Hi: hi, Step: centre * 0.001}, Published: nan}
}

// text writes a layout as a person would read it, a line to a row.
func text(l Layout) string {
	var b strings.Builder
	for _, h := range l.Heads {
		b.WriteString("| " + h.Words)
		if h.Unit != "" {
			b.WriteString(" (" + h.Unit + ")")
		}
		b.WriteString(strings.Join(h.Axis, ".."))
		if h.Sort != "" {
			b.WriteString(" " + h.Sort)
		}
		b.WriteString(" ")
	}
	for _, r := range l.Rows {
		b.WriteString("|\n")
		for _, c := range r {
			b.WriteString("| " + words(c) + " ")
		}
	}
	b.WriteString("|\n")
	for _, n := range l.Notes {
		b.WriteString(n.Number + " " + n.Kind)
		for _, f := range n.Found {
			b.WriteString("; " + f.Rows + ": " + f.Words)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func words(c Cell) (text string) {
	switch {
	case c.Plot != nil:
		text = c.Plot.Lo + "+" + c.Plot.Width + "," + c.Plot.X
		if c.Plot.AtLeast {
			text += " →"
		}
	case c.Missing != "":
		text = c.Missing
	case c.Strong != "":
		text = c.Before + c.Strong + " " + c.Interval
	default:
		text = c.Text
	}
	if c.Marks != nil {
		text += "^" + c.Marks.Numbers + "→" + c.Marks.ID
	}
	for _, w := range c.Why {
		text += w.Kind + "^" + w.Number + "→" + w.ID
	}
	return text
}

func TestLayout(t *testing.T) {
	throughput := Metric{Head: "Throughput", Per: "requests", Base: "1/s", Better: "higher"}
	latency := Metric{Head: "Latency", Base: "s", Better: "lower"}
	published := func(v Value, number float64) Value { v.Published = number; return v }
	few := func(v Value, words string) Value { v.Few = words; return v }
	atLeast := func(v Value) Value { v.AtLeast = true; return v }
	missing := Value{Missing: "not measured", Published: nan}
	for _, test := range []struct {
		name  string
		table Table
		want  string
	}{
		{"ordered by a metric, missing values last", Table{ID: "t", Words: []string{"Server"}, Metrics: []Metric{throughput},
			Main: 0, Order: Order{Metric: 1},
			Rows: []Row{{Words: []string{"a"}, Values: []Value{missing}},
				{Words: []string{"b"}, Values: []Value{value(500, 490, 512)}},
				{Words: []string{"c"}, Values: []Value{atLeast(value(800, 780, 820))}}}}, `
| Server | Throughput (requests/s) descending | 400..900 |
| c | ≥ 800 780–820 | 76.0%+8.0%,80.0% → |
| b | 500 490–512 | 18.0%+4.4%,20.0% |
| a | not measured |  |
`},
		{"the lower the better", Table{ID: "t", Words: []string{"Server"}, Metrics: []Metric{latency},
			Main: -1, Order: Order{Metric: 1},
			Rows: []Row{{Words: []string{"slow"}, Values: []Value{value(2.5, 2.4, 2.6)}},
				{Words: []string{"quick"}, Values: []Value{value(.012, .0118, .0123)}},
				{Words: []string{"middle"}, Values: []Value{value(.03, .029, .031)}}}}, `
| Server | Latency (s) ascending |
| quick | 0.0120 0.0118–0.0123 |
| middle | 0.030 0.029–0.031 |
| slow | 2.500 2.400–2.600 |
`},
		{"one rule for a column", Table{ID: "t", Words: []string{"Server"}, Metrics: []Metric{throughput, throughput},
			Main: -1, Rows: []Row{
				{Words: []string{"a"}, Values: []Value{value(490, 485, 495),
					{Figure: wording.Figure{Value: 12, Lo: nan, Hi: nan, Exact: true}, Published: nan}}},
				{Words: []string{"b"}, Values: []Value{value(486.67, 486.2, 487.1), value(2013.2, 1985, 2044)}},
				{Words: []string{"c"}, Values: []Value{value(0, 0, 0), missing}}}}, `
| Server | Throughput (requests/s) | Throughput (requests/s) |
| a | 490.0 485.0–495.0 | 12  |
| b | 486.7 486.2–487.1 | 2,013 1,985–2,044 |
| c | 0 0–0 | not measured |
`},
		{"ordered by a word that is a number", Table{ID: "t", Words: []string{"Clients", "Server"},
			Metrics: []Metric{throughput}, Main: -1, Order: Order{Word: 1},
			Rows: []Row{{Words: []string{"100", "a"}, Values: []Value{few(value(5, nan, nan), "1 run")}},
				{Words: []string{"9", "b"}, Values: []Value{few(value(6, 5, 7), "2 runs")}},
				{Words: []string{"many", "c"}, Values: []Value{missing}}}}, `
| Clients ascending | Server | Throughput (requests/s) |
| 9 | b | 6.0 2 runs: 5.0–7.0 |
| 100 | a | 5 1 run |
| many | c | not measured |
`},
		{"published beside measured", Table{ID: "t", Words: []string{"Server"},
			Metrics: []Metric{{Head: "Throughput", Base: "1/s", Published: true}}, Main: 0,
			Rows: []Row{{Words: []string{"a"}, Values: []Value{published(value(500, 490, 512), 529.13)}},
				{Words: []string{"b"}, Values: []Value{published(value(400, 390, 412), 600)}},
				{Words: []string{"c"}, Values: []Value{published(value(300, 290, 312), 250)}}, {Words: []string{"d"}, Values: []Value{value(200, 190, 212)}}}}, `
| Server | Throughput (per second) | 100..600 | Published (per second) |
| a | 500 490–512 | 78.0%+4.4%,80.0% | 529.13 |
| b | 400 390–412 | 58.0%+4.4%,60.0% | 600 |
| c | 300 290–312 | 38.0%+4.4%,40.0% | 250 |
| d | 200 190–212 | 18.0%+4.4%,20.0% | – |
`},
		{"notes, each once", Table{ID: "t", Words: []string{"Server"}, Metrics: nil, Main: -1,
			Rows: []Row{{Words: []string{"a"}, Notes: []Note{{Kind: "busy", Words: "others used it"}}},
				{Words: []string{"b"}, Notes: []Note{{Kind: "busy", Words: "more than it has"}}},
				{Words: []string{"c"}, Notes: []Note{{Kind: "failed", Words: "it did not start"}, {Kind: "busy", Words: "others used it"}}}}}, `
| Server | Validity |
| a | busy^1→t-n1 |
| b | busy^1→t-n1 |
| c | busy^1→t-n1failed^2→t-n2 |
1 busy; a; c: others used it; b: more than it has
2 failed; c: it did not start
`},
		{"notes about values", Table{ID: "t", Words: []string{"Server", "Kind"},
			Metrics: []Metric{{Head: "CPU", Base: "cores"}, {Head: "Failed", Base: "1"}}, Main: -1,
			Rows: []Row{{Words: []string{"a", "x"}, Values: []Value{value(1, nan, nan), missing}, Notes: []Note{{Kind: "tail", Words: "far", Metrics: []int{1}}, {Kind: "wide", Words: "apart", Metrics: []int{0, 1}}}}}}, `
| Server | Kind | CPU (cores) | Failed |
| a | x | 1 ^2→t-n2 | not measured^1,2→t-n1 |
1 tail; a, x (failed): far
2 wide; a, x: apart
`},
		{"written as the author asks", Table{ID: "t", Words: []string{"Server"}, Main: -1, Metrics: []Metric{
			{Head: "Latency", Base: "s", Unit: &wording.Unit{Symbol: "µs", Scale: 1e-6}, Digits: new(int)}},
			Rows: []Row{{Words: []string{"a"}, Values: []Value{value(.0025, .00241, .00262)}}}}, `
| Server | Latency (µs) |
| a | 2,500 2,410–2,620 |
`},
		{"a single count has a scale from zero", Table{ID: "t", Words: []string{"Server"}, Metrics: []Metric{{Head: "Requests", Base: "1"}},
			Main: 0,
			Rows: []Row{{Words: []string{"a"}, Values: []Value{few(value(500, nan, nan), "1 run")}}}}, `
| Server | Requests | 0..500 |
| a | 500 1 run | 100.0%+0.0%,100.0% |
`},
		{"an interval without end reaches the edge", Table{ID: "t", Words: []string{"Server"}, Metrics: []Metric{throughput},
			Main: 0,
			Rows: []Row{{Words: []string{"a"}, Values: []Value{value(500, 400, math.Inf(1))}}, {Words: []string{"b"}, Values: []Value{value(900, 800, 1000)}}}}, `
| Server | Throughput (requests/s) | 400..1,000 |
| a | 500 ≥ 400 | 0.0%+100.0%,16.7% |
| b | 900 800–1,000 | 66.7%+33.3%,83.3% |
`},
		{"nothing measured has no scale", Table{ID: "t", Words: []string{"Server"}, Metrics: []Metric{throughput}, Main: 0,
			Rows: []Row{{Words: []string{"a"}, Values: []Value{missing}}}}, `
| Server | Throughput (requests/s) |
| a | not measured |
`},
	} {
		got := strings.ReplaceAll(text(test.table.Layout()), "\u00a0", " ")
		assert.Equal(t, got, test.want[1:], "%s", test.name)
	}
}
