package render_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// What a page prints for two cells never contradicts the ratio beside it, in any article of the project: the ratio is
// the quotient of what is printed of the two cells, before it is rounded, and its interval has it inside.
//
// Source: docs/method.md#ratios.
func TestRatiosAreQuotientsOfWhatIsPrinted(t *testing.T) {
	slowtest.SkipSequential(t)
	articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
	if err != nil || len(articles) == 0 {
		t.Fatal(articles, err)
	}
	claimed, compared := 0, 0
	for _, file := range articles {
		slug := filepath.Base(filepath.Dir(file))
		t.Run(slug, func(t *testing.T) {
			d := rendertest.Committed(t, "..", slug)
			for _, j := range claim.JudgeAll(d).Claims {
				claimed += checkEffects(t, j)
			}
			for _, e := range d.Experiments {
				for _, m := range e.AllMetrics() {
					if !record.IsSearched(m.Name) {
						compared += checkPairs(t, e, m.Name)
					}
				}
			}
		})
	}
	if claimed < 50 || compared < 500 {
		t.Errorf("only %d ratios of claims and %d of pairs were found", claimed, compared)
	}
	t.Logf("%d ratios of claims and %d of pairs", claimed, compared)
}

// checkEffects compares the ratios of a claim and its parts with the cells that they are of, and counts them.
func checkEffects(t *testing.T, j claim.Judgement) int {
	count := 0
	for _, part := range j.Parts {
		count += checkEffects(t, part)
	}
	if j.Effect != nil && j.Effect.Kind == stats.OverSessions {
		checkSessions(t, j)
	} else if a, b, ok := comparedBy(j); ok {
		count++
		q, want := j.Effect, a.Estimate.Centre/b.Estimate.Centre
		if q.Share {
			want--
		}
		if q.Number != want || q.Interval != nil && !q.Interval.Contains(q.Number) {
			t.Errorf("%s: %v %v beside %v and %v", j.What, q.Number, q.Interval, a.Estimate.Centre, b.Estimate.Centre)
		}
	}
	return count
}

// checkSessions compares the ratio of a claim with the geometric mean of its sessions, which are listed for whole claims.
func checkSessions(t *testing.T, j claim.Judgement) {
	logs := 0.0
	for _, s := range j.Sessions {
		logs += math.Log(s.Effect.Number)
	}
	if want := math.Exp(logs / float64(len(j.Sessions))); j.IsRatio && len(j.Sessions) > 0 && math.Abs(j.Effect.Number/want-1) > 1e-12 {
		t.Errorf("%s: %v, but %v by its sessions", j.What, j.Effect.Number, want)
	}
}

// comparedBy returns the results whose ratio a claim is about; false for claims about something else.
func comparedBy(j claim.Judgement) (a, b dataset.Result, ok bool) {
	q := j.Effect
	if !j.IsRatio || q == nil || len(q.Cells) != 2 || q.Kind == stats.BySearch || strings.HasPrefix(j.What, "geometric") {
		return a, b, false
	}
	metrics := q.Cells[0].Experiment.AllMetrics()
	k := slices.IndexFunc(metrics, func(m record.Metric) bool { return strings.HasPrefix(j.What, m.InWords()+", ") })
	if k < 0 {
		return a, b, false
	}
	return q.Cells[0].Metric(metrics[k].Name), q.Cells[1].Metric(metrics[k].Name), true
}

// checkPairs compares all pairs of cells of an experiment by a metric, and counts them.
func checkPairs(t *testing.T, e *dataset.Experiment, metric string) int {
	count := 0
	for i, a := range e.Cells {
		for _, b := range e.Cells[:i] {
			ra, rb := a.Metric(metric), b.Metric(metric)
			if ra.Missing != "" || rb.Missing != "" {
				continue
			}
			c, err := stats.Ratio(ra.Cell(), rb.Cell(), stats.DefaultAlpha)
			if c.Ratio == 0 {
				continue // a value of zero: there is no ratio
			}
			count++
			if want := ra.Estimate.Centre / rb.Estimate.Centre; c.Ratio != want || !c.Interval.Contains(want) {
				t.Errorf("%s of %s over %s: %v %v beside %v and %v (%v)", metric, a.Trial.Name, b.Trial.Name, c.Ratio,
					c.Interval, ra.Estimate.Centre, rb.Estimate.Centre, err)
			}
		}
	}
	return count
}

// Beside claims between sessions, figures and tables say that they show one of them.
func TestFiguresNameTheirSession(t *testing.T) {
	for slug, want := range map[string]bool{"hello": true, "cpu-vs-io": false} {
		page := must.Get(newRenderer(t).Page(rendertest.Committed(t, "..", slug), render.Options{}))
		text := wordsOf(string(page.HTML))
		if got := strings.Contains(text, "; the newest session alone"); got != want {
			t.Errorf("%s: a figure names its session: %v, want %v", slug, got, want)
		}
	}
}
