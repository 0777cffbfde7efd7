package runner

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/docker"
	"benchbook/runner/load"
	"benchbook/runner/sysinfo"
)

// realRunner runs in real containers, with programs that it builds.
func realRunner(t *testing.T) *Runner {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Docker engine and two minutes: run without -short")
	}
	e, err := docker.New(t.Context(), docker.Options{})
	if errors.Is(err, engine.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	host, err := sysinfo.ThisHost()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build(t, filepath.Join(dir, agent.Name), "benchbook/runner/benchbook-agent")
	program := func() ([]byte, error) { return os.ReadFile(filepath.Join(dir, agent.Name)) }
	return &Runner{Engine: e, Host: host, Progress: &quiet{}, Agent: program, Requests: &load.Requests{Agent: program},
		Commands: &load.Commands{Agent: program}}
}

// build makes a static program.
func build(t *testing.T, to, what string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", to, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Three workers of a real server answer three times as much as one, and more get in each other's way. Windows are
// shorter than a second, so that what else runs on the machine makes no probe invalid; it may still make all of them
// slow, so that there are five attempts.
func TestTuneRealServer(t *testing.T) {
	r := realRunner(t)
	const text = "---\ntitle: x\n---\n\n```dockerfile file=Dockerfile\nFROM scratch\nCOPY pool /pool\n```\n\n" +
		"```yaml experiment\nname: pool\n" +
		"services: {server: {build: ., command: \"/pool -workers ${{ tune.workers }}\", expose: [\"8080\"]}}\n" +
		"load: {target: \"http://server:8080/\", connections: 16, duration: 900ms, warmup: 200ms}\n" +
		"tune: {workers: {to: 8}}\nrepetitions: 1\ncalibrate: false\n```\n"
	p := newPlanBeside(t, plan.Full, text, func(dir string) { build(t, filepath.Join(dir, "pool"), "./testdata/pool") })
	store := &memory{}
	var s *record.Search
	for attempt := 1; s == nil || s.Chosen != 3; attempt++ {
		if attempt > 5 {
			t.Fatalf("found %+v", s)
		}
		store.records = nil
		if _, err := r.Run(t.Context(), p, store, Options{}); err != nil {
			t.Fatal(err)
		}
		s = store.records[0].Search
		t.Logf("chose %d (%v to %v), which matters %.3g times, in %d probes", s.Chosen, s.Lo, s.Hi, s.Matters, len(s.Probes))
	}
	if s.Matters < 2 || s.Matters > 4 {
		t.Errorf("the best is %v times the worst, want about 3", s.Matters)
	}
	last := store.records[len(store.records)-1]
	if last.Failure != "" || last.Facts["tune.workers"] != "3" || last.Load.Completed < 100 {
		t.Errorf("measured with %s workers: %+v, %s", last.Facts["tune.workers"], last.Load, last.Failure)
	}
}

// An origin behind a link bears what the link lets through, which a closed loop shows as well.
func TestCapacityOfRealOrigin(t *testing.T) {
	r := realRunner(t)
	const text = "---\ntitle: x\n---\n\n```yaml experiment\nname: peak\n" +
		"services: {server: {origin: {body: 2000B}, link: {rate: 2MB/s}}}\n" +
		"load: {target: \"http://server/\", connections: 16, duration: 900ms, warmup: 200ms}\nrepetitions: 1\n" +
		"calibrate: false\n```\n\n" +
		"```yaml experiment\nname: ceiling\nextends: peak\n" +
		"capacity: {slo: latency.p50 < 50ms and failed < 1%, from: 50/s, to: 5000/s}\n```\n"
	store, p := &memory{}, newPlan(t, text)
	var s *record.Search
	var peak float64
	var level validity.Level // of the closed loop: a search begins elsewhere if that is not valid
	for attempt := 1; s == nil || s.Stop != record.StopStep || s.Lo < 0.5*peak || s.Hi > 1.2*peak ||
		level == validity.Invalid; attempt++ {
		switch { // on a machine that is busy with something else probes are slow, or not valid, and so nothing can be found
		case attempt > 3 && s.Stop == record.StopNone:
			t.Skip("the machine is too busy: ", s.Reason)
		case attempt > 3:
			t.Fatalf("found %+v, where a closed loop has %.0f/s", s, peak)
		}
		store.records = nil
		if _, err := r.Run(t.Context(), p, store, Options{}); err != nil {
			t.Fatal(err)
		}
		s, peak = store.records[1].Search, float64(store.records[0].Load.Completed)/store.records[0].Load.Window
		level, _ = validity.Of(store.records[0])
		t.Logf("bears %.0f/s and fails at %.0f/s, in %d probes (%s %s); a closed loop has %.0f/s", s.Lo, s.Hi, len(s.Probes),
			s.Stop, s.Reason, peak)
	}
	if peak < 700 || peak > 1000 { // 2 MB/s of answers with 2000 bytes and their heads
		t.Errorf("a closed loop has %v answers per second", peak)
	}
	throughput, missing := dataset.Value(store.records[0], "throughput", nil)
	if missing != "" || s.Probes[0].Candidate != throughput/2 {
		t.Errorf("begins at %v/s, where a closed loop has %v/s %s", s.Probes[0].Candidate, throughput, missing)
	}
}
