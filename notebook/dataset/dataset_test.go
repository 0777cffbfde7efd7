package dataset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

func TestStates(t *testing.T) {
	type run struct {
		name        string
		repetitions int
		key         string // empty for the present one
	}
	for _, tt := range []struct {
		name    string
		runs    []run
		change  func(*recordtest.Fixture)
		state   State
		run     string
		records int
	}{
		{"nothing", nil, nil, Missing, "", 0},
		{"all repetitions of the present key", []run{{"2", 3, ""}}, nil, Fresh, "2", 3},
		{"more repetitions than planned", []run{{"2", 4, ""}}, nil, Fresh, "2", 4},
		{"the newest of two complete runs", []run{{"2", 3, ""}, {"1", 3, ""}}, nil, Fresh, "2", 3},
		{"a complete run before a newer one that is not", []run{{"1", 3, ""}, {"2", 2, ""}}, nil, Fresh, "1", 3},
		{"too few repetitions", []run{{"2", 2, ""}}, nil, Partial, "2", 2},
		{"the newest of two runs that are not finished", []run{{"2", 1, ""}, {"1", 2, ""}}, nil, Partial, "2", 1},
		{"a repetition in the middle missing", []run{{"2", 3, ""}}, func(b *recordtest.Fixture) {
			b.Records = slices.DeleteFunc(b.Records, func(r *record.Record) bool { return r.Repetition == 2 })
		}, Partial, "2", 2},
		{"repetitions of two runs do not add up", []run{{"1", 2, ""}, {"2", 1, ""}}, nil, Partial, "2", 1},
		{"another key", []run{{"2", 3, "old"}}, nil, Stale, "2", 3},
		{"another key, complete before newer", []run{{"1", 3, "old"}, {"2", 1, "older"}}, nil, Stale, "1", 3},
		{"a run that began afresh hides older versions", []run{{"1", 3, "old"}, {"2", 1, ""}}, nil, Partial, "2", 1},
		{"records of another article", []run{{"2", 3, ""}}, func(b *recordtest.Fixture) {
			for _, r := range b.Records {
				r.Article = "other"
			}
		}, Missing, "", 0},
		{"records of an experiment that is no more", []run{{"2", 3, ""}}, func(b *recordtest.Fixture) {
			for _, r := range b.Records {
				r.Experiment = "gone"
			}
		}, Missing, "", 0},
		{"one record twice", []run{{"2", 3, ""}}, func(b *recordtest.Fixture) { b.Records = append(b.Records, b.Records[0]) }, Fresh, "2", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, servers)
			for _, r := range tt.runs {
				var changes []recordtest.Change
				if r.key != "" {
					changes = []recordtest.Change{recordtest.WithKey(r.key), recordtest.Planned(3)}
				}
				b.Measure("servers", "a", r.name, slices.Concat(recordtest.ValuesA, []float64{1210})[:r.repetitions], changes...)
			}
			if tt.change != nil {
				tt.change(b)
			}
			c := cellOf(t, datasetOf(b, Options{ThisHost: "host-1"}), "a")
			if c.State != tt.state || c.Run != tt.run || len(c.Records) != tt.records {
				t.Errorf("%v, run %q, %d records; want %v, run %q, %d", c.State, c.Run, len(c.Records), tt.state, tt.run,
					tt.records)
			}
			byRepetition := func(a, b *record.Record) int { return a.Repetition - b.Repetition }
			assert.Equal(t, slices.IsSortedFunc(c.Records, byRepetition), true, "repetitions are in order")
		})
	}
}

func TestSets(t *testing.T) {
	type set struct {
		host, profile string
		day           int
		cells         string // one letter each, a capital for invalid repetitions
	}
	mine := Options{ThisHost: "me"}
	for _, tt := range []struct {
		name    string
		sets    []set
		options Options
		want    string // host and profile
		own     bool
		others  string
	}{
		{"no records", nil, mine, "me full", true, ""},
		{"own full before own quick", []set{{"me", "quick", 1, "abc"}, {"me", "full", 0, "abc"}}, mine, "me full", true, "me quick"},
		{"own quick before others in full", []set{{"me", "quick", 0, "abc"}, {"you", "full", 1, "abc"}}, mine, "me quick", true, "you full"},
		{"own that is not complete after complete ones", []set{{"me", "full", 2, "a"}, {"you", "full", 0, "abc"}}, mine,
			"you full", false, "me full"},
		{"the newest complete one", []set{{"you", "full", 0, "abc"}, {"they", "quick", 1, "abc"}}, mine, "they quick", false, "you full"},
		{"the complete one with more results", []set{{"you", "full", 0, "abc"}, {"they", "full", 1, "abC"}}, mine, "you full", false, "they full"},
		{"the one with most fresh cells", []set{{"me", "full", 1, "a"}, {"you", "full", 0, "ab"}}, mine, "you full", false, "me full"},
		{"own before others as fresh", []set{{"me", "full", 0, "a"}, {"a-host", "full", 1, "b"}}, mine, "me full", true, "a-host full"},
		{"a host that was asked for", []set{{"me", "full", 0, "abc"}, {"you", "full", 0, "a"}},
			Options{ThisHost: "me", Host: "you"}, "you full", false, "me full"},
		{"a profile that is no more", []set{{"me", "gone", 0, "abc"}, {"me", "full", 0, "a"}}, mine, "me full", true, "me gone"},
		{"nothing but a profile that is no more", []set{{"you", "gone", 0, "abc"}}, mine, "me full", true, "you gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Article(strings.Replace(recordtest.Servers, "repetitions: 3",
				"repetitions: 3\nprofiles: {quick: {load: {duration: 10s, warmup: 2s}}}", 1)))
			for _, s := range tt.sets {
				for _, cell := range s.cells {
					stolen := recordtest.Disturbed(0, 0.2*float64(boolean(unicode.IsUpper(cell))))
					b.Measure("servers", string(unicode.ToLower(cell)), "1", recordtest.ValuesA, recordtest.OnHost(s.host),
						recordtest.InProfile(s.profile), recordtest.StartedOn(s.day), stolen)
				}
			}
			d := datasetOf(b, tt.options)
			others := slice.Map(d.Others, func(o *Dataset) string { return o.Host + " " + o.Profile })
			if got := d.Host + " " + d.Profile; got != tt.want || d.Own != tt.own || strings.Join(others, ", ") != tt.others {
				t.Errorf("shown %s (own %v), others %q; want %s (own %v), %q", got, d.Own, others, tt.want, tt.own, tt.others)
			}
			assert.Equal(t, d.Profile, d.Plan.Profile, "the profile of the records and of the plan")
		})
	}
	t.Run("all experiments with an invalid cell before one", func(t *testing.T) {
		text := recordtest.Article(recordtest.Servers) + recordtest.Fence("experiment",
			strings.Replace(recordtest.Servers, "name: servers", "name: more\nprofiles: {quick: skip}", 1))
		b := recordtest.New(t, text)
		for _, cell := range []string{"a", "b", "c"} {
			b.Measure("servers", cell, "1", recordtest.ValuesA, recordtest.OnHost("you"), recordtest.Only("c", recordtest.Disturbed(0, 0.2)))
			b.Measure("more", cell, "1", recordtest.ValuesA, recordtest.OnHost("you"))
			b.Measure("servers", cell, "2", recordtest.ValuesA, recordtest.OnHost("they"), recordtest.InProfile("quick"),
				recordtest.StartedOn(1))
		}
		assert.Equal(t, datasetOf(b, mine).Host, "you", "host with the most results")
	})
	t.Run("a host without records", func(t *testing.T) {
		b := recordtest.NewMeasured(t, servers)
		_, err := New(b.Doc, b.Records, Options{Host: "you", Plan: b.Plan})
		assert.Error(t, err, `no records of host "you": records are there of host-1`)
	})
	t.Run("an article that cannot be planned", func(t *testing.T) {
		b := recordtest.NewMeasured(t, servers)
		broken := func(string) (*plan.Plan, error) { return nil, fmt.Errorf("broken") }
		_, err := New(b.Doc, b.Records, Options{Plan: broken})
		assert.Error(t, err, "broken")
	})
}

func TestSkippedExperimentsHaveNoCells(t *testing.T) {
	b := recordtest.New(t, recordtest.Article(recordtest.Servers+"\nprofiles: {quick: skip}"))
	b.Measure("servers", "a", "1", recordtest.ValuesA, recordtest.InProfile("quick"))
	p := must.Get(b.Plan("quick"))
	d := newDataset(b.Doc, p, SetName{}, b.Records)
	assert.Equal(t, len(d.Experiments[0].Cells), 0, "cells")
	_, err := d.Eval(recordtest.Parse(t, `throughput{server="a"}`), "")
	assert.Equal(t, fmt.Sprint(err), "not measured: profile quick leaves this experiment out")
}

func TestCalibration(t *testing.T) {
	text := recordtest.Article(strings.Replace(recordtest.Servers, "calibrate: false", "", 1))
	t.Run("the copy is no cell", func(t *testing.T) {
		d := datasetOf(recordtest.NewMeasured(t, text))
		if e := d.Experiments[0]; len(e.Cells) != 3 || len(e.copies) != 1 || e.copies[0].State != Missing {
			t.Errorf("%d cells, copies %v", len(e.Cells), e.copies)
		}
		assert.Equal(t, d.Floor("throughput").Missing, "cell a again: not measured", "no noise floor without a copy")
	})
	t.Run("the copy of the run that is shown", func(t *testing.T) {
		b := recordtest.New(t, text)
		b.Measure("servers", "a", "1", recordtest.ValuesA)
		b.Measure("servers", "again", "1", recordtest.ValuesB)
		b.Measure("servers", "again", "2", recordtest.ValuesC)
		assert.Equal(t, datasetOf(b).Experiments[0].copies[0].Run, "1", "the run of the copy")
	})
	t.Run("the floor of the example", func(t *testing.T) {
		b := recordtest.New(t, text)
		b.Measure("servers", "a", "1", []float64{1000, 1010, 990})
		b.Measure("servers", "again", "1", []float64{1012, 1003, 1021})
		f := datasetOf(b).Floor("throughput")
		if f.Missing != "" || math.Abs(f.F-0.0071088) > 1e-7 || f.Biased || f.Exceeds {
			t.Errorf("floor %+v", f)
		}
	})
	t.Run("the newest pairs of all experiments", func(t *testing.T) {
		other := func(name, calibrate string) string {
			return recordtest.Fence("experiment", strings.NewReplacer("name: servers", "name: "+name, "calibrate: false",
				calibrate).Replace(recordtest.Servers))
		}
		b := recordtest.New(t, text+other("more", "")+other("without", "calibrate: false"))
		pairs := [][2][]float64{{{1000, 1010, 990}, {1012, 1003, 1021}}, {{500, 505, 495}, {530, 541, 535}}}
		for i, experiment := range []string{"servers", "more"} {
			b.Measure(experiment, "a", "1", []float64{1000, 1010, 990})
			b.Measure(experiment, "again", "1", []float64{2000, 2010, 1990}) // in an older run
			b.Measure(experiment, "b", "1", recordtest.ValuesB)
			b.Measure(experiment, "a", "2", pairs[i][0])
			b.Measure(experiment, "again", "2", pairs[i][1])
		}
		b.Measure("without", "a", "2", recordtest.ValuesA)
		var cells [][2]stats.Cell
		for _, p := range pairs {
			cells = append(cells, [2]stats.Cell{{Values: p[0]}, {Values: p[1]}})
		}
		want := must.Get(stats.NoiseFloor(cells, stats.DefaultAlpha, stats.DefaultSmallestEffect))
		d := datasetOf(b)
		f := d.Floor("throughput")
		if f.Missing != "" || f.Pairs != 2 || math.Abs(f.F-want.F) > 1e-9 || !f.Biased {
			t.Errorf("floor %+v, want %+v", f, want)
		}
		for i, e := range d.Experiments {
			p, missing := e.Pair("throughput")
			if without := i == 2; without != (missing == NoPair) || !without && math.Abs(p.D-want.Of[i].D) > 1e-9 {
				t.Errorf("%s: %+v, %q", e.Plan.Name, p, missing)
			}
			own, _ := e.Floor("throughput", e.Cells...)
			assert.Equal(t, own, f.F, "the floor of %s, and of the article", e.Plan.Name)
		}
	})
	t.Run("why there is no floor", func(t *testing.T) {
		floorOf := func(b *recordtest.Fixture, metric string) string {
			return datasetOf(b).Floor(metric).Missing
		}
		b := recordtest.New(t, text)
		b.Measure("servers", "a", "1", recordtest.ValuesA)
		b.Measure("servers", "again", "1", []float64{1000, 1010})
		off := recordtest.New(t, servers)
		off.Measure("servers", "a", "1", recordtest.ValuesA)
		broken := recordtest.New(t, text)
		broken.Measure("servers", "a", "1", recordtest.ValuesA, recordtest.Failed("exit status 1"))
		broken.Measure("servers", "again", "1", recordtest.ValuesB)
		for _, tt := range []struct{ got, want string }{
			{floorOf(b, "throughput"), "cell a again: needs 3 repetitions, has 2"},
			{floorOf(b, "errors.timeout"), "0 has no ratio"},
			{floorOf(b, "latency.p99.999"), "cell a: needs 1000000 answers, has 12000"},
			{floorOf(broken, "throughput"), "cell a: failed"},
			{floorOf(off, "throughput"), NoPair},
		} {
			assert.Equal(t, tt.got, tt.want, "there is no floor")
		}
	})
}

// A trial of a benchmark framework has a cell for each benchmark in any output.
func TestBenchmarks(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Fence("experiment", `name: sums
matrix: {version: [old, new]}
command: {image: "debian:bookworm-slim", run: bench, output: benchfmt}
repetitions: 5
`))
	eval := func(text string) string {
		n := must.Get(expr.Parse(text))
		q, err := datasetOf(b).Eval(n, "")
		switch {
		case errors.Is(err, ErrNotMeasured):
			return "not measured"
		case err != nil:
			return err.Error()
		}
		return q.Unit
	}
	const wrong, right = `time{benchmark="C", version=new}`, `time{benchmark="a <b>/c", version=new}`
	for _, text := range []string{wrong, right} {
		assert.Equal(t, eval(text), "not measured", "%s before a run", text)
	}
	printed := func(names ...string) recordtest.Change {
		return func(r *record.Record) {
			x := r.Samples[0].Value
			for i, name := range names {
				r.Samples = append(r.Samples, record.Sample{Metric: "time", Value: x * float64(i+1), Unit: "s", Benchmark: name})
			}
		}
	}
	b.Measure("sums", "old", "1", recordtest.ValuesA, printed("a <b>/c", "B"))
	b.Measure("sums", "again", "1", recordtest.ValuesB, printed("a <b>/c", "B"))
	b.Measure("sums", "new", "1", recordtest.ValuesC, printed("a <b>/c"))
	for text, want := range map[string]string{right: "s",
		"max(time{version=old})": "s", `time{benchmark=B, version=new}`: "not measured",
		`time.real{benchmark=B, version=new}`: "time.real is not measured"} {
		assert.Contains(t, eval(text), want)
	}
	d := datasetOf(b)
	e := d.Experiments[0]
	if n, all := len(e.Cells), len(RecordsOf(e.AllCells())); n != 4 || all != 3*len(recordtest.ValuesA) {
		t.Errorf("%d cells, %d repetitions", n, all)
	}
	if f := d.Floor("time"); f.Missing != "" || f.Pairs != 2 {
		t.Errorf("the noise floor is of %d A/A pairs, one a benchmark: %q", f.Pairs, f.Missing)
	}
	c := cellOf(t, d, "new, B")
	if got := c.Metric("time").Missing; got != "not measured: the output has no benchmark B" || c.Planned.Name != "new" {
		t.Errorf("%q, planned as %s", got, c.Planned.Name)
	}
}

// servers is the article recordtest.Servers.
var servers = recordtest.Article(recordtest.Servers)

// datasetOf returns the dataset of a fixture's article and records.
func datasetOf(b *recordtest.Fixture, o ...Options) *Dataset {
	b.T.Helper()
	with := append(o, Options{})[0]
	with.Plan = b.Plan
	return must.Get(New(b.Doc, b.Records, with))
}

// cellOf finds a cell by its trial, and by its experiment if several have that trial.
func cellOf(t testing.TB, d *Dataset, trial string, experiment ...string) *Cell {
	t.Helper()
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			if c.Trial.Name == trial && (len(experiment) == 0 || e.Plan.Name == experiment[0]) {
				return c
			}
		}
	}
	t.Fatalf("no cell %q", trial)
	return nil
}

// measure returns cell a of servers, measured with the given throughputs.
func measure(t testing.TB, throughputs []float64, changes ...recordtest.Change) *Cell {
	t.Helper()
	b := recordtest.New(t, servers)
	b.Measure("servers", "a", "1", throughputs, changes...)
	return cellOf(t, datasetOf(b), "a")
}
