package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
)

// A context of a revision has the files that were committed then, whatever is in the folder now.
func TestRevision(t *testing.T) {
	slowtest.Skip(t)
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	inRepository := func(dir, outside string) {
		root := filepath.Dir(outside)
		git := func(args ...string) { must.Git(root, args...) }
		for name, text := range map[string]string{"app/Dockerfile": "FROM scratch\nCOPY . /\n", "app/main.go": "then",
			".gitattributes": "* export-ignore text eol=crlf\n", "app/lines": "a\nb\n", "app/.dockerignore": "*.log\n",
			"app/a.log": "x", ".dockerignore": "**/*.log\n", "app/run.sh": "x", "Dockerfile": "FROM scratch\nCOPY . /\n",
			"p/experiments/sample/records/r": "x", "p/experiments/sample/own.txt": "x"} {
			must.Write(filepath.Join(root, name), text)
		}
		must.Write(filepath.Join(dir, article.FileName), "x")
		for name, to := range map[string]string{"app/link": "../app/./main.go", "app/broken.log": "nowhere"} {
			must.Do(os.Symlink(to, filepath.Join(root, name)))
		}
		must.Do(os.Chmod(filepath.Join(root, "app/run.sh"), 0o755))
		git("init", "-q")
		git("add", ".")
		git("commit", "-q", "-m", "one")
		git("tag", "v1")
		must.Write(filepath.Join(root, "app/main.go"), "now")
		must.Write(filepath.Join(root, "app/new.go"), "now")
		must.Do(os.Symlink("nowhere", filepath.Join(root, "app/broken")))
		git("add", ".")
		git("commit", "-q", "-m", "two")
		git("tag", "v2")
		must.Write(filepath.Join(root, "app/main.go"), "not committed")
	}
	ofApp := ".dockerignore Dockerfile lines=a\\nb\\n link=then main.go=then run.sh*"
	for _, test := range []struct{ name, build, want, rule, says string }{
		{"a tag", "{context: ../../../app, git: v1}", ofApp, "", ""},
		{"from the matrix", "{context: ../../../app, git: \"${{ matrix.revision }}\"}", ofApp, "", ""},
		{"with a Dockerfile of now", "{context: ../../../app, git: v1, dockerfile_inline: \"FROM scratch\\nCOPY . /\"}",
			".benchbook.Dockerfile " + ofApp, "", ""},
		{"all of the repository, without articles", "{context: ../../.., git: v1}",
			".dockerignore .gitattributes Dockerfile app/.dockerignore app/Dockerfile app/lines=a\\nb\\n " +
				"app/link=then app/main.go=then app/run.sh*", "", ""},
		{"the article's folder", "{git: v1}", "Dockerfile own.txt", "", ""},
		{"a broken link", "{context: ../../../app, git: v2}", "", "not-a-file", "app/broken in the build context"},
		{"no such revision", "{context: ../../../app, git: v3}", "", "no-such-revision",
			`no revision "v3" in the git repository`},
		{"an option", "{context: ../../../app, git: --all}", "", "no-such-revision", `no revision "--all"`},
		{"no such folder", "{context: ../../../lib, git: v1}", "", "no-such-revision", `revision "v1" has no folder "lib"`},
		{"outside", "{context: ../../../.., git: v1}", "", "no-such-revision", "is outside the git repository"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, problems := planIn(t, "name: e\nmatrix: {revision: [v1]}\nservices: {s: {build: "+test.build+
				"}}\nload: {target: http://s/}\n", inRepository)
			if test.rule != "" {
				if len(problems) != 1 || problems[0].Rule != test.rule || !strings.Contains(problems[0].Message, test.says) {
					t.Errorf("got %v, want %s: %s", problems, test.rule, test.says)
				}
				return
			}
			assert.None(t, problems)
			names := slice.Map(p.Experiments[0].Trials[0].Services[0].Image.Build.Files, shortOf)
			assert.Slice(t, names, strings.Fields(test.want))
		})
	}
	t.Run("without a repository", func(t *testing.T) {
		_, problems := planIn(t, "name: e\nservices: {s: {build: {git: v1}}}\nload: {target: http://s/}\n",
			func(string, string) {})
		if len(problems) != 1 || !strings.Contains(problems[0].Message, "not in a git repository") {
			t.Errorf("got %v", problems)
		}
	})
}

// Compared revisions are an axis: cells that differ are measured once for each, the first of them twice. Cells that are
// the same are left out.
func TestRevisionsAreCompared(t *testing.T) {
	slowtest.Skip(t)
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	inRepository := func(dir, outside string) {
		root := filepath.Dir(outside)
		git := func(args ...string) { must.Git(root, args...) }
		for name, text := range map[string]string{"app/Dockerfile": "FROM scratch\nCOPY . /\n", "app/main": "then",
			"lib/Dockerfile": "FROM scratch\n", "lib/main": "always", "lib/vars": "V=above"} {
			must.Write(filepath.Join(root, name), text)
		}
		own := []string{filepath.Join(root, "app/main"), filepath.Join(dir, "conf"), filepath.Join(dir, "code/main"),
			filepath.Join(dir, "vars")}
		git("init", "-q")
		for _, state := range []string{"then", "now", "not committed"} {
			for _, name := range own {
				must.Write(name, map[bool]string{true: "V="}[filepath.Base(name) == "vars"]+state)
			}
			if state != "not committed" {
				git("add", "app", "lib", own[1], own[2], own[3])
				git("commit", "-q", "-m", state)
				git("tag", map[string]string{"then": "v1", "now": "v2"}[state])
			}
		}
		must.Write(filepath.Join(dir, "later"), "later")
		must.Write(filepath.Join(dir, "data/main"), "ignored")
	}
	revisions := Options{Revisions: []Revision{{"old", "v1"}, {"new", "v2"}}}
	for _, test := range []struct{ name, body, want string }{ // what is planned, or the rule of the first problem
		{"a matrix", "matrix: {path: [a, b]}\nservices: {s: {build: ../../../app}}",
			"a, old=then; b, old=then; a, new=now; b, new=now; a, old again=then"},
		{"no matrix, and no A/A pair", "calibrate: false\nservices: {s: {build: ../../../app}}",
			"old=then; new=now; old again=then"},
		{"a pair that is chosen", "matrix: {path: [a, b]}\ncalibrate: path == \"b\"\nservices: {s: {build: ../../../app}}",
			"a, old=then; b, old=then; a, new=now; b, new=now; b, old again=then"},
		{"cells that are the same", "matrix: {dir: [app, lib]}\nservices: {s: {build: \"../../../${{ matrix.dir }}\"}}",
			"app, old=then; app, new=now; app, old again=then"},
		{"a revision of its own", "services: {s: {build: {context: ../../../app, git: v1}}}",
			"left out: it is the same in old and new"},
		{"a folder that was not committed", "services: {s: {build: {context: data, dockerfile_inline: \"FROM scratch\"}}}", "left out: it is the same in old and new"},
		{"a shared service that differs", "shared: [s]\nservices: {s: {build: ../../../app}}", "old=then; new=now; old again=then"},
		{"a config", "services: {s: {image: a, configs: [{source: conf, target: /c}]}}",
			"old=then; new=now; old again=then"},
		{"a config that was not committed", "services: {s: {image: a, configs: [{source: later, target: /c}]}}",
			"left out: it is the same in old and new"},
		{"a mounted folder", "services: {s: {image: a, volumes: [\"./code:/c\"]}}", "old=then; new=now; old again=then"},
		{"a mounted file", "services: {s: {image: a, volumes: [\"./conf:/c\"]}}", "old=then; new=now; old again=then"},
		{"variables", "services: {s: {image: a, env_file: vars}}", "old=then; new=now; old again=then"},
		{"an axis of that name", "matrix: {revision: [a]}\nservices: {s: {build: ../../../app}}", "duplicate-parameter"},
		{"variables outside the folder", "services: {s: {image: a, env_file: ../../../lib/vars}}", "outside-folder"},
		{"a folder that one does not have", "services: {s: {build: ../../../new}}", "no-such-revision"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, problems := planText(t, text(block("name: e\nload: {target: http://s/}\n"+test.body+"\n")), inRepository,
				revisions)
			if len(problems) > 0 {
				assert.Equal(t, problems[0].Rule, test.want, "%v", problems)
				return
			}
			e := p.Experiments[0]
			got := slice.Map(e.Trials,
				func(trial *Trial) string { return trial.Name + "=" + fromRepository(trial.Services[0]) })
			if e.Skipped != "" {
				got = append(got, "left out: "+e.Skipped)
			}
			assert.Equal(t, strings.Join(got, "; "), test.want)
			if e.Skipped == "" && e.Parameters[len(e.Parameters)-1] != RevisionAxis {
				t.Errorf("the axes are %q", e.Parameters)
			}
		})
	}
}

// fromRepository returns the text of the file main, or else of the first file or variable that a service has.
func fromRepository(s *spec.Service) string {
	all := slices.Clone(s.Configs)
	if s.Image.Build != nil {
		all = append(all, s.Image.Build.Files...)
	}
	for _, v := range s.Volumes {
		all = append(all, v.Files...)
	}
	if len(all) == 0 {
		return strings.TrimPrefix(s.Environment[0], "V=")
	}
	i := slices.IndexFunc(all, func(f spec.File) bool { return f.Path == "main" })
	return string(all[max(i, 0)].Data)
}

// shortOf returns the name of a file, its content if that differs between revisions, and a star if it is executable.
func shortOf(f spec.File) string {
	switch {
	case f.Exec:
		return f.Path + "*"
	case strings.HasPrefix(filepath.Base(f.Path), "main") || strings.HasPrefix(filepath.Base(f.Path), "li"):
		return f.Path + "=" + strings.ReplaceAll(string(f.Data), "\n", `\n`)
	}
	return f.Path
}
