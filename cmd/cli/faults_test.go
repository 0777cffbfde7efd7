package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
)

// A fault is something that goes wrong in an experiment of its own.
type fault struct {
	name    string
	service string // the keys of its service, without its build and port
	load    string // keys of the load, if not the usual ones
	failure string // a part of what the record says; empty where a load comes to its end all the same
	log     string // a part of the end of the log in the record
}

// faults are those that a service can have, and none. The puppet does what its arguments say. What goes wrong under
// load does so when the load has asked for its path so often, however long it took to get there: the checks before it
// ask a few times.
//
// The engine suite has each kind of readiness, engine.TestListensElsewhere where services listen, and
// docker.TestLogIsBoundedOnDisk long logs.
var faults = []fault{
	{"exits at start", `command: [/puppet, "out=the last words", exit=3]`, "",
		`service "server" was not ready: it ended with status 3`, "the last words"},
	{"exits under load", `command: [/puppet, listen=8080, asked=20, "out=the last words", exit=4]`, "",
		`service "server" has ended with status 4`, "the last words"},
	{"has no program for its healthcheck", `command: [/puppet, listen=8080, "out=up", sleep=1h], healthcheck: {test: [CMD, curl, "http://localhost:8080/"]}`, "",
		`its healthcheck runs "curl", which it does not have (install it, or write test: [HTTP, /] or [PORT, "80"], which need no program)`, "up"},
	{"says no", `command: [/puppet, listen=8080, "out=up", sleep=1h]`, `target: "http://server:8080/500"`,
		`wanted a status of 200 to 299, got 500 (verify: {status: 500} accepts it)`, "up"},
	{"is ready and then hangs", `command: [/puppet, listen=8080, asked=20, "out=now it hangs", hang=, sleep=1h]`, "timeout: 300ms", "", ""},
	{"is killed for memory", `mem_limit: 32m, command: [/puppet, listen=8080, asked=20, "out=the last words", allocate=200000000, sleep=1h]`, "",
		`service "server" ran out of memory`, "the last words"},
	{"does nothing wrong", "command: [/puppet, listen=8080, sleep=1h]", "", "", ""},
}

// faulty returns an article with all faults.
func faulty() string {
	var text strings.Builder
	text.WriteString("---\ntitle: What goes wrong\ndefaults: {repetitions: 1, calibrate: false, timeout: 2m, " +
		"load: {target: \"http://server:8080/go\", connections: 2, duration: 900ms, warmup: 0s}}\n---\n\n" +
		"~~~dockerfile file=Dockerfile\nFROM scratch\nCOPY puppet /puppet\n~~~\n\n")
	for _, f := range faults {
		fmt.Fprintf(&text, "~~~yaml experiment\nname: %s\nservices: {server: {build: ., expose: [\"8080\"], %s}}\n"+
			"load: {%s}\n~~~\n\n",
			strings.ReplaceAll(f.name, " ", "-"), f.service, cmp.Or(f.load, "connections: 2"))
	}
	return text.String()
}

// Each fault of a service becomes a record with the end of its log, and the rest is measured. Nothing keeps running.
func TestFaults(t *testing.T) {
	t.Parallel() // nothing is timed
	program := installed(t)
	dir, folder := project(t, "faulty", faulty())
	must.Write(filepath.Join(folder, "puppet"), must.Read(filepath.Join(builtPrograms(t), "puppet")))
	must.Do(os.Chmod(filepath.Join(folder, "puppet"), 0o755))
	c := engineClient(t)
	unchanged := bystander(t, c)
	l := begin(t, program, t.TempDir(), "-C", dir, "run")
	assert.Equal(t, l.end(t), lab.StatusFailed, "status:\n%s", &l.stderr)
	assert.None(t, notRemovedBy(t, c, l.owner))
	unchanged()
	of := map[string]*record.Record{}
	for _, r := range recordsIn(t, folder) {
		of[r.Experiment] = r
	}
	if len(of) != len(faults) {
		t.Fatalf("records of %d experiments, want %d:\n%s", len(of), len(faults), &l.stderr)
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			r := of[strings.ReplaceAll(f.name, " ", "-")]
			if !strings.Contains(r.Failure, f.failure) || (r.Failure == "") != (f.failure == "") ||
				!strings.Contains(r.Log, f.log) {
				t.Errorf("the failure is %q, want %q; the log ends with %q, want %q", r.Failure, f.failure, r.Log, f.log)
			}
			hangs := strings.Contains(f.service, "hang=")
			if f.failure == "" && (r.Load == nil || r.Load.Completed == 0 || (r.Load.Failures["timeout"] > 0) != hangs ||
				(r.Load.Failed > 0) != hangs) {
				t.Errorf("its load came to %+v, want right answers, and timeouts if it hangs", r.Load)
			}
		})
	}
}
