package claim

import (
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

func TestForeseen(t *testing.T) {
	load := func(change func(*record.Load)) recordtest.Change { return recordtest.LoadChange(change) }
	for _, tt := range []struct {
		name, expect string
		change       recordtest.Change
		want         string // in the doubt; empty for none
	}{
		{"nothing", `throughput{server="b"} > throughput{server="a"}`, nil, ""},
		{"too few answers", `latency.p99.999{server="b"} < 1s`, nil, "last time; lengthen its load"},
		{"a short window", `throughput{server="b"} > throughput{server="a"}`, load(func(l *record.Load) { l.Window = 0.05 }),
			"was shorter than 10 times its longest request"},
		{"a generator that was too busy", `throughput{server="b"} > throughput{server="a"}`,
			load(func(l *record.Load) { l.Busy = 0.99 }), "no headline claim can rest on"},
		{"a ratio of zero", `failed{server="b"} < failed{server="a"}`, nil, "was 0 last time"},
		{"a limit of zero", `failed{server="b"} < 1%`, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*record.Record) {}
			}
			f := measuredServers(t, recordtest.Claimed(tt.expect, "headline: true"), change)
			found := Foreseen(f.dataset(dataset.Options{}))
			words := ""
			for _, doubt := range found {
				words += doubt.String()
			}
			if (words == "") != (tt.want == "") || !strings.Contains(words, tt.want) || len(found) > 1 {
				t.Errorf("%q, want %q", words, tt.want)
			}
		})
	}
}

func TestTooFewAnswers(t *testing.T) {
	for _, test := range []struct{ metric, load, want string }{
		{"latency.p50", "requests: 500", ""}, {"latency.p99.99", "requests: 500", "too-few-answers"},
		{"throughput", "requests: 500", ""}, {"latency.p99", "rate: 10/s", "too-few-answers"},
		{"latency.p99", "rate: 1000/s", ""},
	} {
		metric, want := test.metric, test.want
		text := strings.Replace(recordtest.Claimed(metric+`{server="b"} < 1s`), "connections: 10", test.load, 1)
		if metric == "throughput" {
			text = strings.Replace(text, "< 1s", "> 1/s", 1)
		}
		got := ""
		for _, doubt := range Undecidable(newFixture(t, text).dataset(dataset.Options{})) {
			got += doubt.Rule
		}
		if got != want {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
}
