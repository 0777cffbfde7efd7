package dataset

import (
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

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
		bench := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
			strings.NewReplacer("repetitions: 3", "repetitions: 5", "[a, b, c]", "[a, b]").Replace(recordtest.Servers)))
		for trial, values := range map[string][]float64{"a": a, "b": b} {
			bench.Measure("servers", trial, "1", values, func(r *record.Record) { r.Planned = planned })
		}
		q, err := bench.dataset(Options{}).Eval(recordtest.Parse(t, "best(throughput)"), "")
		if err != nil || q.Text != want {
			t.Errorf("planned with %d rounds: %q, %v; want %q", planned, q.Text, err, want)
		}
	}
}
