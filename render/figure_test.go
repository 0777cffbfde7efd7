package render_test

import (
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// measuredGrid is grid.md with the figure fig-f, which has these keys, and records of all cells but those that are left out.
func measuredGrid(t testing.TB, keys string, without ...string) *rendertest.Bench {
	b := rendertest.New(t, "servers", []byte(textOf("grid.md")+
		"\n```yaml figure\n{label: fig-f, experiment: servers, "+keys+"}\n```\n"))
	bySecond := func(r *record.Record) {
		for i, n := range r.Load.Completions {
			r.Load.Answers = append(r.Load.Answers, n)
			r.Load.Latencies = append(r.Load.Latencies, float64(n)*10/r.Load.InFlightOver/float64(100+i))
		}
		r.Samples = append(r.Samples, record.Sample{Metric: "cpu.proxy", Value: .4, Unit: "cores"})
		r.Facts["placement.services"] = "proxy 0; server 1"
	}
	for i, server := range []string{"sync", "async"} {
		for k, workers := range []string{"1", "2", "4"} {
			trial := server + ", " + workers
			if slices.Contains(without, trial) {
				continue
			}
			rate := 500 * float64(1+i) * float64(1+k)
			b.Measure("full", "servers", trial, []float64{rate, 1.01 * rate, .99 * rate, 1.02 * rate, .98 * rate}, bySecond)
		}
	}
	b.Measure("full", "servers", "again", []float64{515, 525, 520, 522, 518}, bySecond)
	return b
}

var figureElement = regexp.MustCompile(`(?s)<figure class=fig id=fig-f>.*?</figure>`)

// Every kind of figure is drawn in both widths, described in words, and linked as a file with its data.
func TestKindsOfFigures(t *testing.T) {
	for _, test := range []struct {
		name, block string
		want        []string
	}{
		{"dots", "kind: dots, x: throughput, y: [server, workers]", []string{"async, 4 workers: 3,000/s [",
			"Requests per second; median with 95 % interval"}},
		{"a band of a claim", "kind: dots, x: throughput, y: [server, workers], title: claim:alike",
			[]string{"within 5 % of sync, 1 worker", `class="band faint f0"`}},
		{"a band of a claim about a multiple", "kind: dots, x: throughput, y: [server, workers], title: claim:twice",
			[]string{">as claimed<", `class="band faint f0"`}},
		{"bars", "kind: bars, x: throughput, y: [server, workers], published: true", []string{"Bars, one row each",
			"; published 2,100/s", `class=ghost`}},
		{"distribution", "kind: distribution, x: throughput, y: [server, workers]", []string{"Repetitions as small dots"}},
		{"lines", "kind: lines, x: workers, y: throughput, colour: server", []string{"sync, 2 workers: 1,000/s",
			"Stroke: 95 % interval over 5 repetitions."}},
		{"lines of two metrics", "kind: lines, x: workers, y: [latency.p50, latency.p90], colour: server, log: y",
			[]string{"sync latency p90, 1 worker", "log scale"}},
		{"latency", "kind: latency, colour: server, where: 'workers == \"1\"'", []string{"sync: median", "p99",
			", up to the last percentile"}},
		{"timeline of completions", "kind: timeline, y: throughput, where: 'workers == \"1\"'",
			[]string{"sync, second 1: 500/s, median of 5 repetitions", "Completions are answers of any kind"}},
		{"timeline of latencies", "kind: timeline, y: latency.mean, where: 'workers == \"1\"'",
			[]string{"Mean latency of a second"}},
		{"scatter", "kind: scatter, x: throughput, y: latency.p50, colour: server",
			[]string{"async, 4 workers: throughput 3,000/s", "Lines through it: 95 % interval over"}},
		{"agreement", "kind: scatter, x: throughput, colour: server",
			[]string{"sync, 1 worker: published 400/s, measured 500/s", "as published"}},
		{"a reference", "kind: dots, x: throughput, y: [server, workers], reference: '2 * throughput{server=\"sync\", " +
			"workers=\"1\"}', zero: true", []string{": 1,000/s</text>"}},
		{"a reference that is a cell", "kind: lines, x: workers, y: throughput, colour: server, reference: " +
			"'throughput{server=\"sync\", workers=\"1\"}'", []string{"500/s<"}},
		{"a log axis", "kind: dots, x: latency.p50, y: [server, workers], log: x", []string{"log scale"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			page := rendered(t, measuredGrid(t, test.block))
			assert.Slice(t, page.Warnings, nil, "warnings")
			html := figureElement.FindString(string(page.HTML))
			assert.Contains(t, narrow.Replace(html), test.want...)
			if full, narrow := strings.Count(html, `<svg class=full`), strings.Count(html, `<svg class=narrow`); full == 0 ||
				full != narrow {
				t.Errorf("drawn %d times full and %d times narrow", full, narrow)
			}
			if rows := must.Get(csv.NewReader(strings.NewReader(fileOf(t, page, "data/fig-f.csv"))).ReadAll()); len(rows) < 2 {
				t.Errorf("the CSV has %d rows", len(rows))
			}
			assert.Contains(t, fileOf(t, page, "data/fig-f.svg"), "<style>")
		})
	}
}

// A figure that cannot be drawn says why in its place, and so does every part of one, which is in the data too.
func TestFiguresWithMissingData(t *testing.T) {
	for _, test := range []struct {
		name, block string
		without     []string
		want        []string
		drawn       bool
	}{
		{"a cell without a record is a gap in a line", "kind: lines, x: workers, y: throughput, colour: server",
			[]string{"sync, 2"}, []string{"gap at sync, 2 workers: not measured", "A gap in a line"}, true},
		{"a cell without a record is no point", "kind: scatter, x: throughput, y: latency.p50", []string{"sync, 2"},
			[]string{"not drawn: sync, 2 workers: throughput not measured; latency p50 not measured"}, true},
		{"a cell without a record has no curve", "kind: latency", []string{"sync, 2"},
			[]string{"not drawn: sync, 2 workers: not measured"}, true},
		{"a cell without a record has no time", "kind: timeline, y: throughput", []string{"sync, 2"},
			[]string{"not drawn: sync, 2 workers: not measured"}, true},
		{"a cell without a record has no repetitions", "kind: distribution, x: throughput, y: [server, workers]", []string{"sync, 2"},
			[]string{">not measured<"}, true},
		{"a published row that is not measured", "kind: scatter, x: throughput", []string{"sync, 2"},
			[]string{"not drawn: sync, 2 workers: published 700/s, not measured"}, true},
		{"nothing measured, dots", "kind: dots, x: throughput, y: [server, workers]", []string{"all"},
			[]string{"One row for each cell of the experiment: not measured yet."}, true},
		{"nothing measured, lines", "kind: lines, x: workers, y: throughput", []string{"all"},
			[]string{"Throughput: not measured yet."}, false},
		{"nothing measured, latency", "kind: latency", []string{"all"},
			[]string{"No cell has a distribution of latencies: sync, 1 worker: not measured;"}, false},
		{"nothing measured, timeline", "kind: timeline, y: throughput", []string{"all"},
			[]string{"Nothing was recorded by second: sync, 1 worker: not measured;"}, false},
		{"nothing measured, scatter", "kind: scatter, x: throughput, y: latency.p50", []string{"all"},
			[]string{"No cell has both throughput and latency p50"}, false},
		{"nothing measured, agreement", "kind: scatter, x: throughput", []string{"all"},
			[]string{"No published value was measured here"}, false},
		{"nothing published", "kind: scatter, x: latency.p50", nil, []string{"Nobody has published latency p50."}, false},
		{"what is not recorded by second", "kind: timeline, y: latency.mean, where: 'workers == \"1\"'", nil,
			[]string{"Mean latency"}, true},
		{"a percentile that is not on a timeline", "kind: timeline, y: memory.server", nil,
			[]string{"a timeline shows throughput or latency.mean"}, false},
		{"a log axis with a zero", "kind: dots, x: failed, y: [server, workers], log: x", nil,
			[]string{"The x axis is not logarithmic, as the article asks: a value on it is 0."}, true},
		{"a reference that is not measured", "kind: dots, x: throughput, y: [server, workers], reference: " +
			"'throughput{server=\"sync\", workers=\"2\"}'", []string{"sync, 2"},
			[]string{"The reference line is not drawn: "}, true},
		{"a reference at zero on a log axis", "kind: dots, x: throughput, y: [server, workers], log: x, reference: 0",
			nil, []string{"it has no place on a log axis"}, true},
		{"a reference of another unit", "kind: dots, x: throughput, y: [server, workers], reference: 5ms", nil,
			[]string{"it is not of the axis"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			without := test.without
			if slices.Contains(without, "all") {
				without = []string{"sync, 1", "sync, 2", "sync, 4", "async, 1", "async, 2", "async, 4"}
			}
			page := rendered(t, measuredGrid(t, test.block, without...))
			html := figureElement.FindString(string(page.HTML))
			assert.Contains(t, strings.ReplaceAll(narrow.Replace(html), "&#39;", "'"), test.want...)
			assert.Equal(t, strings.Contains(html, "<svg"), test.drawn, "drawn")
			if test.drawn && strings.Contains(fileOf(t, page, "data/fig-f.svg"), "0001") {
				t.Error("the file of a figure has the date of no time")
			}
			if slices.Equal(without, []string{"sync, 2"}) {
				data := fileOf(t, page, "data/fig-f.csv")
				assert.Equal(t, regexp.MustCompile(`(sync,2|2,sync),.*not measured`).MatchString(data), true, "said in %s", data)
			}
		})
	}
}

// Failures are hatched and described.
func TestFailedIsHatched(t *testing.T) {
	for _, block := range []string{"kind: dots, x: throughput, y: [server, workers]",
		"kind: lines, x: workers, y: throughput, colour: server"} {
		b := measuredGrid(t, block, "sync, 4")
		b.Measure("full", "servers", "sync, 4", []float64{1, 1, 1}, rendertest.Fails("server exited with status 137", ""))
		assert.Contains(t, figureElement.FindString(string(rendered(t, b).HTML)), `class=hatch`, "server exited with status 137")
	}
}

// Stale and unfinished results are open marks and are named in words, in every kind of figure and in its data.
func TestStatesInFigures(t *testing.T) {
	for block, hasMarks := range map[string]bool{
		"kind: dots, x: throughput, y: [server, workers]":         true,
		"kind: bars, x: throughput, y: [server, workers]":         true,
		"kind: distribution, x: throughput, y: [server, workers]": true,
		"kind: lines, x: workers, y: throughput, colour: server":  true,
		"kind: scatter, x: throughput, y: latency.p50":            true,
		"kind: scatter, x: throughput":                            true,
		"kind: latency":                                           false,
		"kind: timeline, y: throughput":                           false,
	} {
		b := measuredGrid(t, block)
		b.Records = slices.DeleteFunc(b.Records, func(r *record.Record) bool { return r.Trial == "async, 4" && r.Repetition > 3 })
		for _, r := range b.Records {
			if r.Trial == "sync, 1" {
				r.Key = "of other inputs"
			}
		}
		page := rendered(t, b)
		html := figureElement.FindString(string(page.HTML))
		description, _, _ := strings.Cut(html[max(0, strings.Index(html, "<desc")):], "</desc>")
		for _, state := range []string{"older version", "unfinished"} {
			assert.Contains(t, description, ", "+state)
			assert.Contains(t, fileOf(t, page, "data/fig-f.csv"), state)
			drawn := regexp.MustCompile(`<(?:text|tspan) [^>]*>[^<]*` + state)
			assert.Equal(t, drawn.MatchString(html), true, "%s: %q is drawn", block, state)
		}
		assert.Equal(t, strings.Contains(html, `class="open `), hasMarks, "%s: open marks", block)
	}
}

// searchCapacities puts records of every outcome of a search for a capacity to those of searches.md: the rate was found,
// or is the highest that may be tried, or is below the lowest, or could not be found.
func searchCapacities(b *rendertest.Bench) {
	rate := func(v float64, met bool) record.Probe {
		return record.Probe{Candidate: v, Phase: record.PhaseProbe, Passed: met}
	}
	capacity := record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Unit: "s",
		Objective: "latency.p99 < 100ms"}
	found, most, none, unfinished := capacity, capacity, capacity, capacity
	found.Probes, found.Lo, found.Hi = []record.Probe{rate(400, true), rate(800, false), rate(702, true),
		rate(734, false)}, 702, 734
	most.Probes, most.Lo = []record.Probe{rate(20000, true)}, 20000
	none.Probes, none.Hi = []record.Probe{rate(100, false)}, 100
	unfinished.Reason = "a probe was invalid twice: others used 20 % of the CPU"
	b.Search("full", "bears", "sync", found)
	b.Search("full", "bears", "static", most)
	b.Search("full", "bears", "async", none)
	b.Search("full", "bears", "broken", unfinished)
}

// drawnSearches are figures of the searches.
const drawnSearches = "```yaml figure\n{label: fig-f, experiment: tuned, kind: search, x: tune.workers, y: throughput, colour: server}\n" +
	"```\n\n```yaml figure\n{label: fig-c, experiment: bears, kind: search}\n```\n"

func newSearches(t testing.TB, blocks string) *rendertest.Bench {
	return rendertest.New(t, "searches", []byte(textOf("searches.md")+"\n"+blocks))
}

// workers is a search for the workers of a server.
var workers = record.Search{Kind: record.SearchTune, Name: "workers", Metric: "throughput", Unit: "1/s", Better: "higher"}

// Searches are drawn with their probes and results, or the reason why they found nothing. What is not drawn is in the
// data, with the reason.
func TestFiguresOfSearches(t *testing.T) {
	b := newSearches(t, drawnSearches)
	found := workers
	found.Chosen, found.Stop, found.Matters, found.Lo, found.Hi = 2, record.StopWorse, 2.6, 2, 4
	for i, rate := range []float64{100, 190, 250, 260} {
		for k := range 3 {
			p := record.Probe{Candidate: float64(i + 1), Phase: record.PhaseProbe, Value: rate * (1 + .01*float64(k))}
			if i == 2 {
				p.Value, p.Failure = 0, "server exited with status 1"
			}
			found.Probes = append(found.Probes, p)
		}
	}
	found.Probes = append(found.Probes, record.Probe{Candidate: 5, Phase: record.PhaseProbe,
		Samples: []record.Sample{{Metric: "latency.p99", Value: 0.1, Unit: "s"}}})
	b.Search("full", "tuned", "sync", found)
	searchCapacities(b)
	page := rendered(t, b)
	assert.Slice(t, page.Warnings, nil, "warnings")
	assert.Contains(t, narrow.Replace(string(page.HTML)), "sync, 2 workers: 192/s; chosen",
		"gap at sync, 3 workers: no valid probe", `class=hatch`,
		"gap at sync, 5 workers: no valid probe has a value for throughput",
		"not drawn: async: not searched yet", "chosen 2, which is 2.60× of the worst",
		"Requests per second: the highest rate at which latency.p99 &lt; 100ms", "sync: 702/s (fails at 734/s); 4 probes", "static: at least 20,000/s",
		"async: no rate meets it (fails at 100/s)",
		"broken: no value found: a probe was invalid twice")
	assert.Contains(t, fileOf(t, page, "data/fig-f.csv"), "not searched yet")
	assert.Contains(t, fileOf(t, page, "data/fig-c.csv"), "sync,4,734,probe,false,", "a probe was invalid twice")
	assert.Contains(t, string(rendered(t, newSearches(t, drawnSearches)).HTML), "No search for workers has been recorded yet.",
		"No search for a capacity has been recorded yet.")
}

// A search that found the highest rate that it may try has found a lower bound, and figures and tables say so.
func TestLowerBounds(t *testing.T) {
	b := newSearches(t, "```yaml table\n{label: tbl-t, experiment: bears, rows: [server], columns: [capacity.rate]}\n```\n\n"+
		"```yaml figure\n{label: fig-d, experiment: bears, kind: dots, x: capacity.rate, y: server}\n```\n\n"+
		"```yaml figure\n{label: fig-b, experiment: bears, kind: bars, x: capacity.rate, y: server}\n```\n")
	searchCapacities(b)
	words := narrow.Replace(string(rendered(t, b).HTML))
	assert.Equal(t, strings.Count(words, ">≥ 20,000") >= 4, true, "the bound stands in two figures of two widths each")
	assert.Contains(t, words, "≥ <b>20,000</b>")
	assert.Lacks(t, words, "≥ <b>702</b>", ">≥ 702") // which has two ends
}

// A value that was given, not searched, does not count as one run: it has no interval, and a note says why. A searched
// value has no noise floor, and the page does not say that one is missing.
func TestSearchedValuesInTables(t *testing.T) {
	blocks := "```yaml table\n{label: tbl-t, experiment: tuned, rows: [server], columns: [tune.workers, throughput]}\n```\n\n" +
		"`{value} tune.workers{experiment=\"tuned\", server=\"sync\"}`\n"
	measure := func(b *rendertest.Bench, trials ...string) string {
		for _, trial := range trials {
			b.Measure("full", "tuned", trial, []float64{500, 490, 510}, func(r *record.Record) {
				r.Samples = append(r.Samples, record.Sample{Metric: "tune.workers", Value: 4, Unit: "1"})
			})
		}
		return wordsOf(string(rendered(t, b).HTML))
	}
	only := workers
	only.Chosen, only.Stop, only.Lo, only.Hi = 4, record.StopOnly, 4, 4
	b := newSearches(t, blocks)
	b.Search("full", "tuned", "sync", only)
	words := measure(b, "sync")
	assert.Contains(t, words, "no search: only one value was allowed")
	assert.Lacks(t, words, "1 run") // which a number of workers is not of
	calibrated := strings.Replace(textOf("searches.md"), "calibrate: false\n", "", 1) + "\n" + blocks
	words = measure(rendertest.New(t, "searches", []byte(calibrated)), "sync", "async", "again")
	assert.Contains(t, words, "differs by: throughput")
	assert.Lacks(t, words, "not known of") // as the noise floor of workers is not
}

// If claims rest on several sessions, figures and tables say that they show one.
func TestFiguresNameTheirSession(t *testing.T) {
	hello := must.Get(newRenderer(t).Page(rendertest.Committed(t, "..", "hello"), render.Options{}))
	one := rendered(t, measured(t, "", experiment+throughputFigure, three))
	for page, want := range map[*render.Page]bool{hello: true, one: false} {
		assert.Equal(t, strings.Contains(wordsOf(string(page.HTML)), "; the newest session alone"), want, "%s: a figure names its session", page.Title)
	}
}

var lineClass = regexp.MustCompile(`class="line (s\d(?: dash)?)"`)

// Lines of one colour are told apart by dashes: the second metric of a group, and metrics beyond the last colour.
func TestDashes(t *testing.T) {
	for _, test := range []struct {
		name, block string
		want        []string
	}{
		{"one metric", "y: latency.p50, colour: server", []string{"s1", "s2"}},
		{"two metrics", "y: [latency.p50, latency.p90], colour: server", []string{"s1", "s1 dash", "s2", "s2 dash"}},
		{"more metrics than colours", "y: [latency.p10, latency.p20, latency.p30, latency.p40, latency.p50, latency.p60, " +
			"latency.p70], where: 'server == \"sync\"'", []string{"s1", "s2", "s3", "s4", "s5", "s6", "s1 dash"}},
	} {
		page := rendered(t, measuredGrid(t, "kind: lines, x: workers, "+test.block))
		var got []string
		for _, match := range lineClass.FindAllStringSubmatch(fileOf(t, page, "data/fig-f.svg"), -1) {
			got = append(got, match[1])
		}
		assert.Slice(t, got, test.want, "%s", test.name)
	}
}
