package plan

import (
	"path/filepath"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// rowsArticle has an axis whose values are in files.
func rowsArticle(axis, run string) string {
	return text(block("name: e\ncalibrate: false\nmatrix: {framework: " + axis + "}\n" +
		"command: {image: x, run: [echo, '" + run + "']}\n"))
}

// No link in the path of a row leads out of the repository.
func TestRowsStayInTheRepository(t *testing.T) {
	outside := t.TempDir()
	write(filepath.Join(outside, "a.yaml"), "port: 1\n")
	write(filepath.Join(outside, "f.csv"), "name\nsecret\n")
	for _, axis := range []string{"{rows: ../../out/f.csv}", "{rows: out/f.csv}", "{files: \"../../out/*.yaml\"}",
		"{files: \"../../*/a.yaml\"}"} {
		root := t.TempDir()
		dir := filepath.Join(root, "experiments", "sample")
		write(filepath.Join(root, article.ProjectFile), "")
		write(filepath.Join(dir, "x"), "")
		link(outside, filepath.Join(root, "out"))
		link(outside, filepath.Join(dir, "out"))
		project := must.Get(article.OpenProject(root))
		var problems source.Problems
		doc := article.Parse(dir, source.New("article.md", []byte(rowsArticle(axis, "x"))))
		p := must.Get(New(project, doc, Options{}, &problems))
		if problems.Empty() || len(p.Experiments) > 0 {
			t.Errorf("%s: problems %v, experiments %v", axis, problems.Sorted(), p.Experiments)
		}
	}
}
