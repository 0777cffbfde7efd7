package check

import (
	"os"
	"path/filepath"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"

	"benchbook/notebook/source"
)

// Whatever an author types, also where something else is wrong already, checking ends, and its problems lie in the
// article.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"../article/testdata/broken/*.md", "../plan/testdata/broken/*.md",
		"../plan/testdata/good/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no articles in %s: %v", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	root := f.TempDir()
	if err := os.WriteFile(filepath.Join(root, article.ProjectFile), nil, 0o644); err != nil {
		f.Fatal(err)
	}
	project, err := article.OpenProject(root)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc := article.Parse(filepath.Join(root, "experiments", "sample"), source.New("article.md", text))
		var problems source.Problems
		p, err := plan.New(project, doc, plan.Options{}, &problems)
		if err != nil {
			t.Fatal(err)
		}
		problems.Merge(&doc.Problems)
		Check(doc, p, &problems)
		for _, problem := range problems.Sorted() {
			if at := problem.Pos; at.Source == nil || at.Start < 0 || at.End < at.Start || at.End > len(at.Source.Data) {
				t.Errorf("outside of any text: %v", problem)
			}
		}
	})
}
