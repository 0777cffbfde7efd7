package show

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/claim"
)

// outcomeOf is that of an article with so many claims, the last of which is the headline.
func outcomeOf(slug string, claims int) *ArticleOutcome {
	o := &ArticleOutcome{Head: slug + ": holds", Below: []string{"  of 1 headline claim: 1 supported"}}
	o.Data.Article = slug
	for i := range claims {
		o.Data.Claims = append(o.Data.Claims, claimJSON{Headline: i == claims-1,
			JudgementJSON: JudgementJSON{Verdict: "supported"}})
		o.Claims = append(o.Claims, fmt.Sprintf("  supported  claim %d", i+1))
	}
	return o
}

func TestSummary(t *testing.T) {
	several := func(n int) (list []*ArticleOutcome) {
		for i := range n {
			list = append(list, outcomeOf(fmt.Sprint("a", i+1), 2))
		}
		return list
	}
	tests := []struct {
		name     string
		outcomes []*ArticleOutcome
		lines    int
		has      []string // lines, in any order
	}{
		{"of nothing there is none", nil, 0, nil},
		{"an article with its claims", several(1), 4, []string{"a1: holds", "  supported  claim 2"}},
		{"without claims", []*ArticleOutcome{outcomeOf("a", 0)}, 2, nil},
		{"as many claims as there is room for", []*ArticleOutcome{outcomeOf("a", 28)}, 30, []string{"  supported  claim 28"}},
		{"more claims, of which the headline is shown", []*ArticleOutcome{outcomeOf("a", 60)}, 30,
			[]string{"  supported  claim 60", "  supported  claim 1", "  and 33 more claims: benchbook show a"}},
		{"several articles in a line each", several(3), 4,
			[]string{"a3: holds; 2 claims: 2 supported", "each claim: benchbook show ARTICLE"}},
		{"as many articles as there is room for", several(29), 30, []string{"a29: holds; 2 claims: 2 supported"}},
		{"more articles", several(1000), 30, []string{"and 972 more articles: benchbook show has all"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := summary(tt.outcomes)
			if len(got) != tt.lines {
				t.Errorf("%d lines, want %d:\n%s", len(got), tt.lines, strings.Join(got, "\n"))
			}
			for _, line := range tt.has {
				if !slices.Contains(got, line) {
					t.Errorf("%q is missing in\n%s", line, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// A line of a claim has what the verdict rests on, and counts the cautions that would make it hard to read.
func TestBriefly(t *testing.T) {
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
		j := claim.Judgement{Reason: "the interval includes the limit", Marks: tt.marks}
		if got := briefly(&j, "shop"); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.marks, got, tt.want)
		}
	}
}

func TestExtentOf(t *testing.T) {
	of := func(experiments int) ShowJSON { return ShowJSON{Experiments: make([]shownExperiment, experiments)} }
	tests := []struct {
		name  string
		list  []ShowJSON
		names []string
		want  extent
	}{
		{"all articles of a project", []ShowJSON{of(1), of(3)}, nil, ofArticles},
		{"the only article of a project, with one experiment", []ShowJSON{of(1)}, nil, ofAll},
		{"an article with one experiment", []ShowJSON{of(1)}, []string{"a"}, ofAll},
		{"an article with several", []ShowJSON{of(3)}, []string{"a"}, ofCells},
		{"an experiment", []ShowJSON{of(1)}, []string{"a#x"}, ofAll},
		{"two experiments", []ShowJSON{of(2)}, []string{"a#x", "a#y"}, ofAll},
		{"experiments of two articles", []ShowJSON{of(1), of(1)}, []string{"a#x", "b#x"}, ofAll},
		{"two articles", []ShowJSON{of(1), of(1)}, []string{"a", "b"}, ofArticles},
	}
	for _, tt := range tests {
		if got := extentOf(tt.list, tt.names); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
