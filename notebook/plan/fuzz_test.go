package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
)

// Whatever an author types, planning ends, its problems lie in a text, and the same article has the same plan twice.
func FuzzNew(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.md", "testdata/good/*.md", "testdata/keys/*.md"} {
		files, _ := filepath.Glob(pattern) // the pattern is good
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
	project, err := projects.Open(root)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var digests []string
		for range 2 {
			doc := article.Parse(filepath.Join(root, "experiments", "sample"), source.New("article.md", text))
			var problems source.Problems
			p, err := New(project, doc, Options{Seed: 7}, &problems)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range problems.Sorted() {
				if at := problem.Pos; at.Source == nil || at.Start < 0 || at.End < at.Start || at.End > len(at.Source.Data) {
					t.Errorf("outside of any text: %v", problem)
				}
			}
			var digest strings.Builder // a matrix may have ten thousand cells
			for _, e := range p.Experiments {
				digest.WriteString(e.Name + e.Digest)
				for _, step := range e.Steps {
					digest.WriteString(step.Trial.Key)
				}
				e.Estimate(Place(nil), nil)
			}
			digests = append(digests, digest.String())
		}
		if digests[0] != digests[1] {
			t.Error("the same article has another plan the second time")
		}
	})
}
