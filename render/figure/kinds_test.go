package figure

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"benchbook/slowtest"
)

// at is a point without intervals, with its words.
func at(x, y float64) Point {
	return Point{X: x, Y: y, XLo: nan, XHi: nan, YLo: nan, YHi: nan, Title: fmt.Sprintf("%g at %g", y, x)}
}

// curve makes a curve of pairs of x and y, with an interval of 8 % either way.
func curve(name string, series int, dash bool, xy ...float64) Curve {
	c := Curve{Name: name, Series: series, Dash: dash}
	for i := 0; i < len(xy); i += 2 {
		p := at(xy[i], xy[i+1])
		p.YLo, p.YHi = .92*p.Y, 1.08*p.Y
		c.Points = append(c.Points, CurvePoint{Point: p})
	}
	return c
}

// percentiles makes a curve of latencies from a median and a 99.99th percentile, in seconds.
func percentiles(name string, series int, dash bool, p50, p9999 float64) Curve {
	c := Curve{Name: name, Series: series, Dash: dash}
	for i := range 33 {
		nines := float64(i) / 8
		y := p50 * math.Pow(p9999/p50, math.Max(0, nines-.3)/3.7)
		p := at(100*(1-math.Pow(10, -nines)), y)
		if p.YLo, p.YHi = .9*y, 1.15*y; nines > 3 {
			p.YLo, p.YHi = nan, nan
		}
		c.Points = append(c.Points, CurvePoint{Point: p})
	}
	return c
}

// course makes a curve over seconds with three repetitions behind it.
func course(name string, series int, level float64) Curve {
	c := Curve{Name: name, Series: series}
	for second := range 12 {
		x := float64(second + 1)
		c.Points = append(c.Points, CurvePoint{Point: at(x, level*(1-math.Exp(-x)))})
	}
	for r := range 3 {
		var trace []Point
		for second := range 12 {
			x := float64(second + 1)
			trace = append(trace, at(x, level*(1-math.Exp(-x))*(1+.04*math.Sin(float64(7*r)+2*x))))
		}
		c.Traces = append(c.Traces, trace)
	}
	return c
}

// kinds are the golden cases of all kinds but dots.
func kinds() map[string]Figure {
	repetitions := []Row{
		{Name: "async", Series: 2, Value: 751, Lo: 738, Hi: 766, Label: "751", Published: 705, Title: "async: 751/s",
			Values: []float64{751, 762, 744, 758, 749}},
		{Name: "threads", Series: 1, Value: 577, Lo: 541, Hi: 612, Label: "577", Published: nan, Title: "threads: 577/s",
			Values: []float64{582, 549, 601, 560, 577, 577, 577.2}},
		{Name: "sync", Series: 1, Missing: "failed: exited with status 1", Failed: true, Published: 529,
			Title: "sync: failed"},
	}
	hollow := slices.Clone(repetitions)
	hollow[1].Hollow, hollow[1].Label, hollow[1].Title = true, "577, older version", "threads: 577/s, older version"
	workers := curve("uvicorn Starlette", 2, false, 1, 2500, 2, 4300, 3, 5100, 5, 6900, 8, 6800, 12, 6100)
	workers.Chosen = &Choice{3, "chosen: 5"}
	more := curve("gunicorn+meinheld Falcon", 1, false, 1, 1500, 2, 2800, 5, 5200, 8, 7400, 12, 7900, 18, 8100)
	more.Chosen = &Choice{4, "chosen: 12 workers"}
	gap := curve("threads", 1, false, 1, .9, 2, .95, 4, 1, 8, 1.4, 16, 2.6)
	gap.Points[3].Hollow, gap.Points[3].Title = true, "8 connections, threads: 1.4 s, older version"
	gap.Points[2].Gap, gap.Points[2].Title = true, "4 connections, threads: not measured"
	failed := curve("processes", 3, false, 1, .5, 2, .52, 4, .55, 8, .61, 16, .7)
	failed.Points[4].Gap, failed.Points[4].Failed = true, true
	return map[string]Figure{
		"bars with intervals": Rows{Marks: Bars, Head: Head{ID: "fig-bars", Title: "Throughput", Desc: "Three rows."},
			Rows: repetitions, Series: []string{"blocking", "asyncio"},
			X: Axis{Name: "requests per second"}, Published: "published"},
		"every repetition": Rows{Marks: Distribution, Head: Head{ID: "fig-distribution", Title: "Throughput",
			Desc: "Three rows."}, Rows: repetitions,
			Series: []string{"blocking", "asyncio"}, X: Axis{Name: "requests per second"}, Published: "published",
			Band: &Band{Lo: 742, Hi: 760, Label: "noise floor"}},
		"dots on a log scale": Rows{Head: Head{ID: "fig-log", Title: "Latency", Desc: "Three rows."},
			X:         Axis{Name: "latency p99, ms", Unit: .001, Scale: Log},
			Reference: &Reference{Value: .1, Label: "the limit, 100 ms"},
			Rows: described(
				Row{Name: "async", Value: .0031, Lo: .0029, Hi: .0034, Label: "3.1", Published: nan},
				Row{Name: "threads", Value: .042, Lo: -1, Hi: .051, Label: "42", Published: nan},
				Row{Name: "sync", Value: 2.9, Lo: 2.2, Hi: 3.8, Label: "2,900", Published: nan},
			)},
		"dots of an older version": Rows{Head: Head{ID: "fig-older", Title: "Throughput", Desc: "Three rows."}, Rows: hollow,
			Series: []string{"blocking", "asyncio"},
			X:      Axis{Name: "requests per second"}, Published: "published"},
		"bars of an older version": Rows{Marks: Bars, Head: Head{ID: "fig-older-bars", Title: "Throughput",
			Desc: "Three rows."}, Rows: hollow, X: Axis{Name: "requests per second"}},
		"repetitions of an older version": Rows{Marks: Distribution, Head: Head{ID: "fig-older-repetitions",
			Title: "Throughput", Desc: "Three rows."}, Rows: hollow, X: Axis{Name: "requests per second"}},
		"what searches for a capacity tried": Rows{Marks: Probes, Head: Head{ID: "fig-capacity", Title: "Capacity",
			Desc: "Three rows."}, X: Axis{Name: "requests per second", Scale: Log},
			Rows: []Row{
				{Name: "async", Value: 702.5, Lo: 702.5, Hi: 733.6, Label: "702", Published: nan,
					Title: "async: 702/s, fails at 734/s", Probes: []Probe{
						{100, true}, {200, true}, {400, true}, {800, false}, {565.7, true}, {672.7, true}, {733.6, false}, {702.5, true},
						{702.5, true}, {733.6, false}}},
				{Name: "static", Value: 20000, Lo: 20000, Hi: inf, AtLeast: true, Label: "20,000", Published: nan,
					Title:  "static: at least 20,000/s",
					Probes: []Probe{{10000, true}, {20000, true}}},
				{Name: "sync", Missing: "no rate meets it, 100/s fails", Failed: true, Published: nan, Title: "sync: none"},
			}},
		"one claim over its alternatives": Rows{Head: Head{ID: "fig-multiverse", Title: "The claim", Desc: "Four rows."},
			X:      Axis{Name: "effect, times", Scale: Log},
			Series: []string{"supported", "contradicted", "inconclusive"}, Band: &Band{Lo: 1.05, Hi: inf,
				Label: "supported if the whole interval is here"},
			Reference: &Reference{Value: 1, Label: "no difference"},
			Rows: []Row{
				{Name: "as claimed", Series: 1, Value: 1.33, Lo: 1.29, Hi: 1.37, Label: "1.33×", Published: nan,
					Title: "as claimed"},
				{Name: "tool ab", Series: 1, Value: 1.41, Lo: 1.36, Hi: 1.47, Label: "1.41×", Published: nan, Title: "tool ab"},
				{Name: "by latency.p99", Series: 3, Value: 1.02, Lo: .91, Hi: 1.15, Label: "1.02×", Published: nan,
					Title: "by p99"},
				{Name: "profile quick", Series: 3, Missing: "not measured: fewer than 3 repetitions", Published: nan,
					Title: "profile quick"},
			}},
		"lines with gaps and a reference": Curves{Head: Head{ID: "fig-lines", Title: "Time by connections",
			Desc: "Three lines."}, Dots: true,
			X: Axis{Name: "connections", Scale: Log, Ticks: []float64{1, 2, 4, 8, 16}}, Y: Axis{Name: "elapsed time, s"},
			Reference: &Reference{Value: 2, Label: "the published time: 2 s"},
			Curves:    []Curve{gap, curve("asyncio", 2, false, 1, .7, 2, .72, 4, .73, 8, .74, 16, .76), failed},
			Notes: []string{"gap at 4 connections, threads: not measured",
				"gap at 16 connections, processes: failed: out of memory"}},
		"latency by percentile": Curves{Head: Head{ID: "fig-latency", Title: "Latency", Desc: "Four curves."},
			X:     Axis{Name: "percentile of requests; each further nine has the same width", Scale: Nines},
			Y:     Axis{Name: "latency, ms", Unit: .001, Scale: Log},
			Drops: []Reference{{50, "median"}, {99, "p99"}},
			Curves: []Curve{percentiles("meinheld Bottle", 1, false, .012, .046), percentiles("uwsgi http Flask", 1, true, .016,
				.064),
				percentiles("uvicorn Starlette", 2, false, .013, .25), percentiles("gevent Flask", 2, true, .014, .82)},
			Notes: []string{"not drawn: Flask with ab: no histogram: ab tells single percentiles only"}},
		"the course of a run": Curves{Head: Head{ID: "fig-timeline", Title: "Completions", Desc: "Two curves."},
			X: Axis{Name: "second of the measured window"},
			Y: Axis{Name: "completions per second"}, Curves: []Curve{course("async", 1, 752), course("sync", 2, 571)}},
		"a ratio over runs": Curves{Head: Head{ID: "fig-history", Title: "The ratio in seven runs", Desc: "Two hosts."},
			Dots: true, Boxes: true,
			X: Axis{Name: "when", Scale: Time}, Y: Axis{Name: "sync over async"}, Reference: &Reference{Value: 1,
				Label: "no difference"},
			Curves: []Curve{runs("host c16", 1, 1768780800, 1.16, 1773619200, 1.16, 1777248000, 1.17, 1784505600, 1.11),
				runs("host c4", 2, 1771804800, 1.21, 1780876800, 1.21, 1792368000, 1.18)}},
		"what a search for workers tried": Curves{Head: Head{ID: "fig-tuning", Title: "Throughput by workers",
			Desc: "Two curves."}, Dots: true,
			X: Axis{Name: "workers", Ticks: []float64{1, 2, 3, 5, 8, 12, 18}}, Y: Axis{Name: "requests per second", Zero: true},
			Curves: []Curve{more, workers}},
		"more lines than colours": Curves{Head: Head{ID: "fig-many", Title: "Nine lines that end together",
			Desc: "Nine lines."}, X: Axis{Name: "load"}, Y: Axis{Name: "ms"},
			Curves: many(9)},
		"points between two metrics": Scatter{Head: Head{ID: "fig-scatter", Title: "Throughput against memory",
			Desc: "Four points."}, Series: []string{"sync", "async"},
			X: Axis{Name: "memory, MiB"}, Y: Axis{Name: "requests per second"}, Points: []NamedPoint{
				{"gunicorn Flask", 1, Point{45, 3020, 44, 47, 2900, 3100, "gunicorn Flask", false}},
				{"uvicorn Starlette", 2, Point{38, 6905, 37, 39, 6702, 7071, "uvicorn", false}},
				{"uvicorn Sanic, older version", 2, Point{39, 6290, nan, nan, 6051, 6498, "Sanic, older version", true}},
				{"aiohttp", 2, Point{35, 6105, nan, nan, nan, nan, "aiohttp", false}}},
			Notes: []string{"not drawn: daphne: memory 41 MiB; throughput failed: connection refused"}},
		"points too close for their names": Scatter{Head: Head{ID: "fig-close", Title: "Points too close",
			Desc: "Nine points."}, X: Axis{Name: "s"}, Y: Axis{Name: "1/s"},
			Points: crowd(9)},
		"published against measured": Scatter{Head: Head{ID: "fig-agreement", Title: "Published and measured",
			Desc: "Four points."},
			X: Axis{Name: "published requests per second", Scale: Log}, Y: Axis{Name: "measured requests per second",
				Scale: Log},
			Slopes: []Slope{{1, "as published", false}, {2.4, "2.4×", true}}, Points: []NamedPoint{
				{"flask", 1, Point{400, 960, nan, nan, 930, 991, "flask", false}},
				{"sanic", 1, Point{1800, 4500, nan, nan, 4400, 4600, "sanic", false}},
				{"aiohttp", 1, Point{1500, 3200, nan, nan, 2900, 3500, "aiohttp", false}},
				{"daphne", 1, Point{600, 1450, nan, nan, 1400, 1500, "daphne", false}}}},
		"hops of a request": Topology{Head: Head{ID: "fig-topology", Title: "Hops", Desc: "Five hops."},
			Arrows: []Arrow{{0, 1}, {1, 2}, {2, 3}, {3, 4}}, Hops: []Hop{
				{Name: "load generator", Note: "its busiest thread", Column: 0, Share: .42, Label: "42 %",
					Title: "load generator: 42 %"},
				{Name: "nginx", Note: "1 core", Column: 1, Share: .61, Label: "61 %", Title: "nginx: 61 %"},
				{Name: "server", Note: "1 core", Column: 2, Share: .97, Label: "97 %", Hot: true, Mark: "limited by this",
					Title: "server: 97 %"},
				{Name: "pgbouncer", Note: "1 core", Column: 3, Share: .44, Label: "44 %", Title: "pgbouncer: 44 %"},
				{Name: "postgres", Note: "2 cores", Column: 4, Share: nan, Label: "not sampled", Title: "postgres: not sampled"},
			}},
		"hops that part and meet": Topology{Head: Head{ID: "fig-parts", Title: "Hops", Desc: "Five hops."},
			Arrows: []Arrow{{0, 1}, {1, 2}, {1, 3}, {2, 4}, {1, 4}, {0, 4}}, Hops: []Hop{
				{Name: "load generator", Column: 0, Share: .42, Label: "42 %", Title: "load"}, {Name: "server", Note: "0.5 cores",
					Column: 1, Share: 1.2, Label: "120 %", Hot: true, Mark: "busiest", Title: "server"},
				{Name: "cache with a long name", Note: "1 core, behind a link of 115 ms", Column: 2, Share: 0, Label: "0 %",
					Title: "cache"},
				{Name: "queue", Column: 2, Share: .3, Label: "30 %", Title: "queue"}, {Name: "database", Column: 3, Share: .2,
					Label: "20 %", Title: "database"},
			}},
	}
}

// many are lines that end close to each other.
func many(n int) []Curve {
	var out []Curve
	for i := range n {
		c := Curve{Name: fmt.Sprintf("line %d of %d", i+1, n), Dash: i%2 == 1}
		for x := range 8 {
			c.Points = append(c.Points, CurvePoint{Point: at(float64(x), 90-float64(i)*.7-float64(7-x)*float64(i+1))})
		}
		out = append(out, c)
	}
	return out
}

// crowd are points that lie close to each other.
func crowd(n int) []NamedPoint {
	var out []NamedPoint
	for i := range n {
		out = append(out, NamedPoint{Name: fmt.Sprintf("a point with a name, %d", i+1),
			Point: at(1+float64(i%3)/20, 5+float64(i/3)/10)})
	}
	out[0].X, out[0].Y = 3, 9
	return out
}

func TestKindsRefuse(t *testing.T) {
	head := Head{ID: "f"}
	line := Curves{Head: head, Curves: []Curve{curve("a", 1, false, 1, 1, 2, 2)}}
	with := func(change func(*Curves)) Curves {
		f := line
		f.Curves = []Curve{curve("a", 1, false, 1, 1, 2, 2)}
		change(&f)
		return f
	}
	one := NamedPoint{Name: "a", Point: at(1, 1)}
	tests := []struct {
		name string
		f    Figure
		want string
	}{
		{"bars on a log scale", Rows{Marks: Bars, Head: head, X: Axis{Scale: Log},
			Rows: []Row{{Value: 1, Lo: nan, Hi: nan, Published: nan}}}, "begin at zero"},
		{"zero on a log scale", Rows{Head: head, X: Axis{Scale: Log},
			Rows: []Row{{Value: 0, Lo: nan, Hi: nan, Published: nan}}}, "value 0"},
		{"rows on percentiles", Rows{Head: head, X: Axis{Scale: Nines},
			Rows: []Row{{Value: 1, Lo: nan, Hi: nan, Published: nan}}}, "linear or a log"},
		{"a repetition that is not a number", Rows{Marks: Distribution, Head: head,
			Rows: []Row{{Value: 1, Lo: nan, Hi: nan, Published: nan, Values: []float64{1, nan}}}}, "repetition 2"},
		{"a probe that is not a number", Rows{Marks: Probes, Head: head,
			Rows: []Row{{Value: 1, Lo: nan, Hi: nan, Published: nan, Probes: []Probe{{inf, true}}}}}, "probe 1"},
		{"a band without a width", Rows{Head: head, Band: &Band{Lo: 1, Hi: 1},
			Rows: []Row{{Value: 1, Lo: nan, Hi: nan, Published: nan}}}, "not a band"},
		{"no curves", Curves{Head: head}, "no curves"},
		{"nothing but gaps", with(func(f *Curves) { f.Curves[0].Points[0].Gap, f.Curves[0].Points[1].Gap = true, true }),
			"no curve has a point"},
		{"points out of order", with(func(f *Curves) { f.Curves[0].Points[0].X = 3 }), "sort them"},
		{"a seventh colour", with(func(f *Curves) { f.Curves[0].Series = 7 }), "no colour 7"},
		{"a choice that is not there", with(func(f *Curves) { f.Curves[0].Chosen = &Choice{At: 2} }), "point 3"},
		{"a percentile of 100", with(func(f *Curves) { f.X.Scale = Nines; f.Curves[0].Points[1].X = 100 }), "no place"},
		{"a gap off the axis", with(func(f *Curves) {
			f.X.Scale = Log
			f.Curves[0].Points[0].Gap,
				f.Curves[0].Points[0].X = true, -1
		}), "the gap at -1"},
		{"a reference off the axis", with(func(f *Curves) { f.Y.Scale = Log; f.Reference = &Reference{Value: -1} }),
			"reference -1"},
		{"a trace that is not a number", with(func(f *Curves) { f.Curves[0].Traces = [][]Point{{at(1, nan)}} }), "no place"},
		{"an interval with one end", with(func(f *Curves) { f.Curves[0].Points[0].YLo = nan }), "not an interval"},
		{"no points", Scatter{Head: head}, "no points"},
		{"a point of no series", Scatter{Head: head, Series: []string{"a"},
			Points: []NamedPoint{{Series: 2, Point: one.Point}}}, "series 2"},
		{"more series than colours", Scatter{Head: head, Series: make([]string, 7), Points: []NamedPoint{one}},
			"several figures"},
		{"a slope of zero", Scatter{Head: head, Points: []NamedPoint{one}, Slopes: []Slope{{}}}, "not a slope"},
		{"a scale that there is not", Scatter{Head: head, Points: []NamedPoint{one}, X: Axis{Scale: 7}}, "no scale"},
		{"no hops", Topology{Head: head}, "no hops"},
		{"an arrow back", Topology{Head: head, Hops: []Hop{{Name: "a"}, {Name: "b"}}, Arrows: []Arrow{{0, 1}}},
			"later column"},
		{"a share below zero", Topology{Head: head, Hops: []Hop{{Name: "a", Share: -1}}}, "cannot be drawn"},
		{"a column of no hop", Topology{Head: head, Hops: []Hop{{Name: "a", Column: 5}}}, "cannot be drawn"},
		{"no ID of curves", with(func(f *Curves) { f.ID = "" }), "choose another"},
	}
	m := fonts(t).Metrics()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			svg, err := test.f.Draw(m, Full)
			if err == nil {
				t.Fatalf("drew %s, want an error with %q", svg, test.want)
			}
			if !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "figure ") {
				t.Errorf("error %q, want one of the figure with %q", err, test.want)
			}
		})
	}
}

// A figure comes out the same the second time: what it is drawn from belongs to the caller.
func TestKindsLeaveTheirInput(t *testing.T) {
	m := fonts(t).Metrics()
	for name, f := range kinds() {
		first, err := f.Draw(m, Narrow)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := f.Draw(m, Narrow); err != nil || !bytes.Equal(first, again) {
			t.Errorf("%s came out differently: %v", name, err)
		}
	}
}

// randomPlane makes a figure over numbers of anything that may come.
func randomPlane(r *rand.Rand) Figure {
	words := strings.Fields("gunicorn uvicorn Starlette workers & <b> 非同期サーバー сервер 🚀 " +
		"aVeryLongNameThatHasNoPlaceToBreakAndGoesOnForAWhile a_b.c.d_e.f.g_h.i.j")
	text := func(most int) string {
		var w []string
		for range r.IntN(most + 1) {
			w = append(w, words[r.IntN(len(words))])
		}
		return strings.Join(w, " ")
	}
	oneIn := func(n int) bool { return r.IntN(n) == 0 }
	axis := func() (Axis, func() float64) {
		size := math.Pow(10, float64(r.IntN(16)-8))
		a := Axis{Name: text(8), Scale: Scale(r.IntN(2)), Zero: oneIn(4)}
		switch {
		case oneIn(6):
			v := size
			return a, func() float64 { return v }
		case a.Scale == Log:
			return a, func() float64 { return size * math.Pow(10, 3*r.NormFloat64()) }
		}
		offset := size * float64(r.IntN(1000))
		return a, func() float64 { return offset + size*r.NormFloat64() }
	}
	x, nextX := axis()
	y, nextY := axis()
	point := func() Point {
		p := at(nextX(), nextY())
		p.Title = text(12)
		if !oneIn(3) {
			p.YLo, p.YHi = p.Y-math.Abs(p.Y)*r.Float64(), p.Y+math.Abs(p.Y)*r.Float64()
		}
		if oneIn(5) {
			p.XLo, p.XHi = p.X-math.Abs(p.X)*r.Float64(), inf
		}
		return p
	}
	head := Head{ID: "r", Title: "t", Desc: "d"}
	var notes []string
	for range r.IntN(3) {
		notes = append(notes, text(20))
	}
	if oneIn(2) {
		f := Scatter{Head: head, X: x, Y: y, Notes: notes}
		for range r.IntN(MaxSeries + 1) {
			f.Series = append(f.Series, "s"+text(2))
		}
		if oneIn(3) {
			f.Slopes = []Slope{{1, text(2), false}, {.1 + r.Float64(), text(1), true}}
		}
		for range 1 + r.IntN(15) {
			p := NamedPoint{Name: text(4), Point: point()}
			if len(f.Series) > 0 {
				p.Series = 1 + r.IntN(len(f.Series))
			}
			f.Points = append(f.Points, p)
		}
		return f
	}
	f := Curves{Head: head, X: x, Y: y, Notes: notes, Dots: oneIn(2)}
	for range 1 + r.IntN(12) {
		c := Curve{Name: text(4), Series: r.IntN(MaxSeries + 1), Dash: oneIn(2)}
		for range 1 + r.IntN(9) {
			p := CurvePoint{Point: point(), Gap: oneIn(8)}
			p.Failed = p.Gap && oneIn(2)
			c.Points = append(c.Points, p)
		}
		for i := range c.Points {
			for k := i; k > 0 && c.Points[k-1].X > c.Points[k].X; k-- {
				c.Points[k-1], c.Points[k] = c.Points[k], c.Points[k-1]
			}
		}
		if i := r.IntN(len(c.Points)); oneIn(3) && !c.Points[i].Gap {
			c.Chosen = &Choice{i, text(3)}
		}
		f.Curves = append(f.Curves, c)
	}
	f.Curves[0].Points[0].Gap = false
	if f.Curves[0].Points[0].Failed = false; oneIn(4) {
		f.Reference = &Reference{f.Curves[0].Points[0].Y, text(4)}
	}
	return f
}

// runs is a curve of values at times, with intervals.
func runs(name string, series int, pairs ...float64) Curve {
	c := Curve{Name: name, Series: series}
	for i := 0; i < len(pairs); i += 2 {
		c.Points = append(c.Points, CurvePoint{Point: Point{X: pairs[i], Y: pairs[i+1], YLo: pairs[i+1] - .03,
			YHi: pairs[i+1] + .03, Title: name}})
	}
	return c
}

// Whatever the data, no text of a figure over numbers lies on another, on a mark or outside, and its axes can be read.
func TestPlanesRandom(t *testing.T) {
	slowtest.SkipSequential(t)
	const n = uint64(600)
	m := fonts(t).Metrics()
	for seed := range n {
		f := randomPlane(rand.New(rand.NewPCG(seed, 11)))
		for _, w := range widths {
			svg, err := f.Draw(m, w)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for _, found := range Check(m, svg) {
				if found.Kind != MissingGlyph {
					t.Errorf("seed %d, %s: %s: %s", seed, w.class(), found.Kind, found.Message)
				}
			}
		}
	}
}

// Ticks of log axes, of percentiles and of times ascend, lie on their axis, enclose what was asked for, and are
// labelled apart; the last set has two of them.
func TestTickSets(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		scale, lo, hi := Log, math.Pow(10, 24*r.Float64()-12), 0.0
		hi = lo * math.Pow(10, 8*r.Float64()*r.Float64())
		if r.IntN(3) == 0 {
			scale, lo, hi = Nines, 0, 100*(1-math.Pow(10, -7*r.Float64()-.05))
		}
		if r.IntN(3) == 0 {
			scale, lo = Time, 1.7e9+3e8*r.Float64()
			lo, hi = timeEnds(lo, lo+math.Pow(10, 9*r.Float64()))
		}
		if hi <= lo {
			continue
		}
		last := 0
		for set := range scale.tickSets(lo, hi) {
			last = len(set.ticks)
			const slack = 1e-6
			if set.lo > lo*(1+slack) || set.hi < hi*(1-slack) || len(set.ticks) != len(set.labels) || last < 2 {
				t.Fatalf("%v to %v: %+v", lo, hi, set)
			}
			for i, v := range set.ticks {
				if v < set.lo*(1-slack) || v > set.hi*(1+slack) || i > 0 && (set.ticks[i-1] >= v ||
					set.labels[i-1] == set.labels[i]) {
					t.Fatalf("%v to %v: %+v", lo, hi, set)
				}
			}
		}
		if last != 2 {
			t.Errorf("%v to %v: the sparsest set has %d ticks", lo, hi, last)
		}
	}
}

// Names are moved apart as little as can be, and stay in order.
func TestSpread(t *testing.T) {
	tests := []struct {
		name            string
		wanted, heights []float64
		want            []float64
	}{
		{"those that are apart stay", []float64{10, 50}, []float64{10, 10}, []float64{10, 50}},
		{"two that meet share the way", []float64{50, 50}, []float64{10, 10}, []float64{45, 55}},
		{"three that meet", []float64{50, 51, 52}, []float64{10, 10, 10}, []float64{41, 51, 61}},
		{"none leaves above", []float64{0, 1}, []float64{10, 10}, []float64{5, 15}},
		{"none leaves below", []float64{99, 100}, []float64{10, 20}, []float64{75, 90}},
		{"nothing", nil, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := spread(test.wanted, test.heights, 0, 100)
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// What can be pointed at says its words to those who see, and to those who hear.
func TestHitsSayTheirWords(t *testing.T) {
	m := fonts(t).Metrics()
	for name, f := range kinds() {
		svg, err := f.Draw(m, Full)
		if err != nil {
			t.Fatal(err)
		}
		hits := strings.Count(string(svg), `<g class="hit" tabindex="0" role="img" aria-label="`)
		if tips := strings.Count(string(svg), `<g class="tip" display="none">`); hits == 0 || tips != hits {
			t.Errorf("%s: %d can be pointed at, and %d show words", name, hits, tips)
		}
		if hidden := strings.Index(string(svg), `<g aria-hidden="true">`); hidden < 0 ||
			strings.Contains(string(svg[hidden:strings.Index(string(svg), `class="hit"`)]), "tabindex") {
			t.Errorf("%s: something that cannot be heard can be reached", name)
		}
	}
}
