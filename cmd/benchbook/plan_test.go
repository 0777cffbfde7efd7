package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/lab/labtest"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner/machines"
)

// A plan as people see it and as data, on a machine that is always the same.
func TestPlanGolden(t *testing.T) {
	tests := []struct {
		name, golden  string
		options       plan.Options
		json, origins bool
	}{
		{"everything in full", "plan-full.txt", plan.Options{Profile: plan.Full}, false, false},
		{"the quick profile, with origins", "plan-quick.txt", plan.Options{Profile: plan.Quick}, false, true},
		{"as data", "plan.json", plan.Options{Profile: plan.Full, Seed: 7, Repetitions: 1}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			a := &session{stdout: &out, stderr: &out, dir: labtest.Unpacked(t, "plan.txtar")}
			project, list, err := a.choose(nil)
			if err != nil {
				t.Fatal(err)
			}
			plans, err := a.sound(project, list, tt.options, "")
			if err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			this := machines.Host{ID: "c4-012345", Cores: [][]int{{0}, {1}, {2}, {3}}}
			if err := printPlans(t.Context(), a, project, list, plans, this, tt.json, tt.origins); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if !tt.json && runes(strings.TrimSpace(line)) > lineWidth+2 {
					t.Errorf("wider than %d characters: %s", lineWidth, line)
				}
			}
			labtest.Golden(t, tt.golden, out.Bytes())
		})
	}
}

// What plan says about placement is what a run does.
func TestPlacementIsTheRunners(t *testing.T) {
	dir := initialised(t, "command")
	mustRun(t, scripted(), "-C", dir, "run", "--repetitions", "1")
	records, _, err := record.Dir(filepath.Join(dir, "experiments", "command", "records")).Read()
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	var printed planJSON
	if err := json.Unmarshal([]byte(mustRun(t, scripted(), "-C", dir, "plan", "--json")), &printed); err != nil {
		t.Fatal(err)
	}
	if says, did := printed.Experiments[0].Trials[0].CPUs, records[0].Facts["placement.load"]; says != did || says == "" {
		t.Errorf("plan says %q, the run did %q", says, did)
	}
}

func TestClock(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"}, {400 * time.Millisecond, "0s"}, {90 * time.Second, "1m 30s"}, {time.Hour + 5*time.Second, "1h 0m 5s"},
		{49*time.Hour + 59*time.Second + 600*time.Millisecond, "2d 1h 1m 0s"},
	}
	for _, tt := range tests {
		if got := clock(tt.d); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.d, got, tt.want)
		}
	}
}

// The widths of docs/method.md#words-and-defaults: 2.3 c, 1.5 c and 0.94 c.
func TestHalfWidth(t *testing.T) {
	for n, want := range map[int]string{3: "2.27", 5: "1.46", 10: "0.94"} {
		if got := fmt.Sprintf("%.2f", halfWidth(n, 1)); got != want {
			t.Errorf("%d repetitions: got %s, want %s", n, got, want)
		}
	}
}

func TestEstimateInWords(t *testing.T) {
	tests := []struct {
		name     string
		estimate plan.Estimate
		want     string
	}{
		{"a load", plan.Estimate{Overhead: 6 * time.Second, Warmup: 8 * time.Second, Window: 40 * time.Second, Total: 54 * time.Second},
			"about 54s: 6s starting and stopping, 8s warm-up, 40s measuring"},
		{"with records", plan.Estimate{Overhead: 12 * time.Second, Total: 12 * time.Second, Recorded: true},
			"about 12s: 12s starting and stopping; as earlier repetitions took"},
		{"with a search", plan.Estimate{Overhead: time.Second, Searches: 2 * time.Minute, Total: 121 * time.Second, Guesses: []string{"5s for a command"}},
			"about 2m 1s: 1s starting and stopping, 2m 0s searching; assumed: 5s for a command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := inWords(tt.estimate); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Trials without records of their own take as long as the others; repetitions that failed tell nothing.
func TestExperience(t *testing.T) {
	took := func(start, measure, stop float64) []*record.Record {
		return []*record.Record{{Parts: map[string]float64{"start": start, "measure": measure, "stop": stop}}, {Failure: "it ended"}}
	}
	measured, missing := &plan.Trial{}, &plan.Trial{}
	e := &plan.Experiment{Trials: []*plan.Trial{measured, missing}}
	got := experience(e, map[*plan.Trial]*known{measured: {records: took(2, 9, 1)}, missing: {toMeasure: 4}})
	want := plan.Experience{Pending: 4, Recorded: true, Window: 9 * time.Second, Overhead: 3 * time.Second}
	if got(missing) != want {
		t.Errorf("got %+v, want %+v", got(missing), want)
	}
}

// Records of the nearest kind are what a trial is expected to take: its own under another profile, then those of the experiment, then those of
// other hosts, for as many requests as it sends; those of other experiments only tell what it takes to start and to stop.
func TestExperienceOfOthers(t *testing.T) {
	took := func(trial string, measure float64, attempted int64) *record.Record {
		return &record.Record{Trial: trial, Parts: map[string]float64{"start": 1, "measure": measure}, Load: &record.Load{Attempted: attempted}}
	}
	search := &record.Record{Trial: "a", Search: &record.Search{}, Started: time.Unix(0, 0), Ended: time.Unix(90, 0)}
	a := &plan.Trial{Name: "a", Load: &spec.Load{Requests: 1000}}
	e := &plan.Experiment{Trials: []*plan.Trial{a}}
	tests := []struct {
		name  string
		known known
		want  plan.Experience
	}{
		{"its own under another profile, with its search", known{same: []*record.Record{took("a", 2, 100), took("b", 9, 100), search}},
			plan.Experience{Recorded: true, Window: 20 * time.Second, Overhead: time.Second, Search: 90 * time.Second}},
		{"another trial's", known{same: []*record.Record{took("b", 3, 3000)}}, plan.Experience{Recorded: true, Window: time.Second, Overhead: time.Second}},
		{"its own on another host", known{same: []*record.Record{took("a", 2, 1000)}, elsewhere: true},
			plan.Experience{Recorded: true, Window: 2 * time.Second, Overhead: time.Second, Elsewhere: true}},
		{"its own here before that", known{records: []*record.Record{took("a", 5, 1000)}, same: []*record.Record{took("a", 2, 1000)}, elsewhere: true},
			plan.Experience{Recorded: true, Window: 5 * time.Second, Overhead: time.Second}},
		{"another experiment's", known{nearby: []*record.Record{took("a", 2, 1000)}}, plan.Experience{Recorded: true, Overhead: time.Second}},
		{"nobody's", known{}, plan.Experience{}},
	}
	for _, tt := range tests {
		if got := experience(e, map[*plan.Trial]*known{a: &tt.known})(a); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// An article that changed names what changed.
func TestChanges(t *testing.T) {
	const text = `---
title: A pair
---

§§§python file=server.py
print("one")
§§§

§§§dockerfile file=Dockerfile
FROM debian:bookworm-slim
§§§

§§§yaml experiment
name: pair
services:
  server:
    build: .
    configs: [{source: server.py, target: /srv/server.py}]
    environment: {MODE: fast, DB_PASSWORD: opensesame}
    expose: ["8080"]
    healthcheck: {test: [HTTP, /]}
load: {target: "http://server:8080/", connections: 5, duration: 1s, verify: {contains: Hello}}
calibrate: false
§§§
`
	trial := func(text string) *plan.Trial {
		t.Helper()
		doc := article.Parse(t.TempDir(), source.New("article.md", []byte(strings.ReplaceAll(text, "§§§", "```"))))
		p, err := plan.New(&article.Project{}, doc, plan.Options{}, &doc.Problems)
		if err != nil || !doc.Problems.Empty() {
			t.Fatalf("%v %v", err, doc.Problems.Sorted())
		}
		return p.Experiments[0].Trials[0]
	}
	before := trial(text)
	recorded := &record.Record{Key: before.Key, Inputs: before.Inputs, Definition: before.Definition}
	recorded.Redact()
	tests := []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"a number", "connections: 5", "connections: 6", "load.connections: 6, was 5"},
		{"a time", "duration: 1s", "duration: 90s", "load.duration: 1m30s, was 1s"},
		{"a file", `print("one")`, `print("two")`, "server: /srv/server.py changed"},
		{"the image", "FROM debian:bookworm-slim", "FROM debian:bookworm", "server: Dockerfile changed"},
		{"a new key", "duration: 1s", "duration: 1s, think: 5ms", "load.think: 5ms, was not there"},
		{"a key that is gone", ", verify: {contains: Hello}", "", "load.verify.contains is gone, was Hello"},
		{"a key of a service", "[HTTP, /]", "[HTTP, /ready]", "services.server.healthcheck.http: /ready, was /"},
		{"a file under another name", "target: /srv/server.py", "target: /srv/main.py",
			"server: /srv/main.py is new; server: /srv/server.py is gone"},
		{"a secret", "opensesame", "closesesame", "services.server.environment changed, which records do not hold"},
		{"something else beside a secret", "connections: 5", "connections: 7", "load.connections: 7, was 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(changes(trial(strings.ReplaceAll(text, tt.old, tt.new)), recorded), "; ")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	t.Run("what samples mean", func(t *testing.T) {
		older := *recorded
		older.Inputs = append([]record.Input{}, recorded.Inputs...)
		for i := range older.Inputs {
			if older.Inputs[i].Name == "semantics" {
				older.Inputs[i].Digest = "0"
			}
		}
		older.Key = "another"
		want := fmt.Sprintf("what samples mean is of version %d, was 0", record.LoadSemantics)
		if got := strings.Join(changes(before, &older), "; "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// A load by several generators says so.
func TestSeveralGeneratorsInWords(t *testing.T) {
	trial := &plan.Trial{Load: &spec.Load{Connections: 10, Keepalive: true, Duration: 5 * time.Second, Generators: 3, Warmup: time.Second}}
	want := "10 clients send requests, each on a connection that is kept, the next as soon as the answer is there, for 5s, " +
		"put on by 3 generators together, after 1s of warm-up"
	if got := loadInWords(trial); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Of a load by several generators each has a row.
func TestRowsOfSeveralGenerators(t *testing.T) {
	var names []string
	for _, row := range loadRows(&record.Load{Generators: []record.Generator{{Attempted: 50, Busy: 0.25}, {After: 0.0001, Attempted: 1, Busy: -1}}}) {
		if strings.HasPrefix(row[0], "generator ") {
			names = append(names, row[0]+": "+strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(row[1]))
		}
	}
	for _, row := range loadRows(&record.Load{Generators: []record.Generator{{Busy: -1, Host: "load", Uncertain: 0.0002}, {Busy: -1, Host: "load-2", Uncertain: 0.0002}}}) {
		if row[0] == "generator 2 of 2" && (!strings.HasPrefix(row[1], "on load-2: ") || !strings.Contains(row[1], "its clock known to ± 200")) {
			t.Errorf("on several nodes the row is %q", row)
		}
	}
	if len(names) != 2 || !strings.HasPrefix(names[0], "generator 1 of 2: 50 requests, begun 0") || !strings.Contains(names[0], "25 %") ||
		!strings.HasPrefix(names[1], "generator 2 of 2: 1 request, begun 100 µs after the first") || !strings.HasSuffix(names[1], "busiest thread unknown") {
		t.Errorf("rows %q", names)
	}
}

// Files of a build, of a mounted folder and of configs have a line each, whatever they are called and wherever they are in a list.
func TestWithoutFiles(t *testing.T) {
	const definition = `{"services": [{"name": "db", "image": {"build": {"files": [{"path": "a]b[c", "digest": "0123456789"}], "dockerfile": "Dockerfile"}},
		"configs": [{"path": "/etc/x[1].conf", "digest": "1234567890"}],
		"volumes": [{"type": "bind", "target": "/data", "files": [{"path": "init.sql", "digest": "2345678901"}, {"path": "b/c.sql", "digest": "3456789012"}]}]}]}`
	list, err := plan.Entries(json.RawMessage(definition))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range withoutFiles(list) {
		got = append(got, e.Path+": "+e.Text)
	}
	want := []string{"services.db.build: 1 file", "services.db.build.dockerfile: Dockerfile", "services.db.configs: /etc/x[1].conf 12345678",
		"services.db.volumes[0].type: bind", "services.db.volumes[0].target: /data", "services.db.volumes[0]: 2 files"}
	for i, line := range got {
		if i >= len(want) || strings.Split(line, ", ")[0] != want[i] {
			t.Errorf("line %d is %q", i, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
