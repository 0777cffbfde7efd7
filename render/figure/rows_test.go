package figure

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var nan, inf = math.NaN(), math.Inf(1)

// widths are both drawings of a figure.
var widths = []Width{Full, Narrow}

// pageFonts are the fonts that the page links.
var pageFonts = sync.OnceValues(func() (*Fonts, error) {
	regular, err := os.ReadFile("../../site/theme/fonts/inter-400.woff2")
	if err != nil {
		return nil, err
	}
	strong, err := os.ReadFile("../../site/theme/fonts/inter-600.woff2")
	if err != nil {
		return nil, err
	}
	return LoadFonts(regular, strong)
})

func fonts(tb testing.TB) *Fonts {
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

// figures are the golden cases: the name of the file, and what is drawn.
var figures = map[string]Rows{
	"two sockets with published values": {
		Head: Head{ID: "fig-sockets", Title: "Throughput of two socket servers",
			Desc: "Requests per second: async 1,204 (1,180 to 1,231), published 705; sync 894 (871 to 910), published 529."},
		Series: []string{"sync", "async"}, X: Axis{Name: "requests per second"}, Published: "published",
		Rows: described(
			Row{Name: "async", Series: 2, Value: 1204, Lo: 1180, Hi: 1231, Label: "1,204", Published: 705.41},
			Row{Name: "sync", Series: 1, Value: 894, Lo: 871, Hi: 910, Label: "894", Published: 529.13},
		),
	},
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
}

func goldenFile(name string, w Width) string {
	name = strings.NewReplacer(" ", "-", ",", "").Replace(name)
	return filepath.Join("testdata", "golden", name+"-"+w.class()+".svg")
}

func TestGolden(t *testing.T) {
	m := fonts(t).Metrics()
	for name, f := range figures {
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
