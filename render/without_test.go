package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

// Where a metric has no number the page says why, and never that nothing was valid or measured where it was.
func TestWithoutNumbers(t *testing.T) {
	const text = "---\ntitle: Sample\n---\n\n%s```yaml table\n{label: tbl-t, rows: [server], columns: [%[2]s]}\n```\n\n" +
		"```yaml figure\n{label: fig-f, kind: dots, x: %[2]s, y: server}\n```\n"
	calibrated := strings.Replace(experiment, "calibrate: false\n", "", 1)
	unanswered := func(r *record.Record) {
		h := r.Histograms["latency"]
		h.Count = 0
		r.Histograms["latency"] = h
	}
	invalid := func(r *record.Record) { r.Load.Failed = r.Load.Attempted / 2 }
	failed := rendertest.Fails("it broke", "")
	for _, tt := range []struct {
		name, experiment, metric string
		changes                  map[string]func(*record.Record) // by trial; the others are as they should be
		want, never              []string
	}{
		{"nothing was answered", calibrated, "latency.p99", map[string]func(*record.Record){"a": unanswered, "b": unanswered,
			"again": unanswered},
			[]string{"No repetition has a value for latency p99: no answers",
				"2 cells, no repetition has a value for latency p99: no answers",
				"3 repetitions planned; no repetition has a value for latency p99: no answers",
				"unknown for latency.p99 (cell a: no answers)"},
			[]string{"valid repetition", "no A/A pair"}},
		{"the pair alone lacks it", calibrated, "latency.p99", map[string]func(*record.Record){"again": unanswered},
			[]string{"unknown for latency.p99 (cell a again: no answers)"}, []string{"no valid", "no A/A pair"}},
		{"one failed, and the other was not answered", experiment, "latency.p99", map[string]func(*record.Record){"a": failed,
			"b": unanswered},
			[]string{"No valid repetition has a value for latency p99: no answers", "not measured: there is no A/A pair"}, nil},
		{"too few answers", experiment, "latency.p99.999", nil,
			[]string{"No repetition has a value for latency p99.999: needs 1000000 answers, has"}, []string{"valid repetition"}},
		{"everything failed", experiment, "throughput", map[string]func(*record.Record){"a": failed, "b": failed},
			[]string{"Every repetition failed", "2 cells, every repetition failed"}, []string{"valid repetition"}},
		{"nothing is valid", experiment, "throughput", map[string]func(*record.Record){"a": invalid, "b": invalid},
			[]string{"No valid repetition", "2 cells, no valid repetition"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := rendertest.New(t, "sample", fmt.Appendf(nil, text, tt.experiment, tt.metric))
			for _, trial := range []string{"a", "b", "again"} {
				if trial == "again" && tt.experiment != calibrated {
					continue
				}
				var changes []func(*record.Record)
				if change := tt.changes[trial]; change != nil {
					changes = append(changes, change)
				}
				b.Measure("full", "servers", trial, []float64{500, 490, 510}, changes...)
			}
			words, _ := readPage(t, b)
			assert.Contains(t, words, tt.want...)
			if i := slices.IndexFunc(tt.never, func(w string) bool { return strings.Contains(words, w) }); i >= 0 {
				at := strings.Index(words, tt.never[i])
				t.Errorf("the page says %q", words[max(0, at-60):at+60])
			}
			if t.Failed() {
				t.Log(words)
			}
		})
	}
}

// A value that was searched for has no noise floor, so none is missed.
func TestSearchesHaveNoFloor(t *testing.T) {
	b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n---\n\n"+strings.Replace(searches, "calibrate: false\n",
		"", 1)+
		"```yaml table\n{label: tbl-t, experiment: tuned, rows: [server], columns: [tune.workers, throughput]}\n```\n"))
	for _, trial := range []string{"sync", "async", "again"} {
		b.Measure("full", "tuned", trial, []float64{500, 490, 510}, func(r *record.Record) {
			r.Samples = append(r.Samples, record.Sample{Metric: "tune.workers", Value: 2, Unit: "1"})
		})
	}
	words, _ := readPage(t, b)
	if !strings.Contains(words, "differs by: throughput") || strings.Contains(words, "not known of") {
		t.Errorf("the noise floors are not those of throughput alone:\n%s", words)
	}
}
