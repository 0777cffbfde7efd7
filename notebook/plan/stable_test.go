package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"

	"benchbook/internal/slowtest"
	"benchbook/notebook/source"
)

// The same article gives the same plan, byte for byte, and the same problems in concurrent calls of New, with a shared
// document and with separate ones.
func TestSamePlan(t *testing.T) {
	slowtest.Skip(t)
	real := must.Get(filepath.Glob("../../experiments/*/article.md"))
	files := slices.Concat(articles(t, "good", 3), articles(t, "keys", 2), real)
	if !testing.Short() {
		files = append(files, articles(t, "broken", 50)...)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.ToSlash(file), ".md"), func(t *testing.T) {
			t.Parallel()
			project, shared := opened(t, file)
			for _, options := range []plan.Options{{Profile: plan.Full}, {Profile: plan.Full, Repetitions: "2"}} {
				var plans [6][]byte
				var failed [len(plans)]error
				var wait sync.WaitGroup
				for i := range plans {
					wait.Go(func() { plans[i], failed[i] = planned(project, shared, options, i%2 == 1) })
				}
				wait.Wait()
				for i := range plans {
					if failed[i] != nil {
						t.Fatal(failed[i])
					}
					if !bytes.Equal(plans[i], plans[0]) {
						t.Fatalf("profile %s: plan %d is not the first:\n%s\nnot\n%s", options.Profile, i, plans[i], plans[0])
					}
				}
			}
		})
	}
}

// planned returns the plan of an article as JSON, and its problems; own asks for a new document.
func planned(project *article.Project, doc *article.Document, o plan.Options, own bool) ([]byte, error) {
	if own {
		var err error
		if doc, err = project.Article(doc.Slug); err != nil {
			return nil, err
		}
	}
	var problems source.Problems
	p, err := plan.New(project, doc, o, &problems)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(p)
	return fmt.Append(out, problems.Sorted()), err
}

// opened puts an article alone into the folder of a project. A file NAME.yaml next to it becomes the project file.
func opened(t *testing.T, file string) (*article.Project, *article.Document) {
	t.Helper()
	c := &planCase{files: map[string]string{article.FileName: must.Read(file)}}
	if data, err := os.ReadFile(strings.TrimSuffix(file, ".md") + ".yaml"); err == nil {
		c.files["../../"+article.ProjectFile] = string(data)
	}
	project, _ := c.open(t)
	return project, must.Get(project.Article("sample"))
}
