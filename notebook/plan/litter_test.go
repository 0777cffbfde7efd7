package plan

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// What editors, languages and builds leave behind must change no key.
func TestLitterIsNoPartOfAContext(t *testing.T) {
	for _, test := range []struct{ name, dockerfile, ignore, file, want string }{
		{"a swap file", "COPY . .", "", ".article.md.swp", ""},
		{"a folder view", "COPY . .", "", "app/.DS_Store", ""},
		{"compiled Python", "COPY app app", "", "app/__pycache__/app.pyc", ""},
		{"a backup", "COPY . .", "", "app/app.py~", ""},
		{"ignored by git", "COPY . .", "*.log\n", "app/debug.log", ""},
		{"in a folder that git ignores", "COPY . .", "node_modules/\n", "node_modules/a/index.js", ""},
		{"ignored by git, and named", "COPY target/app.jar /", "target/\n", "target/app.jar", "target/app.jar"},
		{"named by a pattern", "COPY target/*.jar /", "target/\n", "target/app.jar", "target/app.jar"},
		{"beside a named file", "COPY target/app.jar /", "target/\n", "target/classes/a.class", ""},
		{"an ordinary file", "COPY . .", "*.log\n", "app/app.py", "app/app.py"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, problems := planIn(t, "name: e\nservices: {s: {build: .}}\nload: {target: http://s/}\n",
				func(dir, _ string) {
					for _, args := range [][]string{{"init", "-q"}} {
						if out, err := exec.Command("git", append([]string{"-C", filepath.Dir(dir)}, args...)...).
							CombinedOutput(); err != nil {
							t.Fatal(err, string(out))
						}
					}
					write(filepath.Join(dir, "Dockerfile"), "FROM scratch\n"+test.dockerfile+"\n")
					write(filepath.Join(dir, ".gitignore"), test.ignore)
					write(filepath.Join(dir, test.file), "x")
					link("user@host.1234", filepath.Join(dir, ".#article.md")) // a lock of Emacs
				})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var got []string
			for _, f := range p.Experiments[0].Trials[0].Services[0].Image.Build.Files {
				got = append(got, f.Path)
			}
			want := []string{".gitignore", "Dockerfile"}
			if test.want != "" {
				want = append(want, test.want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
