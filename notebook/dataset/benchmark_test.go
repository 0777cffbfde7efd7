package dataset

import (
	"errors"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// A trial of a benchmark framework has a cell for each benchmark that any output has.
func TestBenchmarks(t *testing.T) {
	b := newFixture(t, recordtest.FrontMatter+recordtest.Fence("experiment", `name: sums
matrix: {version: [old, new]}
command: {image: "debian:bookworm-slim", run: bench, output: benchfmt}
repetitions: 5
`))
	eval := func(text string) string {
		n := must.Get(expr.Parse(text))
		q, err := b.dataset(Options{}).Eval(n, "")
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
		if got := eval(text); got != "not measured" {
			t.Errorf("%s before a run: %s", text, got)
		}
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
		if got := eval(text); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	d := b.dataset(Options{})
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
