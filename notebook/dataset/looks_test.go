package dataset

import (
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Rounds that were added when results could be seen cost certainty: verdicts need more, printed intervals stay.
func TestLooks(t *testing.T) {
	const claim = `throughput{server="a"} > throughput{server="b"}`
	// Just enough for a verdict at 5 %.
	a, b := []float64{1096, 1144, 1067, 1115, 1086}, []float64{1000, 1040, 1010, 1020, 990}
	added := func(first int) change {
		return func(r *record.Record) {
			if r.Planned = 5; r.Repetition <= first {
				r.Planned = first
			}
		}
	}
	for _, tt := range []struct {
		name    string
		set     change
		verdict stats.Verdict
		level   float64
	}{
		{"planned whole", func(*record.Record) {}, stats.Supported, 0.05},
		{"added after three", added(3), stats.Inconclusive, 0.025},
		{"added after four by the first cell alone", only("a", added(4)), stats.Inconclusive, 0.025},
		{"more than was ever planned", func(r *record.Record) { r.Planned = 3 }, stats.Inconclusive, 0.025},
		{"measured in the place of what the machine disturbed", func(r *record.Record) {
			if r.Planned = 4; r.Repetition == 5 {
				r.Order.Replaces = 1
			}
		}, stats.Supported, 0.05},
		{"a run that was stopped, and went on", only("b", func(r *record.Record) {}, 4, 5), stats.Supported, 0.05},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := newBench(t, strings.Replace(claimed(claim), "repetitions: 3", "repetitions: 5", 1))
			bench.measure("servers", "a", "1", a, tt.set)
			bench.measure("servers", "b", "1", b, tt.set)
			d := bench.dataset(Options{})
			j := d.Judgements()[0]
			if j.Verdict != tt.verdict || math.Abs(j.Level-tt.level) > 1e-12 {
				t.Errorf("%s (%s) at %v, want %s at %v", j.Verdict, j.Reason, j.Level, tt.verdict, tt.level)
			}
			if i := *j.Effect.Interval; math.Abs(i.Lo-1.05172) > 1e-3 {
				t.Errorf("the printed interval is %v", i)
			}
			marked := slices.ContainsFunc(j.Marks, func(m string) bool { return strings.HasPrefix(m, "rounds were added to a finished run") })
			if marked != (tt.level < 0.05) {
				t.Errorf("marks %q", j.Marks)
			}
		})
	}
}

// Which cells are tied with the best is judged at the level of the looks, too.
func TestBestAfterLooks(t *testing.T) {
	b := []float64{1000, 1040, 1010, 1020, 990}
	a := make([]float64, len(b))
	p := 1.0
	for factor := 1.01; p > 0.04; factor += 0.001 { // apart at 5 %, and not at half of that
		for i := range b {
			a[i] = b[(i+1)%len(b)] * factor
		}
		c, err := stats.Ratio(stats.Cell{Values: a}, stats.Cell{Values: b}, stats.DefaultAlpha)
		if err != nil {
			t.Fatal(err)
		}
		p = c.P
	}
	if p <= 0.025 {
		t.Fatalf("p is %v", p)
	}
	for planned, want := range map[int]string{5: "a", 3: "a (tied with b)"} {
		bench := newBench(t, frontMatter+dockerfile+fence("experiment", strings.NewReplacer("repetitions: 3", "repetitions: 5", "[a, b, c]", "[a, b]").Replace(servers)))
		for trial, values := range map[string][]float64{"a": a, "b": b} {
			bench.measure("servers", trial, "1", values, func(r *record.Record) { r.Planned = planned })
		}
		q, err := bench.dataset(Options{}).Eval(parseExpr(t, "best(throughput)"), "")
		if err != nil || q.Text != want {
			t.Errorf("planned with %d rounds: %q, %v; want %q", planned, q.Text, err, want)
		}
	}
}
