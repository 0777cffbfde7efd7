package show

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
	d, err := dataset.New(b.Doc, b.Records, dataset.Options{Plan: b.Plan})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Experiments[0].Cells[0].Metric("throughput").Missing; got != "" {
		t.Fatalf("throughput of a is %q", got)
	}
	var out strings.Builder
	list := []*Article{{Article: "x", Experiments: []Experiment{newExperiment(d, d.Experiments[0])}}}
	if err := benchfmt(&out, list); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "server=a") || !strings.Contains(out.String(), "server=b") {
		t.Errorf("exported are\n%s", &out)
	}
}

func TestBenchName(t *testing.T) {
	tests := []struct {
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
	}
	for _, test := range tests {
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

// A probe without the value that its search asks for says so: there is no time of 0 s.
func TestProbeWithoutValue(t *testing.T) {
	s := &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Unit: "s"}
	probe := record.Probe{Candidate: 2500, Samples: []record.Sample{{Metric: "throughput", Value: 2215, Unit: "1/s"}}}
	if got, want := ProbeWords(s, &probe), "2,500/s: no latency.p99, does not meet the objective"; got != want {
		t.Errorf("%q, want %q", got, want)
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

func TestSummary(t *testing.T) {
	several := func(n int) (list []*Article) {
		for i := range n {
			list = append(list, articleOf(fmt.Sprint("a", i+1), 2))
		}
		return list
	}
	tests := []struct {
		name  string
		list  []*Article
		lines int
		has   []string // lines, in any order
	}{
		{"no article", nil, 0, nil},
		{"an article with its claims", several(1), 4, []string{"a1: holds (profile full, host h)", "  supported  claim-2  5"}},
		{"without claims", []*Article{articleOf("a", 0)}, 2, nil},
		{"as many claims as there is room for", []*Article{articleOf("a", 28)}, 30, []string{"  supported  claim-28  5"}},
		{"more claims: the headline is shown", []*Article{articleOf("a", 60)}, 30,
			[]string{"  supported  claim-60  5", "  supported  claim-1   5", "  and 33 more claims: benchbook show a"}},
		{"several articles in a line each", several(3), 4,
			[]string{"a3: holds (profile full, host h); 2 claims: 2 supported", "each claim: benchbook show ARTICLE"}},
		{"as many articles as there is room for", several(29), 30, nil},
		{"more articles", several(1000), 30, []string{"and 972 more articles: benchbook show has all"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := summary(tt.list)
			if n := strings.Count(got, "\n"); n != tt.lines {
				t.Errorf("%d lines, want %d:\n%s", n, tt.lines, got)
			}
			for _, line := range tt.has {
				if !slices.Contains(strings.Split(got, "\n"), line) {
					t.Errorf("%q is missing in\n%s", line, got)
				}
			}
		})
	}
}

// A line of a claim has the reasons of its verdict, and counts caveats that would make it long.
func TestBrief(t *testing.T) {
	long := strings.Repeat("one of many repetitions is not valid, ", 5)
	tests := []struct {
		marks []string
		want  string
	}{
		{nil, "the interval includes the limit"},
		{[]string{"not measured together"}, "the interval includes the limit; not measured together"},
		{[]string{long, "not measured together"}, "the interval includes the limit; 2 cautions: benchbook show shop"},
	}
	for _, tt := range tests {
		j := NewJudged(&claim.Judgement{Reason: "the interval includes the limit", Marks: tt.marks})
		if got := j.brief("shop"); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.marks, got, tt.want)
		}
	}
}

// All three writers print the same cells; Markdown escapes them.
func TestTable(t *testing.T) {
	table := Table{Head: []string{"cell", "n"}, Rows: [][]string{{"a|b", "1"}, {"größer", "20"}}, Right: []int{1}}
	var text, csv, md strings.Builder
	table.Text(&text, "  ")
	table.Markdown(&md)
	if err := table.CSV(&csv); err != nil {
		t.Fatal(err)
	}
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
