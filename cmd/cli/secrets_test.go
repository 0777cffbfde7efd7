package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/record"
	"benchbook/notebook/record/packtest"
)

// leaky prints its secrets wherever it can.
const leaky = `---
title: Everything is printed
---

~~~dockerfile file=image/Dockerfile
FROM debian:bookworm-slim
ARG NPM_TOKEN
RUN echo "building with $NPM_TOKEN"
~~~

~~~yaml experiment
name: log
services:
  server:
    build: {context: image, args: {NPM_TOKEN: planted-in-build-args}}
    environment: {DB_PASSWORD: planted-in-environment}
    env_file: private.env
    command: [sh, -c, 'echo "password is $DB_PASSWORD, token $API_TOKEN"; echo "$DB_PASSWORD$API_TOKEN" >&2; env; exit 1']
load: {target: "http://server/", headers: {X-Api-Key: planted-in-headers}, duration: 1s}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: given
secrets: {one: {environment: GIVEN_FROM_OUTSIDE}, two: {file: given.txt}}
services:
  server:
    image: debian:bookworm-slim
    read_only: true
    environment: {GIVEN: "${{ secrets.one }}"}
    secrets: [two]
    expose: ["80"]
    command: [sh, -c, 'echo "given $GIVEN, $(cat /run/secrets/two)"; exit 1']
load: {target: "http://server:80/", headers: {X-Given: "${{ secrets.two }}"}, duration: 1s}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: hook
services:
  server:
    image: debian:bookworm-slim
    environment: {DB_PASSWORD: planted-in-environment}
    env_file: private.env
    command: [sleep, 1d]
shared: [server]
setup: {service: server, run: [sh, -c, 'echo "setting up with $DB_PASSWORD"']}
prepare: {service: server, run: [sh, -c, 'echo "Authorization: Bearer planted-in-a-hook"; env; echo "$API_TOKEN" >&2; exit 3']}
command: {service: server, run: ["true"]}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: command
command:
  image: debian:bookworm-slim
  environment: {DB_PASSWORD: planted-in-environment}
  run: [sh, -c, 'exec >&2; env; echo "postgres://joe:planted-in-output@db/"; echo "$DB_PASSWORD"; exit 4']
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: metric
command: {image: debian:bookworm-slim, environment: {DB_PASSWORD: planted-in-environment}, run: [sh, -c, 'echo "$DB_PASSWORD"; echo size 7']}
metrics: [{name: size, from: stdout, regex: 'size (\d+)'}, {name: missing, from: stdout, regex: 'password=planted-in-a-pattern (\d+)'}]
repetitions: 1
calibrate: false
~~~

~~~dockerfile file=broken/Dockerfile
FROM debian:bookworm-slim
ARG NPM_TOKEN
RUN h=$(printf %s-mirror.corp.example planted); echo "fetching https://joe:$NPM_TOKEN@$h/simple with $NPM_TOKEN"; \
  echo "E: Could not resolve '$h'" >&2; echo "HTTPSConnectionPool(host='$h', port=443)" >&2; exit 7
~~~

~~~yaml experiment
name: build
command: {build: {context: broken, args: {NPM_TOKEN: planted-in-build-args}}, run: ["true"]}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: mirror
services:
  server:
    image: debian:bookworm-slim
    expose: ["8080"]
    command: [sh, -c, 'h=$(printf %s-mirror.corp.example planted); echo "Looking in indexes: https://$h/simple"; echo "E: Could not resolve ''$h''" >&2; exit 5']
load: {target: "http://server:8080/", duration: 1s}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: fetch
command:
  image: debian:bookworm-slim
  run: [sh, -c, 'h=$(printf %s-mirror.corp.example planted); echo "{\"metric\": \"size\", \"value\": 7, \"unit\": \"B\"}"; echo "proxy $h:3142 refused" >&2; exit 6']
repetitions: 1
calibrate: false
~~~

~~~yaml table
label: tbl-all
experiment: metric
columns: [time.real, size]
~~~
`

// toolLine shows the line of another program, with a secret in it.
const toolLine = `---
title: A tool with a secret
---

~~~yaml experiment
name: tool
services: {server: {image: "debian:bookworm-slim", expose: ["8080"]}}
load:
  {target: "http://server:8080/?token=planted-in-a-query", headers: {Authorization: Bearer planted-in-headers}, connections: 5, duration: 2s, tool: ab}
repetitions: 1
calibrate: false
~~~
`

// No secret that is planted in an article or around it reaches its records, or the pages that are made of them.
func TestPlantedSecrets(t *testing.T) {
	t.Run("what programs write", func(t *testing.T) {
		w := onEngine(t)
		w.LockDir = "" // nothing is timed
		t.Setenv("AWS_SECRET_ACCESS_KEY", "planted-around-benchbook")
		t.Setenv("GIVEN_FROM_OUTSIDE", "planted-in-a-secret")
		t.Setenv("PIP_INDEX_URL", "https://planted-mirror.corp.example/simple")
		dir, folder := project(t, "leaky", leaky)
		if err := os.WriteFile(filepath.Join(folder, "private.env"), []byte("API_TOKEN=planted-in-env-file\n"),
			0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "given.txt"), []byte("planted-in-a-file\nplanted-in-line-2\n"),
			0o600); err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		if status := run([]string{"-C", dir, "run"}, &bytes.Buffer{}, &stderr, w); status != lab.StatusFailed {
			t.Errorf("status %d, want %d: all but one fail", status, lab.StatusFailed)
		}
		wantNothingPlanted(t, "what run says", stderr.Bytes())
		records, _, err := record.Dir(filepath.Join(folder, "records")).Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records { // what was printed around the secrets is there: the test looks at the right places
			printed := map[string]string{"log": "password is [redacted], token [redacted]",
				"given": "given [redacted], [redacted]", "hook": "Authorization: [redacted]",
				"command": "postgres://joe:[redacted]@db/", "mirror": "Looking in indexes: https://[redacted]/simple",
				"fetch": "proxy [redacted]:3142 refused"}
			if !strings.Contains(r.Log, printed[r.Experiment]) || (r.Failure == "") != (r.Experiment == "metric") {
				t.Errorf("%s: failure %q, log %q; want %q in it", r.Experiment, r.Failure, r.Log, printed[r.Experiment])
			}
		}
		if len(records) < 7 || !strings.Contains(stderr.String(), "Could not resolve") {
			t.Errorf("%d records, want 7, and the end of what the build said:\n%s", len(records), &stderr)
		}
		wantNothingPlantedBelow(t, w, dir, folder)
	})
	t.Run("lines of tools", func(t *testing.T) {
		w := scripted()
		w.LockDir = ""
		dir, folder := project(t, "tool", toolLine)
		printed, err := os.ReadFile(filepath.Join("..", "..", "notebook", "loadtool", "testdata", "ab", "plain.txt"))
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(t.TempDir())
		if err := os.WriteFile("printed.txt", printed, 0o644); err != nil {
			t.Fatal(err)
		}
		mustRun(t, w, "-C", dir, "run")
		records, _, err := record.Dir(filepath.Join(folder, "records")).Read()
		if err != nil || len(records) != 1 || !strings.Contains(records[0].Facts["tool.line"], record.Redacted) {
			t.Errorf("the records are %+v, %v", records, err)
		}
		wantNothingPlantedBelow(t, w, dir, folder)
	})
}

// shownSecrets has a secret in each place that plan, status, verify and show print.
const shownSecrets = `---
title: Nothing is printed
---

~~~yaml experiment
name: shown
services:
  server:
    image: debian:bookworm-slim
    expose: ["80"]
    environment: {GITHUB_PAT: planted-in-pat, DB_PASSWORD: planted-in-environment, DSN: "me:planted-in-dsn@tcp(db)/x", MODE: "%s",
      REPOSITORY: "https://planted-in-a-long-token@git.example/x", URL: "postgres://me:planted-@-in-url@db/x"}
    command: [sh, -c, "serve --api-key planted-in-an-option; echo planted-in-environment"]
load: {target: "http://server/?api_key=planted-in-a-query", headers: {X-Api-Key: planted-in-headers}, connections: 5, duration: 1s}
repetitions: 1
calibrate: false
~~~
`

// No verb prints the secrets of an article, nor those of a record of before their names were known to be secret.
func TestVerbsPrintNoSecrets(t *testing.T) {
	w := scripted()
	w.LockDir = ""
	text := strings.ReplaceAll(shownSecrets, "~~~", "```")
	dir, folder := project(t, "shown", strings.ReplaceAll(text, "%s", "before"))
	wantNothing := func(status int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(append([]string{"-C", dir}, args...), &out, &out, w); got != status {
			t.Errorf("%s: status %d, want %d: %s", strings.Join(args, " "), got, status, &out)
		}
		wantNothingPlanted(t, strings.Join(args, " "), out.Bytes())
		return out.String()
	}
	wantNothing(0, "plan")
	if out := wantNothing(0, "plan", "--format", "json"); strings.Count(out, record.Redacted) < 7 {
		t.Errorf("plan shows too little of what is redacted:\n%s", out)
	}
	wantNothing(0, "check", "--services")
	wantNothing(0, "run")
	if err := packtest.Unpack(filepath.Join(folder, "records")); err != nil {
		t.Fatal(err)
	}
	// As an older benchbook saved it.
	saved, err := filepath.Glob(filepath.Join(folder, "records", "*", "full", "shown", "*.json"))
	if err != nil || len(saved) != 1 {
		t.Fatal(saved, err)
	}
	data, err := os.ReadFile(saved[0])
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(data), "GITHUB_PAT=[redacted]", "GITHUB_PAT=planted-in-a-record", 1)
	older = regexp.MustCompile(`(?s),\s*"(seal": \{.*?\}|looks": \[.*?\])`).ReplaceAllString(older, "")
	if older == string(data) {
		t.Fatalf("the record does not hold the variable:\n%s", data)
	}
	if err := os.WriteFile(saved[0], []byte(older), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{results.FormatText, results.FormatCSV, results.FormatJSON} {
		wantNothing(0, "show", "--trial", "shown", "--repetition", "1", "--format", format)
	}
	wantNothing(0, "show", "--format", "benchfmt")
	changed := strings.Replace(strings.ReplaceAll(text, "%s", "after"), "environment: {",
		"environment: {NEW_PAT: planted-and-new, ", 1)
	if err := os.WriteFile(filepath.Join(folder, "article.md"), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	out := wantNothing(0, "plan", "shown#shown")
	for _, want := range []string{"environment: NEW_PAT=[redacted], GITHUB_PAT=[redacted], ", "MODE=after, ",
		", was GITHUB_PAT=[redacted], ", "MODE=before, "} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("plan does not say %q:\n%s", want, out)
		}
	}
	wantNothing(0, "plan", "--format", "json")
	wantNothing(0, "plan")
	wantNothing(0, "render")
	wantNothingBelow(t, filepath.Join(dir, "_site"))
}

// An error that names the address of a git remote does not tell its token.
func TestErrorsTellNoTokens(t *testing.T) {
	text := terminal.ErrorText(errors.New("git fetch: fatal: unable to access " +
		"'https://me:planted-in-remote@git.example/x.git/': could not resolve host"))
	wantNothingPlanted(t, "the error", []byte(text))
	if !strings.Contains(text, "me:[redacted]@git.example") {
		t.Error(text)
	}
}

// wantNothingPlantedBelow looks into every file of records and, once they are rendered, of pages.
func wantNothingPlantedBelow(t *testing.T, w lab.Config, dir, folder string) {
	t.Helper()
	mustRun(t, w, "-C", dir, "render")
	for _, below := range []string{filepath.Join(folder, "records"), filepath.Join(dir, "_site")} {
		wantNothingBelow(t, below)
	}
}

func wantNothingBelow(t *testing.T, folder string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		wantNothingPlanted(t, path, data)
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files below %s, %v", files, filepath.Base(folder), err)
	}
}

func wantNothingPlanted(t *testing.T, what string, data []byte) {
	t.Helper()
	if at := bytes.Index(data, []byte("planted-")); at >= 0 {
		t.Errorf("%s holds a secret: …%s…", what, data[max(0, at-100):min(len(data), at+100)])
	}
}
