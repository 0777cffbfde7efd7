// Package runner carries out a plan: it starts services, has a driver measure them, and saves one record after every
// repetition.
//
// A Runner decides nothing that the plan has not decided, the time to stop aside: order, trials and repetitions are the plan's.
// What is fresh is not measured again. Whatever happens, every repetition that ended has its record, and every container
// that was started is removed; a cancelled run goes on where it was when it is started again. Trials are never measured
// at the same time.
package runner

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// closeGrace is how long taking down the containers of a repetition may last.
const closeGrace = 30 * time.Second

// maxLog is how much of a service's log a failed repetition keeps.
const maxLog = 4 << 10

// RecordStore is as much of a store as a Runner needs.
type RecordStore interface {
	Read() ([]*record.Record, []record.Bad, error)
	Save(*record.Record) error
}

// Progress is told what happens. Its methods are called one at a time.
type Progress interface {
	// Experiment begins: so many of its repetitions are to be done, the others are fresh or done already.
	Experiment(e *plan.Experiment, todo int)
	// Preparing is called before images are built; what the builder says goes to the writer.
	Preparing(what string) io.Writer
	// Begin and End enclose a repetition.
	Begin(step plan.Step)
	End(step plan.Step, r *record.Record)
}

// Runner carries out plans on one engine.
type Runner struct {
	Engine   engine.Engine
	Requests load.Driver
	Commands load.Driver
	Host     Host
	Progress Progress
}

// Options change what is measured.
type Options struct {
	Force bool // measure what is fresh as well, as a new run
}

// Summary is what a run came to.
type Summary struct {
	Measured int // repetitions that were run
	Failed   int // of them, those that ended in a failure
	Fresh    int // repetitions that needed no run
	// BuildErrors are images that could not be built; the experiments that need them were left out.
	BuildErrors []BuildFailure
	// Took is the whole time, Preparing that of images, Measuring that of windows and warm-ups.
	Took, Preparing, Measuring time.Duration
}

// BuildFailure is an image that could not be built, with the build that asked for it.
type BuildFailure struct {
	Build *plan.Build
	Err   *engine.BuildError
}

// Run measures what is missing or stale. On cancellation the error is the context's, and the summary tells what was
// done until then.
func (r *Runner) Run(ctx context.Context, p *plan.Plan, store RecordStore, o Options) (Summary, error) {
	begin := time.Now()
	var sum Summary
	defer func() { sum.Took = time.Since(begin) }()
	records, _, err := store.Read()
	if err != nil {
		return sum, err
	}
	for _, e := range p.Experiments {
		if e.Skipped != "" {
			continue
		}
		t := todo(e, of(records, e.Name, r.Host.ID, p.Profile), o.Force)
		sum.Fresh += len(e.Steps) - len(t.steps)
		r.Progress.Experiment(e, len(t.steps))
		if len(t.steps) == 0 {
			continue
		}
		run := &run{Runner: r, plan: p, experiment: e, todo: t, store: store, summary: &sum, facts: map[string]string{}}
		if err := run.measure(ctx); err != nil {
			sum.Took = time.Since(begin)
			return sum, err
		}
	}
	sum.Took = time.Since(begin)
	return sum, nil
}

// of picks the records of one experiment on one host under one profile.
func of(records []*record.Record, experiment, host, profile string) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		return r.Experiment != experiment || r.Host != host || r.Profile != profile
	})
}

// Pending counts the repetitions of a plan that a run would do.
func Pending(p *plan.Plan, records []*record.Record, host string, o Options) int {
	n := 0
	for _, e := range p.Experiments {
		n += len(todo(e, of(records, e.Name, host, p.Profile), o.Force).steps)
	}
	return n
}

// A todoList is what is left of an experiment.
type todoList struct {
	run    string // goes on under this name; empty for a new run
	newest string // the newest run there is
	steps  []plan.Step
}

// todo finds the repetitions that are not there yet. A trial is fresh if one run has all its repetitions under its present
// name and key. A run of this very plan that was stopped goes on.
func todo(e *plan.Experiment, records []*record.Record, force bool) todoList {
	newest := ""
	for _, r := range records {
		newest = max(newest, r.Run)
	}
	if force {
		return todoList{newest: newest, steps: e.Steps}
	}
	type cell struct{ run, trial, key string }
	have := map[cell]map[int]bool{}
	last := ""
	for _, r := range records {
		c := cell{r.Run, r.Trial, r.Key}
		if have[c] == nil {
			have[c] = map[int]bool{}
		}
		have[c][r.Repetition] = true
		if r.Plan == e.Digest && r.Run > last {
			last = r.Run
		}
	}
	fresh := func(t *plan.Trial) bool {
		for c, repetitions := range have {
			complete := c.trial == t.Name && c.key == t.Key
			for k := 1; complete && k <= e.Repetitions; k++ {
				complete = repetitions[k]
			}
			if complete {
				return true
			}
		}
		return false
	}
	isFresh := map[*plan.Trial]bool{}
	for _, t := range e.Trials {
		isFresh[t] = fresh(t)
	}
	out := todoList{run: last, newest: newest}
	for _, s := range e.Steps {
		if !isFresh[s.Trial] && !have[cell{last, s.Trial.Name, s.Trial.Key}][s.Repetition] {
			out.steps = append(out.steps, s)
		}
	}
	return out
}

// A run is one experiment being measured.
type run struct {
	*Runner
	plan       *plan.Plan
	experiment *plan.Experiment
	todo       todoList
	store      RecordStore
	summary    *Summary

	id        string
	facts     map[string]string
	images    map[string]engine.Prepared
	placement plan.Placement
}

func (r *run) measure(ctx context.Context) error {
	begin := time.Now()
	err := r.prepare(ctx)
	r.summary.Preparing += time.Since(begin)
	var build *buildFailed
	switch {
	case errors.As(err, &build) && ctx.Err() == nil:
		r.summary.BuildErrors = append(r.summary.BuildErrors, BuildFailure{build.build, build.err})
		return nil
	case err != nil:
		return err
	}
	r.id = cmp.Or(r.todo.run, newRunID(time.Now(), r.todo.newest))
	for _, step := range r.todo.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.Progress.Begin(step)
		rec, err := r.repetition(ctx, step)
		if err != nil {
			return err
		}
		if err := r.store.Save(rec); err != nil {
			return err
		}
		r.summary.Measured++
		if rec.Failure != "" {
			r.summary.Failed++
		}
		r.summary.Measuring += time.Duration((rec.Parts["warmup"] + rec.Parts["measure"]) * float64(time.Second))
		r.Progress.End(step, rec)
	}
	return nil
}

// runStamp is the first part of a run's name.
const runStamp = "20060102T150405Z"

// newRunID names a run: its start in UTC and four letters, which tell runs of several machines apart. Names sort by time, so a
// run that starts in the same second as the newest one is named a second later.
func newRunID(at time.Time, newest string) string {
	stamp, _, _ := strings.Cut(newest, "-")
	if last, err := time.Parse(runStamp, stamp); err == nil && !at.UTC().Truncate(time.Second).After(last) {
		at = last.Add(time.Second)
	}
	letters := make([]byte, 4)
	_, _ = rand.Read(letters) // it never fails
	for i := range letters {
		letters[i] = 'a' + letters[i]%26
	}
	return at.UTC().Format(runStamp) + "-" + string(letters)
}

type buildFailed struct {
	build *plan.Build
	err   *engine.BuildError
}

func (e *buildFailed) Error() string { return e.err.Error() }

// imageKey tells images apart.
func imageKey(i plan.Image) string {
	if i.Build == nil {
		return i.Name
	}
	var b strings.Builder
	fmt.Fprintln(&b, i.Build.Dockerfile, i.Build.Target, i.Build.Args)
	for _, f := range i.Build.Files {
		fmt.Fprintln(&b, f.Path, f.Digest, f.Exec)
	}
	return b.String()
}

// prepare makes all images of the experiment available and gathers facts, before anything is timed.
func (r *run) prepare(ctx context.Context) error {
	maps.Copy(r.facts, r.Host.Facts)
	facts, err := r.Engine.Facts(ctx)
	if err != nil {
		return err
	}
	maps.Copy(r.facts, facts)
	r.placement = plan.Place(r.Host.Cores)
	r.facts["placement.services"], r.facts["placement.load"] = r.placement.Services, r.placement.Load
	driver := r.driver(r.todo.steps[0].Trial)
	if err := driver.Prepare(ctx, r.Engine, r.Progress.Preparing("load")); err != nil {
		return err
	}
	r.images = map[string]engine.Prepared{}
	for _, step := range r.todo.steps {
		for name, image := range imagesOf(step.Trial) {
			if err := r.image(ctx, name, image); err != nil {
				return err
			}
		}
	}
	return nil
}

func imagesOf(t *plan.Trial) map[string]plan.Image {
	out := map[string]plan.Image{}
	for _, s := range t.Services {
		out[s.Name] = s.Image
	}
	if t.Command != nil {
		out["command"] = t.Command.Image
	}
	return out
}

// image prepares one image and records what it is: its id, what it was built from, and the packages in it.
func (r *run) image(ctx context.Context, name string, image plan.Image) error {
	key := imageKey(image)
	prepared, ok := r.images[key]
	if !ok {
		what := r.plan.Article + " " + name
		spec := engine.Image{Name: image.Name}
		if b := image.Build; b != nil {
			spec.Build = &engine.Build{For: what, Dockerfile: b.Dockerfile, Args: b.Args, Target: b.Target}
			for _, f := range b.Files {
				spec.Build.Files = append(spec.Build.Files, engineFile(f))
			}
		}
		var err error
		prepared, err = r.Engine.Prepare(ctx, spec, r.Progress.Preparing(what))
		var failed *engine.BuildError
		if errors.As(err, &failed) && image.Build != nil {
			return &buildFailed{image.Build, failed}
		}
		if err != nil {
			return fmt.Errorf("preparing the image of %s: %w", what, err)
		}
		r.images[key] = prepared
	}
	if r.facts["image."+name] == prepared.ID {
		return nil
	}
	r.facts["image."+name] = prepared.ID
	for _, base := range prepared.Bases {
		text := base.Reference + " " + base.ID
		if base.Substitute != "" {
			text = base.Reference + " replaced by " + base.Substitute + " " + base.ID
		}
		r.facts["base."+name] = strings.TrimPrefix(r.facts["base."+name]+"; "+text, "; ")
	}
	r.facts["packages."+name] = r.packages(ctx, prepared)
	return nil
}

// packages lists the Debian packages of an image, or nothing where it is not made of them.
func (r *run) packages(ctx context.Context, image engine.Prepared) string {
	space, err := r.Engine.Open(ctx, "packages")
	if err != nil {
		return ""
	}
	defer r.close(ctx, space)
	exit, err := space.Run(ctx, engine.Program{Name: "packages", Image: image,
		Entrypoint: []string{"dpkg-query"}, Command: []string{"-W", "-f", "${Package} ${Version}\n"}}, nil)
	if err != nil || exit.Code != 0 {
		return ""
	}
	return strings.TrimSpace(string(exit.Stdout))
}

func engineFile(f plan.File) engine.File {
	out := engine.File{Path: f.Path, Mode: 0o644, Data: f.Data}
	if f.Exec {
		out.Mode = 0o755
	}
	return out
}

func (r *run) driver(t *plan.Trial) load.Driver {
	if t.Command != nil {
		return r.Commands
	}
	return r.Requests
}

// repetition measures a trial once. An error means that we could not; what goes wrong with the benchmark is in the record.
func (r *run) repetition(ctx context.Context, step plan.Step) (*record.Record, error) {
	rec := &record.Record{
		SchemaVersion: record.SchemaVersion, Article: r.plan.Article, Experiment: r.experiment.Name, Trial: step.Trial.Name,
		Key: step.Trial.Key, Run: r.id, Plan: r.experiment.Digest, Profile: r.plan.Profile, Host: r.Host.ID,
		Repetition: step.Repetition, Planned: r.experiment.Repetitions, Calibration: step.Trial.Calibration,
		Parameters: step.Trial.Parameters, Labels: step.Trial.Labels,
		Order:   record.Order{Seed: r.experiment.Seed, Round: step.Round, Position: r.position(step), Of: len(r.experiment.Steps)},
		Started: time.Now().UTC(), Parts: map[string]float64{},
		Definition: step.Trial.Definition, Inputs: step.Trial.Inputs, Facts: maps.Clone(r.facts),
	}
	bounded, cancel := context.WithTimeout(ctx, r.experiment.Timeout)
	defer cancel()
	m, err := r.drive(bounded, step.Trial, rec)
	var notReady *engine.NotReadyError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case bounded.Err() != nil:
		m = load.Measurement{Failure: fmt.Sprintf("the repetition took longer than %v", r.experiment.Timeout)}
	case errors.As(err, &notReady):
		m = load.Measurement{Failure: notReady.Error(), Log: tail(string(notReady.Log), maxLog)}
	case err != nil:
		return nil, err
	}
	rec.Samples, rec.Histograms, rec.Load = m.Samples, m.Histograms, m.Load
	if m.Failure != "" {
		rec.Failure, rec.Log = m.Failure, m.Log
	}
	maps.Copy(rec.Facts, m.Facts)
	rec.Ended = time.Now().UTC()
	rec.Redact()
	return rec, nil
}

func (r *run) position(step plan.Step) int {
	return 1 + slices.IndexFunc(r.experiment.Steps, func(s plan.Step) bool {
		return s.Trial == step.Trial && s.Repetition == step.Repetition
	})
}

// drive starts the services of a trial, measures, and takes them down.
func (r *run) drive(ctx context.Context, t *plan.Trial, rec *record.Record) (load.Measurement, error) {
	lap := time.Now()
	part := func(name string) {
		rec.Parts[name] += time.Since(lap).Seconds()
		lap = time.Now()
	}
	space, err := r.Engine.Open(ctx, r.id)
	if err != nil {
		return load.Measurement{}, err
	}
	defer part("stop")
	defer r.close(ctx, space)
	var running []engine.Running
	for _, s := range t.Services {
		service, err := space.Start(ctx, r.service(s))
		if err != nil {
			part("start")
			return load.Measurement{}, err
		}
		running = append(running, service)
	}
	part("start")
	at := load.Place{Space: space, CPUSet: r.placement.Load, Cores: r.placement.LoadCores,
		Image: func(i plan.Image) engine.Prepared { return r.images[imageKey(i)] }}
	if t.Load != nil && t.Load.CPUSet != "" {
		at.CPUSet = t.Load.CPUSet
	}
	sampler := watch(ctx, running)
	m, err := r.driver(t).Measure(ctx, at, t)
	sampler.finish()
	if err != nil {
		return m, err
	}
	m.Samples = append(m.Samples, sampler.samples(&m)...)
	spent := time.Since(lap)
	rec.Parts["warmup"] = m.Warmup.Seconds()
	rec.Parts["measure"] = measured(m).Seconds()
	rec.Parts["start"] += (spent - m.Warmup - measured(m)).Seconds() // the load's own container
	lap = time.Now()
	if m.Failure != "" {
		for _, s := range running {
			if log, err := s.Logs(context.WithoutCancel(ctx)); err == nil && len(log) > 0 {
				m.Log = strings.TrimSpace(m.Log + "\n" + s.Name() + " wrote:\n" + tail(string(log), maxLog))
			}
		}
	}
	return m, nil
}

// measured is the time that was measured: the window of a load, or the run of a command.
func measured(m load.Measurement) time.Duration {
	if m.Length > 0 {
		return m.Length
	}
	for _, s := range m.Samples {
		if s.Metric == "time.real" {
			return time.Duration(s.Value * float64(time.Second))
		}
	}
	return 0
}

func tail(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[len(s)-most:]
	return s[strings.IndexByte(s, '\n')+1:]
}

// close takes a space down. A cancelled run must still remove its containers, so closing gets a context of its own; what it
// cannot remove is found by the next sweep.
func (r *run) close(ctx context.Context, space engine.Space) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	_ = space.Close(ctx)
}

func (r *run) service(s *plan.Service) engine.Service {
	out := engine.Service{
		Name: s.Name, Image: r.images[imageKey(s.Image)], Entrypoint: s.Entrypoint, Command: s.Command, Environment: s.Environment,
		Expose: s.Expose, WorkingDir: s.WorkingDir, User: s.User, CPUSet: cmp.Or(s.CPUSet, r.placement.Services), Memory: s.Memory,
		Tmpfs: s.Tmpfs, ShmSize: s.ShmSize, ReadOnly: s.ReadOnly, Init: s.Init, StopSignal: s.StopSignal, StopGrace: s.StopGrace,
		Ready: engine.Ready{HTTP: s.Ready.HTTP, Port: s.Ready.Port, Log: s.Ready.Log, Times: s.Ready.Times,
			Command: s.Ready.Command, Timeout: s.Ready.Timeout},
	}
	for _, f := range s.Configs {
		out.Files = append(out.Files, engineFile(f))
	}
	return out
}
