package claim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// BenchmarkJudgeAll judges two claims over 1,000 cells of 10 repetitions: 1,998 comparisons, of a throughput and of a
// percentile. The target is 1 s.
func BenchmarkJudgeAll(b *testing.B) {
	const cells, repetitions = 1000, 10
	var names []string
	for i := range cells {
		names = append(names, fmt.Sprintf("s%d", i))
	}
	experiment := strings.NewReplacer("[a, b, c]", "["+strings.Join(names, ", ")+"]", "repetitions: 3",
		fmt.Sprintf("repetitions: %d", repetitions)).Replace(recordtest.Servers)
	article := newFixture(b, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", experiment)+
		recordtest.Fence("claim", `{name: faster, expect: 'every(throughput{server!="s0"}, ">", throughput{server="s0"})'}`)+
		recordtest.Fence("claim", `{name: sooner, expect: 'every(latency.p99{server!="s0"}, "<", latency.p99{server="s0"})'}`))
	p := must.Get(article.Plan(plan.Full))
	random := rand.New(rand.NewPCG(3, 5))
	for i, t := range p.Experiments[0].Trials {
		for k, throughput := range draw(random, float64(1000+i), repetitions) {
			r := &record.Record{Article: "sample", Experiment: "servers", Trial: t.Name, Key: t.Key, Run: "1",
				Profile: plan.Full, Host: "host-1", Repetition: k + 1, Planned: repetitions, Parameters: t.Parameters}
			recordtest.FillLoad(b, r, throughput)
			article.Records = append(article.Records, r)
		}
	}
	planned := dataset.Options{Plan: func(string) (*plan.Plan, error) { return p, nil }}
	for b.Loop() {
		d := must.Get(dataset.New(article.Doc, article.Records, planned))
		if r := JudgeAll(d); len(r.Claims[0].Parts) != cells-1 {
			b.Fatalf("%d parts", len(r.Claims[0].Parts))
		}
	}
}
