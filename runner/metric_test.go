package runner

import (
	"context"
	"fmt"
	"math"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
)

// A missing metric does not fail the repetition; the record says why it is missing.
func TestMetricsThatAreNotFound(t *testing.T) {
	s, store := newStage(), &memory{}
	s.Logs = func(string) []byte { return []byte("errors: 9\n") } // before the repetition, as the service is shared
	s.Exec = func(context.Context, string, engine.Command) (engine.Exit, error) {
		return engine.Exit{Stdout: []byte("{\"wal\": {\"written\": \"much\"}}\n")}, nil
	}
	if _, _, _, err := runShared(t, s, Options{}, sharedPlan(t), store); err != nil {
		t.Fatal(err)
	}
	r := store.records[0]
	want := map[string]string{"db.errors": `no match of errors: (\d+) in the log of db`,
		"wal": `invalid number "much" in what prepare wrote`}
	if r.Failure != "" || fmt.Sprint(r.Missing) != fmt.Sprint(want) {
		t.Errorf("failure %q, missing %v; want %v", r.Failure, r.Missing, want)
	}
}

func TestFoundMetrics(t *testing.T) {
	for _, test := range []struct {
		name  string
		m     plan.Metric
		text  string
		value float64
		err   string
	}{
		{"the last match", plan.Metric{Regex: `n=(\d+)`}, "n=1\nn=2\n", 2, ""},
		{"a unit", plan.Metric{Regex: `took ([\d.]+) ms`, Written: "ms"}, "took 12.5 ms", 0.0125, ""},
		{"a share", plan.Metric{Regex: `([\d.]+)%`, Written: "%"}, "12.5%", 0.125, ""},
		{"an exponent", plan.Metric{Regex: `(\S+)$`}, "1e3", 1000, ""},
		{"no number", plan.Metric{Regex: `(\w+)`}, "n 1x", 0, `invalid number "1x"`},
		{"infinite", plan.Metric{Regex: `(\w+)`}, "inf", 0, `invalid number "inf"`},
		{"beyond all numbers", plan.Metric{Regex: `(\S+)$`}, "1e999", 0, `invalid number "1e999"`},
		{"beyond all numbers in base units", plan.Metric{Regex: `(\S+) h$`, Written: "h"}, "1e308 h", 0,
			`"1e308" h is too large a number`},
		{"nearer to zero than anything", plan.Metric{Regex: `(\S+) h$`, Written: "h"}, "1e-308 h", 0,
			`"1e-308" h is too small a number`},
		{"no match", plan.Metric{Regex: `n=(\d+)`}, "", 0, `no match of n=(\d+)`},
		{"all of it is JSON", plan.Metric{JSON: "a.1.b"}, "{\"a\": [0,\n {\"b\": 7}]}", 7, ""},
		{"a line is JSON", plan.Metric{JSON: "a"}, "x\n{\"a\": 1}\n{\"a\": \"2\"}\n{\"b\": 3}\n", 2, ""},
		{"a number that floats would change", plan.Metric{JSON: "a"}, `{"a": 9007199254740992}`, 9007199254740992, ""},
		{"not there", plan.Metric{JSON: "a.b"}, `{"a": {"c": 1}}`, 0, "no a.b in JSON"},
		{"an object", plan.Metric{JSON: "a"}, `{"a": {"c": 1}}`, 0, "no a in JSON"},
		{"two values in a line", plan.Metric{JSON: "a"}, `{"a": 1} {"a": 2}`, 0, "no a in JSON"},
	} {
		s := wantedMetric{Metric: test.m}
		value, err := s.read([]byte(test.text))
		if said := fmt.Sprint(err); value != test.value || (test.err == "") != (err == nil) ||
			err != nil && said != test.err {
			t.Errorf("%s: got %v, %v; want %v, %s", test.name, value, err, test.value, test.err)
		}
	}
}

// changing is a driver that modifies the measurements of another.
type changing struct {
	load.Driver
	change func(*load.Measurement)
}

func (c *changing) Measure(ctx context.Context, at load.Place, t *plan.Trial) (load.Measurement, error) {
	m, err := c.Driver.Measure(ctx, at, t)
	c.change(&m)
	return m, err
}

// An infinite or NaN value fails the repetition, not the run.
func TestNumbersThatAreNotFinite(t *testing.T) {
	store, r := &memory{}, newRunner(fake.New(script()), &quiet{})
	r.Requests = &changing{r.Requests, func(m *load.Measurement) {
		m.Samples = append(m.Samples, record.Sample{Metric: "bandwidth", Value: math.Inf(1), Unit: "B/s"})
	}}
	sum, err := r.Run(t.Context(), socketsPlan(t), store, Options{})
	if err != nil || sum.Measured != 6 || sum.Failed != 6 {
		t.Fatalf("%+v, %v", sum, err)
	}
	const want = "bandwidth was measured as +Inf, which a record cannot hold"
	if rec := store.records[0]; rec.Failure != want || len(rec.Samples) > 0 {
		t.Errorf("failure %q beside %d samples, want %q", rec.Failure, len(rec.Samples), want)
	}
}
