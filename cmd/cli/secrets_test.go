package cli

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
)

// leakyServices print what they get from the environment and from a file.
const leakyServices = `services:
  server:
    image: debian:bookworm-slim
    environment: {SETTINGS: "host=db pw ${DB_PASSWORD}"}
    env_file: private.env
    command: [sh, -c, 'echo "settings $$SETTINGS, token $$API_TOKEN"; printf "%s" "joe:${DB_PASSWORD}" | base64; env; exit 1']
`

// leakyImage prints an argument of its build, and the name of a package mirror.
const leakyImage = `services:
  broken:
    build:
      args: {NPM_TOKEN: "${DB_PASSWORD}"}
      dockerfile_inline: |
        FROM debian:bookworm-slim
        ARG NPM_TOKEN
        RUN h=$$(printf %s-mirror.corp.example planted); echo "fetching https://joe:$$NPM_TOKEN@$$h/simple with $$NPM_TOKEN"; \
          echo "E: Could not resolve '$$h'" >&2; echo "HTTPSConnectionPool(host='$$h', port=443)" >&2; exit 7
    expose: ["80"]
`

// No secret planted in an article or around it reaches the records or the pages.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	program := installed(t)
	dir, folder := project(t, "leaky", fixture(t, "leaky"))
	for name, data := range map[string]string{"private.env": "API_TOKEN=planted-in-env-file\n", "compose.yaml": leakyServices,
		"broken.yaml": leakyImage, "given.txt": "planted-in-a-file\nplanted-in-line-2\n"} {
		must.Write(filepath.Join(folder, name), data)
	}
	ends := func(verb string, want int) (stderr string) {
		t.Helper()
		l := newLife(program, t.TempDir(), "-C", dir, verb)
		l.cmd.Env = append(l.cmd.Env, "DB_PASSWORD=planted-in-environment", "GIVEN_FROM_OUTSIDE=planted-in-a-secret",
			"PIP_INDEX_URL=https://planted-mirror.corp.example/simple")
		must.Do(l.start())
		assert.Equal(t, l.end(t), want, "status of %s:\n%s", verb, &l.stderr)
		return l.stderr.String()
	}
	stderr := ends("run", lab.StatusFailed) // all but one fail
	wantNothingPlanted(t, "what run says", stderr)
	records := recordsIn(t, folder)
	for _, r := range records { // what was printed around the secrets is there: the test looks at the right places
		printed := map[string]string{"log": "settings host=db pw [redacted], token [redacted]\nam9lOn[redacted]",
			"given": "given [redacted], [redacted]", "hook": "preparing with [redacted]",
			"fetch": "proxy [redacted]:3142 refused"}
		if !strings.Contains(r.Log, printed[r.Experiment]) || (r.Failure == "") != (r.Experiment == "metric") {
			t.Errorf("%s: failure %q, log %q; want %q in it", r.Experiment, r.Failure, r.Log, printed[r.Experiment])
		}
	}
	if len(records) < 5 || !strings.Contains(stderr, "Could not resolve") {
		t.Errorf("%d records, want 5, and the end of what the build said:\n%s", len(records), stderr)
	}
	ends("render", lab.StatusDone)
	wantNothingBelow(t, filepath.Join(folder, "records"))
	wantNothingBelow(t, filepath.Join(dir, "_site"))
}

// No verb prints a value from the environment, and no page contains one.
func TestVerbsPrintNoSecrets(t *testing.T) {
	t.Setenv("DB_PASSWORD", "planted-before")
	dir, folder := project(t, "shown", `---
title: Nothing is printed
---

~~~yaml experiment
name: shown
compose: {files: compose.yaml, environment: [DB_PASSWORD]}
load: {target: "http://server/", connections: 5, duration: 1s}
repetitions: 1
calibrate: false
~~~
`)
	const services = "services: {server: {image: 'debian:bookworm-slim', expose: ['80'], environment: {MODE: fast, " +
		"SETTINGS: 'host=db pw ${DB_PASSWORD}'}, command: [serve, '--key=${DB_PASSWORD}']}}\n"
	must.Write(filepath.Join(folder, "compose.yaml"), services)
	wantNothing := func(args ...string) string {
		t.Helper()
		status, stdout, stderr := said(unlocked(), dir, args...)
		assert.Equal(t, status, 0, "status of %q: %s", args, stderr)
		wantNothingPlanted(t, args[0], stdout+stderr)
		return stdout + stderr
	}
	wantNothing("plan")
	assert.Equal(t, strings.Count(wantNothing("plan", "--json"), record.Redacted), 2, "values that plan redacts")
	wantNothing("check", "--services")
	wantNothing("run")
	wantNothingBelow(t, filepath.Join(folder, "records"))
	for _, format := range []string{"--format=text", "--format=csv", "--json"} {
		wantNothing("show", "--trial", "shown", "--repetition", "1", format)
	}
	wantNothing("show", "--format", "benchfmt")
	t.Setenv("DB_PASSWORD", "planted-after")
	const want = "a value that is not recorded changed"
	assert.Contains(t, strings.Join(strings.Fields(wantNothing("plan", "shown#shown")), " "), want)
	wantNothing("render")
	wantNothingBelow(t, filepath.Join(dir, "_site"))
}

// Users and passwords in the address of a git remote are not printed.
func TestAddressesWithoutUsers(t *testing.T) {
	for text, want := range map[string]string{
		"unable to access 'https://me:planted@git.example/x.git/': no host": "unable to access 'https://git.example/x.git/': no host",
		"branch gh-pages of https://planted@git.example/x":                  "branch gh-pages of https://git.example/x",
		"https://me:pl%zzanted@git.example/x":                               "https://[redacted]",
		"git@git.example:x.git and http://git.example/@x":                   "git@git.example:x.git and http://git.example/@x",
	} {
		assert.Equal(t, withoutUser(text), want)
	}
}

func wantNothingBelow(t *testing.T, folder string) {
	t.Helper()
	files := 0
	must.Do(filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files++
			wantNothingPlanted(t, path, must.Read(path))
		}
		return err
	}))
	if files == 0 {
		t.Errorf("there are no files below %s", folder)
	}
}

func wantNothingPlanted(t *testing.T, what, data string) {
	t.Helper()
	if at := strings.Index(data, "planted-"); at >= 0 {
		t.Errorf("%s holds a secret: …%s…", what, data[max(0, at-100):min(len(data), at+100)])
	}
}
