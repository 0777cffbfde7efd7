package claim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// wordsOf are what doubts say, with their rules and ways out.
func wordsOf(doubts []Doubt) (out []string) {
	for _, d := range doubts {
		out = append(out, fmt.Sprintf("%s: %s", d.Rule, d.String()))
	}
	return out
}

// Claims about ratios ask for three A/A pairs by their metric.
func TestFewPairs(t *testing.T) {
	const ratio = `throughput{server="a"} > throughput{server="b"}`
	more := func(names ...string) (out string) {
		for _, name := range names {
			out += recordtest.Fence("experiment", "name: "+name+"\nextends: servers\ncalibrate: true")
		}
		return out
	}
	const remark = "few-pairs: the noise floor of throughput rests on %s, and three or more would know it better; %s"
	for _, tt := range []struct {
		name, claim, more string
		calibrate         bool
		want              string
	}{
		{"none", ratio, "", false, fmt.Sprintf(remark, "no A/A pair", "remove calibrate: false from servers")},
		{"one", ratio, "", true, fmt.Sprintf(remark, "one A/A pair",
			"measure some cells again in experiments that extend this one")},
		{"two, and an experiment without one", ratio, more("x", "y"), false, fmt.Sprintf(remark, "2 A/A pairs",
			"remove calibrate: false from servers")},
		{"three", ratio, more("x", "y"), true, ""},
		{"of another metric", ratio, more("x") + recordtest.Fence("experiment",
			"name: tool\ncommand: {run: \"true\", build: .}"), true, fmt.Sprintf(remark, "2 A/A pairs",
			"measure some cells again in experiments that extend this one")},
		{"a limit has no noise floor", `throughput{server="a"} > 100/s`, "", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(recordtest.Claimed(tt.claim, "experiment: servers"), "calibrate: false",
				fmt.Sprintf("calibrate: %v", tt.calibrate), 1)
			b := newFixture(t, text+tt.more)
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			doubts := Foreseen(dataset.WithoutRecords(b.Doc, p))
			if got := strings.Join(wordsOf(doubts), "\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var problems source.Problems
			Warn(doubts, &problems)
			for _, p := range problems.Sorted() {
				if p.Severity != source.SeverityRemark || p.Pos != b.Doc.Claims[0].Expect.Text.Pos {
					t.Errorf("no remark at the claim: %+v", p)
				}
			}
		})
	}
}

// What half of the repetitions of a cell show is said once for the article, unless the article has changed since.
func TestForeseenByRecords(t *testing.T) {
	slowest := func(r *record.Record) { // 3 s
		r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.1, 99), recordtest.Times(3, 1))
	}
	window := recordtest.LoadChange(func(l *record.Load) { l.Window = 0.5 })
	busy := func(share float64) recordtest.Change {
		return recordtest.LoadChange(func(l *record.Load) { l.Busy = share })
	}
	const (
		requests = "requests: 1000"
		seconds  = "duration: 10s"
		short    = `short-window: "a" of experiment "servers"%s: its window of 500 ms is shorter than 1 s, so no headline ` +
			`claim about it is measured; measure for longer, or with more requests`
		tooBusy = `busy-generator: "a" of experiment "servers"%s: its load generator was busy 75 %%, and above 80 %% no ` +
			`headline claim about it is measured; give the load more threads, or a lower rate`
		warmup = `short-warmup: "a" of experiment "servers", and 2 more cells: the warm-up of 5 s is shorter than twice the ` +
			`slowest request, 3 s; warm up for longer`
	)
	for _, tt := range []struct {
		name, load string
		headline   bool
		set        recordtest.Change
		want       []string
	}{
		{"nothing", requests, true, func(*record.Record) {}, nil},
		{"short windows", requests, true, window, []string{fmt.Sprintf(short, ", and one more cell")}},
		{"short windows of one cell", requests, true, recordtest.Only("a", window), []string{fmt.Sprintf(short, "")}},
		{"short windows in one of three repetitions", requests, true, recordtest.Only("", window, 1), nil},
		{"short windows of claims that are no headlines", requests, false, window, nil},
		{"short windows of older versions", requests, true, func(r *record.Record) { window(r); r.Key = "older" }, nil},
		{"short windows that will be longer", seconds, true, window, nil},
		{"short windows by the plan", "duration: 500ms", true, func(*record.Record) {},
			[]string{fmt.Sprintf(short, ", and one more cell")}},
		{"a generator that is rather busy", seconds, true, busy(0.75), []string{fmt.Sprintf(tooBusy, ", and one more cell")}},
		{"a generator that has time", seconds, true, busy(0.69), nil},
		{"requests longer than half of the warm-up", seconds, false, slowest, []string{warmup}},
		{"such a request in one of three repetitions", seconds, false, recordtest.Only("", slowest, 2), nil},
		{"all of it", seconds, true, func(r *record.Record) { busy(0.75)(r); slowest(r) },
			[]string{fmt.Sprintf(tooBusy, ", and one more cell"), warmup}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const expect = `throughput{server="a"} > throughput{server="b"}`
			text := strings.NewReplacer("connections: 10", "connections: 10, warmup: 5s, "+tt.load).Replace(
				recordtest.Claimed(expect, fmt.Sprintf("headline: %v", tt.headline)))
			b := newFixture(t, text)
			definitions := map[string]*plan.Trial{}
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			for _, trial := range p.Experiments[0].Trials {
				definitions[trial.Name] = trial
			}
			for _, trial := range []string{"a", "b", "c"} {
				b.Measure("servers", trial, "1", []float64{1000, 1010, 1020},
					func(r *record.Record) { r.Definition = definitions[trial].Definition }, tt.set)
			}
			doubts := slices.DeleteFunc(Foreseen(b.dataset(dataset.Options{})), func(d Doubt) bool { return d.IsRemark })
			if got := wordsOf(doubts); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for _, d := range doubts {
				if !d.Concerns("servers") {
					t.Errorf("it is of experiments %q", d.experiments)
				}
			}
		})
	}
}

// That failures do not differ takes ten repetitions, if a difference has to matter.
func TestFewerThatCannotBeContradicted(t *testing.T) {
	for _, tt := range []struct{ name, expect, repetitions, want string }{
		{"too few", `fewer(failed{server="a"}, failed{server="b"}, 0.1%)`, "5", "too-few-repetitions: claim c: it cannot be " +
			"contradicted: that failures differ by less than 0.1 % needs 10 repetitions, and experiment \"servers\" has 5; " +
			"write repetitions: 10 or more"},
		{"too few for any verdict", `fewer(failed{server="a"}, failed{server="b"}, 0.1%)`, "2", "too-few-repetitions: claim " +
			"c: a verdict needs 3 repetitions, and experiment \"servers\" has 2; write repetitions: 3 or more"},
		{"enough", `fewer(failed{server="a"}, failed{server="b"}, 0.1%)`, "10", ""},
		{"enough at the last look", `fewer(failed{server="a"}, failed{server="b"}, 0.1%)`, "up to 20", ""},
		{"any difference matters", `fewer(failed{server="a"}, failed{server="b"})`, "5", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, strings.Replace(recordtest.Claimed(tt.expect), "repetitions: 3", "repetitions: "+tt.repetitions,
				1))
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(wordsOf(Undecidable(dataset.WithoutRecords(b.Doc, p))), "\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
