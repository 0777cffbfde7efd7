package plan

import (
	"os"
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
	write(t, filepath.Join(outside, "a.yaml"), "port: 1\n")
	write(t, filepath.Join(outside, "f.csv"), "name\nsecret\n")
	for _, axis := range []string{"{rows: ../../out/f.csv}", "{rows: out/f.csv}", "{files: \"../../out/*.yaml\"}",
		"{files: \"../../*/a.yaml\"}"} {
		root := t.TempDir()
		dir := filepath.Join(root, "experiments", "sample")
		write(t, filepath.Join(root, article.ProjectFile), "")
		write(t, filepath.Join(dir, "x"), "")
		link(t, outside, filepath.Join(root, "out"))
		link(t, outside, filepath.Join(dir, "out"))
		project := must.Get(article.OpenProject(root))
		var problems source.Problems
		doc := article.Parse(dir, source.New("article.md", []byte(rowsArticle(axis, "x"))))
		p := must.Get(New(project, doc, Options{}, &problems))
		if problems.Empty() || len(p.Experiments) > 0 {
			t.Errorf("%s: problems %v, experiments %v", axis, problems.Sorted(), p.Experiments)
		}
	}
}

// Whatever people write as an axis and into its files, planning ends, and problems lie in texts.
func FuzzRows(f *testing.F) {
	for _, seed := range [][2]string{{"{rows: f.csv}", "name,port\na,1\n"}, {"{rows: f.csv}", "\"a\nb\",\n"},
		{"{rows: f.yaml}", "- {name: a, port: ~}\n- [b]\n- c\n"}, {"{files: \"*.yaml\"}", "port: 1\nunavailable:\n"},
		{"{files: \"../*/f.yaml\"}", "{}"}, {"{files: \"[\"}", "a: {b: c}"}, {"{files: \"\\\\*\"}", "x"},
		{"{rows: f.csv, x-y: 1}", "name,${{ profile }}\n${{ matrix.a }},1\n"}, {"{rows: \"${{ profile\"}", "name,name\n"}} {
		f.Add(seed[0], seed[1])
	}
	root := f.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	must.Do(os.MkdirAll(dir, 0o755))
	must.Do(os.WriteFile(filepath.Join(root, article.ProjectFile), nil, 0o644))
	project := must.Get(article.OpenProject(root))
	f.Fuzz(func(t *testing.T, axis, file string) {
		for _, name := range []string{"f.csv", "f.yaml"} {
			write(t, filepath.Join(dir, name), file)
		}
		doc := article.Parse(dir, source.New("article.md", []byte(rowsArticle(axis, "x"))))
		var problems source.Problems
		must.Get(New(project, doc, Options{}, &problems))
		for _, problem := range problems.Sorted() {
			if at := problem.Pos; at.Source == nil || at.Start < 0 || at.End < at.Start || at.End > len(at.Source.Data) {
				t.Errorf("outside of any text: %v", problem)
			}
		}
	})
}
