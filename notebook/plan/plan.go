// Package plan turns the experiments of an article into the trials to run.
//
// A Plan is complete: every matrix is multiplied out, every default written down with where it came from, every file
// read, the order of repetitions drawn, and each trial's key computed, so printing a Plan shows what a run will do.
// Only addresses of services, tuned values and the measurements themselves are unknown.
//
// Source: docs/experiment.md, docs/defaults.md, docs/services.md, docs/load.md and docs/searches.md.
package plan

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Plan is what a run of an article does.
type Plan struct {
	Article     string
	Profile     string
	Experiments []*Experiment
	// All includes the experiments that a run leaves out: others may use their results.
	All []*Experiment
	// Reads are the paths of the files that the plan was made from, except the article itself. Secrets are the paths of
	// files with secrets and of env_files.
	Reads, Secrets []string

	others func() []*Plan
}

// Others returns the plans of the article's other profiles, full first, without those that have problems. The first
// call makes them.
func (p *Plan) Others() []*Plan { return p.others() }

// Experiment is the trials of one experiment and the order of their repetitions.
type Experiment struct {
	Name        string
	Description string
	Skipped     string // why the profile leaves it out; then most fields are empty
	Engine      spec.Engine
	Looks       []int // rounds after which its claims are judged, ascending; the last is the limit
	Seed        int64
	Trials      []*Trial // in the order of the matrix; the A/A pair's second half is the last, if there is one
	Steps       []Step   // in the order to run; empty for a search for capacity
	Timeout     time.Duration
	Parameters  []string          // names of the identifying parameters, in order
	Shared      []string          // services that keep running through the whole experiment
	Setup       []spec.Hook       // run once at the start, in shared services
	Cold        bool              // the page cache is dropped before each measurement
	Outside     bool              // its load goes from this machine to servers that run already; none is started
	Hosts       map[string]string // nodes of services by name, and of the load by LoadName; nil outside a cluster
	Metrics     []Metric          // that the experiment adds
	Secrets     []Secret          // must be given when it is run
	Digest      string            // the same for runs with the same profile, trials and repetitions
	Pos         source.Pos
	// Notes list keys of its Compose files that have no effect, and variables that their values depend on.
	Notes   []string
	remarks source.Problems // see Remarks
}

// Least returns the number of repetitions that every trial gets; 0 if the experiment is skipped.
func (e *Experiment) Least() int {
	if len(e.Looks) == 0 { // the profile leaves it out
		return 0
	}
	return e.Looks[0]
}

// Most returns the number of repetitions that a trial gets if claims about it stay undecided.
func (e *Experiment) Most() int {
	if len(e.Looks) == 0 {
		return 0
	}
	return e.Looks[len(e.Looks)-1]
}

// IsPaired reports whether a trial is one half of the A/A pair.
func (e *Experiment) IsPaired(t *Trial) bool {
	return slices.ContainsFunc(e.Trials, func(o *Trial) bool { return o.Calibration && (o == t || e.Original(o) == t) })
}

// Step is one repetition of one trial.
type Step struct {
	Trial      *Trial
	Round      int // from 1
	Repetition int // from 1
	// Replaces is the repetition that this one repeats because of background load; 0 in a Plan.
	Replaces int
}

// Trial is one cell of an experiment: services, and the load or command that is measured.
type Trial struct {
	Name        string             // identifying values, such as "sync" or "uvicorn, starlette"
	Parameters  []record.Parameter // identifying
	Labels      []record.Parameter
	Services    []*spec.Service // dependencies first
	Load        *spec.Load      // exactly one of Load and Command
	Command     *spec.Command
	Tune        []spec.Search  // run before the repetitions
	Capacity    *spec.Capacity // instead of the repetitions
	Prepare     []spec.Hook    // before each repetition
	Deferred    []spec.Deferred
	Calibration bool            // second half of the A/A pair
	Definition  json.RawMessage // what enters the key, as a spec.Definition
	Inputs      []record.Input
	Key         string
	// Private are values from outside, such as secrets of env_files. Key depends on them; Definition does not show them.
	Private []string

	draft draft
}

// DockerfilePos returns the place of a line, counted from 1, of the Dockerfile of a build of the trial; the whole
// Dockerfile if the line is unknown or not in the article.
func (t *Trial) DockerfilePos(b *spec.Build, line int) source.Pos {
	places := t.draft.dockerfiles[b]
	switch {
	case len(places) == 0:
		return source.Pos{}
	case line < 1 || line >= len(places):
		return places[0]
	}
	return places[line]
}

// ImagePos returns the first place where the trial names an image, or the zero value.
func (t *Trial) ImagePos(name string) source.Pos {
	n := t.draft.node
	places := []source.Text{n.TextAt("command", "image"), n.TextAt("load", "driver", "image")}
	for _, s := range n.Get("services").All() {
		places = append(places, s.Value.TextAt("image"))
	}
	found, _ := slice.Find(places, func(t source.Text) bool { return t.Value == name })
	return found.Pos
}

// Metric is a metric that an experiment adds.
type Metric struct {
	record.Metric
	Written string `json:"written,omitempty"` // unit of the numbers as found, such as ms, if it is not Unit
	Value   string `json:"value,omitempty"`   // an expression over the metrics of the same repetition
	Service string `json:"service,omitempty"` // whose log is searched, if Stream is log
	Stream  string `json:"stream,omitempty"`  // log, stdout or prepare; empty if it has a Value
	Regex   string `json:"regex,omitempty"`   // the first group of the last match is the number
	JSON    string `json:"json,omitempty"`    // path to the number, with dots
}

// RecordsOf returns the records of e on host, with the plan's profile; a nil e selects all experiments.
func (p *Plan) RecordsOf(e *Experiment, records []*record.Record, host string) []*record.Record {
	return slice.Filter(records, func(r *record.Record) bool {
		return r.Article == p.Article && (e == nil || r.Experiment == e.Name) && r.Host == host && r.Profile == p.Profile
	})
}

// Original returns the first half of the A/A pair if t is the second, else t.
func (e *Experiment) Original(t *Trial) *Trial {
	for _, o := range e.Trials {
		if t.Calibration && !o.Calibration && slices.Equal(o.Parameters, t.Parameters) {
			return o
		}
	}
	return t
}

// drawOrder returns the order of repetitions: rounds with every trial once, each shuffled.
func (e *Experiment) drawOrder(trials []*Trial) []Step {
	var steps []Step
	random := rand.New(rand.NewPCG(uint64(e.Seed), 0))
	for r := range e.Most() {
		for _, i := range random.Perm(len(trials)) {
			steps = append(steps, Step{Trial: trials[i], Round: r + 1, Repetition: r + 1})
		}
	}
	return steps
}

// Redraw draws the order of another session, after adding session to each seed.
func (p *Plan) Redraw(session int) {
	for _, e := range p.All {
		isMeasured := func(t *Trial) bool {
			return slices.ContainsFunc(e.Steps, func(s Step) bool { return s.Trial == t })
		}
		if measured := slice.Filter(e.Trials, isMeasured); len(measured) > 0 {
			e.Seed += int64(session)
			e.Steps = e.drawOrder(measured)
		}
	}
}
