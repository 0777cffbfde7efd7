package runner

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
)

func saved(t *testing.T, file string) Saved {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../notebook/loadtool/testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return Saved{File: filepath.Base(file), Modified: time.Date(2025, 5, 6, 7, 8, 9, 0, time.UTC), Printed: data}
}

// What is no text of a tool is said to be that, and not to be of a tool that is not known.
func TestImportOfNoText(t *testing.T) {
	p := newPlan(t, "---\ntitle: x\n---\n\n"+timed)
	e := p.Experiments[0]
	for printed, want := range map[string]string{
		"": "f: there is nothing in it", "\ufeff\r\n": "f: there is nothing in it",
		"\xff\xfea": "f: it ends within a character of UTF-16",
	} {
		for _, format := range []string{"", "wrk"} {
			_, err := Import(p, e, e.Trials[:1], format, []Saved{{File: "f", Printed: []byte(printed)}})
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: got %v, want %q", printed, err, want)
			}
		}
	}
}

const timed = "```yaml experiment\nname: sleeping\ncommand: {image: debian, run: sleep 0.02}\n```\n"

func TestImport(t *testing.T) {
	load := func(t *testing.T) (*plan.Plan, *plan.Experiment, *plan.Trial) {
		p := socketsPlan(t)
		return p, p.Experiments[0], p.Experiments[0].Trials[0]
	}
	command := func(t *testing.T) (*plan.Plan, *plan.Experiment, *plan.Trial) {
		p := newPlan(t, "---\ntitle: x\n---\n\n"+timed)
		return p, p.Experiments[0], p.Experiments[0].Trials[0]
	}
	t.Run("load", func(t *testing.T) {
		p, e, trial := load(t)
		l := *trial.Load
		l.Connections = 20
		trial.Load = &l
		list, err := Import(p, e, []*plan.Trial{trial}, "", []Saved{saved(t, "ab/plain.txt"), saved(t, "ab/keepalive.txt")})
		if err != nil {
			t.Fatal(err)
		}
		r := list[1]
		if len(list) != 2 || r.Repetition != 2 || r.Planned != 2 || r.Run != list[0].Run ||
			!strings.HasPrefix(r.Run, "20250506T070808Z-") {
			t.Errorf("%d records, repetition %d of %d in run %s", len(list), r.Repetition, r.Planned, r.Run)
		}
		if r.Host != "imported" || r.Key != trial.Key || r.Trial != trial.Name || len(r.Facts) != 1 ||
			r.Facts["tool.note"] == "" || r.Failure != "" {
			t.Errorf("host %s, facts %v, failure %q", r.Host, r.Facts, r.Failure)
		}
		if want := (record.Imported{Tool: "ab", Version: "2.3", File: "keepalive.txt", Guessed: true,
			Dated: "file"}); *r.Imported != want {
			t.Errorf("%+v, want %+v", *r.Imported, want)
		}
		if r.Load.Completed != 5000 || r.Load.ForeignCPU != -1 || r.Load.Busy != -1 ||
			!strings.Contains(r.Output, "Keep-Alive requests:    5000") {
			t.Errorf("%+v\n%s", r.Load, r.Output)
		}
		if took := r.Ended.Sub(r.Started); !r.Ended.Equal(saved(t, "ab/plain.txt").Modified) ||
			took != r.Ended.Sub(r.Load.WindowStart) || took < 50*time.Millisecond {
			t.Errorf("from %v to %v", r.Started, r.Ended)
		}
		data, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.Parse(data); err != nil {
			t.Error(err)
		}
	})
	t.Run("time of the output", func(t *testing.T) {
		p, e, trial := load(t)
		list, err := Import(p, e, []*plan.Trial{trial}, "vegeta", []Saved{saved(t, "vegeta/plain.json")})
		if err != nil {
			t.Fatal(err)
		}
		if r := list[0]; r.Imported.Dated != "output" || r.Imported.Guessed ||
			r.Started.Format(time.DateTime) != "2026-11-20 12:14:28" {
			t.Errorf("%+v at %v", r.Imported, r.Started)
		}
	})
	t.Run("open loop", func(t *testing.T) {
		p, e, trial := load(t)
		l := *trial.Load
		l.Arrivals, l.Rate = "constant", 200
		trial.Load = &l
		list, err := Import(p, e, []*plan.Trial{trial}, "", []Saved{saved(t, "vegeta/plain.json")})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list[0].Samples {
			if strings.HasPrefix(s.Metric, "latency.") || s.Metric == "service.mean" {
				t.Errorf("sample %+v", s)
			}
		}
		if _, ok := list[0].Sample("service.p99"); !ok {
			t.Error("no time from sending")
		}
	})
	t.Run("an open loop whose tool tells times from when requests were due", func(t *testing.T) {
		p, e, trial := load(t)
		l := *trial.Load
		l.Arrivals, l.Rate = "constant", 300
		trial.Load = &l
		list, err := Import(p, e, []*plan.Trial{trial}, "", []Saved{saved(t, "wrk2/latency.txt")})
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := list[0].Sample("latency.p99.9"); !ok || s.Value != 0.05936 || list[0].Imported.Tool != "wrk2" {
			t.Errorf("%+v, %+v", list[0].Imported, list[0].Samples)
		}
	})
	t.Run("saved by PowerShell", func(t *testing.T) {
		p, e, trial := load(t)
		l := *trial.Load
		l.Connections = 20
		trial.Load = &l
		s := saved(t, "ab/plain.txt")
		units := utf16.Encode([]rune("\ufeff" + strings.ReplaceAll(string(s.Printed), "\n", "\r\n")))
		s.Printed = nil
		for _, unit := range units {
			s.Printed = binary.LittleEndian.AppendUint16(s.Printed, unit)
		}
		list, err := Import(p, e, []*plan.Trial{trial}, "", []Saved{s})
		if err != nil {
			t.Fatal(err)
		}
		if want := string(saved(t, "ab/plain.txt").Printed); list[0].Output != want {
			t.Errorf("the output is kept as %q", list[0].Output)
		}
	})
	t.Run("one of several commands", func(t *testing.T) {
		for _, tt := range []struct {
			name, program, run string
			real               float64
			want               string // in the error; empty for none
		}{
			{"that of the trial", "", "sleep 0.01", 0.018332372266666667, ""},
			{"a named one", "sleep 0.01", "sleep 0.5", 0.018332372266666667, ""},
			{"none that is known", "", "sleep 0.5", 0,
				`it has 2 programs, "sleep 0.01", "false": name the one that it is of with --program`},
			{"a name of none", "sleep 1", "sleep 0.01", 0, `it has no program "sleep 1", but "sleep 0.01", "false"`},
		} {
			p := newPlan(t, "---\ntitle: x\n---\n\n"+strings.Replace(timed, "sleep 0.02", tt.run, 1))
			s := saved(t, "hyperfine/two.json")
			s.Program = tt.program
			list, err := Import(p, p.Experiments[0], p.Experiments[0].Trials[:1], "", []Saved{s})
			switch {
			case tt.want != "":
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
				}
			case err != nil:
				t.Errorf("%s: %v", tt.name, err)
			default:
				if got, _ := list[0].Sample("time.real"); got.Value != tt.real || !strings.Contains(list[0].Output, `"false"`) {
					t.Errorf("%s: %+v", tt.name, list[0].Samples)
				}
			}
		}
		p, e, _ := load(t)
		s := saved(t, "ab/plain.txt")
		s.Program = "sleep 0.01"
		if _, err := Import(p, e, e.Trials[:1], "", []Saved{s}); err == nil || !strings.Contains(err.Error(), "--program") {
			t.Errorf("a program of requests: %v", err)
		}
	})
	t.Run("command", func(t *testing.T) {
		p, e, trial := command(t)
		list, err := Import(p, e, []*plan.Trial{trial}, "", []Saved{saved(t, "hyperfine/sleep.json"),
			saved(t, "hyperfine/failed.json")})
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := list[0].Sample("time.real"); s.Value != 0.0250562352 || list[0].Command == nil || list[0].Load != nil {
			t.Errorf("%+v", list[0])
		}
		if want := "the command ended with status 1, not 0, in 3 of 3 runs"; list[1].Failure != want {
			t.Errorf("failure %q, want %q", list[1].Failure, want)
		}
	})
	for _, tt := range []struct {
		name, format string
		of           func(*testing.T) (*plan.Plan, *plan.Experiment, *plan.Trial)
		change       func(*spec.Load)
		files        []string
		want         string
	}{
		{"nothing known", "", load, nil, []string{"README.md"}, "README.md: unknown format: name the tool with --format"},
		{"another format", "wrk", load, nil, []string{"ab/plain.txt"}, "plain.txt: output of wrk: no result"},
		{"a tool that cannot be imported", "pgbench", load, nil, []string{"pgbench/plain.txt"},
			`plain.txt: output of "pgbench" cannot be imported`},
		{"cut off", "", load, nil, []string{"ab/abort.txt"}, "abort.txt: output of ab: no result"},
		{"other connections", "", load, func(l *spec.Load) { l.Connections = 11 }, []string{"ab/plain.txt"},
			"plain.txt: it was measured with 20 connections, but trial"},
		{"another tool than the trial's", "", load, func(l *spec.Load) { l.Tool, l.Connections = "wrk", 20 },
			[]string{"ab/plain.txt"}, "plain.txt: it is output of ab, and the load of trial"},
		{"two tools", "", load, func(l *spec.Load) { l.Connections = 20 }, []string{"ab/plain.txt", "hey/plain.txt"},
			"plain.txt: it is output of hey, and plain.txt of ab"},
		{"a load as a command", "", command, nil, []string{"ab/plain.txt"},
			"plain.txt: it is output of ab about requests, and the experiment times a command"},
		{"a command as a load", "", load, nil, []string{"hyperfine/sleep.json"},
			"sleep.json: it is output of hyperfine about a command"},
		{"no files", "", load, nil, nil, "there is no output to import"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, e, trial := tt.of(t)
			if tt.change != nil {
				l := *trial.Load
				tt.change(&l)
				trial.Load = &l
			}
			var list []Saved
			for _, f := range tt.files {
				list = append(list, saved(t, f))
			}
			records, err := Import(p, e, []*plan.Trial{trial}, tt.format, list)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || records != nil {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// An experiment whose trials have several tools prepares each of them once, and measures every trial with its own.
func TestDriversOfTrials(t *testing.T) {
	p := socketsPlan(t)
	for i, trial := range p.Experiments[0].Trials {
		l := *trial.Load
		l.Tool = []string{"", "ab"}[i%2]
		trial.Load = &l
	}
	ours, theirs := &counting{}, &counting{}
	r := newRunner(fake.New(script(t)), &quiet{})
	r.Requests, r.Tools = ours, map[string]load.Driver{"ab": theirs}
	store := &memory{}
	if _, err := r.Run(t.Context(), p, store, Options{}); err != nil {
		t.Fatal(err)
	}
	if ours.prepared != 1 || theirs.prepared != 1 || ours.measured+theirs.measured != len(store.records) ||
		theirs.measured == 0 || ours.measured == 0 {
		t.Errorf("ours %+v, theirs %+v", ours, theirs)
	}
	if store.records[0].Output != "raw" {
		t.Errorf("output %q", store.records[0].Output)
	}
	r.Tools = nil
	if _, err := r.Run(t.Context(), p, &memory{}, Options{}); err == nil || !strings.Contains(err.Error(),
		"there is no driver for ab") {
		t.Error(err)
	}
	// An image that cannot be had is one of the experiment.
	theirs.err = &engine.ImageError{Reference: "debian:bookworm-slim", Err: errors.New("no debian")}
	r = newRunner(fake.New(script(t)), &quiet{}) // the one before has prepared it
	r.Tools = map[string]load.Driver{"ab": theirs}
	sum, err := r.Run(t.Context(), p, &memory{}, Options{})
	if err != nil || len(sum.NoImage) != 1 || sum.NoImage[0].Pos != p.Experiments[0].Pos {
		t.Errorf("%+v, %v", sum, err)
	}
}

// counting is a driver that counts what it is asked for.
type counting struct {
	prepared, measured int
	err                error
}

func (c *counting) Prepare(context.Context, engine.Engine, io.Writer) error {
	c.prepared++
	return c.err
}

func (*counting) Files(*plan.Trial, string) []spec.File { return nil }

func (c *counting) Measure(context.Context, load.Place, *plan.Trial) (load.Measurement, error) {
	c.measured++
	return load.Measurement{Output: "raw"}, nil
}
