package figure

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"benchbook/render/typeface"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var nan, inf = math.NaN(), math.Inf(1)

// widths are both drawings of a figure.
var widths = []Width{Full, Narrow}

// pageFonts are the fonts that the page links.
var pageFonts = sync.OnceValues(func() (*typeface.Fonts, error) {
	regular, err := os.ReadFile("../../site/theme/fonts/inter-400.woff2")
	if err != nil {
		return nil, err
	}
	strong, err := os.ReadFile("../../site/theme/fonts/inter-600.woff2")
	if err != nil {
		return nil, err
	}
	return typeface.LoadFonts(regular, strong)
})

func fonts(tb testing.TB) *typeface.Fonts {
	tb.Helper()
	f, err := pageFonts()
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// described gives each row the title that a caller would write.
func described(rows ...Row) []Row {
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Missing != "":
			r.Title = r.Name + ": " + r.Missing
		case math.IsNaN(r.Lo):
			r.Title = fmt.Sprintf("%s: %s, one run", r.Name, r.Label)
		default:
			r.Title = fmt.Sprintf("%s: %s, %g to %g", r.Name, r.Label, r.Lo, r.Hi)
		}
	}
	return rows
}

// thirteenServers are published runs, one each, and the batch two days before.
func thirteenServers(tb testing.TB) Rows {
	tb.Helper()
	f, err := os.Open(filepath.Join("testdata", "not-faster.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	d := Rows{
		Head: Head{ID: "fig-throughput", Title: "Throughput of thirteen servers",
			Desc: "Thirteen rows, sorted, from 5,780 to 2,678 requests per second."},
		Series:    []string{"sync", "async"},
		X:         Axis{Name: "requests per second"},
		Published: "9 May",
	}
	for _, line := range lines[1:] {
		r := Row{Name: line[0], Series: 1, Lo: nan, Hi: nan}
		if line[1] == "async" {
			r.Series = 2
		}
		if r.Value, err = strconv.ParseFloat(line[2], 64); err != nil {
			tb.Fatal(err)
		}
		if r.Published, err = strconv.ParseFloat(line[3], 64); err != nil {
			tb.Fatal(err)
		}
		r.Label = tickStep{1, 0}.label(r.Value)
		d.Rows = append(d.Rows, r)
	}
	d.Rows = described(d.Rows...)
	return d
}

// figures are the golden cases: the name of the file, and what is drawn.
func figures(tb testing.TB) map[string]Rows {
	return map[string]Rows{
		"two sockets with published values": {
			Head: Head{ID: "fig-sockets", Title: "Throughput of two socket servers",
				Desc: "Requests per second: async 1,204 (1,180 to 1,231), published 705; sync 894 (871 to 910), published 529."},
			Series: []string{"sync", "async"}, X: Axis{Name: "requests per second"}, Published: "published",
			Rows: described(
				Row{Name: "async", Series: 2, Value: 1204, Lo: 1180, Hi: 1231, Label: "1,204", Published: 705.41},
				Row{Name: "sync", Series: 1, Value: 894, Lo: 871, Hi: 910, Label: "894", Published: 529.13},
			),
		},
		"thirteen servers": thirteenServers(tb),
		"missing and failed rows": {
			Head: Head{ID: "fig-gaps", Title: "Rows without a value", Desc: "Four rows, of which one was measured."},
			X:    Axis{Name: "requests per second"}, Published: "published",
			Rows: described(
				Row{Name: "uvicorn Starlette", Value: 6905, Lo: 6702, Hi: 7071, Label: "6,905", Published: 4952},
				Row{Name: "uvicorn Sanic", Missing: "not measured", Published: 4687},
				Row{Name: "aiohttp", Missing: "not measured", Published: nan},
				Row{Name: "daphne Starlette", Published: 2678,
					Missing: "failed: connection refused by daphne on port " +
						"8001 in 3 of 3 repetitions, the last of them after 12 s without an answer"},
			),
		},
		"no row measured": {
			Head: Head{ID: "fig-none", Title: "Nothing measured", Desc: "Two rows, neither measured."},
			X:    Axis{Name: "requests per second"},
			Rows: described(
				Row{Name: "sync", Missing: "not measured", Published: nan},
				Row{Name: "async", Missing: "failed: exited with status 1", Published: nan},
			),
		},
		"lower bounds, few runs and open ends": {
			Head:   Head{ID: "fig-bounds", Title: "Values that are not simply intervals", Desc: "Six rows."},
			Series: []string{"sync", "async"}, X: Axis{Name: "requests per second"}, Published: "published",
			Rows: described(
				Row{Name: "limited by the client", Series: 1, Value: 8140, Lo: 8012, Hi: 8251, AtLeast: true,
					Label: "8,140", Published: 5780},
				Row{Name: "passed the highest rate", Series: 2, Value: 8000, Lo: 8000, Hi: inf, AtLeast: true,
					Label: "8,000", Published: nan},
				Row{Name: "no lower end", Series: 2, Value: 6000, Lo: -inf, Hi: 6600, Label: "6,000", Published: nan},
				Row{Name: "neither end", Series: 1, Value: 5500, Lo: -inf, Hi: inf, Label: "5,500", Published: nan},
				Row{Name: "two runs", Series: 1, Value: 5000, Lo: 4800, Hi: 5200, Range: true,
					Label: "5,000 (2 runs: 4,800–5,200)", Published: 4900},
				Row{Name: "one run", Series: 2, Value: 4400, Lo: nan, Hi: nan, Label: "4,400 (1 run)", Published: nan},
			),
		},
		"one row": {
			Head: Head{ID: "fig-one", Title: "One row", Desc: "sync 894."}, X: Axis{Name: "requests per second"},
			Rows: described(Row{Name: "sync", Value: 894, Lo: nan, Hi: nan, Label: "894", Published: nan}),
		},
		"seconds over a wide range": {
			Head: Head{ID: "fig-wide", Title: "Median latency", Desc: "Four rows from 0 to 2.4 s."},
			X:    Axis{Name: "median latency, ms", Unit: .001}, Published: "published",
			Rows: described(
				Row{Name: "cached", Value: 0, Lo: 0, Hi: 0, Label: "0 ms", Published: nan},
				Row{Name: "in memory", Value: .00042, Lo: .00040, Hi: .00045, Label: "0.42 ms", Published: .0005},
				Row{Name: "on disk", Value: .0123, Lo: .0118, Hi: .0129, Label: "12.3 ms", Published: .011},
				Row{Name: "over the network", Value: 2.4, Lo: 1.9, Hi: 3.1, Label: "2.40 s", Published: 1.7},
			),
		},
		"differences from a reference": {
			Head:      Head{ID: "fig-ratio", Title: "Change of throughput", Desc: "Three rows against no difference."},
			X:         Axis{Name: "change of throughput, %"},
			Reference: &Reference{Value: 0, Label: "no difference"},
			Rows: described(
				Row{Name: "uvloop", Value: 12.5, Lo: 8, Hi: 17.1, Label: "+12.5 %", Published: nan},
				Row{Name: "no access log", Value: .4, Lo: -1.9, Hi: 2.6, Label: "+0.4 %", Published: nan},
				Row{Name: "debug", Value: -31, Lo: -36, Hi: -27.5, Label: "−31.0 %", Published: nan},
			),
		},
		"hard names and a key": {
			Head: Head{ID: "fig-hard", Title: "Names that are hard to set", Desc: "Seven rows of six series."},
			Series: []string{"thread pool", "event loop", "process per request", "green threads",
				"coroutines & <callbacks>", "none at all, the caller does the waiting"},
			X: Axis{Name: "requests per second, a quantity with a name so long that even the wide drawing has to break it " +
				"into lines"},
			Rows: described(
				Row{Name: "gunicorn+meinheld with a very long framework name and options", Series: 1, Value: 98000,
					Lo: 1000, Hi: 99000, Label: "98,000", Published: nan},
				Row{Name: "gunicorn_uvicorn.workers.UvicornWorkerWithoutAnyBreakInItsName", Series: 2, Value: 97000,
					Lo: 1000, Hi: 99000, Label: "97,000", Published: nan},
				Row{Name: `a & b <c> "d"`, Series: 3, Value: 96000, Lo: 1000, Hi: 99000, AtLeast: true,
					Label: "96,000", Published: nan},
				Row{Name: "x", Series: 4, Value: 95000, Lo: 1000, Hi: 99000, Label: "95,000", Published: nan},
				Row{Name: "非同期サーバーは本当に速いのか、それとも遅いのか", Series: 5, Value: 94000, Lo: 1000, Hi: 99000, Label: "94,000",
					Published: nan},
				Row{Name: "асинхронный сервер", Series: 6, Value: 93000, Lo: 1000, Hi: 99000, Label: "93,000",
					Published: nan},
				Row{Name: "خادم غير متزامن 🚀", Series: 2, Value: 92000, Lo: 1000, Hi: 99000, Label: "92,000",
					Published: nan},
			),
		},
	}
}

func goldenFile(name string, w Width) string {
	name = strings.NewReplacer(" ", "-", ",", "").Replace(name)
	return filepath.Join("testdata", "golden", name+"-"+w.class()+".svg")
}

func TestGolden(t *testing.T) {
	m := fonts(t).Metrics()
	for name, f := range figures(t) {
		t.Run(name, func(t *testing.T) {
			for _, w := range widths {
				got, err := f.Draw(m, w)
				if err != nil {
					t.Fatal(err)
				}
				file := goldenFile(name, w)
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatalf("%v; write it with -update", err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s differs from what was drawn; look at the change and accept it with -update:\n%s",
						file, got)
				}
			}
		})
	}
}

// A figure comes out in the same bytes from any goroutine, whatever its Metrics measured before.
func TestDotsStable(t *testing.T) {
	f := fonts(t)
	all := figures(t)
	want := map[string][]byte{}
	for name, d := range all {
		svg, err := d.Draw(f.Metrics(), Full)
		if err != nil {
			t.Fatal(err)
		}
		want[name] = svg
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			m := f.Metrics()
			for name, d := range all { // in another order each time
				if got, err := d.Draw(m, Full); err != nil || !bytes.Equal(got, want[name]) {
					t.Errorf("%s came out differently: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}

// What the figure is drawn from belongs to the caller.
func TestDotsLeavesItsInput(t *testing.T) {
	d := Rows{
		Head: Head{ID: "fig"}, X: Axis{Unit: .001}, Series: []string{"a\nb"}, Reference: &Reference{Value: 2, Label: "two\n"},
		Rows: []Row{{Name: "a\nname", Series: 1, Value: 1, Lo: nan, Hi: nan, Published: nan}},
	}
	if _, err := d.Draw(fonts(t).Metrics(), Full); err != nil {
		t.Fatal(err)
	}
	if d.Rows[0].Name != "a\nname" || d.Rows[0].Value != 1 || d.Series[0] != "a\nb" || d.Reference.Value != 2 {
		t.Errorf("Draw changed the figure: %+v, reference %+v", d, d.Reference)
	}
}

func TestDotsRefuses(t *testing.T) {
	row := func(change func(*Row)) []Row {
		r := Row{Name: "sync", Series: 1, Value: 1, Lo: nan, Hi: nan, Published: nan}
		change(&r)
		return []Row{r}
	}
	good := row(func(*Row) {})
	tests := []struct {
		name  string
		dots  Rows
		width Width
		want  string
	}{
		{"a width without a class", Rows{Head: Head{ID: "f"}, Rows: good}, 500, "neither full"},
		{"an ID that would break an attribute", Rows{Head: Head{ID: `a"b`}, Rows: good}, Full, "choose another"},
		{"no ID", Rows{Rows: good}, Full, "choose another"},
		{"no rows", Rows{Head: Head{ID: "f"}}, Full, "no rows"},
		{"more series than colours", Rows{Head: Head{ID: "f"}, Rows: good, Series: make([]string, 7)}, Full,
			"several figures"},
		{"a series without a name", Rows{Head: Head{ID: "f"}, Series: []string{"a"},
			Rows: row(func(r *Row) { r.Series = 2 })},
			Full, `row 1, "sync": series 2`},
		{"a series below 0", Rows{Head: Head{ID: "f"}, Series: []string{"a"},
			Rows: row(func(r *Row) { r.Series = -1 })},
			Full, "series -1"},
		{"a negative unit", Rows{Head: Head{ID: "f"}, Rows: good, X: Axis{Unit: -1}}, Full, "unit"},
		{"a value that is not a number", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Value = nan })}, Full,
			"value NaN"},
		{"an infinite value", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Value = inf })}, Full, "value +Inf"},
		{"a value beyond what can be scaled", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Value = 1e200 })}, Full,
			"value 1e+200"},
		{"an interval with one end", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Lo = 0 })}, Full, "0 to NaN"},
		{"an interval the wrong way round", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Lo, r.Hi = 2, 1 })}, Full,
			"2 to 1"},
		{"an interval at infinity", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Lo, r.Hi = inf, inf })}, Full,
			"+Inf to +Inf"},
		{"an infinite published value", Rows{Head: Head{ID: "f"}, Rows: row(func(r *Row) { r.Published = inf })}, Full,
			"published value +Inf"},
		{"a reference that is not a number", Rows{Head: Head{ID: "f"}, Rows: good, Reference: &Reference{Value: nan}}, Full,
			"reference NaN"},
	}
	m := fonts(t).Metrics()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			svg, err := test.dots.Draw(m, test.width)
			if err == nil {
				t.Fatalf("drew %s, want an error with %q", svg, test.want)
			}
			if !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "figure ") {
				t.Errorf("error %q, want one of the figure with %q", err, test.want)
			}
		})
	}
}

// What must be seen in a drawing, whatever its layout.
func TestDotsShows(t *testing.T) {
	row := Row{Name: "sync", Series: 1, Value: 5, Lo: 4, Hi: 7, Label: "5", Published: nan}
	with := func(change func(*Row)) Rows {
		r := row
		change(&r)
		return Rows{Head: Head{ID: "f"}, X: Axis{Name: "1/s"}, Published: "published", Rows: []Row{r}}
	}
	tests := []struct {
		name   string
		dots   Rows
		shows  []string
		hidden []string
	}{
		{"an interval as a closed box", with(func(*Row) {}), []string{`Z" class="ibox f1 s1"`, `class="f1 pt"`},
			[]string{"ghost", "open"}},
		{"no interval as a dot alone", with(func(r *Row) { r.Lo, r.Hi = nan, nan }), []string{`class="f1 pt"`},
			[]string{"ibox", "thin"}},
		{"a range as a thin line", with(func(r *Row) { r.Range = true }), []string{"line thin s1"}, []string{"ibox"}},
		{"an infinite end without an edge", with(func(r *Row) { r.Hi = inf }), []string{`class="ibox f1 s1"`},
			[]string{`Z" class="ibox f1 s1"`}},
		{"two infinite ends without any", with(func(r *Row) { r.Lo, r.Hi = -inf, inf }),
			[]string{`Z" class="ibox f1"/>`, `class="ibox s1"`}, []string{"ibox f1 s1"}},
		{"a lower bound", with(func(r *Row) { r.AtLeast = true }), []string{"≥ 5<", `class="open s1"`,
			"line thin s1"}, []string{" pt"}},
		{"a published value and what it is", with(func(r *Row) { r.Published = 6 }), []string{"ghost", ">published<"},
			nil},
		{"words in place of a missing mark", with(func(r *Row) { r.Missing, r.Title = "not measured", "why" }),
			[]string{">not measured<", `aria-label="why"`}, []string{"pt", "ibox"}},
		{"markup in names as text", with(func(r *Row) { r.Name = "<b>&" }), []string{"&lt;b&gt;&amp;"},
			[]string{"<b>"}},
		{"where an axis without zero starts", with(func(r *Row) { r.Value = 5.5 }),
			[]string{">1/s; the axis starts at 4.0<"}, nil},
		{"nothing of the kind where zero is on it", with(func(r *Row) { r.Lo = 0 }), []string{">1/s<",
			`class="axis"`}, []string{"starts"}},
	}
	m := fonts(t).Metrics()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, w := range widths {
				svg, err := test.dots.Draw(m, w)
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range test.shows {
					if !strings.Contains(string(svg), want) {
						t.Errorf("%s: no %s in\n%s", w.class(), want, svg)
					}
				}
				for _, not := range test.hidden {
					if strings.Contains(string(svg), not) {
						t.Errorf("%s: %s in\n%s", w.class(), not, svg)
					}
				}
			}
		})
	}
}

// A repetition that stalled is a result all the same: its dot is open, and lies where its value does.
func TestOpenDotsOfRepetitions(t *testing.T) {
	f := Rows{Marks: Distribution}
	got := f.small(Row{Values: []float64{1, 2, 3}, Open: []bool{false, true, false}})
	if want := []Probe{{1, true}, {2, false}, {3, true}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := f.small(Row{Values: []float64{1}}); !slices.Equal(got, []Probe{{1, true}}) {
		t.Errorf("got %v of a row without open dots", got)
	}
}
