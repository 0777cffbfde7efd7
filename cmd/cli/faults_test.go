package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
)

// A fault is something that goes wrong in an experiment of its own.
type fault struct {
	name    string
	service string // the keys of its service, beside what it is built from, and its place
	load    string // keys of the load, if not the usual ones
	failure string // a part of what the record says; empty where a load comes to its end all the same
	log     string // a part of the end of the log in the record
}

// faults are those that a service can have. The puppet does what its arguments say. What goes wrong under load does so
// when the load has asked for its path so often, however long it took to get there: the checks before it ask a few
// times.
var faults = []fault{
	{"exits at start", `command: [/puppet, "out=the last words", exit=3]`, "",
		`service "server" was not ready: it ended with status 3`, "the last words"},
	{"exits under load", `command: [/puppet, listen=8080, asked=20, "out=the last words", exit=4]`, "",
		`service "server" has ended with status 4`, "the last words"},
	{"is never ready", `command: [/puppet, listen=8080, "out=starting up", sleep=1h], healthcheck: {test: [LOG, never], interval: 1s, retries: 3}`, "",
		`service "server" was not ready after 3s: "never" stood 0 of 1 times in its log`, "starting up"},
	{"listens on its loopback only", `command: [/puppet, "listen=127.0.0.1:8080", "out=up", sleep=1h]`, "",
		`service "server" was not ready after 5s: nothing listens on port 8080 (it listens on 127.0.0.1:8080 only: bind to 0.0.0.0)`, "up"},
	{"listens on another port", `command: [/puppet, listen=9000, "out=up", sleep=1h], healthcheck: {test: [LOG, up]}`, "",
		`service "server": nothing listens on port 8080 (it listens on [::]:9000: correct the port)`, "up"},
	{"has no program for its healthcheck", `command: [/puppet, listen=8080, "out=up", sleep=1h], healthcheck: {test: [CMD, curl, "http://localhost:8080/"]}`, "",
		`its healthcheck runs "curl", which it does not have (install it, or write test: [HTTP, /] or [PORT, "80"], which need no program)`, "up"},
	{"says no", `command: [/puppet, listen=8080, "out=up", sleep=1h]`, `target: "http://server:8080/500", connections: 2, duration: 1s`,
		`wanted a status of 200 to 299, got 500 (verify: {status: 500} accepts it)`, "up"},
	{"is not waited for", `expose: [], command: [/puppet, "out=up", sleep=1h]`, "",
		`service "server": nothing listens on port 8080 yet (nothing waited for it: add it to expose)`, "up"},
	{"is ready and then hangs", `command: [/puppet, listen=8080, asked=20, "out=now it hangs", hang=, sleep=1h]`,
		"connections: 2, duration: 1500ms, warmup: 0s, timeout: 300ms", "", ""},
	{"is killed for memory", `mem_limit: 32m, command: [/puppet, listen=8080, asked=20, "out=the last words", allocate=200000000, sleep=1h]`, "",
		`service "server" ran out of memory`, "the last words"},
	{"writes a gigabyte of log", `command: [/puppet, fill=1000000000, out=., "out=the last words", exit=5]`, "",
		`service "server" was not ready: it ended with status 5`, "the last words"},
	{"runs a program that is not there", `command: [/nosuchprogram]`, "", `"server" could not be started: `, ""},
}

// faulty is an article with all of them, with an image that is not there and one that cannot be built, and at last with
// an experiment in which nothing is wrong.
func faulty() string {
	var text strings.Builder
	text.WriteString("---\ntitle: What goes wrong\n---\n\n~~~dockerfile file=puppet/Dockerfile\nFROM scratch\n" +
		"COPY puppet /puppet\n~~~\n\n" +
		"~~~dockerfile file=broken/Dockerfile\nFROM debian:bookworm-slim\nRUN echo the last words && false\n~~~\n\n")
	experiment := func(name, image, service, load string) {
		if !strings.Contains(service, "expose:") {
			service += `, expose: ["8080"]`
		}
		if !strings.Contains(load, "target:") {
			load += `, target: "http://server:8080/go"`
		}
		text.WriteString("~~~yaml experiment\nname: " + strings.ReplaceAll(name, " ", "-") +
			"\nservices:\n  server: {" + image + ", " + service + "}\nload: {" + load +
			"}\nrepetitions: 1\ncalibrate: false\ntimeout: 2m\n~~~\n\n")
	}
	const usual = "connections: 2, duration: 1500ms, warmup: 0s"
	for _, f := range faults {
		load := f.load
		if load == "" {
			load = usual
		}
		experiment(f.name, "build: puppet", f.service, load)
	}
	experiment("image is missing", "image: benchbook/nosuchimage:1", "read_only: false", usual)
	experiment("build fails", "build: broken", "read_only: false", usual)
	experiment("nothing is wrong", "build: puppet", "command: [/puppet, listen=8080, sleep=1h]", usual)
	return text.String()
}

// Whatever a service does wrong is a record with the end of its log, an image that cannot be had is a problem at its
// place, and the rest is measured. Nothing is left running.
func TestFaults(t *testing.T) {
	t.Parallel() // nothing is timed
	program := installed(t)
	dir, folder := project(t, "faulty", faulty())
	put(t, filepath.Join(folder, "puppet", "puppet"), read(t, filepath.Join(builtPrograms(t), "puppet")))
	must.Do(os.Chmod(filepath.Join(folder, "puppet", "puppet"), 0o755))
	c := engineClient(t)
	unchanged := bystander(t, c)
	l := begin(t, program, t.TempDir(), "-C", dir, "run")
	if status := l.end(t); status != lab.StatusFailed {
		t.Errorf("status %d, want %d:\n%s", status, lab.StatusFailed, &l.stderr)
	}
	if left := notRemovedBy(t, c, l.owner); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	unchanged()
	records := recordsIn(t, folder)
	if planned(records) != len(faults)+1 {
		t.Fatalf("%d records as planned, want %d", planned(records), len(faults)+1)
	}
	of := map[string]*record.Record{}
	for _, r := range records {
		of[r.Experiment] = r
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			r := of[strings.ReplaceAll(f.name, " ", "-")]
			if !strings.Contains(r.Failure, f.failure) || (r.Failure == "") != (f.failure == "") ||
				!strings.Contains(r.Log, f.log) {
				t.Errorf("the failure is %q, want %q; the log ends with %q, want %q", r.Failure, f.failure, r.Log, f.log)
			}
			if len(r.Log) > 16<<10 {
				t.Errorf("%d bytes of log are kept", len(r.Log))
			}
			if f.failure == "" && (r.Load == nil || r.Load.Failures["timeout"] == 0 || r.Load.Completed == 0) {
				t.Errorf("its load came to %+v, want right answers and then timeouts", r.Load)
			}
		})
	}
	if r := of["nothing-is-wrong"]; r.Failure != "" || r.Load.Completed == 0 || r.Load.Failed != 0 {
		t.Errorf("where nothing is wrong: failure %q, %+v", r.Failure, r.Load)
	}
	t.Run("image is missing", func(t *testing.T) {
		wantSaid(t, l.stderr.String(), "article.md:", "image benchbook/nosuchimage:1", "[no-image]")
	})
	t.Run("build fails", func(t *testing.T) {
		wantSaid(t, l.stderr.String(), "experiments/faulty/article.md:12:1: ", "12 | RUN echo the last words && false",
			"[build-failed]", "      the last words\n")
	})
}
