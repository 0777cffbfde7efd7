package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// Repetitions are counted where they are behind a number, and every kind of estimate that stands in a table or figure
// is explained.
func TestRepetitionsBehindNumbers(t *testing.T) {
	invalid := func(repetitions ...int) func(*record.Record) {
		return func(r *record.Record) {
			for _, n := range repetitions {
				if r.Repetition == n {
					r.Load.Busy = 0.95
				}
			}
		}
	}
	const blocks = "```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput%s]\n```\n\n```yaml figure\n" +
		"label: fig-f\nkind: dots\nx: throughput\ny: server\n```\n"
	five := []float64{500, 490, 510, 505, 495}
	for _, test := range []struct {
		name, more string
		b          []float64
		want       []string
	}{
		{"valid ones", "", five, []string{
			"Median with 95 % interval",
			"2 cells, 4 to 5 repetitions",
			"Box: 95 % interval over 4 to 5 repetitions.",
			"5 repetitions per measured cell, 5 repetitions planned, numbers of 4 to 5 repetitions"}},
		{"beside two runs", "", five[:2], []string{
			"Dot of two runs: their centre. Line: from the smaller to the larger.", "495, 2 runs",
			"where there are enough runs"}},
		{"beside one run", "", five[:1], []string{
			"Dot of a single run: its value; its variation is unknown.", "500, 1 run"}},
		{"beside failures", ", failed", five[:1],
			[]string{"where there are enough runs; share of failed attempts, with 95 % interval"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := rendertest.New(t, "servers", []byte("---\ntitle: Servers\n---\n\n"+strings.Replace(experiment, "repetitions: 3",
				"repetitions: 5", 1)+
				strings.Replace(blocks, "%s", test.more, 1)))
			b.Measure("full", "servers", "a", five, invalid(2))
			b.Measure("full", "servers", "b", test.b)
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			text := wordsOf(string(page.HTML))
			drawings := strings.NewReplacer("\u00a0", " ").Replace(string(page.HTML))
			for _, w := range test.want {
				if !strings.Contains(text, w) && !strings.Contains(drawings, w) {
					t.Errorf("the page does not say %q", w)
				}
			}
		})
	}
	t.Run("failures of one run", func(t *testing.T) {
		b := rendertest.New(t, "servers", []byte("---\ntitle: Servers\n---\n\n"+experiment+strings.Replace(blocks, "%s",
			", failed", 1)))
		b.Measure("full", "servers", "a", []float64{500})
		page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
		if text, want := wordsOf(string(page.HTML)),
			"One run, no interval; share of failed attempts, with 95 % interval"; !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	})
}

// Tables of cells of several runs say so, and so does an A/A pair of two.
func TestNotMeasuredTogether(t *testing.T) {
	inRun := func(run string) func(*record.Record) { return func(r *record.Record) { r.Run = run } }
	for _, test := range []struct {
		name       string
		b, again   string
		rows, pair bool
	}{
		{"one run", "1", "1", false, false},
		{"rows of two runs", "2", "1", true, false},
		{"a pair of two runs", "1", "2", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := rendertest.New(t, "servers", []byte("---\ntitle: Servers\n---\n\n"+strings.Replace(experiment,
				"calibrate: false", "", 1)+
				"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput]\n```\n"))
			bench.Measure("full", "servers", "a", []float64{500, 490, 510}, inRun("1"))
			bench.Measure("full", "servers", "b", []float64{600, 590, 610}, inRun(test.b))
			bench.Measure("full", "servers", "again", []float64{500, 490, 510}, inRun(test.again))
			page := must.Get(newRenderer(t).Page(bench.Dataset(), render.Options{}))
			text := wordsOf(string(page.HTML))
			assert.Equal(t, strings.Contains(text, "not measured together: the rows are from different runs"), test.rows,
				"said of rows")
			assert.Equal(t, strings.Contains(text, "not measured together: the pair is from different runs"), test.pair,
				"said of the pair")
		})
	}
}

// A finding stands once below a table: of repetitions that are left out in the words for those.
func TestNotesAreNotRepeated(t *testing.T) {
	for _, test := range []struct {
		name   string
		shares []float64
		want   []string
	}{
		{"left out only", []float64{0.01, 0.1238, 0.01, 0.01, 0.01},
			[]string{"left out a: 1 of 5 repetitions is not valid: others used 12.4 % of the CPU."}},
		{"left out, and others that warn", []float64{0.01, 0.1238, 0.06, 0.01, 0.01},
			[]string{"foreign CPU a: 1 of 5 repetitions: others used 6 % of the CPU.",
				"left out a: 1 of 5 repetitions is not valid: others used 12.4 % of the CPU."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := rendertest.New(t, "servers", []byte("---\ntitle: Servers\n---\n\n"+strings.Replace(experiment, "repetitions: 3",
				"repetitions: 5", 1)+
				"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput]\n```\n"))
			b.Measure("full", "servers", "a", []float64{500, 490, 510, 505, 495},
				func(r *record.Record) { r.Load.ForeignCPU = test.shares[r.Repetition-1] })
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			var got []string
			for _, found := range note.FindAllStringSubmatch(string(page.HTML), -1) {
				got = append(got, wordsOf(found[1]))
			}
			assert.Slice(t, got, test.want, "notes")
		})
	}
}

// A cell that others disturbed has wider intervals, and a mark in claims, tables and figures.
func TestDisturbedCellsAreMarked(t *testing.T) {
	b := rendertest.New(t, "servers", []byte("---\ntitle: Servers\n---\n\n"+experiment+
		"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput, latency.p50]\n```\n\n"+
		"```yaml figure\nlabel: fig-bars\nkind: bars\nx: throughput\ny: server\n```\n\n"+
		"```yaml figure\nlabel: fig-all\nkind: distribution\nx: throughput\ny: server\n```\n\n"+
		"```yaml claim\nname: c\nexpect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'\n```\n"))
	disturbed := func(r *record.Record) {
		r.Facts["host.cores"], r.Machine = "2 logical, 2 physical", &record.Machine{Throttled: map[string]record.Throttling{}}
		if r.Repetition != 2 {
			r.Load.ForeignCPU = 0.16
		}
	}
	b.Measure("full", "servers", "a", []float64{500, 490, 510}, disturbed)
	b.Measure("full", "servers", "b", []float64{6000, 5900, 6100})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	const by = "disturbed (others used 16 % of the CPU): the interval allows for up to 1.47 times the speed"
	text := wordsOf(string(page.HTML))
	assert.Contains(t, text, "disturbed a (throughput): 2 of 3 repetitions are "+by,
		"2 of 3 repetitions of a are "+by,
		"Disturbed, so that intervals reach as far as that can have slowed it: a.",
		"Open small dot: a disturbed repetition.",
		"Supported")
	if strings.Contains(text, "Open small dot: a repetition in which") {
		t.Error("a disturbed repetition is said to have stalled")
	}
}

// In what circumstances all rows were measured is said once below them, and of some rows in a note.
func TestCircumstancesBelowTable(t *testing.T) {
	shared := func(r *record.Record) {
		r.Facts["shared.services"], r.Facts["shared.start"] = "db, pool", "2026-11-20T10:00:00.000Z"
	}
	alone := func(*record.Record) {}
	for _, test := range []struct {
		name     string
		b        func(*record.Record)
		all, one string
	}{
		{"of all", shared, "All rows: measured on shared services (db, pool).", ""},
		{"of one", alone, "", "shared a: measured on shared services: db, pool."},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := rendertest.New(t, "servers",
				[]byte("---\ntitle: Servers\n---\n\n"+experiment+
					"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput, latency.p99]\n```\n"))
			bench.Measure("full", "servers", "a", []float64{500, 490, 510}, shared)
			bench.Measure("full", "servers", "b", []float64{600, 590, 610}, test.b)
			page := must.Get(newRenderer(t).Page(bench.Dataset(), render.Options{}))
			var notes string
			for _, found := range note.FindAllStringSubmatch(string(page.HTML), -1) {
				notes += wordsOf(found[1])
			}
			if notes != test.one || strings.Contains(wordsOf(string(page.HTML)), "All rows") != (test.all != "") ||
				!strings.Contains(wordsOf(string(page.HTML)), test.all) {
				t.Errorf("notes %q, want %q and %q, in %s", notes, test.one, test.all, wordsOf(string(page.HTML)))
			}
		})
	}
}

var note = regexp.MustCompile(`<p class=note id=tbl[^>]*><span class=no>\d+</span>(.*?)</p>`)
