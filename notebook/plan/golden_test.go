package plan_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/check"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// problemsOf checks an article of testdata under a profile.
func problemsOf(t *testing.T, file, profile string) ([]*source.Problem, *plan.Plan) {
	t.Helper()
	project, doc := opened(t, file)
	var problems source.Problems
	problems.Merge(&project.Problems)
	p := must.Get(plan.New(project, doc, plan.Options{Profile: profile}, &problems))
	problems.Merge(&doc.Problems)
	check.Check(doc, p, &problems)
	return problems.Sorted(), p
}

// articles lists the articles of a folder of testdata.
func articles(t *testing.T, dir string, least int) []string {
	t.Helper()
	return must.Glob(filepath.Join("testdata", dir, "*.md"), least)
}

// Every article in testdata/good is clean.
func TestGood(t *testing.T) {
	for _, file := range articles(t, "good", 5) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			problems, p := problemsOf(t, file, plan.Full)
			assert.None(t, problems)
			assert.Equal(t, len(p.Experiments) > 0, true, "something was planned")
		})
	}
}

// Every broken article NAME.md in testdata/broken has exactly the problems in NAME.txt.
func TestBroken(t *testing.T) {
	slowtest.Skip(t)
	for _, file := range articles(t, "broken", 60) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			problems, _ := problemsOf(t, file, plan.Full)
			if len(problems) == 0 {
				t.Fatal("no problems were found")
			}
			var got strings.Builder
			for _, p := range problems {
				fmt.Fprintln(&got, p)
			}
			golden.Equal(t, strings.TrimSuffix(file, ".md")+".txt", got.String())
		})
	}
}

// Records are fresh only while keys stay: a key that changes here makes every committed record stale. Both articles use
// features of the first version only.
func TestKeysStay(t *testing.T) {
	var got strings.Builder
	for _, file := range articles(t, "keys", 2) {
		problems, p := problemsOf(t, file, plan.Full)
		assert.None(t, problems)
		for _, e := range p.Experiments {
			for _, trial := range e.Trials {
				fmt.Fprintf(&got, "%s, full, %s: %s\n", e.Name, trial.Name, trial.Key)
			}
			fmt.Fprintf(&got, "%s, full: seed %d, digest %s\n", e.Name, e.Seed, e.Digest)
		}
	}
	golden.Equal(t, filepath.Join("testdata", "keys", "keys.txt"), got.String())
}

// The plans of some good articles, with the full profile and with one of their own.
func TestPlans(t *testing.T) {
	for _, name := range []string{"format-sections", "not-faster", "overrides"} {
		file := filepath.Join("testdata", "good", name+".md")
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, profile := range []string{plan.Full, "quick"} {
				fmt.Fprintf(&got, "== %s\n", profile)
				_, p := problemsOf(t, file, profile)
				for _, e := range p.Experiments {
					describeExperiment(&got, e, nil, true)
					order := slice.Map(e.Steps, func(s plan.Step) string { return s.Trial.Name })
					fmt.Fprintf(&got, "order: %s\n\n", strings.Join(order, "; "))
				}
			}
			golden.Equal(t, filepath.Join("testdata", "plans", name+".txt"), got.String())
		})
	}
}
