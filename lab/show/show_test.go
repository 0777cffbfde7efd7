package show

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// Disturbed cells are not exported: other programs would take their values for valid ones.
func TestDisturbedCellsAreNotExported(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers))
	b.Measure("servers", "a", "1", recordtest.ValuesA, recordtest.Disturbed(0.16, 0))
	b.Measure("servers", "b", "1", recordtest.ValuesB, recordtest.Disturbed(0.01, 0))
	d := must.Get(dataset.New(b.Doc, b.Records, dataset.Options{Plan: b.Plan}))
	if got := d.Experiments[0].Cells[0].Metric("throughput").Missing; got != "" {
		t.Fatalf("throughput of a is %q", got)
	}
	var out strings.Builder
	list := []*Article{{Article: "x", Experiments: []Experiment{newExperiment(d, d.Experiments[0])}}}
	must.Do(benchfmt(&out, list))
	if strings.Contains(out.String(), "server=a") || !strings.Contains(out.String(), "server=b") {
		t.Errorf("exported are\n%s", &out)
	}
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
		{"a number that looks like cores", "e", []record.Parameter{{Name: "nice", Value: "-5"}}, "BenchmarkE/nice=-5-1"},
		{"any script", "größe", nil, "BenchmarkGröße"},
	} {
		if got := benchName(test.experiment, test.parameters); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// A claim has its effect with all repetitions too, if checks of their own result left some out.
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
	}
}

// articleOf has claims, the last of which is the headline.
func articleOf(slug string, claims int) *Article {
	a := &Article{Article: slug, Standing: "holds", Host: "h", Profile: "full", ThisHost: true,
		Reason: "of 1 headline claim: 1 supported"}
	for i := range claims {
		a.Claims = append(a.Claims, Claim{Claim: fmt.Sprint("claim-", i+1), Headline: i == claims-1,
			Judged: Judged{Verdict: "supported", Because: "5"}})
	}
	return a
}

// A summary has the claims of a single article, in lines that are not too wide, or a line for each of several.
func TestSummary(t *testing.T) {
	long := articleOf("a", 1)
	long.Claims[0].Because = strings.TrimSpace(strings.Repeat("one of many repetitions is not valid; ", 5))
	for _, tt := range []struct {
		name string
		list []*Article
		want string
	}{
		{"no article", nil, ""},
		{"an article with its claims", []*Article{articleOf("a", 2)}, `a: holds (profile full, host h)
  of 1 headline claim: 1 supported
  supported  claim-1  5
  supported  claim-2  5
`},
		{"a long claim", []*Article{long}, `a: holds (profile full, host h)
  of 1 headline claim: 1 supported
  supported  claim-1  one of many repetitions is not valid; one of many repetitions is not valid; one of many repetitions
                        is not valid; one of many repetitions is not valid; one of many repetitions is not valid;
`},
		{"several articles", []*Article{articleOf("a", 2), articleOf("b", 0)}, `article  standing  claims                 profile  host
a        holds     2 claims: 2 supported  full     h
b        holds                            full     h
more of one: benchbook show ARTICLE, or ARTICLE#EXPERIMENT
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			summary(tt.list).Text(&out)
			if got := out.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// All three writers print the same cells; Markdown escapes them.
func TestTable(t *testing.T) {
	table := Table{Head: []string{"cell", "n"}, Rows: [][]string{{"a|b", "1"}, {"größer", "20"}}, Right: []int{1}}
	var text, csv, md strings.Builder
	table.Text(&text, "  ")
	table.Markdown(&md)
	must.Do(table.CSV(&csv))
	for _, tt := range []struct{ got, want string }{
		{text.String(), "  cell    n\n  a|b     1\n  größer  20\n"},
		{csv.String(), "cell,n\na|b,1\ngrößer,20\n"},
		{md.String(), "| cell | n |\n|---|--:|\n| a\\|b | 1 |\n| größer | 20 |\n\n"},
	} {
		if strings.ReplaceAll(tt.got, "\r", "") != tt.want {
			t.Errorf("got\n%q, want\n%q", tt.got, tt.want)
		}
	}
}
