package claim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// large is an article of a thousand trials, ten repetitions each, and a hundred claims: comparisons of two cells by
// throughput and by a percentile, limits, and some over a row of the matrix.
func large(t testing.TB) *fixture {
	var text strings.Builder
	text.WriteString(recordtest.FrontMatter + recordtest.Dockerfile)
	axis := func(name string, n int) string {
		var values []string
		for i := range n {
			values = append(values, fmt.Sprintf("%s%d", name, i))
		}
		return strings.Join(values, ", ")
	}
	text.WriteString(recordtest.Fence("experiment", fmt.Sprintf(`name: servers
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [%s], size: [%s]}
load: {target: "http://server:8080/", connections: 10}
repetitions: 10
calibrate: false`, axis("a", 20), axis("s", 50))))
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 100 {
		a, b, size := random.IntN(10), 10+random.IntN(10), random.IntN(50)
		cell := func(metric string, server int) string {
			return fmt.Sprintf(`%s{server="a%d",size="s%d"}`, metric, server, size)
		}
		expect := []string{
			cell("throughput", a) + " > " + cell("throughput", b),
			cell("latency.p99", a) + " < " + cell("latency.p99", b),
			cell("latency.p99", a) + " < 100ms",
			fmt.Sprintf(`each(latency.p50{server="a%d"}, "<", latency.p50{server="a%d"})`, a, b),
		}[i%4]
		text.WriteString(recordtest.Fence("claim", fmt.Sprintf("{name: c%d, expect: '%s'}", i, expect)))
	}
	bench := newFixture(t, text.String())
	p, err := bench.Plan(plan.Full)
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range p.Experiments[0].Trials {
		rate := 800 + 400*random.Float64()
		for i := range 10 {
			r := &record.Record{SchemaVersion: record.SchemaVersion, Article: "sample", Experiment: "servers", Trial: trial.Name,
				Key: trial.Key,
				Run: "20261120T100000Z-aaaa", Profile: plan.Full, Host: "host-1", Repetition: i + 1, Planned: 10,
				Parameters: trial.Parameters,
				Started:    time.Date(2026, 11, 20, 10, i, 0, 0, time.UTC)}
			noisy := rate * (1 + 0.02*random.NormFloat64())
			recordtest.FillLoad(t, r, noisy)
			var list []recordtest.EqualTimes
			for range 300 { // as many bars as a record of a real load has
				list = append(list, recordtest.Times(10/noisy*(0.3+random.ExpFloat64()), max(1, r.Load.Attempted/300)))
			}
			r.Histograms["latency"] = recordtest.Histogram(t, list...)
			r.Load.InFlight = -1 // these times are not those of so many connections
			bench.Records = append(bench.Records, r)
		}
	}
	return bench
}

// BenchmarkJudgements judges a hundred claims over ten thousand records, from records that were read to verdicts. It
// is to take less than a second.
func BenchmarkJudgements(b *testing.B) {
	bench := large(b)
	plans := map[string]*plan.Plan{}
	options := dataset.Options{Plan: func(profile string) (p *plan.Plan, err error) { // planning is not what is measured
		if plans[profile] == nil {
			plans[profile], err = bench.Plan(profile)
		}
		return plans[profile], err
	}}
	for b.Loop() {
		d, err := dataset.New(bench.Doc, bench.Records, options)
		if err != nil {
			b.Fatal(err)
		}
		Judgements(d)
	}
}
