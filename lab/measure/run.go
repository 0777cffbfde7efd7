// Package measure runs experiments of articles, of two revisions (Bench), of commands (Time) and of URLs
// (Requests). Verify only starts the services and checks their answers.
//
// Machines are locked in a fixed order, so waiting cannot deadlock: this machine first, then engines elsewhere.
package measure

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machine"
	"benchbook/runner/search"
)

// Options select what to measure, and how.
type Options struct {
	Profile     string
	Force       bool          // measure fresh cells too
	Repetitions string        // as in articles; if empty, each article decides
	Budget      time.Duration // no repetition begins after it; 0 means no limit
	Engine      string        // if empty, the project's
	Only        string        // expression that selects trials
	Keep        bool          // keep the services of the last repetition
	Yes         bool          // consent to what the project allows
	Asking      Asking
	Verbose     bool // print the output of image builders too
	Quiet       bool // print only problems and results
	// Over, if set, wraps the engine that prepares images.
	Over func(engine.Engine) engine.Engine
	// Prepared, if set, is called when the engine has the images of all trials. Then nothing is measured.
	Prepared func(engine.Engine) error
	// Revisions are compared cell by cell in one run. Claims do not count then: Open decides which trials continue.
	Revisions []plan.Revision
	// Same, if set, is called for experiments whose builds are the same in all Revisions; they are not measured.
	Same func(c *lab.Article, e *plan.Experiment)
	// Quick measures what headline claims need, the shortest first, until they are decided.
	Quick bool
	// Sessions is the number of runs to make, one after the other. 0 makes one run of missing repetitions.
	Sessions int
	// Stated refuses to measure unless everything is committed.
	Stated bool
	// Open returns runner.Options.Open for an article: which trials continue after a look. If nil, trials of undecided
	// claims do.
	Open func(c *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string
	// Begin, if set, is called before the first measurement, but not if nothing is pending.
	Begin func() error
	// Measured, if set, is called between articles, while nothing is measured.
	Measured func(c *lab.Article)
}

// EngineNone is the value of --engine with which nothing is measured.
const EngineNone = "none"

// ChooseEngine replaces the project's engine by the engine of --engine, if given.
func (f *Options) ChooseEngine(project *article.Project) {
	if f.Engine != "" && f.Engine != EngineNone {
		project.Engine = source.Text{Value: f.Engine}
	}
}

// Run measures the missing and stale trials of articles, and prints its steps on standard error. With several sessions,
// each further one measures everything again; all share the budget.
//
// Source: docs/method.md#sessions.
func Run(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) error {
	left, force := flags.Budget, flags.Force
	for made := 0; ; {
		j, err := runOnce(ctx, a, project, list, flags, force, left)
		if j.total.Measured+j.total.Searches > 0 || force {
			made++
		}
		if err != nil || j.total.OutOfTime || made >= flags.Sessions {
			return err
		}
		if deadline := j.options.Deadline; !deadline.IsZero() {
			if left = time.Until(deadline); left <= 0 {
				fmt.Fprintf(a.Stderr, "the budget of %v ran out after session %d of %d; --sessions %d makes the others\n",
					flags.Budget, made, flags.Sessions, flags.Sessions-made)
				return nil
			}
		}
		force = true
		if !flags.Quiet {
			fmt.Fprintf(a.Stderr, "session %d of %d\n", made+1, flags.Sessions)
		}
	}
}

// runOnce makes one run with the budget left, 0 meaning no limit. With force it measures fresh cells too.
func runOnce(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options, force bool,
	left time.Duration) (j *job, err error) {
	if j, err = newJob(ctx, a, project, list, flags); err != nil {
		return j, a.JoinErrors(j.problems, err)
	}
	defer j.close()
	j.options.Force = force
	begun, err := j.begin(ctx, left)
	do := j.measure
	switch {
	case flags.Prepared != nil:
		do = j.prepareAll
	case flags.Quick:
		do = j.answer
	}
	if begun {
		err = do(ctx)
		j.closeProgress()
	}
	if begun && err == nil && flags.Prepared == nil {
		err = j.conclude()
	}
	if err = a.JoinErrors(j.refused, err); err == nil && flags.Prepared == nil {
		err = j.checkResults()
	}
	return j, a.JoinErrors(j.problems, err)
}

// checkResults returns an error if no planned trial has a result, measured now or before.
func (j *job) checkResults() error {
	why := ""
	for _, c := range j.list {
		_, d, err := j.dataset(c)
		if err != nil {
			return lab.Failure(err)
		}
		for _, e := range c.Planned.Experiments { // only the chosen ones
			laid, ok := d.Experiment(e.Name)
			if !ok || e.Skipped != "" {
				continue
			}
			for _, cell := range laid.Cells {
				t := cell.Planned
				if j.options.Only != nil && !j.options.Only(e, t) {
					continue
				}
				missing := cell.NoResult()
				if missing == "" {
					return nil
				}
				why = cmp.Or(why, fmt.Sprintf("%s#%s, %s: %s", c.Slug, e.Name, t.Name, missing))
			}
		}
	}
	if why == "" {
		return nil
	}
	return lab.Failure(&FailedError{"no valid result: " + why})
}

// dataset returns all records of an article, and the dataset of its plan.
func (j *job) dataset(c *lab.Article) ([]*record.Record, *dataset.Dataset, error) {
	p, host := c.Planned, j.hosts[c.Slug].ID
	records, _, err := j.Records(j.project, c)
	if err != nil {
		return nil, nil, err
	}
	d, err := dataset.OfPlan(c.Doc, p, p.RecordsOf(nil, records, host), host)
	if err != nil {
		err = fmt.Errorf("article %s: %w", c.Slug, err)
	}
	return records, d, err
}

// prepareAll prepares the images of all pending trials and calls Prepared.
func (j *job) prepareAll(ctx context.Context) error {
	for _, c := range j.pending {
		if err := j.prepare(ctx, c); err != nil {
			return err
		}
	}
	j.closeProgress() // Prepared prints too
	if len(j.missing) > 0 {
		return lab.Failure(fmt.Errorf("%s not available, for the reasons above", phrase.Are(len(j.missing), "image")))
	}
	if err := j.flags.Prepared(j.engine); err != nil {
		return lab.Interrupted(ctx, err)
	}
	return nil
}

// A job is one run of articles.
type job struct {
	*lab.Session
	site
	project *article.Project
	list    []*lab.Article
	flags   Options
	options runner.Options
	closing []func() // releases of what was acquired, called in reverse order

	pending               []*lab.Article // in the order of measuring
	repetitions, searches int            // numbers that are pending
	unrunnable, failing   int            // experiments that cannot run here, or whose repetitions all failed
	refused               error          // about unrunnable and failing experiments
	problems              error          // about articles with problems
	estimate              time.Duration  // of the time for pending repetitions; only if Begin is set

	questions []*question // with Quick

	progress *progress
	stderr   io.Writer // the session's, which a bar replaces
	runner   *runner.Runner
	total    runner.Summary
	missing  []*images.NoImageError // already printed
	failed   error
}

// newJob plans articles. It leaves out articles with problems; it is an error if none is left.
func newJob(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) (j *job,
	err error) {
	j = &job{Session: a, project: project, list: list, flags: flags}
	// Read the revision now: files may be edited and committed before they are measured.
	j.options = runner.Options{Keep: flags.Keep, Secrets: map[*plan.Experiment]runner.Secrets{},
		Revision: lab.RevisionOf(ctx, project), Claims: map[string]string{}}
	var found []*source.Problem
	o := plan.Options{Profile: flags.Profile, Repetitions: flags.Repetitions}
	o.Revisions = flags.Revisions[:min(1, len(flags.Revisions))] // claims cannot be checked with several
	if found, err = a.Check(project, list, o); err != nil {
		return j, err
	}
	o.Revisions = flags.Revisions
	for _, c := range list { // plan again, with each cell for each revision
		if len(o.Revisions) < 2 || !c.Problems.Empty() {
			continue
		}
		if err = c.Plan(project, o); err != nil {
			return j, err
		}
		found = append(found, c.Problems.Sorted()...)
	}
	if len(found) > 0 {
		lab.PrintProblems(a.Stderr, found)
		words := phrase.Count(len(found), "problem")
		j.list = slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !c.Problems.Empty() })
		if len(j.list) == 0 || !project.Problems.Empty() {
			return j, lab.Failure(fmt.Errorf("%s; nothing was measured", words))
		}
		j.problems = lab.Failure(fmt.Errorf("%s; the affected articles were not measured", words))
	}
	if !record.IsCommitted(j.options.Revision) && flags.Stated {
		return j, lab.UsageError(fmt.Errorf("--stated measures only what is committed, and the article's revision is %s: "+
			"commit first, or leave out --stated", j.options.Revision))
	}
	for _, c := range j.list {
		c.KeepExperiments(c.Planned)
	}
	if j.options.Only, err = lab.NewFilter(flags.Only, j.list); err == nil && flags.Quick {
		err = j.findQuestions()
	}
	return j, err
}

// close releases what the job has acquired. Further calls do nothing.
func (j *job) close() {
	for _, release := range slices.Backward(j.closing) {
		release()
	}
	j.closing = nil
}

// begin locks the machines, starts the budget, and removes leftovers of earlier runs, if anything is pending.
func (j *job) begin(ctx context.Context, budget time.Duration) (begun bool, err error) {
	if err := j.findHosts(ctx); err != nil {
		return false, err
	}
	if pending, err := j.findPending(ctx); err != nil || !pending {
		return false, err
	}
	for _, c := range j.pending { // fail before anything takes time
		if err := j.recordsOf(c).Writable(); err != nil {
			return false, lab.Failure(err)
		}
	}
	if err := j.lock(ctx, j.pending); err != nil {
		return false, err
	}
	if err := j.beginPages(); err != nil {
		return false, err
	}
	if budget > 0 { // waiting for another run does not count
		j.options.Deadline = time.Now().Add(budget)
	}
	j.startProgress()
	j.closing = append(j.closing, j.closeProgress)
	if j.runner, err = j.newRunner(ctx, j.progress); err != nil {
		return false, err
	}
	if j.Config.Settler != nil { // not in tests with scripted numbers
		err = j.takeFingerprints(ctx)
	}
	return err == nil, err
}

// findPending finds the pending trials of all articles. It prints why others cannot be measured, and sets refused.
func (j *job) findPending(ctx context.Context) (pending bool, err error) {
	for _, c := range j.list {
		if err := j.survey(ctx, c); err != nil {
			return false, err
		}
	}
	if j.unrunnable > 0 {
		j.refused = lab.Failure(fmt.Errorf("%s not run, for the reasons above", phrase.Are(j.unrunnable, "experiment")))
	}
	if j.failing > 0 {
		j.refused = j.JoinErrors(j.refused, lab.Failure(fmt.Errorf("nothing of %s is measured, as every repetition failed; "+
			"--force measures again", phrase.Count(j.failing, "experiment"))))
	}
	switch {
	case len(j.pending) > 0 && j.flags.Engine == EngineNone:
		return false, lab.Failure(fmt.Errorf("%s not measured, without an engine", j.pendingWords()))
	case len(j.pending) == 0 && j.refused == nil && !j.flags.Quiet:
		fmt.Fprintf(j.Stderr, "everything%s is measured; nothing to do (--force%s measures it again)\n",
			map[bool]string{true: " else"}[j.problems != nil], map[bool]string{true: " without --quick"}[j.flags.Quick])
	}
	// Articles without builds come first, to have results soon.
	builds := func(c *lab.Article) int { return lab.BoolToInt(runner.Builds(c.Planned)) }
	slices.SortStableFunc(j.pending, func(a, b *lab.Article) int { return builds(a) - builds(b) })
	return len(j.pending) > 0, nil
}

// pendingWords counts pending repetitions and searches in words.
func (j *job) pendingWords() string {
	repetitions := phrase.Count(j.repetitions, "repetition")
	searches := phrase.Count(j.searches, "search") + " for a capacity"
	switch {
	case j.searches == 0:
		return repetitions
	case j.repetitions == 0:
		return searches
	}
	return repetitions + ", and " + searches
}

// survey adds an article and its pending trials to the job, and prints remarks about it and its records.
func (j *job) survey(ctx context.Context, c *lab.Article) error {
	p := c.Planned
	records, _, err := j.Records(j.project, c)
	if err != nil {
		return lab.Failure(err)
	}
	j.unrunnable += j.refuse(c, j.options.Only)
	for _, run := range runner.FromTheFuture(records, time.Now()) {
		fmt.Fprintf(j.Stderr, "%s: run %s is dated in the future, so that pages show it as the newest, also after a "+
			"new run; if a wrong clock named it, remove its records\n", c.Slug, run)
	}
	if err := j.present.Look(ctx, records); err != nil {
		return lab.Interrupted(ctx, err)
	}
	if err := j.noteClaimState(c, records); err != nil {
		return lab.Failure(err)
	}
	options, host := j.optionsFor(c), j.hosts[c.Slug].ID
	next := runner.NextOf(p, records, host, options)
	lacking := j.readSecrets(p, func(e *plan.Experiment) bool { return next.Trials(e) > 0 })
	if j.unrunnable += lacking; lacking > 0 {
		next = runner.NextOf(p, records, host, options)
	}
	for _, words := range next.Outdated() {
		fmt.Fprintf(j.Stderr, "%s#%s\n", c.Slug, words)
	}
	for _, f := range next.AllFailed() {
		fmt.Fprintf(j.Stderr, "%s#%s: %v\n", c.Slug, f.Experiment.Name, &f)
		j.failing++
	}
	if next.Len() == 0 {
		return nil
	}
	var remarks source.Problems
	for _, e := range p.Experiments {
		if next.Trials(e) > 0 {
			e.AddWarnings(&remarks)
		}
	}
	lab.PrintProblems(j.Stderr, remarks.Sorted())
	j.repetitions, j.searches = j.repetitions+next.Len()-next.Searches(), j.searches+next.Searches()
	j.pending = append(j.pending, c)
	if j.flags.Begin != nil {
		j.estimate += j.estimateOf(c, next.ByTrial(), records)
	}
	return nil
}

// noteClaimState notes the state of the claims in known runs, for the records. With force it draws a new random order.
func (j *job) noteClaimState(c *lab.Article, records []*record.Record) error {
	p, host := c.Planned, j.hosts[c.Slug].ID
	ofClass := slice.Filter(records, func(r *record.Record) bool {
		return r.Profile == p.Profile && record.ClassOf(r.Host) == record.ClassOf(host)
	})
	d, err := dataset.OfPlan(c.Doc, p, ofClass, host)
	if err != nil {
		return err
	}
	claims, err := json.Marshal(claim.State(d))
	if err != nil {
		return err
	}
	j.options.Claims[c.Slug] = string(claims)
	if j.options.Force {
		p.Redraw(len(slice.Add([]string{}, slice.Map(ofClass, lab.RecordRun)...)))
	}
	return nil
}

// estimateOf estimates the time for the pending repetitions of an article, from all its records.
func (j *job) estimateOf(c *lab.Article, todo map[*plan.Trial]runner.Todo, records []*record.Record) (sum time.Duration) {
	pending := func(t *plan.Trial) int { return todo[t].Count } // includes fresh cells with --force
	for _, e := range c.Planned.Experiments {
		sum += show.ExpectedTime(e, j.hosts[c.Slug], records, pending)
	}
	return sum
}

// beginPages calls Begin. An interrupt ends the command at once, because nothing has started yet.
func (j *job) beginPages() (err error) {
	if j.flags.Begin == nil {
		return nil
	}
	before := j.CleansUp.Swap(false)
	defer j.CleansUp.Store(before)
	if err = j.flags.Begin(); err == nil && !j.flags.Quiet {
		words := fmt.Sprintf("to measure: %s of %s", j.pendingWords(), phrase.Count(len(j.pending), "article"))
		if j.estimate > 0 {
			words += ", in about " + terminal.Clock(j.estimate) + " once their images are there"
		}
		fmt.Fprintln(j.Stderr, words)
	}
	return err
}

// measure measures one article after another. It prepares images just before each article, so that results of the first
// need not wait for builds of the last.
func (j *job) measure(ctx context.Context) error {
	for i, c := range j.pending {
		if i > 0 && j.flags.Measured != nil {
			j.flags.Measured(j.pending[i-1])
		}
		if err := j.leaveOutSame(ctx, c); err != nil {
			return err
		}
		if _, isOver, err := j.measureArticle(ctx, c, j.optionsFor(c)); err != nil || isOver {
			return err
		}
	}
	return nil
}

// leaveOutSame prepares the images of an article, and removes experiments whose builds are the same in all revisions
// from its plan.
func (j *job) leaveOutSame(ctx context.Context, c *lab.Article) error {
	if j.flags.Same == nil {
		return nil
	}
	if err := j.prepare(ctx, c); err != nil {
		return err
	}
	p, r := c.Planned, j.runnerFor(c)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		isSame := e.Skipped == "" && r.SameBuilds(p.Article, e)
		if isSame {
			j.flags.Same(c, e)
		}
		return isSame
	})
	return nil
}

// measureArticle makes one run of an article. isOver means that the budget is used up or services are kept.
func (j *job) measureArticle(ctx context.Context, c *lab.Article, o runner.Options) (sum runner.Summary, isOver bool,
	err error) {
	if !j.options.Deadline.IsZero() && time.Now().After(j.options.Deadline) {
		j.total.OutOfTime = true
		return sum, true, nil
	}
	o.Missing = j.noteMissing
	j.progress.slug = c.Slug
	sum, err = j.runnerFor(c).Run(ctx, c.Planned, checkedStore{Dir: j.recordsOf(c), session: j.Session}, o)
	j.add(&sum)
	j.printReasons(sum.LeftOut)
	j.postpone(sum.Preparing)
	if err != nil {
		j.closeProgress()
		err = j.aborted(ctx, err)
	}
	return sum, sum.OutOfTime || sum.Kept != nil, err
}

// postpone extends the deadline by the time that images took, which does not count towards the budget.
func (j *job) postpone(by time.Duration) {
	if !j.options.Deadline.IsZero() {
		j.options.Deadline = j.options.Deadline.Add(by)
	}
}

// leaveOut removes experiments with problems from a plan and prints the problems. It returns how many it removed.
func (j *job) leaveOut(p *plan.Plan, check func(*plan.Experiment, *source.Problems)) int {
	before := len(p.Experiments)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		var problems source.Problems
		check(e, &problems)
		lab.PrintProblems(j.Stderr, problems.Sorted())
		return !problems.Empty()
	})
	return before - len(p.Experiments)
}

// refuse leaves out experiments with picked trials that cannot run here and returns their number. Nil picks all trials.
func (j *job) refuse(c *lab.Article, picked lab.Filter) int {
	return j.leaveOut(c.Planned, func(e *plan.Experiment, problems *source.Problems) {
		if picked != nil && !slices.ContainsFunc(e.Trials, func(t *plan.Trial) bool { return picked(e, t) }) {
			return
		}
		e.CheckCPUs(j.hosts[c.Slug].Cores, problems)
		e.CheckEngine(problems)
		j.checkCold(e, problems)
	})
}

// checkCold reports a problem if an experiment needs a cold page cache and the cache cannot be dropped.
func (j *job) checkCold(e *plan.Experiment, problems *source.Problems) {
	if !e.Cold {
		return
	}
	err := machine.CanDropCaches()
	if len(e.Hosts) > 0 || j.machines[""] != nil {
		err = errors.New("its services run on another machine")
	}
	if err != nil {
		problems.Add("not-cold", e.Pos, "the page cache cannot be dropped, and before: cold asks for that: %v", err).Hint =
			"run benchbook as root on the machine of its services, or remove before"
	}
}

// readSecrets reads the secrets of the wanted experiments. It leaves out experiments that lack a secret, and returns
// their number.
func (j *job) readSecrets(p *plan.Plan, wanted func(*plan.Experiment) bool) int {
	return j.leaveOut(p, func(e *plan.Experiment, problems *source.Problems) {
		if len(e.Secrets) == 0 || !wanted(e) {
			return
		}
		values, missing := runner.ReadSecrets(e)
		for _, s := range missing {
			problems.Add("no-secret", s.Pos, "secret %s cannot be used: %s", s.Secret, s.Why).Hint =
				fmt.Sprintf("%s; experiment %q is left out", s.WayOut, e.Name)
		}
		j.options.Secrets[e] = values
	})
}

// startProgress shows a bar below all other output if there is a terminal.
func (j *job) startProgress() {
	j.stderr = j.Stderr
	j.progress = &progress{verbose: j.flags.Verbose}
	if !j.flags.Quiet && j.Config.Terminal != nil && j.Config.Terminal() > 0 {
		j.progress.bar = newBar(j.Terminal, j.repetitions+j.searches)
		if j.Stderr == io.Writer(terminal.Plain{To: j.Terminal}) {
			j.Stderr = terminal.Plain{To: j.progress.bar.container}
		}
	}
	j.progress.w, j.progress.problems = j.Stderr, j.Stderr
	if j.flags.Quiet {
		j.progress.w = io.Discard
	}
}

// closeProgress removes the bar. It may be called twice.
func (j *job) closeProgress() {
	j.progress.close()
	j.Stderr = j.stderr
}

// prepare prepares the images of an article, and prints which are not available.
func (j *job) prepare(ctx context.Context, c *lab.Article) error {
	begin := time.Now()
	missing, err := j.runnerFor(c).Prepare(ctx, c.Planned, j.recordsOf(c), j.optionsFor(c))
	took := time.Since(begin)
	j.total.Spent.Total += took
	j.postpone(took)
	if err != nil {
		j.closeProgress()
		return j.aborted(ctx, err)
	}
	j.noteMissing(missing)
	return nil
}

// noteMissing prints which images are not available, each once.
func (j *job) noteMissing(missing []*images.NoImageError) {
	for _, m := range missing {
		j.printReasons([]error{m})
	}
}

// A checkedStore checks the records that it reads, because claims are judged by them at each look.
type checkedStore struct {
	record.Dir
	session *lab.Session
}

func (s checkedStore) Read() ([]*record.Record, []record.Bad, error) {
	return s.session.ReadRecords(string(s.Dir))
}

func (j *job) recordsOf(c *lab.Article) record.Dir { return record.Dir(j.project.RecordsDir(c.Slug)) }

func (j *job) optionsFor(c *lab.Article) runner.Options {
	options, p, host := j.options, c.Planned, j.hosts[c.Slug].ID
	options.Open = show.OpenTrials(c.Doc, p, host, claim.Open)
	if j.flags.Open != nil {
		options.Open = j.flags.Open(c, p, host)
	}
	options.KeepLast = options.Keep && len(j.pending) > 0 && c == j.pending[len(j.pending)-1]
	options.Present, options.Conditions = j.present, j.hosts[c.Slug].Facts
	return options
}

func (j *job) add(s *runner.Summary) {
	t := &j.total
	t.Measured += s.Measured
	t.Again += s.Again
	t.Failed += s.Failed
	t.Spent.Add(s.Spent)
	t.Searches += s.Searches
	t.ProbesAgain += s.ProbesAgain
	t.Spared += s.Spared
	t.Unsearched += s.Unsearched
	t.GivenUp += s.GivenUp
	t.LeftOut = append(t.LeftOut, s.LeftOut...)
	t.OutOfTime = t.OutOfTime || s.OutOfTime
	t.Kept = s.Kept
}

// printReasons prints why experiments are left out, each missing image once, and marks the job as failed.
func (j *job) printReasons(reasons []error) {
	for _, reason := range reasons {
		j.failed = lab.Failure(nil)
		switch r := reason.(type) {
		case *search.MissingError:
			lab.PrintProblems(j.Stderr, []*source.Problem{r.Problem})
		case *images.NoImageError:
			if !slices.Contains(j.missing, r) {
				j.missing = append(j.missing, r)
				lab.PrintProblems(j.Stderr, []*source.Problem{imageProblem(r)})
			}
		}
	}
}

// A FailedError reports that repetitions failed, or that none is valid.
type FailedError struct{ words string }

func (e *FailedError) Error() string { return e.words }

// conclude prints a summary of the job and returns its error.
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
	if len(t.LeftOut) > 0 && t.Measured+t.Searches == 0 && !t.OutOfTime {
		j.failed = lab.Failure(fmt.Errorf("nothing was measured: %s left out, for the reasons above",
			phrase.Were(len(t.LeftOut), "experiment")))
	}
	if t.Failed > 0 {
		words := phrase.Count(t.Failed, "repetition") + " failed"
		if t.Failed == t.Measured && t.Searches == 0 {
			words = "nothing was measured: " + words
		}
		if left := t.GivenUp; left > 0 {
			words += fmt.Sprintf(", and %d %s skipped because they would fail in the same way; the same command tries them "+
				"again", left, phrase.Verb(left, "was", "were"))
		}
		j.failed = j.JoinErrors(j.failed, lab.Failure(&FailedError{words}))
	}
	if t.Unsearched > 0 {
		j.failed = j.JoinErrors(j.failed, lab.Failure(fmt.Errorf("%s not measured: background load disturbed the searches "+
			"for their values; the same command resumes from here", phrase.Are(t.Unsearched, "repetition"))))
	}
	return j.failed
}
