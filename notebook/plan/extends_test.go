package plan

import (
	"path/filepath"
	"testing"

	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

// What is extended brings its files along from where it was written.
func TestExtendsAnotherArticle(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, article.ProjectFile), "")
	other := "---\ntitle: x\ndefaults: {repetitions: 9}\n---\n\n" + dockerfile +
		"```text file=a.txt\nfrom the other\n```\n\n" +
		block("name: base\nservices: {s: {build: ., configs: [{source: a.txt, target: /a.txt}]}}\n"+
			"load: {target: http://s/, connections: 30}\n") +
		"\n" + block("name: no-context\nservices: {s: {build: {args: {A: 1}}}}\nload: {target: http://s/}\n")
	write(t, filepath.Join(root, "experiments", "other", article.FileName), other)
	own := text("```text file=a.txt\nfrom here\n```\n\n",
		block("name: mine\nextends: other#base\nload: {connections: 40}\n"),
		"\n", block("name: own-file\nextends: other#base\nservices: {s: {configs: [{source: a.txt, target: /a.txt}]}}\n"),
		"\n", block("name: no-context\nextends: other#no-context\nservices: {s: {build: {args: {B: 2}}}}\n"))
	write(t, filepath.Join(root, "experiments", "own", article.FileName), own)
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := project.Article("own")
	if err != nil {
		t.Fatal(err)
	}
	var problems source.Problems
	problems.Merge(&doc.Problems)
	p, err := New(project, doc, Options{}, &problems)
	if err != nil || !problems.Empty() {
		t.Fatal(err, problems.Sorted())
	}
	if b := p.Experiments[2].Trials[0].Services[0].Image.Build; len(b.Files) != 1 || b.Files[0].Path != "Dockerfile" ||
		len(b.Args) != 2 {
		t.Errorf("a context that nobody names is %+v, want that of the other article", b)
	}
	for i, want := range []string{"from the other\n", "from here\n"} {
		e := p.Experiments[i]
		s := e.Trials[0].Services[0]
		if got := string(s.Configs[0].Data); got != want {
			t.Errorf("%s: the config is %q, want %q", e.Name, got, want)
		}
		if len(s.Image.Build.Files) == 0 || s.Image.Build.Files[0].Path != "Dockerfile" {
			t.Errorf("%s: the build context has %v", e.Name, s.Image.Build.Files)
		}
		if e.Most() != 9 {
			t.Errorf("%s: %d repetitions, want those of the other's front matter", e.Name, e.Most())
		}
	}
}
