package plan

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
)

// The context of a Dockerfile in the root of the repository, above the project, has the files that it copies, but project
// files and folders of articles only where it names them.
func TestContextInTheRepository(t *testing.T) {
	const (
		file   = "p/benchbook.yaml"
		sample = "p/experiments/sample/"
		other  = "p/experiments/other/"
	)
	for _, test := range []struct {
		name, build, dockerfile string
		want                    []string // beside what there always is
	}{
		{"all", "../../..", "FROM scratch\nCOPY . /\n", nil},
		{"patterns", "../../..", "FROM scratch\nCOPY * ?/* /\n", nil},
		{"the folder of articles", "../../..", "FROM scratch\nCOPY p/experiments/ /\n",
			[]string{other + "data.csv", sample + "Dockerfile", sample + "app.py", sample + "listed.py"}},
		{"files of an article", "../../..", "FROM scratch\nCOPY p/experiments/other/*.csv /\n", []string{other + "data.csv"}},
		{"a mount", "../../..", "FROM scratch\nRUN --mount=type=bind,source=p/experiments/other,target=/x true\n",
			[]string{other + "data.csv"}},
		{"the project file", "../../..", "FROM scratch\nCOPY . /\nCOPY p/benchbook.yaml /\n", []string{file}},
		{"the Dockerfile of an article", "{context: ../../.., dockerfile: p/experiments/sample/Dockerfile}",
			"FROM scratch\n", []string{sample + "Dockerfile"}},
		{"a listing as the Dockerfile", "{context: ../../.., dockerfile: p/experiments/sample/listed.py}",
			"FROM scratch\n", []string{sample + "listed.py"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, problems := planText(t, text("```python file=listed.py\nFROM scratch\n```\n\n",
				block("name: e\nservices: {s: {build: "+test.build+"}}\nload: {target: http://s/}\n")),
				func(dir, outside string) {
					root := filepath.Dir(outside)
					must.Do(os.Mkdir(filepath.Join(root, ".git"), 0o755))
					for name, text := range map[string]string{"Dockerfile": test.dockerfile, "main.go": "package main",
						".dockerignore": "*.log\n", "a.log": "x", ".vscode/settings.json": "{}",
						".vscode/benchbook-project.json": "{}", ".git/HEAD": "x", "p/_site/index.html": "x",
						"p/.benchbook/run": "x", other + article.FileName: "x", other + "data.csv": "x",
						other + "records/r": "x", sample + "app.py": "x"} {
						write(filepath.Join(root, name), text)
					}
					write(filepath.Join(dir, article.FileName), "x")
					write(filepath.Join(dir, "records", "r"), "x")
				})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var names []string
			for _, f := range p.Experiments[0].Trials[0].Services[0].Image.Build.Files {
				names = append(names, f.Path)
			}
			want := append([]string{".dockerignore", ".vscode/settings.json", "Dockerfile", "main.go"}, test.want...)
			if slices.Sort(want); !slices.Equal(names, want) {
				t.Errorf("the files are %q, want %q", names, want)
			}
		})
	}
}
