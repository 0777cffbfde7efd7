package progress

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/slowtest"
)

// A run leaves how far it is, in a file that stays small, and takes it away at the end.
func TestRunUnderWay(t *testing.T) {
	slowtest.Skip(t)
	dir := t.TempDir()
	if lines := Status(dir); lines != nil {
		t.Errorf("without a run there is %q", lines)
	}
	var told []string
	r := NewStatusFile(&Lines{W: t.Output()}, dir, 30, func(lines []string) { told = lines })
	trial := &plan.Trial{Name: "level=9"}
	step := plan.Step{Trial: trial, Repetition: 2}
	says := func(want ...string) {
		t.Helper()
		lines := strings.Join(Status(dir), "\n")
		for _, w := range want {
			if !strings.Contains(lines, w) {
				t.Errorf("it says %q, want %q in it", lines, w)
			}
			if words := strings.Join(told, "\n"); !strings.Contains(words, w) {
				t.Errorf("it tells %q, want %q in it", words, w)
			}
		}
	}
	one, other := r.Preparing("a server"), r.Preparing("a client")
	says("a run begins; preparing the images of a server, a client")
	one.End(true)
	says("preparing the image of a client")
	other.End(true)
	r.Article("hello", nil)
	r.Experiment(&plan.Experiment{Name: "gzip", Steps: []plan.Step{step}, Trials: []*plan.Trial{trial}}, 12)
	says("measuring hello#gzip: 0 of 12 done, 0 of 30 in all")
	late := r.Preparing("service \"server\"")
	says(`preparing the image of service "server"`)
	late.End(true)
	r.Begin(step)
	says("repetition 2 of level=9")
	r.End(step, &record.Record{Failure: "it ended\nwith \x1b[31mstatus 1"})
	says("1 of 12 done", "level=9: failed: it ended with")
	if lines := strings.Join(Status(dir), "\n"); strings.Contains(lines, "\x1b") {
		t.Errorf("%q has what controls a terminal", lines)
	}
	for i := range 1000 {
		r.Begin(step)
		r.End(step, &record.Record{Failure: fmt.Sprint(strings.Repeat("much ", 500), i)})
	}
	says("1001 of 12")
	file := filepath.Join(dir, lab.StateDir, stateFile)
	if info, err := os.Stat(file); err != nil || info.Size() > 4<<10 {
		t.Errorf("the file has %v, %v", info, err)
	}
	if ignore, err := os.ReadFile(filepath.Join(dir, lab.StateDir, ".gitignore")); err != nil || string(ignore) != "*\n" {
		t.Errorf("git is told to ignore %q, %v", ignore, err)
	}
	r.Close()
	if lines := Status(dir); lines != nil {
		t.Errorf("after the run there is %q", lines)
	}
}

// What a killed run left, or what is no such file, is no run.
func TestNoRunUnderWay(t *testing.T) {
	tests := []struct{ name, text string }{
		{"killed", `{"process": 4194999, "article": "a", "experiment": "e"}`}, // above what Linux gives
		{"no process", `{"article": "a", "experiment": "e"}`},
		{"all processes", `{"process": -1, "article": "a"}`},
		{"cut off", `{"process": `},
		{"too large", `{"process": 1, "article": "` + strings.Repeat("x", mostState) + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, lab.StateDir), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, lab.StateDir, stateFile), []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if lines := Status(dir); lines != nil {
				t.Errorf("got %q", lines)
			}
		})
	}
}

// Times are told in steps: a page need not change every second.
func TestUnderWayWords(t *testing.T) {
	since := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := runState{Article: "a", Experiment: "e", Todo: 3, Trial: "x", Repetition: 1, Since: since}
	tests := []struct {
		after time.Duration
		want  string
	}{
		{4 * time.Second, "measuring a#e: 0 of 3 done; repetition 1 of x"},
		{13 * time.Second, "measuring a#e: 0 of 3 done; repetition 1 of x, for " + terminal.HMS(10*time.Second)},
	}
	for _, test := range tests {
		if got := s.words(since.Add(test.after)); len(got) != 1 || got[0] != test.want {
			t.Errorf("after %v it says %q, want %q", test.after, got, test.want)
		}
	}
}
