package claim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// large is an article with an experiment of 1,000 trials, with ten records of each, and with 100 claims of one
// comparison.
func large(b *testing.B) *fixture {
	b.Helper()
	var servers, clients []string
	for i := range 50 {
		servers = append(servers, fmt.Sprintf("s%02d", i))
	}
	for i := range 20 {
		clients = append(clients, fmt.Sprintf(`"%d"`, i+1))
	}
	text := strings.NewReplacer("server: [a, b, c]", "server: ["+strings.Join(servers, ", ")+"], clients: ["+
		strings.Join(clients, ", ")+"]", "repetitions: 3", "repetitions: 10").Replace(recordtest.Servers)
	var claims strings.Builder
	for i := range 100 {
		fmt.Fprintf(&claims, "- name: c%d\n  expect: throughput{server=\"s%02d\", clients=\"%d\"} > "+
			"throughput{server=\"s%02d\", clients=\"1\"}\n", i, i/2, 2+i%2, i/2)
	}
	f := &fixture{recordtest.New(b, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", text)+
		recordtest.Fence("claim", claims.String()))}
	p, err := f.Plan(plan.Full)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i, t := range p.Experiments[0].Trials {
		for k := range 10 {
			r := &record.Record{SchemaVersion: record.SchemaVersion, Article: "sample", Experiment: "servers", Trial: t.Name,
				Key: t.Key, Run: "1", Profile: plan.Full, Host: "host-1", Repetition: k + 1, Planned: 10,
				Parameters: t.Parameters, Labels: t.Labels,
				Started: time.Date(2026, 11, 20, 10, 0, i+1000*k, 0, time.UTC)}
			recordtest.FillLoad(b, r, math.Round(1000*(1+0.001*float64(i))*math.Exp(0.02*rng.NormFloat64())))
			f.Records = append(f.Records, r)
		}
	}
	return f
}

// BenchmarkJudgements judges 100 claims over 1,000 trials of ten repetitions, from records that have been read, with
// the metrics that each is judged by; BenchmarkGroups tells the 1,000 apart, which are half a million pairs.
func BenchmarkJudgements(b *testing.B) {
	f := large(b)
	for b.Loop() {
		if j := Judgements(f.dataset(dataset.Options{})); len(j) != 100 || j[0].Effect == nil {
			b.Fatalf("%d judgements, %+v", len(j), j[0])
		}
	}
}

func BenchmarkGroups(b *testing.B) {
	f := large(b)
	for b.Loop() {
		if g, err := f.dataset(dataset.Options{}).Groups("servers", "throughput"); err != nil || len(g.Ranked) != 1000 {
			b.Fatal(len(g.Ranked), err)
		}
	}
}
