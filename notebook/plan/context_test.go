package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

func TestInlineDockerfile(t *testing.T) {
	source := text(block("name: e\nservices:\n  s:\n    build:\n      dockerfile_inline: |\n        FROM debian\n" +
		"        RUN false\nload: {target: http://s/}\n"))
	trial := mustPlan(t, source, Options{}, map[string]string{"app.py": "x"}).Trials[0]
	b := trial.Services[0].Image.Build
	if len(b.Files) != 2 || string(b.Files[0].Data) != "FROM debian\nRUN false\n" || b.Dockerfile != b.Files[0].Path {
		t.Errorf("the build is %+v", b)
	}
	at := trial.DockerfilePos(b, 2)
	if got := string(at.Source.Data[at.Start:at.End]); got != "RUN false" {
		t.Errorf("its second line is said to be %q", got)
	}
}

// planIn plans an article in a folder that has a Dockerfile and what mkfiles makes there and outside the project.
func planIn(t *testing.T, body string, mkfiles func(dir, outside string)) (*Plan, []*source.Problem) {
	t.Helper()
	return planText(t, text(block(body)), mkfiles)
}

func planText(t *testing.T, text string, mkfiles func(dir, outside string), o ...Options) (*Plan, []*source.Problem) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "p", "experiments", "sample")
	write(filepath.Join(root, "p", article.ProjectFile), "")
	write(filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
	mkfiles(dir, filepath.Join(root, "outside"))
	project := must.Get(article.OpenProject(dir))
	doc := article.Parse(dir, source.New("article.md", []byte(text)))
	var problems source.Problems
	problems.Merge(&doc.Problems)
	p := must.Get(New(project, doc, append(o, Options{})[0], &problems))
	return p, problems.Sorted()
}

func link(to, at string) {
	must.Do(os.MkdirAll(filepath.Dir(at), 0o755))
	must.Do(os.Symlink(to, at))
}

// sparse makes a file that is large and takes no room.
func sparse(at string, size int64) {
	write(at, "")
	must.Do(os.Truncate(at, size))
}

func TestNoLinkLeadsOut(t *testing.T) {
	service := func(s string) string { return "name: e\nservices: {s: " + s + "}\nload: {target: http://s/}\n" }
	for _, test := range []struct {
		name, body string
		link       func(dir, outside string) (to, at string)
	}{
		{"a config", service("{image: x, configs: [{source: up, target: /x}]}"),
			func(dir, outside string) (string, string) { return outside + "/secret", dir + "/up" }},
		{"a config below a linked folder", service("{image: x, configs: [{source: up/secret, target: /x}]}"),
			func(dir, outside string) (string, string) { return outside, dir + "/up" }},
		{"a config by a relative link", service("{image: x, configs: [{source: up/secret, target: /x}]}"),
			func(dir, _ string) (string, string) { return "../../../outside", dir + "/up" }},
		{"a script of a load", "name: e\nservices: {s: {image: x}}\nload: {target: http://s/, tool: k6, script: up}\n",
			func(dir, outside string) (string, string) { return outside + "/secret", dir + "/up" }},
		{"a build context", service("{build: up}"),
			func(dir, outside string) (string, string) { return outside, dir + "/up" }},
		{"a build context below a linked folder", service("{build: up/app}"),
			func(dir, outside string) (string, string) { return outside, dir + "/up" }},
		{"a file in a build context", service("{build: .}"),
			func(dir, outside string) (string, string) { return outside + "/secret", dir + "/deep/up" }},
		{"a .dockerignore", service("{build: .}"),
			func(dir, outside string) (string, string) { return outside + "/secret", dir + "/.dockerignore" }},
		{"a folder that is mounted", service("{image: x, volumes: ['./up/app:/data:ro']}"),
			func(dir, outside string) (string, string) { return outside, dir + "/up" }},
		{"a file that is mounted", service("{image: x, volumes: ['./up/secret:/data:ro']}"),
			func(dir, outside string) (string, string) { return outside, dir + "/up" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := planIn(t, test.body, func(dir, outside string) {
				write(filepath.Join(outside, "secret"), "secret")
				write(filepath.Join(outside, "app", "Dockerfile"), "FROM scratch\n")
				to, at := test.link(dir, outside)
				link(to, at)
			})
			if !slices.ContainsFunc(problems, func(p *source.Problem) bool { return p.Rule == "outside-folder" }) {
				t.Errorf("the problems are %v", problems)
			}
		})
	}
}

func TestIgnoredDockerfileIsSent(t *testing.T) {
	source := text("```text file=.dockerignore\ndocker\n*.txt\n```\n\n```dockerfile file=docker/app\nFROM debian\n```\n\n",
		block("name: e\nservices: {s: {build: {context: ., dockerfile: docker/app}}}\nload: {target: http://s/}\n"))
	trial := mustPlan(t, source, Options{}, map[string]string{"a.txt": "x", "docker/other": "x"}).Trials[0]
	b := trial.Services[0].Image.Build
	if len(b.Files) != 2 || b.Files[1].Path != "docker/app" || trial.DockerfilePos(b, 1) == trial.DockerfilePos(b, 0) ||
		trial.DockerfilePos(b, 2) != trial.DockerfilePos(b, 0) {
		t.Errorf("the build is %+v", b)
	}
}

func TestLinksInsideAreFollowed(t *testing.T) {
	p, problems := planIn(t, "name: e\ncalibrate: false\nservices:\n"+
		"  s: {build: now, configs: [{source: now/settings, target: /etc/settings}]}\n"+
		"load: {target: http://s/}\n", func(dir, _ string) {
		write(filepath.Join(dir, "v2", "Dockerfile"), "FROM scratch\n")
		write(filepath.Join(dir, "v2", "settings"), "quick")
		write(filepath.Join(dir, "common.py"), "pass")
		link("../common.py", filepath.Join(dir, "v2", "common.py"))
		link("v2", filepath.Join(dir, "now"))
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := p.Experiments[0].Trials[0].Services[0]
	var got []string
	for _, f := range s.Image.Build.Files {
		got = append(got, f.Path+"="+string(f.Data))
	}
	if want := "Dockerfile=FROM scratch\n common.py=pass settings=quick"; strings.Join(got, " ") != want {
		t.Errorf("the context holds %q, want %q", got, want)
	}
	if string(s.Configs[0].Data) != "quick" {
		t.Errorf("the config is %+v", s.Configs[0])
	}
}

// Ignored files are neither read nor counted, and too large ones are not read.
func TestSizes(t *testing.T) {
	const build, config = "{build: .}", "{image: x, configs: [{source: a, target: /a}, {source: b, target: /b}]}"
	for _, test := range []struct {
		name, service string
		files         func(dir string)
		rule          string
	}{
		{"a large file that is ignored", build, func(dir string) {
			sparse(filepath.Join(dir, "data", "big"), 6<<30)
			write(filepath.Join(dir, ".dockerignore"), "data\n")
		}, ""},
		{"a large file that is ignored by its own name", build, func(dir string) {
			sparse(filepath.Join(dir, "data", "big"), 6<<30)
			write(filepath.Join(dir, ".dockerignore"), "**/big\n!data/small\n")
		}, ""},
		{"a large file", build, func(dir string) { sparse(filepath.Join(dir, "big"), 6<<30) }, "too-large"},
		{"a large .dockerignore", build, func(dir string) { sparse(filepath.Join(dir, ".dockerignore"), 6<<30) },
			"too-large"},
		{"two files that are large together", build, func(dir string) {
			write(filepath.Join(dir, "a"), "1")
			sparse(filepath.Join(dir, "b"), MaxSize)
		}, "too-large"},
		{"a large config", config, func(dir string) {
			sparse(filepath.Join(dir, "a"), 6<<30)
			write(filepath.Join(dir, "b"), "1")
		}, "too-large"},
		{"configs that are large together", config, func(dir string) {
			write(filepath.Join(dir, "a"), "1")
			sparse(filepath.Join(dir, "b"), MaxSize)
		}, "too-large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := planIn(t, "name: e\nservices: {s: "+test.service+"}\nload: {target: http://s/}\n",
				func(dir, _ string) { test.files(dir) })
			var rules []string
			for _, p := range problems {
				rules = append(rules, p.Rule)
			}
			if strings.Join(rules, " ") != test.rule {
				t.Errorf("the problems are %v, want %q", problems, test.rule)
			}
		})
	}
}
