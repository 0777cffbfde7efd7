package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

func TestInlineDockerfile(t *testing.T) {
	source := text(block("name: e\nservices:\n  s:\n    build:\n      dockerfile_inline: |\n        FROM debian\n" +
		"        RUN false\nload: {target: http://s/}\n"))
	trial := mustPlan(t, source, map[string]string{"app.py": "x"}).Experiments[0].Trials[0]
	b := trial.Services[0].Image.Build
	if len(b.Files) != 2 || string(b.Files[0].Data) != "FROM debian\nRUN false\n" || b.Dockerfile != b.Files[0].Path {
		t.Errorf("the build is %+v", b)
	}
	at := trial.DockerfilePos(b, 2)
	assert.Equal(t, string(at.Source.Data[at.Start:at.End]), "RUN false", "its second line")
}

// planIn plans an experiment in a folder with a Dockerfile, after mkfiles has made files there and outside the project.
func planIn(t *testing.T, body string, mkfiles func(dir, outside string)) (*Plan, []*source.Problem) {
	t.Helper()
	return planText(t, text(block(body)), func(dir, outside string) {
		must.Write(filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
		mkfiles(dir, outside)
	})
}

// planText plans an article in a folder, after mkfiles has made files there and outside the project.
func planText(t *testing.T, text string, mkfiles func(dir, outside string), o ...Options) (*Plan, []*source.Problem) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "p", "experiments", "sample")
	must.Do(os.MkdirAll(dir, 0o755))
	must.Write(filepath.Join(root, "p", article.ProjectFile), "")
	mkfiles(dir, filepath.Join(root, "outside"))
	project := must.Get(article.OpenProject(dir))
	doc := article.Parse(dir, source.New("article.md", []byte(text)))
	var problems source.Problems
	problems.Merge(&doc.Problems)
	p := must.Get(New(project, doc, append(o, Options{})[0], &problems))
	return p, problems.Sorted()
}

// built returns the files that the first service is built from. A problem fails the test.
func built(t *testing.T, p *Plan, problems []*source.Problem) (names []string) {
	t.Helper()
	assert.None(t, problems)
	for _, f := range p.Experiments[0].Trials[0].Services[0].Image.Build.Files {
		names = append(names, f.Path)
	}
	return names
}

func link(to, at string) {
	must.Do(os.MkdirAll(filepath.Dir(at), 0o755))
	must.Do(os.Symlink(to, at))
}

// No link leads out of the article's folder, and none of rows out of the repository.
func TestNoLinkLeadsOut(t *testing.T) {
	service := func(s string) string { return "name: e\nservices: {s: " + s + "}\nload: {target: http://s/}\n" }
	axis := func(s string) string { return "name: e\ncommand: {image: x, run: y}\nmatrix: {f: " + s + "}\n" }
	const outside, unreadable, missing = "outside-folder", "not-a-file", "no-such-file"
	for _, test := range []struct{ name, body, to, at, rule string }{ // a link to a path, at one in the article's folder
		{"a config", service("{image: x, configs: [{source: up, target: /x}]}"), "OUTSIDE/secret", "up", outside},
		{"a config below a linked folder", service("{image: x, configs: [{source: up/secret, target: /x}]}"),
			"OUTSIDE", "up", outside},
		{"a config by a relative link", service("{image: x, configs: [{source: up/secret, target: /x}]}"),
			"../../../outside", "up", outside},
		{"a script of a load", "name: e\nservices: {s: {image: x}}\nload: {target: http://s/, tool: k6, script: up}\n",
			"OUTSIDE/secret", "up", outside},
		{"a build context", service("{build: up}"), "OUTSIDE", "up", outside},
		{"a build context below a linked folder", service("{build: up/app}"), "OUTSIDE", "up", outside},
		{"a file in a build context", service("{build: .}"), "OUTSIDE/secret", "deep/up", outside},
		{"a .dockerignore", service("{build: .}"), "OUTSIDE/secret", ".dockerignore", outside},
		{"a folder that is mounted", service("{image: x, volumes: ['./up/app:/data:ro']}"), "OUTSIDE", "up", outside},
		{"a file that is mounted", service("{image: x, volumes: ['./up/secret:/data:ro']}"), "OUTSIDE", "up", outside},
		{"rows", axis("{rows: up/f.csv}"), "OUTSIDE", "up", unreadable},
		{"rows above the article", axis("{rows: ../../up/f.csv}"), "OUTSIDE", "../../up", unreadable},
		{"files of rows", axis("{files: \"../../up/*.yaml\"}"), "OUTSIDE", "../../up", missing},
		{"files of rows in any folder", axis("{files: \"../../*/a.yaml\"}"), "OUTSIDE", "../../up", missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := planIn(t, test.body, func(dir, outside string) {
				for name, text := range map[string]string{"secret": "secret", "app/Dockerfile": "FROM scratch\n",
					"a.yaml": "port: 1\n", "f.csv": "name\nsecret\n"} {
					must.Write(filepath.Join(outside, name), text)
				}
				link(strings.Replace(test.to, "OUTSIDE", outside, 1), filepath.Join(dir, test.at))
			})
			if !slices.ContainsFunc(problems, func(p *source.Problem) bool { return p.Rule == test.rule }) {
				t.Errorf("the problems are %v, want %s", problems, test.rule)
			}
		})
	}
}

func TestIgnoredDockerfileIsSent(t *testing.T) {
	source := text("```text file=.dockerignore\ndocker\n*.txt\n```\n\n```dockerfile file=docker/app\nFROM debian\n```\n\n",
		block("name: e\nservices: {s: {build: {context: ., dockerfile: docker/app}}}\nload: {target: http://s/}\n"))
	trial := mustPlan(t, source, map[string]string{"a.txt": "x", "docker/other": "x"}).Experiments[0].Trials[0]
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
		must.Write(filepath.Join(dir, "v2", "Dockerfile"), "FROM scratch\n")
		must.Write(filepath.Join(dir, "v2", "settings"), "quick")
		must.Write(filepath.Join(dir, "common.py"), "pass")
		link("../common.py", filepath.Join(dir, "v2", "common.py"))
		link("v2", filepath.Join(dir, "now"))
	})
	assert.None(t, problems)
	s := p.Experiments[0].Trials[0].Services[0]
	var got []string
	for _, f := range s.Image.Build.Files {
		got = append(got, f.Path+"="+string(f.Data))
	}
	assert.Equal(t, strings.Join(got, " "), "Dockerfile=FROM scratch\n common.py=pass settings=quick", "the context")
	assert.Equal(t, string(s.Configs[0].Data), "quick", "the config")
}

// Ignored files are neither read nor counted, and too large ones are not read.
func TestSizes(t *testing.T) {
	const build = "services: {s: {build: .}}\nload: {target: http://s/}\n"
	const config = "services: {s: {image: x, configs: [{source: a, target: /a}, {source: b, target: /b}]}}\n" +
		"load: {target: http://s/}\n"
	const script = "services: {s: {image: x}}\nload: {target: http://s/, tool: k6, script: a}\n"
	for _, test := range []struct{ name, body, files, rule string }{ // NAME=TEXT; LARGE is 6 GB, and MOST is the limit
		{"a large file that is ignored", build, ".dockerignore=data data/big=LARGE", ""},
		{"a large file that is ignored by its own name", build, ".dockerignore=**/big\n!data/small data/big=LARGE", ""},
		{"a large file", build, "big=LARGE", "too-large"},
		{"a large .dockerignore", build, ".dockerignore=LARGE", "too-large"},
		{"two files that are large together", build, "a=1 b=MOST", "too-large"},
		{"a large config", config, "a=LARGE b=1", "too-large"},
		{"configs that are large together", config, "a=1 b=MOST", "too-large"},
		{"a large script of a load", script, "a=LARGE", "too-large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := planIn(t, "name: e\n"+test.body, func(dir, _ string) {
				for file := range strings.SplitSeq(test.files, " ") {
					name, text, _ := strings.Cut(file, "=")
					must.Write(filepath.Join(dir, name), text)
					if size := map[string]int64{"LARGE": 6 << 30, "MOST": MaxSize}[text]; size > 0 {
						must.Do(os.Truncate(filepath.Join(dir, name), size))
					}
				}
			})
			rules := slice.Map(problems, func(p *source.Problem) string { return p.Rule })
			assert.Equal(t, strings.Join(rules, " "), test.rule, "rules of %v", problems)
		})
	}
}

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
					must.Git(filepath.Dir(dir), "init", "-q")
					must.Write(filepath.Join(dir, "Dockerfile"), "FROM scratch\n"+test.dockerfile+"\n")
					must.Write(filepath.Join(dir, ".gitignore"), test.ignore)
					must.Write(filepath.Join(dir, test.file), "x")
					link("user@host.1234", filepath.Join(dir, ".#article.md")) // a lock of Emacs
				})
			want := append([]string{".gitignore", "Dockerfile"}, strings.Fields(test.want)...)
			assert.Slice(t, built(t, p, problems), want)
		})
	}
}

// The context of a Dockerfile in the root of the repository, above the project, has the files that it copies. It has
// project files and folders of articles only if the Dockerfile names them.
func TestContextInTheRepository(t *testing.T) {
	const (
		file   = "p/benchbook.yaml"
		sample = "p/experiments/sample/"
		other  = "p/experiments/other/"
	)
	for _, test := range []struct {
		name, build, dockerfile string
		want                    []string // besides the files of every context
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
						other + "records/r": "x", sample + "app.py": "x", sample + "Dockerfile": "FROM scratch\n"} {
						must.Write(filepath.Join(root, name), text)
					}
					must.Write(filepath.Join(dir, article.FileName), "x")
					must.Write(filepath.Join(dir, "records", "r"), "x")
				})
			want := append([]string{".dockerignore", ".vscode/settings.json", "Dockerfile", "main.go"}, test.want...)
			slices.Sort(want)
			assert.Slice(t, built(t, p, problems), want)
		})
	}
}

func TestCopied(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile string
		has, lacks       string
	}{
		{"a file", "FROM x\nCOPY a.py /srv/", "a.py", "b.py"},
		{"a destination is no source", "COPY a.py b.py", "a.py", "b.py"},
		{"several, over lines", "COPY --chown=1 a.py \\\n  src/b.py /srv/", "src/b.py", "b.py"},
		{"a folder", "copy src /srv", "src/deep/b.py", "srcs/b.py"},
		{"a pattern", "ADD src/*.py /srv/", "src/b.py", "b.py"},
		{"a list", `COPY ["a b.py", "c.py", "/srv/"]`, "c.py", "d.py"},
		{"from another stage", "COPY --from=build a.py /", "", "a.py"},
		{"all", "COPY ./ /srv", "any/thing", ""},
		{"a variable", "COPY ${NAME} /srv", "any/thing", ""},
		{"a mount", "RUN --mount=type=bind,target=/src make", "any/thing", ""},
		{"a folder in a mount", "RUN --mount=type=bind,source=lib,target=/src make", "lib/b.py", ""},
		{"a mount without a type", "RUN --mount=target=/src make", "any/thing", ""},
		{"a mount with its type last", "RUN --mount=source=lib,target=/src,type=bind make", "lib/b.py", ""},
		{"a cache", "RUN --mount=target=/root/.cache,type=cache make", "", "a.py"},
		{"nothing", "FROM x", "", "a.py"},
	} {
		c := copiedBy(test.dockerfile)
		assert.Equal(t, test.has == "" || c.has(test.has), true, "%s: %q has %q", test.name, c, test.has)
		assert.Equal(t, test.lacks != "" && c.has(test.lacks), false, "%s: %q has %q", test.name, c, test.lacks)
	}
}

// Keys do not depend on values of secrets, and images do not contain their files.
func TestSecretsAreNoInputs(t *testing.T) {
	keyWith := func(value string) string {
		t.Setenv("P", value)
		p, problems := newPlan(t, text(block("name: e\nsecrets: {p: {environment: P}, q: {file: ./sub/../q.txt}}\n"+
			"services: {s: {build: ., environment: {A: \"${{ secrets.p }}\"}, secrets: [q]}}\nload: {target: http://s/}\n")),
			map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", "q.txt": value, "app.py": "x"})
		assert.Equal(t, slices.Contains(built(t, p, problems), "q.txt"), false, "the file of a secret is sent")
		return p.Experiments[0].Trials[0].Key
	}
	assert.Equal(t, keyWith("one value"), keyWith("another value"), "keys")
}

// Values from the environment change keys, and are never shown.
func TestPrivateValues(t *testing.T) {
	files := map[string]string{
		"private.env": "API_TOKEN=hunter24\nMODE=hasty\n",
		".env":        "DSN_PASSWORD=hunter25\nTAG=bookworm\nBROKEN=1\n",
		"compose.yaml": `services:
  api:
    image: "x:${TAG}"
    env_file: private.env
    environment: {SETTINGS: "host=db pw ${DB_PASSWORD} ${DSN_PASSWORD}", USED: "${SHORT} ${SERVICE}"}
    command: [serve, "--key=${DB_PASSWORD}"]
    build: {dockerfile_inline: FROM x, args: {KEY: "${DB_PASSWORD}"}}
    expose: ["${PORT}"]
`,
	}
	body := "name: e\ncompose: {files: compose.yaml, environment: [DB_PASSWORD, SHORT, SERVICE, PORT]}\nload: {target: http://api:8080/}\n"
	var keys []string
	for _, value := range []string{"hunter22", "hunter23"} {
		for name, of := range map[string]string{"DB_PASSWORD": value, "SHORT": "abc", "SERVICE": "api", "PORT": "8080"} {
			t.Setenv(name, of)
		}
		p, problems := newPlan(t, text(block(body)), files)
		assert.None(t, problems)
		trial := p.Experiments[0].Trials[0]
		assert.Contains(t, strings.Join(trial.Services[0].Environment, ","), value)
		shown := string(trial.Definition)
		assert.Lacks(t, shown, value, "hunter24", "hunter25")
		assert.Contains(t, shown, `"name":"api"`, "abc api", "MODE=hasty", "--key=[redacted]",
			"host=db pw [redacted] [redacted]", `"expose":[8080]`)
		assert.Equal(t, trial.Inputs[0].Digest, Digest(trial.Definition), "digest of the definition which is shown")
		keys = append(keys, trial.Key)
	}
	assert.Equal(t, keys[0] == keys[1], false, "trials with other values have the same key")

	files["compose.yaml"] = "services: {s: {image: x, mem_limit: \"${DB_PASSWORD}\", expose: [\"80\"]}}\n"
	_, problems := newPlan(t, text(block("name: e\ncompose: {files: compose.yaml, environment: [DB_PASSWORD]}\nload: {target: http://s/}\n")), files)
	assert.Equal(t, len(problems) > 0, true, "there is a problem with a limit that is no size")
	for _, problem := range problems {
		assert.Lacks(t, problem.String(), "hunter23")
	}
}
