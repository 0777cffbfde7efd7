package show

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// Disturbed cells are not exported, because other programs would take their values as valid.
func TestDisturbedCellsAreNotExported(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers))
	b.Measure("servers", "a", "1", recordtest.ValuesA, recordtest.Disturbed(0.16, 0))
	b.Measure("servers", "b", "1", recordtest.ValuesB, recordtest.Disturbed(0.01, 0))
	d := must.Get(dataset.New(b.Doc, b.Records, dataset.Options{Plan: b.Plan}))
	assert.Equal(t, d.Experiments[0].Cells[0].Metric("throughput").Missing, "", "throughput of a")
	var out strings.Builder
	list := []*Article{{Article: "x", Experiments: []*Experiment{newExperiment(d, d.Experiments[0])}}}
	must.Do(benchfmt(&out, list))
	assert.Lacks(t, out.String(), "server=a")
	assert.Contains(t, out.String(), "server=b")
}

func TestBenchName(t *testing.T) {
	for _, test := range []struct {
		name, experiment string
		parameters       []record.Parameter
		want             string
	}{
		{"no parameters", "gzip", nil, "BenchmarkGzip"},
		{"in the order of the article", "web", []record.Parameter{{Name: "server", Value: "sync"},
			{Name: "workers", Value: "4"}}, "BenchmarkWeb/server=sync/workers=4"},
		{"white space and slashes", "a b", []record.Parameter{{Name: "path", Value: "/usr/bin x"}},
			"BenchmarkA_b/path=_usr_bin_x"},
		{"a space that breaks no line", "e", []record.Parameter{{Name: "n", Value: "1\u00a0000"}}, "BenchmarkE/n=1_000"},
		{"a number that looks like cores", "e", []record.Parameter{{Name: "nice", Value: "-5"}}, "BenchmarkE/nice=-5-1"},
		{"any script", "größe", nil, "BenchmarkGröße"},
	} {
		assert.Equal(t, benchName(test.experiment, test.parameters), test.want, "%s", test.name)
	}
}

// A claim also has its effect with all repetitions, if some were left out because of their own result.
func TestClaimWithAll(t *testing.T) {
	judgement := func(v stats.Verdict, x float64) claim.Judgement {
		return claim.Judgement{Claim: &article.Claim{}, Verdict: v,
			Effect: &dataset.Quantity{Number: x, Interval: &stats.Interval{Lo: x - 1, Hi: x + 1}}}
	}
	without, all := judgement(stats.Supported, 5), judgement(stats.Inconclusive, 3)
	with := without
	with.All = &all
	if got := newClaim(&without); got.WithAll != nil || *got.Value != 5 || *got.Lo != 4 || *got.Hi != 6 {
		t.Errorf("without others it is %+v", got)
	}
	if got := newClaim(&with).WithAll; got == nil || got.Verdict != "inconclusive" || *got.Value != 3 || *got.Lo != 2 {
		t.Errorf("with all it is %+v", got)
	} else if !strings.HasPrefix(got.Words(), "inconclusive 3") {
		t.Errorf("with all it is %s", got.Words())
	}
}
