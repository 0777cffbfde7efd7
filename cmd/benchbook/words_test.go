package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/record/packtest"
	"benchbook/slowtest"
)

// ofLibraries are words that libraries put into errors, which tell nothing to somebody who uses the command.
var ofLibraries = regexp.MustCompile(
	`strconv\.|\b(?:l?stat|fstatat|open|openat|read|readdirent|mkdir|fork/exec|rename|unlinkat|chdir|getwd) \S+: |` +
		`(?:^|[\s(])(?:yaml|json): |write /\S+: |go-yaml|csv: |parse error|invalid syntax|unexpected end of JSON|invalid character|exec: |pflag|(?:^|: |"|\s)EOF\b|runtime error|<nil>|%!`)

// Whatever is wrong with flags, arguments and files, no verb says it in the words of a library.
func TestNoWordsOfLibraries(t *testing.T) {
	slowtest.Skip(t)
	w := scripted()
	w.LockDir = ""
	said := func(t *testing.T, args []string) string {
		var out bytes.Buffer
		if status := run(args, &out, &out, w); status == 0 {
			t.Errorf("benchbook %s ends with status 0: the test is about what is wrong\n%s", strings.Join(args, " "), &out)
		}
		return out.String()
	}
	check := func(t *testing.T, args ...string) {
		t.Helper()
		text := said(t, args)
		if word := ofLibraries.FindString(text); word != "" {
			t.Errorf("benchbook %s says %q:\n%s", strings.Join(args, " "), word, text)
		}
	}
	write := func(t *testing.T, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dir, folder := project(t, "pair", pair)
	mustRun(t, w, "-C", dir, "run")
	t.Run("arguments", func(t *testing.T) {
		t.Chdir(dir)
		write(t, "file", "not much\n")
		write(t, "empty", "")
		write(t, "broken.json", "{")
		var verbs [][]string
		for _, cmd := range (&app{&lab.Session{Config: w}}).root().Commands() {
			verbs = append(verbs, []string{cmd.Name()})
			for _, value := range []string{"x", "-", "99999999999999999999", "1e9999"} {
				for _, flag := range []string{"repetitions", "seed", "budget", "port", "repetition", "only", "metric", "fail-on",
					"engine", "host", "run", "profile",
					"trial", "claim", "format", "as", "base-url", "template", "remote", "branch"} {
					if cmd.Flags().Lookup(flag) != nil {
						verbs = append(verbs, []string{cmd.Name(), "--" + flag, value})
					}
				}
			}
			if strings.Contains(cmd.Use, "[ARTICLE") {
				for _, name := range []string{"nowhere", "nowhere.md", "pair#", "#pair", "pair#x", "file", "/nowhere/article.md",
					"experiments/pair/none.md", "experiments"} {
					verbs = append(verbs, []string{cmd.Name(), name})
				}
			}
			for _, place := range []string{"nowhere", "file", "/"} {
				verbs = append(verbs, []string{"-C", place, cmd.Name()})
			}
		}
		for _, args := range append(verbs, [][]string{
			{"compare", "nowhere", "full"}, {"compare", "folder:nowhere", "full"}, {"compare", "file", "full"},
			{"compare", "revision:HEAD", "full"},
			{"init", "file"}, {"init", "file/below"}, {"init", "a b"}, {"man", "file"}, {"man", "file/below"},
			{"publish", "file"}, {"publish", "--out", "nowhere", "there"},
			{"render", "--out", "file"}, {"render", "--out", "file/below"}, {"schema", "x"},
			{"show", "--trial", "a", "--repetition", "99"},
		}...) {
			if verb := args[0]; verb == "preview" || verb == "-C" && (args[2] == "preview" || args[2] == "init" ||
				args[2] == "schema" || args[2] == "version" || args[2] == "doctor") {
				continue // it serves, or needs no project
			}
			var out bytes.Buffer
			run(args, &out, &out, w)
			if word := ofLibraries.FindString(out.String()); word != "" {
				t.Errorf("benchbook %s says %q:\n%s", strings.Join(args, " "), word, &out)
			}
		}
	})
	if err := packtest.Unpack(filepath.Join(folder, "records")); err != nil {
		t.Fatal(err)
	}
	saved, err := filepath.Glob(filepath.Join(folder, "records", "*", "*", "*", "*.json"))
	if err != nil || len(saved) == 0 {
		t.Fatal(saved, err)
	}
	for name, spoil := range map[string]func(t *testing.T){
		"project file is a folder": func(t *testing.T) {
			if err := os.Mkdir("benchbook.yaml", 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"project file is broken": func(t *testing.T) { write(t, "benchbook.yaml", "title: [\n\t") },
		"project file is binary": func(t *testing.T) { write(t, "benchbook.yaml", "\x00\x01\xff") },
		"article is a folder": func(t *testing.T) {
			if err := os.MkdirAll("experiments/pair/article.md/x", 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"theme is missing": func(t *testing.T) { write(t, "benchbook.yaml", "theme: nowhere\n") },
		"docs are missing": func(t *testing.T) { write(t, "benchbook.yaml", "docs: nowhere\n") },
		"experiments are a file": func(t *testing.T) {
			write(t, "benchbook.yaml", "title: x\n")
			write(t, "experiments",
				"x")
		},
		"a block is broken": func(t *testing.T) {
			write(t, "benchbook.yaml", "")
			write(t, "experiments/pair/article.md", "---\ntitle: [\n---\n```yaml experiment\nname: {\n```\n")
		},
		"a data file is missing": func(t *testing.T) {
			write(t, "benchbook.yaml", "")
			write(t, "experiments/pair/article.md", dataMissing)
		},
		"a value is not a number": func(t *testing.T) {
			write(t, "benchbook.yaml", "")
			write(t, "experiments/pair/article.md", wrongValues)
		},
		"an env_file is missing": func(t *testing.T) {
			write(t, "benchbook.yaml", "")
			write(t, "experiments/pair/article.md", envMissing)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			spoil(t)
			for _, verb := range []string{"check", "plan", "run"} {
				check(t, verb)
			}
		})
	}
	t.Run("a record is broken", func(t *testing.T) {
		t.Chdir(dir)
		for i, text := range []string{"", "{", "[]", `{"schema": "x"}`, "x"} {
			write(t, saved[0], text)
			for _, verb := range []string{"plan", "show", "render"} {
				var out bytes.Buffer
				run([]string{verb}, &out, &out, w)
				if word := ofLibraries.FindString(out.String()); word != "" {
					t.Errorf("%s of record %d says %q:\n%s", verb, i, word, &out)
				}
			}
		}
	})
}

var (
	dataMissing = strings.ReplaceAll("---\ntitle: T\n---\n\n~~~yaml data\nname: d\nfile: nowhere.csv\n~~~\n\n"+
		"~~~yaml table\nlabel: tbl-x\ndata: nowhere.csv\n~~~\n", "~~~", "```")
	wrongValues = strings.ReplaceAll(fmt.Sprintf(pairWith, "connections: 5x, duration: 1 parsec, rate: 1e999"), "~~~",
		"```")
	envMissing = strings.ReplaceAll(`---
title: T
---

~~~yaml experiment
name: x
services: {server: {image: x, env_file: nowhere.env, build: nowhere, volumes: ["./nowhere:/x:ro"], configs: [{source: nowhere.py, target: /x}]}}
load: {target: "http://server/", connections: 5, duration: 1s}
~~~
`, "~~~", "```")
)

// pairWith is an article with what its load is to have.
const pairWith = `---
title: A pair
---

~~~yaml experiment
name: pair
services: {server: {image: "server", expose: ["80"], cpus: "many", mem_limit: 1 ton, ports: ["x:y"]}}
load: {target: "http://server/", %s}
repetitions: few
~~~
`
