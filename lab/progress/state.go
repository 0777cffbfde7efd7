package progress

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/images"
)

// Where a run leaves how far it is, for a preview in another terminal: one small file in a hidden folder of the
// project, which git ignores. It is there as long as the run goes on; one that a killed run has left is told by its
// process, and overwritten.
const stateFile = "run.json"

// mostState is how large that file may be, in bytes.
const mostState = 16 << 10

// runState is what the file says. Fields are added to it in later versions, none are renamed or removed.
type runState struct {
	Process    int       `json:"process"`
	Started    time.Time `json:"started"` // the run
	Article    string    `json:"article"`
	Experiment string    `json:"experiment"`
	Done       int       `json:"done"` // repetitions, or searches, of the experiment
	Todo       int       `json:"todo"`
	Preparing  string    `json:"preparing,omitempty"` // the image of what is built, or of several with commas between them
	All        int       `json:"all"`                 // repetitions of the run, as far as it was known when it began
	AllDone    int       `json:"all_done"`            // of them
	Trial      string    `json:"trial,omitempty"`     // under way
	Repetition int       `json:"repetition,omitempty"`
	Since      time.Time `json:"since,omitzero"`   // the repetition, or the preparing
	Latest     []string  `json:"latest,omitempty"` // what the last repetitions came to
}

// latestShown is how many results the file has.
const latestShown = 3

// A StatusFile reporter leaves how far the run is in a file. It is written between repetitions only, so that nothing is
// disturbed, and that it cannot be written never stops a run.
type StatusFile struct {
	Reporter
	project string
	tell    func(lines []string) // also tells this; nil for nobody

	mu        sync.Mutex
	state     runState
	preparing []*preparation // those under way
}

// NewStatusFile reports of a run of so many repetitions, or more, for the project in a folder.
func NewStatusFile(r Reporter, project string, all int, tell func(lines []string)) *StatusFile {
	return &StatusFile{Reporter: r, project: project, tell: tell,
		state: runState{Process: os.Getpid(), Started: time.Now().UTC(), All: all}}
}

// change changes the state and writes it.
func (t *StatusFile) change(how func(*runState)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	how(&t.state)
	data, err := json.MarshalIndent(t.state, "", " ")
	if err != nil || len(data) > mostState {
		return
	}
	_ = lab.WriteState(t.project, stateFile, append(data, '\n'))
	if t.tell != nil {
		t.tell(t.state.words(time.Now()))
	}
}

func (t *StatusFile) Close() {
	t.Reporter.Close()
	_ = os.Remove(filepath.Join(t.project, lab.StateDir, stateFile))
}

func (t *StatusFile) Article(slug string, j *Judge) {
	t.Reporter.Article(slug, j)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.Article = slug
}

func (t *StatusFile) Experiment(e *plan.Experiment, todo int) {
	t.Reporter.Experiment(e, todo)
	t.change(func(s *runState) {
		s.Experiment, s.Todo, s.Done, s.Trial, s.Latest = e.Name, todo, 0, "", nil
	})
}

func (t *StatusFile) Again(e *plan.Experiment, steps []plan.Step) {
	t.Reporter.Again(e, steps)
	t.change(func(s *runState) { s.Experiment, s.Todo, s.Done = e.Name, len(steps), 0 })
}

func (t *StatusFile) Preparing(what string) images.Preparation {
	p := &preparation{Preparation: t.Reporter.Preparing(what), of: t, what: what, since: time.Now().UTC()}
	t.change(func(*runState) { t.prepare(append(t.preparing, p)) })
	return p
}

// preparation is the preparation of one image.
type preparation struct {
	images.Preparation
	of    *StatusFile
	what  string
	since time.Time
}

func (p *preparation) End(ok bool) {
	p.of.change(func(*runState) {
		p.of.prepare(slices.DeleteFunc(p.of.preparing, func(o *preparation) bool { return o == p }))
	})
	p.Preparation.End(ok)
}

// prepare notes which images are being prepared. It is called with the lock held.
func (t *StatusFile) prepare(now []*preparation) {
	t.preparing = now
	t.state.Preparing, t.state.Trial, t.state.Since = "", "", time.Time{}
	for i, p := range now {
		if i > 0 {
			t.state.Preparing += ", "
		} else {
			t.state.Since = p.since
		}
		t.state.Preparing += p.what
	}
}

func (t *StatusFile) Begin(step plan.Step) {
	t.Reporter.Begin(step)
	t.change(func(s *runState) {
		s.Trial, s.Repetition, s.Since = step.Trial.Name, step.Repetition, time.Now().UTC()
	})
}

func (t *StatusFile) End(step plan.Step, r *record.Record) {
	t.Reporter.End(step, r)
	t.change(func(s *runState) {
		s.Done, s.AllDone = s.Done+1, s.AllDone+1
		s.Trial = ""
		s.Add(step.Trial.Name + ": " + outcome(r))
	})
}

func (t *StatusFile) Search(trial *plan.Trial, search *record.Search) {
	t.Reporter.Search(trial, search)
	t.change(func(s *runState) {
		if search.Stop != "" {
			s.Add(trial.Name + ": " + results.FoundWords(search))
			return
		}
		s.Add(trial.Name + ": " + results.ProbeWords(search, &search.Probes[len(search.Probes)-1]))
	})
}

// Add notes a result, in place of the oldest if there are enough.
func (s *runState) Add(words string) {
	const most = 300 // bytes of one
	if len(words) > most {
		words = strings.ToValidUTF8(words[:most], "") + "…"
	}
	s.Latest = append(s.Latest, words)
	s.Latest = s.Latest[max(0, len(s.Latest)-latestShown):]
}

// Status says in a few lines how far the run is that measures articles of a project; none if there is none.
func Status(project string) []string {
	data, err := lab.ReadState(project, stateFile, mostState)
	var s runState
	if err != nil || json.Unmarshal(data, &s) != nil || !isAlive(s.Process) {
		return nil
	}
	return s.words(time.Now())
}

// isAlive tells whether a process is there. One that belongs to somebody else is.
func isAlive(process int) bool {
	if process <= 0 {
		return false
	}
	p, err := os.FindProcess(process)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, syscall.EPERM)
}

// words say how far a run is. Times are given in steps, so that they do not change all the time.
func (s *runState) words(now time.Time) []string {
	line := fmt.Sprintf("measuring %s#%s: %d of %d done", s.Article, s.Experiment, s.Done, s.Todo)
	switch {
	case s.Experiment == "":
		line = "a run begins"
	case s.All > s.Todo:
		line += fmt.Sprintf(", %d of %d in all", s.AllDone, max(s.All, s.AllDone))
	}
	const step = 5 * time.Second
	since := ""
	if over := now.Sub(s.Since).Truncate(step); !s.Since.IsZero() && over >= step {
		since = ", for " + terminal.HMS(over)
	}
	switch {
	case strings.Contains(s.Preparing, ", "):
		line += "; preparing the images of " + s.Preparing + since
	case s.Preparing != "":
		line += "; preparing the image of " + s.Preparing + since
	case s.Trial != "":
		line += fmt.Sprintf("; repetition %d of %s%s", s.Repetition, s.Trial, since)
	}
	out := []string{terminal.Clean(line)}
	for _, words := range s.Latest {
		out = append(out, terminal.Clean(words))
	}
	return out
}
