package claim

import (
	"slices"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// With six repetitions the signed ranks of the median reach 96.9 %, with seven 98.4 %, with eight 99.2 %.
func TestTooFewRepetitions(t *testing.T) {
	const two = `'time.real{n="1"} < 5s and time.real{n="2"} < 5s'`
	tests := []struct {
		name, expect, repetitions string
		want                      []string
	}{
		{"one part", `'time.real{n="1"} < 5s'`, "6", nil},
		{"two parts", two, "6", []string{"one of its parts decides it only at a confidence of 97.5 %, for which 6 " +
			"repetitions are too few; write repetitions: 7 or more"}},
		{"two parts with enough", two, "7", nil},
		{"four parts",
			`'time.real{n="1"} < 5s or time.real{n="2"} < 5s or time.real{n="1"} > 1ms or memory.peak{n="1"} < 1GiB'`,
			"7", []string{"one of its parts decides it only at a confidence of 98.75 %, for which 7 repetitions are too few; " +
				"write repetitions: 8 or more"}},
		{"t on logarithms has two ends at any level", two, "5", nil},
		{"ranks of two cells", `'time.real{n="1"} < time.real{n="2"} and time.real{n="2"} > time.real{n="1"}'`, "6", nil},
		{"two repetitions", `'time.real{n="1"} < time.real{n="2"}'`, "2", []string{"a verdict needs 3 repetitions, and " +
			"experiment \"e\" has 2; write repetitions: 3 or more"}},
		{"mistaken", `'time.real{n="3"} < 5s and time.real{n="2"} < 5s'`, "6", nil},
		{"a limit nearer than a measurement", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1.0005'`, "5",
			[]string{"the limit 1.0005 is nearer to 1 than the resolution of a measurement, 0.001; claim a larger effect"}},
		{"a limit that can be told", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1.0015'`, "5", nil},
		{"whichever is larger", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1'`, "5", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t, "---\ntitle: A title\n---\n\n```yaml experiment\nname: e\nmatrix: {n: [\"1\", \"2\"]}\n"+
				"command: {image: \"debian:bookworm-slim\", run: \"sleep ${{ matrix.n }}\"}\nrepetitions: "+test.repetitions+
				"\n```\n\n"+
				"```yaml claim\nname: c\nexpect: "+test.expect+"\n```\n")
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			d := dataset.WithoutRecords(b.Doc, p)
			for _, doubt := range Undecidable(d) {
				got = append(got, doubt.Words+"; "+doubt.Hint)
				if !doubt.Concerns("e") || doubt.Concerns("another") {
					t.Errorf("it is of experiments %q", doubt.experiments)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			var problems source.Problems
			Warn(Undecidable(d), &problems)
			for _, p := range problems.Sorted() {
				if p.Severity != source.SeverityWarning || p.Hint == "" || p.Pos != b.Doc.Claims[0].Expect.Text.Pos {
					t.Errorf("no warning at the claim with a way out: %+v", p)
				}
			}
		})
	}
}

// A percentile that no repetition can have is foreseen where the load says how many requests it sends, or records do.
func TestTooFewAnswers(t *testing.T) {
	const p99 = `latency.p99{server="async"} < 1s`
	tests := []struct {
		name, load, expect string
		recorded           int64 // requests in a second
		want               string
	}{
		{"a rate", "rate: 60/s, duration: 10s", p99, 0,
			"latency p99 needs 1000 requests in a repetition, and 60/s for 10s are 600 by that of \"async\""},
		{"a rate that is enough", "rate: 100/s, duration: 10s", p99, 0, ""},
		{"another percentile", "rate: 60/s, duration: 10s", `latency.p90{server="async"} < 1s`, 0, ""},
		{"a number of requests", "connections: 4, requests: 999", p99, 0,
			"latency p99 needs 1000 requests in a repetition, and 999 are sent by that of \"async\""},
		{"nothing is known", "connections: 4, duration: 10s", p99, 0, ""},
		{"records tell", "connections: 4, duration: 10s", p99, 50,
			"latency p99 needs 1000 requests in a repetition, and 500 is the most that was recorded for the 10s of \"async\""},
		{"records tell of enough", "connections: 4, duration: 10s", p99, 200, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", `name: e
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [async, sync]}
load: {target: "http://server:8080/", `+test.load+`}`)+recordtest.Fence("claim", "name: c\nexpect: '"+test.expect+"'"))
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			d := dataset.WithoutRecords(b.Doc, p)
			if test.recorded > 0 {
				trial := p.Experiments[0].Trials[0]
				r := &record.Record{SchemaVersion: record.SchemaVersion, Article: "sample", Experiment: "e", Trial: trial.Name,
					Key: trial.Key, Run: "20261120T100000Z-aaaa", Profile: plan.Full, Host: "host-1", Repetition: 1, Planned: 5}
				recordtest.FillLoad(t, r, float64(test.recorded))
				b.Records = []*record.Record{r}
				d = b.dataset(dataset.Options{})
			}
			var got string
			for _, doubt := range Undecidable(d) {
				got += doubt.Words
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
