// Package measure runs experiments: those of articles, of two revisions (Bench), of commands (Time) and of URLs
// (Requests). Verify only starts the services and checks their answers.
//
// Machines are locked in a fixed order, so waiting cannot deadlock: this machine first, then engines elsewhere.
package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"benchbook/lab"
	"benchbook/lab/forecast"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/phrase"
	"benchbook/notebook/plan"

	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/machine"
)

// Options say what is measured, and how.
type Options struct {
	Profile     string
	Force       bool          // what is fresh as well
	Repetitions string        // as articles have them; empty for theirs
	Budget      time.Duration // no repetition begins after it; 0 for no limit
	Engine      string        // empty for the project's
	Only        string        // an expression that picks trials
	Pick        lab.Filter    // picks some of them; nil for all
	Keep        bool          // the services of the last repetition
	Adapt       bool          // placements to the CPUs that there are
	Yes         bool          // to what the project allows
	Asking      Asking        // who has answered for what the project allows
	Verbose     bool          // print the output of image builders too
	Quiet       bool          // print only problems and results
	// Over is laid over the engine that images are made available on, to say more of them or to hold them to something;
	// nil for nothing.
	Over func(engine.Engine) engine.Engine
	// Prepared is called by Prepare with the engine that has the images of the first article; nil for nothing.
	Prepared func(engine.Engine) error
	// Revisions are compared, cell by cell, in one run. Nobody judges claims by it: Open says which trials go on. Of a
	// single one only what is built is, and all else is as without.
	Revisions []plan.Revision
	// Open gives the trials of an article that go on after a look, as runner.Options wants it; nil: those that claims are
	// undecided about.
	Open func(c *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string
	// Begin is called when something is to be measured, before that takes time.
	Begin func() error
	// Measured is called after each article but the last, while nothing is measured. Nil: nothing is done.
	Measured func(c *lab.Article)
}

// EngineNone is what --engine names beside engines.
const EngineNone = "none"

// ChooseEngine puts the engine of the flag in the place of the project's.
func (f *Options) ChooseEngine(project *article.Project) {
	if f.Engine != "" && f.Engine != EngineNone {
		project.Engine = article.Value[spec.Engine]{V: spec.Engine(f.Engine), Text: source.Text{Value: f.Engine}}
	}
}

func (f *Options) planOptions() plan.Options {
	return plan.Options{Profile: f.Profile, Repetitions: f.Repetitions}
}

// open gives the trials of an article that go on after a look.
func (f *Options) open(c *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
	if f.Open != nil {
		return f.Open(c, p, host)
	}
	return forecast.OpenTrials(c.Doc, p, host)
}

// planRevisions plans articles without problems once more, each cell for each revision that is compared. They are
// checked as of the first alone, since claims are not about several.
func (j *job) planRevisions() (problems []*source.Problem, err error) {
	if len(j.flags.Revisions) < 2 {
		return nil, nil
	}
	o := j.flags.planOptions()
	o.Revisions = j.flags.Revisions
	for _, c := range j.list {
		if !c.Problems.Empty() {
			continue
		}
		if j.plans[c.Slug], err = c.Plan(j.project, o); err != nil {
			return nil, err
		}
		problems = append(problems, c.Problems.Sorted()...)
	}
	return problems, nil
}

// Run runs what is missing or stale of the chosen articles, and says on standard error what it does.
func Run(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) error {
	j, problems, err := newJob(ctx, a, project, list, flags)
	if err != nil {
		return a.JoinErrors(problems, err)
	}
	defer j.closing.close()
	if begun, err := j.begin(ctx); !begun {
		return a.JoinErrors(problems, err)
	}
	if err = j.measure(ctx); err == nil {
		err = j.conclude()
	}
	return a.JoinErrors(problems, a.JoinErrors(j.refused, err))
}

// measure makes the images of one article after another, and measures it: results of the first do not wait for the
// builds of the last.
func (j *job) measure(ctx context.Context) error {
	defer j.closeProgress()
	for i, c := range j.pending {
		if i > 0 && j.flags.Measured != nil {
			j.flags.Measured(j.pending[i-1])
		}
		if !j.options.Deadline.IsZero() && time.Now().After(j.options.Deadline) { // nothing is built that is not measured
			j.total.OutOfTime = true
			return nil
		}
		at, options := j.targets[c.Slug], j.optionsFor(c)
		options.Missing = j.noteMissing
		j.progress.slug = c.Slug
		store := checkedStore{Dir: j.recordsOf(c), session: j.Session}
		sum, err := j.runners[at].Run(ctx, j.plans[c.Slug], store, options)
		if err = j.noteMeasured(ctx, at, &sum, options, err); err != nil || sum.OutOfTime || sum.Kept != nil {
			return err
		}
	}
	return nil
}

// Prepare makes available what all trials of the chosen articles need, whether they are measured already or not, and
// measures nothing.
func Prepare(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) error {
	flags.Force, flags.Adapt, flags.Budget, flags.Asking = true, true, 0, Asked
	j, problems, err := newJob(ctx, a, project, list, flags)
	if err != nil {
		return a.JoinErrors(problems, err)
	}
	defer j.closing.close()
	if begun, err := j.begin(ctx); !begun {
		return a.JoinErrors(problems, err)
	}
	for _, c := range j.pending {
		if err == nil {
			err = j.prepare(ctx, c)
		}
	}
	j.closeProgress()
	if err == nil && len(j.missing) == 0 && flags.Prepared != nil {
		err = flags.Prepared(j.targets[list[0].Slug].engine)
		if _, ok := errors.AsType[*lab.StatusError](err); err != nil && !ok {
			err = lab.Interrupted(ctx, err)
		}
	}
	if err == nil && len(j.missing) > 0 {
		err = lab.Failure(fmt.Errorf("%s could not be had, for the reasons above", terminal.Count(len(j.missing), "image")))
	}
	return a.JoinErrors(problems, a.JoinErrors(j.refused, err))
}

// A job is the measuring of articles without problems, each on its target.
type job struct {
	estimate time.Duration // to measure what is pending, where Begin is set
	*lab.Session
	project *article.Project
	list    []*lab.Article
	plans   map[string]*plan.Plan
	targets targets
	flags   Options
	options runner.Options
	refused error          // of experiments that are not run
	pending []*lab.Article // those that something is to be done of, in the order in which they are measured
	closing closers

	todo     int // repetitions and searches that were to be done when it began
	progress *progress
	stderr   io.Writer // of the session, while there is a bar
	runners  map[*target]*runner.Runner
	total    runner.Summary
	leftOut  int                    // experiments, since something that they need is missing
	missing  []*images.NoImageError // of which was said what is wrong
	failed   error
}

// newJob plans articles. The problems are an error of those that are left out; without any others there is no job.
func newJob(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) (j *job,
	problems, err error) {
	j = &job{Session: a, project: project, list: list, flags: flags, runners: map[*target]*runner.Runner{}}
	j.options = runner.Options{Force: flags.Force, Keep: flags.Keep, Secrets: map[*plan.Experiment]runner.Secrets{},
		Revision: lab.RevisionOf(ctx, project)} // files may be edited and committed long before they are measured
	var found []*source.Problem
	checked := flags.planOptions()
	checked.Revisions = flags.Revisions[:min(1, len(flags.Revisions))]
	if j.plans, found, err = a.Check(project, list, checked); err != nil {
		return nil, nil, err
	}
	more, err := j.planRevisions()
	if err != nil {
		return nil, nil, err
	}
	if found = append(found, more...); len(found) > 0 {
		lab.PrintProblems(a.Stderr, found)
		words := terminal.Count(len(found), "problem")
		j.list = slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !c.Problems.Empty() })
		if len(j.list) == 0 || !project.Problems.Empty() {
			return nil, nil, lab.WithStatus(lab.StatusProblems, fmt.Errorf("%s; nothing was measured", words))
		}
		problems = lab.WithStatus(lab.StatusProblems, fmt.Errorf("%s; the affected articles were not measured", words))
	}
	for _, c := range j.list {
		lab.KeepExperiments(j.plans[c.Slug], c.Experiments)
	}
	only, err := lab.NewFilter(flags.Only, j.list, j.plans)
	j.options.Only = only.And(flags.Pick)
	return j, problems, err
}

// closers end what was begun.
type closers []func()

// close ends all that was begun, the last first, once.
func (c *closers) close() {
	for _, one := range slices.Backward(*c) {
		one()
	}
	*c = nil
}

// begin takes the machines and makes available what is needed, if anything is pending.
func (j *job) begin(ctx context.Context) (begun bool, err error) {
	host, err := machine.Here()
	if err != nil {
		return false, lab.Failure(err)
	}
	if j.flags.Engine != EngineNone {
		// Before a cluster is connected to, and secrets are read.
		if err := consent(j.Session, j.project, j.list, j.plans, j.flags); err != nil {
			return false, err
		}
	}
	found, err := j.find(ctx, host)
	if err != nil || len(found.pending) == 0 {
		return false, err
	}
	j.pending, j.todo = j.inOrder(found.pending), found.repetitions+found.capacities
	for _, c := range j.pending { // before anything takes time
		if err := j.recordsOf(c).Writable(); err != nil {
			return false, lab.Failure(err)
		}
	}
	if err := connect(ctx, j.Session, j.project, j.pending, j.plans, j.targets); err != nil {
		return false, lab.Interrupted(ctx, err)
	}
	if !j.flags.Quiet {
		j.targets.printEngines(j.Stderr)
	}
	unlock, err := Lock(ctx, j.Session, host, j.targets, j.doing(j.pending))
	if err == nil {
		j.closing = append(j.closing, unlock)
		err = j.beginPages(found)
	}
	if err == nil {
		if j.flags.Budget > 0 { // from when measuring may begin, however long another run was waited for
			j.options.Deadline = time.Now().Add(j.flags.Budget)
		}
		err = j.makeRunners(ctx)
	}
	if err != nil {
		return false, j.JoinErrors(j.refused, err)
	}
	return true, nil
}

// inOrder sorts articles into the order in which they are measured: those that build no image come first.
func (j *job) inOrder(list []*lab.Article) []*lab.Article {
	var quick, slow []*lab.Article
	for _, c := range list {
		if runner.Builds(j.plans[c.Slug]) {
			slow = append(slow, c)
		} else {
			quick = append(quick, c)
		}
	}
	return append(quick, slow...)
}

// beginPages makes the pages of what was measured before.
func (j *job) beginPages(found survey) (err error) {
	if j.flags.Begin == nil {
		return nil
	}
	before := j.CleansUp.Swap(false) // nothing of ours runs yet
	defer j.CleansUp.Store(before)
	if err = j.flags.Begin(); err == nil && !j.flags.Quiet {
		words := fmt.Sprintf("to measure: %s of %s", found.words(), terminal.Count(len(found.pending), "article"))
		if j.estimate > 0 {
			words += ", in about " + terminal.Clock(j.estimate) + " once their images are there"
		}
		fmt.Fprintln(j.Stderr, words)
	}
	return err
}

// find finds what is pending, and says what is not measured.
func (j *job) find(ctx context.Context, host machine.Host) (found survey, err error) {
	if j.flags.Engine != EngineNone {
		j.closing = append(j.closing, j.AwaitOnInterrupt(ctx))
	}
	err = j.findTargets(ctx, host)
	j.closing = append(j.closing, j.targets.Close)
	if err != nil {
		return found, lab.Interrupted(ctx, err)
	}
	for _, c := range j.list {
		if err := j.survey(ctx, c, &found); err != nil {
			return found, err
		}
	}
	j.refused = found.failure(j.Session)
	switch {
	case len(found.pending) > 0 && j.flags.Engine == EngineNone:
		return survey{}, lab.Failure(fmt.Errorf("%s not measured, without an engine", found.words()))
	case len(found.pending) > 0:
		return found, nil
	case j.refused == nil && !j.flags.Quiet:
		everything := map[bool]string{false: "everything", true: "everything else"}[len(j.plans) > len(j.list)]
		fmt.Fprintf(j.Stderr, "%s is measured; nothing to do (--force measures it again)\n", everything)
	}
	return survey{}, j.refused
}

// doing says what the job does, for others that wait for the machine.
func (j *job) doing(list []*lab.Article) string {
	return fmt.Sprintf("measuring %s in profile %s", lab.ArticlesInWords(list), j.flags.Profile)
}

// findTargets finds what each article is measured on: without an engine, what its results are of.
func (j *job) findTargets(ctx context.Context, this machine.Host) (err error) {
	if j.flags.Engine != EngineNone {
		j.targets, err = connectTargets(ctx, j.Session, j.project, j.list, j.plans, this, j.doing(j.list))
		return err
	}
	j.targets = targets{}
	for _, c := range j.list {
		known, err := j.HostOf(j.project, c, this)
		if err != nil {
			return err
		}
		j.targets[c.Slug] = &target{host: known}
	}
	return nil
}

// A survey counts what is pending.
type survey struct {
	repetitions, capacities int
	refused                 int            // experiments that cannot be run here
	failing                 int            // experiments of which every repetition failed
	pending                 []*lab.Article // those that something is pending of
}

// survey adds what is pending of an article, and says what is known about its records.
func (j *job) survey(ctx context.Context, c *lab.Article, s *survey) error {
	p, at := j.plans[c.Slug], j.targets[c.Slug]
	records, _, err := j.Records(j.project, c)
	if err != nil {
		return lab.Failure(err)
	}
	if j.flags.Engine != EngineNone && at.machines == nil && at.present == nil {
		at.present = &images.Present{Agent: j.Config.Agent, Connect: func(ctx context.Context) (engine.Engine, error) {
			return at.connected(ctx, j.Session, j.project)
		}}
	}
	s.refused += refuse(j.Session, p, at.host, lab.Filter(j.options.Only), j.flags.Adapt)
	for _, run := range runner.FromTheFuture(records, time.Now()) {
		fmt.Fprintf(j.Stderr, "%s: run %s is dated in the future: new runs get later names, and pages show it as the "+
			"newest; if a wrong clock named it, remove its records\n", c.Slug, run)
	}
	options := j.options
	options.Present = at.present
	if err := options.Present.Look(ctx, records); err != nil {
		return lab.Interrupted(ctx, err)
	}
	options.Open = j.flags.open(c, p, at.host.ID)
	next := j.next(p, records, at.host.ID, options, s)
	for _, words := range next.Outdated() {
		fmt.Fprintf(j.Stderr, "%s#%s\n", c.Slug, words)
	}
	for _, f := range next.AllFailed() {
		fmt.Fprintf(j.Stderr, "%s#%s: %v\n", c.Slug, f.Experiment.Name, &f)
		s.failing++
	}
	if next.Len() == 0 {
		return nil
	}
	j.remark(p, next)
	if j.flags.Begin != nil {
		if err := j.addEstimate(ctx, c, next, at); err != nil {
			return err
		}
	}
	s.repetitions, s.capacities = s.repetitions+next.Len()-next.Searches(), s.capacities+next.Searches()
	s.pending = append(s.pending, c)
	return nil
}

// next is what is to be done of a plan, without the experiments that lack secrets.
func (j *job) next(p *plan.Plan, records []*record.Record, host string, o runner.Options, s *survey) *runner.Next {
	next := runner.NextOf(p, records, host, o)
	left := readSecrets(j.Session, p, o.Secrets, func(e *plan.Experiment) bool { return next.Trials(e) > 0 })
	if s.refused += left; left > 0 {
		next = runner.NextOf(p, records, host, o)
	}
	return next
}

// failure is the error of experiments that are not run; nil if all are.
func (s *survey) failure(a *lab.Session) (failed error) {
	if s.refused > 0 {
		failed = lab.Failure(fmt.Errorf("%s not run, for the reasons above", terminal.Are(s.refused, "experiment")))
	}
	if s.failing > 0 {
		failed = a.JoinErrors(failed, lab.Failure(fmt.Errorf("nothing of %s is measured, as every repetition failed; "+
			"--force measures again", terminal.Count(s.failing, "experiment"))))
	}
	return failed
}

// words counts what is to be measured.
func (s *survey) words() string {
	repetitions, searches := terminal.Count(s.repetitions, "repetition"), terminal.Count(s.capacities, "search")+
		" for a capacity"
	switch {
	case s.capacities == 0:
		return repetitions
	case s.repetitions == 0:
		return searches
	}
	return repetitions + ", and " + searches
}

// connect gives the targets of articles the engines that they need and do not have yet: they are this machine. A load
// on what runs already needs none that starts services.
func connect(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article,
	plans map[string]*plan.Plan, at targets) (err error) {
	for _, c := range list {
		v := at[c.Slug]
		for _, e := range plans[c.Slug].Experiments {
			switch {
			case e.Skipped != "":
			case !e.Outside || project.Engine.V == e.Engine:
				_, err = v.connected(ctx, a, project)
			case v.outside == nil:
				v.outside, err = a.Config.Engine(ctx, e.Engine)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// printEngines prints the names of the engines.
func (v targets) printEngines(w io.Writer) {
	for _, one := range v.distinct() {
		for _, e := range one.engines() {
			fmt.Fprintf(w, "engine %s\n", e.Name())
		}
	}
}

// remark prints remarks on the experiments that are to be measured.
func (j *job) remark(p *plan.Plan, next *runner.Next) {
	var remarks source.Problems
	for _, e := range p.Experiments {
		if next.Trials(e) > 0 {
			e.Remarks(&remarks)
		}
	}
	for _, w := range remarks.Sorted() {
		fmt.Fprintln(j.Stderr, w)
	}
}

// addEstimate adds how long it takes to measure what is pending of an article.
func (j *job) addEstimate(ctx context.Context, c *lab.Article, next *runner.Next, v *target) error {
	p := j.plans[c.Slug]
	known, err := forecast.Inspect(ctx, j.Session, j.project, c, p, v.host.ID, v.present)
	if err != nil {
		return lab.Interrupted(ctx, err)
	}
	todo, experience := next.ByTrial(), forecast.Experience(known)
	for _, e := range p.Experiments {
		j.estimate += e.Estimate(plan.Place(v.host.Cores), func(t *plan.Trial) plan.Experience {
			out := experience(t)
			out.Pending = todo[t].Count // with --force also of what is fresh
			return out
		})
	}
	return nil
}

// connected is the engine of a target, that of the project where it has none yet.
func (v *target) connected(ctx context.Context, a *lab.Session, project *article.Project) (engine.Engine, error) {
	if v.engine == nil {
		e, err := a.Config.EngineOf(ctx, project)
		if err != nil {
			return nil, err
		}
		v.engine, v.close = e, func() { _ = e.Close() } // whatever was started has been removed
	}
	return v.engine, nil
}

// refuse takes out of a plan the experiments that cannot be run here, says why, and counts them. Those of which nothing
// is picked are none of them.
func refuse(a *lab.Session, p *plan.Plan, host machine.Host, picked lab.Filter, adapt bool) int {
	before := len(p.Experiments)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		if picked != nil && !slices.ContainsFunc(e.Trials, func(t *plan.Trial) bool { return picked(e, t) }) {
			return false
		}
		if adapt {
			e.Adapt(host.CoresOf)
		}
		var problems source.Problems
		e.CheckCPUs(host.CoresOf, &problems)
		e.CheckEngine(&problems)
		lab.PrintProblems(a.Stderr, problems.Sorted())
		return !problems.Empty()
	})
	return before - len(p.Experiments)
}

// readSecrets reads the secrets of the wanted experiments of a plan, takes out of it those that lack some, says why,
// and counts them.
func readSecrets(a *lab.Session, p *plan.Plan, into map[*plan.Experiment]runner.Secrets,
	wanted func(*plan.Experiment) bool) int {
	before := len(p.Experiments)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		if len(e.Secrets) == 0 || !wanted(e) {
			return false
		}
		var problems source.Problems
		values, missing := runner.ReadSecrets(e)
		for _, s := range missing {
			problems.Add("no-secret", s.Pos, "secret %s cannot be used: %s", s.Secret, s.Why).Hint =
				fmt.Sprintf("%s; experiment %q is left out", s.WayOut, e.Name)
		}
		into[e] = values
		lab.PrintProblems(a.Stderr, problems.Sorted())
		return !problems.Empty()
	})
	return before - len(p.Experiments)
}

// newRunner puts together what carries out plans.
func newRunner(a *lab.Session, v *target, p runner.Progress, over func(engine.Engine) engine.Engine) *runner.Runner {
	on := func(e engine.Engine) *runner.Runner {
		return &runner.Runner{Engine: e, Host: v.host, Machines: v.machines, Progress: p, Agent: a.Config.Agent,
			Requests: &load.Requests{Agent: a.Config.Agent}, Commands: &load.Commands{Agent: a.Config.Agent},
			Tools: load.Tools(a.Config.Agent), Programs: &load.Programs{Agent: a.Config.Agent},
			Settler: a.Config.Settler, Cache: a.Config.Cache, Over: over}
	}
	r := on(v.engine)
	if v.outside != nil {
		r.Outside = on(v.outside)
		if v.machines[""] != nil { // it is the engine of services that is elsewhere
			r.Outside.Machines = nil
		}
	}
	return r
}

// sweep removes what earlier runs left running: nothing can be measured beside it.
func sweep(ctx context.Context, a *lab.Session, e engine.Engine) error {
	left, err := e.Sweep(ctx, false)
	if err != nil {
		return lab.Interrupted(ctx, fmt.Errorf("removing what earlier runs left behind: %w", err))
	}
	stuck := lab.StuckLeftovers(left)
	left = slices.DeleteFunc(left, func(l engine.Leftover) bool { return l.Problem != "" })
	if len(left) > 0 {
		fmt.Fprintf(a.Stderr, "removed %s of an earlier run that was killed or used --keep\n", lab.Leftovers(left))
	}
	if stuck != nil {
		fmt.Fprintf(a.Stderr, "warning: %v; this run is not affected\n", stuck)
	}
	return nil
}

// startProgress shows a bar on a terminal, below what is printed meanwhile.
func (j *job) startProgress() {
	j.stderr = j.Stderr
	j.progress = &progress{verbose: j.flags.Verbose, quiet: j.flags.Quiet}
	if !j.flags.Quiet && j.Config.Terminal != nil && j.Config.Terminal() > 0 {
		j.progress.bar = newBar(j.Terminal, j.todo)
		if j.Stderr == io.Writer(terminal.Plain{To: j.Terminal}) {
			j.Stderr = terminal.Plain{To: j.progress.bar.container}
		}
	}
	j.progress.w = j.Stderr
}

// closeProgress removes the bar.
func (j *job) closeProgress() {
	j.progress.close()
	j.Stderr = j.stderr
}

// makeRunners removes what earlier runs left, and makes what measures on each target.
func (j *job) makeRunners(ctx context.Context) error {
	for _, at := range j.targets.distinct() {
		if err := at.each(func(e engine.Engine) error { return sweep(ctx, j.Session, e) }); err != nil {
			return err
		}
	}
	j.startProgress()
	j.closing = append(j.closing, j.closeProgress)
	for _, at := range j.targets.distinct() {
		j.runners[at] = newRunner(j.Session, at, j.progress, j.flags.Over)
	}
	return nil
}

// prepare makes available what is needed to measure an article, and prints which images cannot be had.
func (j *job) prepare(ctx context.Context, c *lab.Article) error {
	begin, at, options := time.Now(), j.targets[c.Slug], j.optionsFor(c)
	missing, err := j.runners[at].Prepare(ctx, j.plans[c.Slug], j.recordsOf(c), options)
	j.total.Spent.Total += time.Since(begin)
	if err != nil {
		j.closeProgress()
		return abortedRun(ctx, j.Session, at, j.total, options, err)
	}
	j.noteMissing(missing)
	return nil
}

// noteMissing prints which images cannot be had.
func (j *job) noteMissing(missing []*images.NoImageError) {
	if len(missing) > 0 {
		j.tell(&runner.Summary{NoImage: missing})
		j.missing = append(j.missing, missing...)
	}
}

// A checkedStore checks the records that it reads: looks judge by them.
type checkedStore struct {
	record.Dir
	session *lab.Session
}

// Read reads and checks the records.
func (s checkedStore) Read() ([]*record.Record, []record.Bad, error) {
	return s.session.ReadRecords(string(s.Dir))
}

func (j *job) recordsOf(c *lab.Article) record.Dir { return record.Dir(j.project.RecordsDir(c.Slug)) }

// optionsFor returns how an article is measured.
func (j *job) optionsFor(c *lab.Article) runner.Options {
	at, options := j.targets[c.Slug], j.options
	options.Open = j.flags.open(c, j.plans[c.Slug], at.host.ID)
	options.KeepLast = options.Keep && c == j.pending[len(j.pending)-1]
	options.Present = at.present
	return options
}

// noteMeasured adds what an article came to, and says what of it could not be measured.
func (j *job) noteMeasured(ctx context.Context, at *target, sum *runner.Summary, o runner.Options, err error) error {
	j.add(sum)
	j.tell(sum)
	if err != nil {
		j.closeProgress()
		return abortedRun(ctx, j.Session, at, j.total, o, err)
	}
	return nil
}

// add adds what an article came to.
func (j *job) add(s *runner.Summary) {
	t := &j.total
	t.Measured += s.Measured
	t.Again += s.Again
	t.Failed += s.Failed
	t.Spent.Add(s.Spent)
	j.Spent = &t.Spent
	t.Searches += s.Searches
	t.ProbesAgain += s.ProbesAgain
	t.Spared += s.Spared
	t.Unsearched += s.Unsearched
	t.GivenUp = append(t.GivenUp, s.GivenUp...)
	j.leftOut += len(s.NoImage) + len(s.NoRate) + len(s.NoTune)
	t.OutOfTime = t.OutOfTime || s.OutOfTime
	t.Kept = s.Kept
}

// tell says what could not be measured, but for images of which that was said.
func (j *job) tell(s *runner.Summary) {
	problems, cleanup := problemsOf(s, j.missing)
	lab.PrintProblems(j.Stderr, problems)
	for _, n := range cleanup {
		fmt.Fprintln(j.Stderr, n)
	}
	if len(s.NoImage)+len(problems)+len(cleanup) > 0 {
		j.failed = lab.WithStatus(lab.StatusFailed, nil)
	}
}

// A FailedError is that repetitions failed, and nothing else.
type FailedError struct{ words string }

func (e *FailedError) Error() string { return e.words }

// conclude says what the job came to.
func (j *job) conclude() error {
	t := &j.total
	if !j.flags.Quiet && (t.Measured > t.Failed || t.Searches > 0) {
		printSummary(j.Session, *t)
	}
	if t.OutOfTime {
		fmt.Fprintf(j.Stderr, "the budget of %v ran out before everything was measured; the same command resumes from "+
			"here, with or without --budget\n", j.flags.Budget)
	}
	if t.Kept != nil {
		printKept(j.Session, t.Kept)
	}
	if j.leftOut > 0 && t.Measured+t.Searches == 0 && !t.OutOfTime {
		j.failed = lab.Failure(fmt.Errorf("nothing was measured: %s left out, for the reasons above",
			terminal.Were(j.leftOut, "experiment")))
	}
	if t.Failed > 0 {
		words := terminal.Count(t.Failed, "repetition") + " failed"
		if t.Failed == t.Measured && t.Searches == 0 {
			words = "nothing was measured: " + words
		}
		left := 0
		for _, g := range t.GivenUp {
			left += g.Left
		}
		if left > 0 {
			words += fmt.Sprintf(", and %d %s skipped because they would fail in the same way; the same command tries them "+
				"again", left, phrase.Verb(left, "was", "were"))
		}
		j.failed = j.JoinErrors(j.failed, lab.Failure(&FailedError{words}))
	}
	if t.Unsearched > 0 {
		j.failed = j.JoinErrors(j.failed, lab.Failure(fmt.Errorf("%s not measured: background load disturbed the searches "+
			"for their values; the same command resumes from here", terminal.Are(t.Unsearched, "repetition"))))
	}
	return j.failed
}
