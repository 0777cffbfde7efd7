package dataset

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/validity"
)

// Metrics that an experiment computes are there for every repetition that has what they are made from.
func TestComputedMetrics(t *testing.T) {
	const metrics = `
metrics:
  - {name: tail.ratio, better: lower, value: latency.p99 / latency.p50}
  - {name: wasted, unit: "%", better: lower, value: failed + 25%}
  - {name: per.megabyte, value: throughput / (memory.server / 1MiB)}
  - {name: twice, value: tail.ratio * 2}
  - {name: rare, better: lower, value: latency.p99.99 / latency.p50}
  - {name: nothing, value: throughput / failed.count}
  - {name: queue, unit: ms, better: lower, from: server log, regex: 'queue (\d+)'}
  - {name: queues, value: queue * 2}`
	unread := func(r *record.Record) {
		if r.Repetition == 2 {
			r.Missing = map[string]string{"queue": `no match of queue (\d+) in the log of server`}
			return
		}
		r.Samples = append(r.Samples, record.Sample{Metric: "queue", Value: 0.004, Unit: "s"})
	}
	d := measuredServers(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.Servers+metrics), unread).dataset(Options{})
	c := cellOf(t, d, "b")
	p99, p50 := c.Metric("latency.p99").Values[0], c.Metric("latency.p50").Values[0]
	tests := []struct {
		metric  string
		want    float64 // of the first repetition
		values  int
		missing string
		mark    string
	}{
		{"tail.ratio", p99 / p50, 3, "", ""},
		{"wasted", 0.25, 3, "", ""},
		{"per.megabyte", 1000. / 64, 3, "", ""},
		{"twice", 2 * p99 / p50, 3, "", ""},
		{"rare", 0, 0, "needs 100000 answers, has 10000", ""},
		{"nothing", 0, 0, "not measured: division by zero", ""},
		{"queue", 0.004, 2, "", `where it is missing: no match of queue (\d+) in the log of server`},
		{"queues", 0.008, 2, "", `where it is missing: no match of queue (\d+) in the log of server`},
	}
	for _, tt := range tests {
		t.Run(tt.metric, func(t *testing.T) {
			r := c.Metric(tt.metric)
			if len(r.Values) != tt.values || !strings.HasPrefix(r.Missing, tt.missing) ||
				(r.Missing == "") != (tt.missing == "") {
				t.Fatalf("values %v, missing %q; want %d and %q", r.Values, r.Missing, tt.values, tt.missing)
			}
			if tt.values > 0 && (r.Values[0] < tt.want*0.999 || r.Values[0] > tt.want*1.001) {
				t.Errorf("the first is %v, want %v", r.Values[0], tt.want)
			}
			if tt.mark != "" && !slices.Contains(r.Marks, tt.mark) {
				t.Errorf("marks %q, want %q among them", r.Marks, tt.mark)
			}
		})
	}
}

// Cells whose repetitions share a start of their services are marked so, and so is their experiment.
func TestSharedStarts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		starts [3]string // of the repetitions of cell b
		want   bool
	}{
		{"rounds", [3]string{}, false},
		{"a block", [3]string{"10:00", "10:00", "10:00"}, true},
		{"a block that was started again", [3]string{"10:00", "10:00", "10:05"}, true},
		{"a block whose services ended each time", [3]string{"10:00", "10:01", "10:05"}, false},
	} {
		d := measuredServers(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
			recordtest.Servers), func(r *record.Record) {
			r.Facts = map[string]string{record.FactStart: r.Trial + tt.starts[r.Repetition-1]}
			if r.Trial != "b" || tt.starts[0] == "" {
				r.Facts = nil
			}
		}).dataset(Options{})
		const mark = "repetitions share a start of their services: intervals do not cover differences between starts"
		for _, cell := range d.Experiments[0].Cells {
			want := tt.want && cell.Trial.Name == "b"
			if got := slices.Contains(cell.Metric("throughput").Marks, mark); got != want || cell.SharesStart() != want {
				t.Errorf("%s, cell %s: marked %v, want %v", tt.name, cell.Trial.Name, got, want)
			}
		}
		if got := d.Experiments[0].SharesStarts(); got != tt.want {
			t.Errorf("%s: the experiment has %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Cells that were measured on shared services, or on other CPUs than the article says, are marked so.
func TestCircumstances(t *testing.T) {
	shared := func(r *record.Record) {
		if r.Facts == nil {
			r.Facts = map[string]string{}
		}
		r.Facts["shared.services"], r.Facts["shared.start"] = "server", "2026-11-20T10:00:00.000Z"
		if r.Repetition == 3 {
			r.Facts["shared.start"] = "2026-11-20T10:05:00.000Z"
		}
		r.Facts["placement.adapted"] = "server on 0 instead of 12"
	}
	r := cellOf(t, measuredServers(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.Servers), shared).dataset(Options{}), "b").Metric("throughput")
	want := []string{"measured on shared services: server, of 2 starts",
		"on other CPUs than the article says: server on 0 instead of 12"}
	for _, mark := range want {
		if !slices.Contains(r.Marks, mark) {
			t.Errorf("marks %q, want %q among them", r.Marks, mark)
		}
	}
	if r.Level != validity.OK {
		t.Errorf("level %v: that is said, and no reason to doubt", r.Level)
	}
}
