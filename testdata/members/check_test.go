package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/pretend"
)

const articleOfNew = `---
title: New
---

~~~yaml experiment
name: pair
services: {server: {image: "debian:${{ matrix.server }}", expose: ["8080"]}}
matrix: {server: [one, two]}
load: {target: "http://server:8080/", connections: 5, duration: 100ms, warmup: 0s, tool: siege}
repetitions: 5
calibrate: false
~~~

~~~yaml claim
name: faster
experiment: pair
expect: throughput{server="one"} >= throughput{server="two"}
~~~

~~~yaml table
label: tbl-pair
experiment: pair
rows: [server]
columns: [throughput, net.resets.server]
~~~

~~~yaml figure
label: fig-pair
experiment: pair
kind: ladder
x: net.resets.server
~~~

~~~yaml figure
label: fig-ways
experiment: pair
kind: multiverse
claim: faster
~~~
`

// A tool, a metric, an engine, a verdict and a figure kind that were added by the files that docs/architecture.md
// lists are known everywhere: TestNewMembers in the module's root compiles this beside them.
func TestNewMembers(t *testing.T) {
	const printed = `{"transactions": %d, "failed_transactions": 0, "elapsed_time": 0.1, "response_time": 0.01, "longest_transaction": 0.02}` + "\n"
	loads, s := 0, script("")
	ours := s.Run
	s.Run = func(ctx context.Context, p engine.Program) (engine.Exit, error) {
		if p.Name != "load" || len(p.Entrypoint) == 0 {
			return ours(ctx, p)
		}
		loads++
		time.Sleep(120 * time.Millisecond) // in which its services are looked at
		return engine.Exit{Stdout: fmt.Appendf(nil, printed, 1000+loads*37%97)}, nil
	}
	s.Usage = func(_ string, n int) (engine.Usage, error) {
		return engine.Usage{
			At:     time.Now(),
			CPU:    time.Duration(n) * time.Millisecond,
			Memory: 1 << 20,
			Resets: int64(1000 * n),
		}, nil
	}
	pretend.Script = s
	w := wired()
	w.LockDir, w.LockEngines, w.Settler, w.Cache, w.Agent, w.Terminal = t.TempDir(), false, nil, "", scripted().Agent, nil
	dir, folder := project(t, "new", articleOfNew)
	t.Chdir(dir)
	says := func(t *testing.T, status int, wanted string, args ...string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		got := run(args, &stdout, &stderr, w)
		said := strings.Join(strings.Fields(stdout.String()+stderr.String()), " ")
		if got != status || !strings.Contains(said, wanted) {
			t.Errorf(
				"benchbook %s: status %d, want %d and %q\n%s%s",
				strings.Join(args, " "),
				got,
				status,
				wanted,
				&stdout,
				&stderr,
			)
		}
	}
	edit := func(t *testing.T, file, old, new string) (undo func()) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(text, []byte(old)) {
			t.Fatalf("%s has no %q (%v)", file, old, err)
		}
		if err := os.WriteFile(file, bytes.Replace(text, []byte(old), []byte(new), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	article, settings := filepath.Join(folder, "article.md"), filepath.Join(dir, "benchbook.yaml")
	edit(t, settings, "title", "engine: pretend\ntitle")
	misspelt := func(t *testing.T, file, right, wrong, hint string) {
		t.Helper()
		defer edit(t, file, right, wrong)()
		says(t, 104, hint, "check")
	}

	says(t, 0, "1 article, no problems", "check")
	says(t, 0, "", "run")
	site := filepath.Join(dir, "_site")
	says(t, 0, "", "render", "--out", site)
	page, evidence := filepath.Join(site, "new", "index.html"), filepath.Join(site, "new", "evidence.html")
	has := func(t *testing.T, where, wanted string) {
		t.Helper()
		found := false
		err := filepath.WalkDir(where, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(name)
			found = found || bytes.Contains(text, []byte(wanted))
			return err
		})
		if err != nil || !found {
			t.Errorf("%s has no %q (%v)", where, wanted, err)
		}
	}
	t.Run("a figure kind", func(t *testing.T) {
		misspelt(t, article, "kind: ladder", "kind: laddr", `did you mean "ladder"?`)
		misspelt(t, article, "x: net.resets.server\n", "", "add x: with a metric")
		has(t, page, "A ladder of cells.")
		has(t, filepath.Join(site, "new"), "fig-pair")
	})
	t.Run("a tool", func(t *testing.T) {
		misspelt(t, article, "tool: siege", "tool: seige", `did you mean "siege"?`)
		misspelt(t, article, "tool: siege", "tool: siege, think: 1ms", "siege has no flag for think")
		says(t, 0, `"siege"`, "schema", "experiment")
		has(t, evidence, "siege -j -c 5 -t 100ms http://server:8080/")
		has(t, evidence, "times have a step of 10 ms")
		saved := filepath.Join(dir, "saved.txt")
		if err := os.WriteFile(saved, fmt.Appendf(nil, printed, 1000), 0o644); err != nil {
			t.Fatal(err)
		}
		says(t, 0, "siege, format detected", "import", saved, "--as", `new#pair{server=one}`)
		says(t, 0, "siege", "__complete", "import", "--format", "")
	})
	t.Run("a metric of services", func(t *testing.T) {
		misspelt(t, article, "x: net.resets.server", "x: net.rests.server", `did you mean "net.resets.server"?`)
		has(t, page, "Resets of server")
		has(t, filepath.Join(folder, "records"), `"net.resets.server"`)
		has(t, filepath.Join(site, "new"), "net.resets.server")
	})
	t.Run("an engine", func(t *testing.T) {
		misspelt(t, settings, "engine: pretend", "engine: pretnd", `did you mean "pretend"?`)
		says(t, 0, "pretend", "schema", "project")
		says(t, 0, "pretend", "run", "--help")
		says(t, 0, "pretend", "verify", "--help")
		says(t, 0, "pretend", "__complete", "run", "--engine", "")
		says(t, 2, "pretend", "run", "--engine", "nonesuch")
		says(t, 0, "engine pretend", "run", "--engine", "pretend", "--force")
	})
	t.Run("a verdict", func(t *testing.T) {
		says(t, 0, "borderline faster", "run")
		says(t, 0, "borderline faster", "show", "new")
		says(t, 0, `"verdict": "borderline"`, "render", "--json")
		has(t, page, `class="vw is-borderline"`)
		has(t, page, "M1.5 8h13M8 1.5v13")
		has(t, page, "Borderline")
		has(t, page, "The claim under every alternative: ")
		has(t, site, ".is-borderline { color: var(--part); }")
	})
}
