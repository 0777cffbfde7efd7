// Package measure runs what is missing or stale of articles, verifies answers, and imports results of other tools.
//
// Machines are locked in one global order, so that runs that wait for each other cannot deadlock: this machine first, then
// engines by their identity.
package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/forecast"
	"benchbook/lab/progress"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/load/foreign"
	"benchbook/runner/machines"
	"benchbook/runner/search"
)

// reporter shows a run as standard error can: on a terminal that is wide enough with bars, else in plain lines.
func newReporter(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, plans map[string]*plan.Plan, at targets, o runner.Options) (progress.Reporter, error) {
	if a.Config.Terminal == nil || a.Config.Terminal() < terminal.Narrowest {
		return &progress.Progress{W: a.Stderr}, nil
	}
	f := forecast.NewETA()
	for _, c := range list {
		host := at.HostOf(c.Slug)
		known, err := forecast.Inspect(ctx, a, project, c, plans[c.Slug], host.ID, at[c.Slug].present)
		if err != nil {
			return nil, err
		}
		f.Add(plans[c.Slug], plan.Place(host.Cores), known, o.Force)
	}
	return progress.NewLive(&terminal.Screen{W: a.Terminal, Width: a.Config.Terminal, Plain: os.Getenv("NO_COLOR") != ""}, f), nil
}

// judge judges the claims of an article while it is measured, if they can be seen and all of its experiments are in the plan.
func newJudge(a *lab.Session, r progress.Reporter, project *article.Project, c *lab.Article, p *plan.Plan, host machines.Host) (*progress.Judge, error) {
	if _, ok := r.(*progress.Live); !ok || len(p.Experiments) < len(c.Doc.Experiments) || len(c.Doc.Claims) == 0 {
		return nil, nil
	}
	records, _, err := record.Dir(project.RecordsDir(c.Slug)).Read() // bad files were named before
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	ours := func(r *record.Record) bool { return r.Host == host.ID && r.Profile == p.Profile }
	j := &progress.Judge{Records: slices.DeleteFunc(records, func(r *record.Record) bool { return !ours(r) }), Began: time.Now()}
	j.Judgements = func(records []*record.Record) ([]dataset.Judgement, error) {
		d, err := dataset.New(c.Doc, records, dataset.Options{ThisHost: host.ID, Plan: func(string) (*plan.Plan, error) { return p, nil }})
		if err != nil {
			return nil, err
		}
		return d.Judgements(), nil
	}
	return j, nil
}

// Options say what is measured, and how.
type Options struct {
	Profile         string
	Force           bool // what is fresh as well
	Repetitions     int
	Seed            int64
	Budget          time.Duration
	Engine          string // empty for the project's
	KeepExperiments string // an expression that picks trials
	Keep            bool   // the services of the last repetition
	Adapt           bool   // placements to the CPUs that there are
	Wait            bool   // for another run to finish
	Yes             bool   // to very many trials
}

// EngineNone is what --engine names beside engines.
const EngineNone = "none"

// ChooseEngine puts the engine of the flag in the place of the project's.
func (f *Options) ChooseEngine(project *article.Project) {
	if f.Engine != "" && f.Engine != EngineNone {
		project.Engine = article.Value[article.EngineName]{V: article.EngineName(f.Engine), Text: source.Text{Value: f.Engine}}
	}
}

func (f *Options) planOptions() plan.Options {
	return plan.Options{Profile: f.Profile, Seed: f.Seed, Repetitions: f.Repetitions}
}

// Run runs what is missing or stale of the chosen articles, and says on standard error what it does.
func Run(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) error {
	revisions := map[string]string{} // of what is read here: it may be edited, and committed, long before it is measured
	for _, c := range list {
		revisions[c.Slug] = lab.RevisionOf(ctx, project, c.Slug)
	}
	plans, problems, err := a.Check(project, list, flags.planOptions())
	if err != nil {
		return err
	}
	var failed error
	if len(problems) > 0 {
		lab.PrintProblems(a.Stderr, problems)
		list = slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !c.Problems.Empty() })
		if len(list) == 0 || !project.Problems.Empty() {
			return lab.WithStatus(lab.StatusProblems, fmt.Errorf("%s; nothing was measured", terminal.Count(len(problems), "problem")))
		}
		failed = lab.WithStatus(lab.StatusProblems, fmt.Errorf("%s; the articles that have them were not measured", terminal.Count(len(problems), "problem")))
	}
	return a.JoinErrors(failed, measureSound(ctx, a, project, list, plans, revisions, flags))
}

// measureSound runs what is missing or stale of articles without problems.
func measureSound(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, plans map[string]*plan.Plan, revisions map[string]string,
	flags Options) error {
	host, err := machines.ThisHost()
	if err != nil {
		return lab.Failure(err)
	}
	for _, c := range list {
		lab.KeepExperiments(plans[c.Slug], c.Experiments)
	}
	picked, err := lab.NewFilter(flags.KeepExperiments, list, plans)
	if err != nil {
		return err
	}
	doing := func(list []*lab.Article) string {
		return fmt.Sprintf("measures %s in profile %s", lab.ArticlesInWords(list), flags.Profile)
	}
	options := runner.Options{Force: flags.Force, Only: picked, Keep: flags.Keep, Budget: flags.Budget, Revisions: revisions}
	at := targets{}
	if flags.Engine == EngineNone {
		for _, c := range list {
			known, err := a.HostOf(project, c, host)
			if err != nil {
				return lab.Failure(err)
			}
			at[c.Slug] = &target{host: known}
		}
	} else {
		defer a.AwaitOnInterrupt(ctx)()
		if at, err = connectTargets(ctx, a, project, list, plans, host, doing(list), flags.Wait); err != nil {
			return lab.Interrupted(ctx, err)
		}
	}
	defer at.Close()
	pending, capacities, refused, fruitless := 0, 0, 0, 0
	var wanted []*lab.Article // those that something is pending of
	for _, c := range list {
		refused += refuse(a, plans[c.Slug], at.HostOf(c.Slug), picked, flags.Adapt)
		records, bad, err := record.Dir(project.RecordsDir(c.Slug)).Read()
		if err != nil {
			return lab.Failure(err)
		}
		a.WarnBad(bad)
		for _, run := range runner.FromTheFuture(records, time.Now()) {
			fmt.Fprintf(a.Stderr, "%s: run %s is from the future: new runs are not named after it, and pages show it as the newest; if a wrong "+
				"clock named it, remove its records\n", c.Slug, run)
		}
		v := at[c.Slug]
		if flags.Engine != EngineNone && v.machines == nil && v.present == nil {
			v.present = &images.Present{Connect: func(ctx context.Context) (engine.Engine, error) { return v.connected(ctx, a, project) }}
		}
		options.Present = v.present
		if err := options.Present.Look(ctx, records); err != nil {
			return lab.Interrupted(ctx, err)
		}
		for _, words := range runner.Outdated(plans[c.Slug], records, v.host.ID, options) {
			fmt.Fprintf(a.Stderr, "%s#%s\n", c.Slug, words)
		}
		for _, f := range runner.AllFailed(plans[c.Slug], records, v.host.ID, options) {
			fmt.Fprintf(a.Stderr, "%s#%s: %v\n", c.Slug, f.Experiment.Name, &f)
			fruitless++
		}
		if n := runner.Pending(plans[c.Slug], records, at.HostOf(c.Slug).ID, options); n > 0 {
			if err := checkMany(ctx, a, project, c, plans[c.Slug], records, v, options, flags); err != nil {
				return err
			}
			pending += n
			capacities += runner.PendingSearches(plans[c.Slug], records, at.HostOf(c.Slug).ID, options)
			wanted = append(wanted, c)
		}
	}
	var failed error
	if refused > 0 {
		failed = lab.Failure(fmt.Errorf("%s not run, for the reasons above", terminal.Are(refused, "experiment")))
	}
	if fruitless > 0 {
		failed = a.JoinErrors(failed, lab.Failure(fmt.Errorf("nothing of %s is measured, as every repetition failed; --force measures again",
			terminal.Count(fruitless, "experiment"))))
	}
	if pending == 0 {
		if failed == nil {
			everything := "everything"
			if len(plans) > len(list) {
				everything = "everything else"
			}
			fmt.Fprintf(a.Stderr, "%s is measured; nothing to do (--force measures it again)\n", everything)
		}
		return failed
	}
	if flags.Engine == EngineNone {
		return lab.Failure(fmt.Errorf("%s not measured, without an engine", pendingWords(pending-capacities, capacities)))
	}
	for _, c := range wanted { // before anything takes time
		if err := record.Dir(project.RecordsDir(c.Slug)).Writable(); err != nil {
			return lab.Failure(err)
		}
	}
	if err := connect(ctx, a, project, at); err != nil {
		return lab.Interrupted(ctx, err)
	}
	unlock, err := Lock(ctx, a, host, at, doing(wanted), flags.Wait)
	if err != nil {
		return a.JoinErrors(failed, err)
	}
	defer unlock()
	if flags.Budget > 0 { // from when measuring may begin, however long another run was waited for
		options.Deadline = time.Now().Add(flags.Budget)
	}
	return a.JoinErrors(failed, measureOn(ctx, a, at, project, list, wanted[len(wanted)-1], plans, options))
}

// connect gives those of some targets an engine that have none yet: they are this machine.
func connect(ctx context.Context, a *lab.Session, project *article.Project, at targets) error {
	for _, v := range at.distinct() {
		if _, err := v.connected(ctx, a, project); err != nil {
			return err
		}
		fmt.Fprintf(a.Stderr, "engine %s\n", v.engine.Name())
	}
	return nil
}

// checkMany refuses to measure very many trials of one experiment that nobody may have meant: the lengths of axes are multiplied.
func checkMany(ctx context.Context, a *lab.Session, project *article.Project, c *lab.Article, p *plan.Plan, records []*record.Record, v *target, o runner.Options,
	flags Options) error {
	if flags.Yes || flags.Budget > 0 || o.Only != nil {
		return nil
	}
	for _, e := range p.Experiments {
		n := runner.PendingTrials(p, e, records, v.host.ID, o)
		if n <= forecast.ManyTrials {
			continue
		}
		known, err := forecast.Inspect(ctx, a, project, c, p, v.host.ID, v.present)
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
		time := e.Estimate(plan.Place(v.host.Cores), forecast.Experience(e, known))
		return lab.UsageError(fmt.Errorf("%s#%s has %d trials to measure, which takes about %s: measure all of them with --yes, some with --only, or as "+
			"many as fit into a time with --budget", c.Slug, e.Name, n, terminal.Clock(time.Total)))
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

// pendingWords counts what is to be measured.
func pendingWords(repetitions, capacities int) string {
	switch {
	case capacities == 0:
		return terminal.Count(repetitions, "repetition")
	case repetitions == 0:
		return terminal.Count(capacities, "search") + " for a capacity"
	}
	return fmt.Sprintf("%s, and %s for a capacity", terminal.Count(repetitions, "repetition"), terminal.Count(capacities, "search"))
}

// Lock takes the machine for what is to be done, so that no two runs use it at the same time: a second one gives up, or waits. That of
// somebody on another machine, to whom this one is a host, finds the first by its engine. The machines of a run over several are taken
// already. Whoever waits has nothing that comes later in the one order in which all take what they need: their own machine, and then
// engines as engine.LockHosts sorts them.
func Lock(ctx context.Context, a *lab.Session, host machines.Host, at targets, doing string, wait bool) (unlock func(), err error) {
	if at.met() {
		return func() {}, nil
	}
	var held []func()
	unlock = func() {
		for _, one := range slices.Backward(held) {
			one()
		}
	}
	defer func() {
		if err != nil {
			unlock()
			unlock, err = nil, lab.Interrupted(ctx, err)
		}
	}()
	leave, err := lockThis(ctx, a, host, doing, wait)
	if err != nil {
		return unlock, err
	}
	held = append(held, leave)
	if a.Config.LockDir == "" || !a.Config.LockEngines {
		return unlock, nil
	}
	var engines []engine.Host
	for _, v := range at.distinct() {
		e, done, err := lockedEngine(ctx, a, v.engine)
		if err != nil {
			return unlock, err
		}
		held, engines = append(held, done), append(engines, engine.Host{Engine: e})
	}
	leave, err = lockHosts(ctx, a, engines, doing, wait)
	if err != nil {
		return unlock, err
	}
	held = append(held, leave)
	return unlock, nil
}

// lockThis takes this machine, by the file by which all runs that are started on it find each other.
func lockThis(ctx context.Context, a *lab.Session, this machines.Host, doing string, wait bool) (unlock func(), err error) {
	if a.Config.LockDir == "" {
		return func() {}, nil
	}
	var waiting func(*machines.BusyError)
	if wait {
		waiting = func(busy *machines.BusyError) { a.SayWaiting(busy) }
	}
	unlock, err = this.Lock(ctx, a.Config.LockDir, doing, waiting)
	return unlock, whenBusy(err)
}

// lockHosts takes machines by their engines, by which runs find each other that are started on different ones.
func lockHosts(ctx context.Context, a *lab.Session, list []engine.Host, doing string, wait bool) (unlock func(), err error) {
	var waiting func(error)
	if wait {
		waiting = a.SayWaiting
	}
	unlock, err = engine.LockHosts(ctx, list, doing, waiting)
	return unlock, whenBusy(err)
}

// guard is the engine by whose lock runs from other machines are kept off what is measured here on an engine: itself, or, if it has no lock
// as local has none, the Docker engine of this machine, as they would come by that. Where there is none nobody comes. What was connected to
// for it is closed with done.
func lockedEngine(ctx context.Context, a *lab.Session, e engine.Engine) (guard engine.Engine, done func(), err error) {
	if _, ok := e.(engine.Locked); ok {
		return e, func() {}, nil
	}
	beside, err := a.Config.Engine(ctx, article.Docker)
	if errors.Is(err, engine.ErrUnavailable) {
		return e, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = beside.Close() } // nothing but the lock was started there
	facts, err := beside.Facts(ctx)
	switch {
	case err != nil:
		done()
		return nil, nil, fmt.Errorf("making sure that no other run measures on this machine: %w", err)
	case facts["engine.local"] == "false": // DOCKER_HOST names one that is elsewhere
		done()
		return e, func() {}, nil
	}
	return beside, done, nil
}

// whenBusy adds to the error that somebody else has a machine what can be done about it.
func whenBusy(err error) error {
	if errors.As(err, new(*machines.BusyError)) || errors.As(err, new(*engine.BusyError)) {
		return fmt.Errorf("%w; give the command again when that has ended, or with --wait (with make, BENCHBOOK_WAIT=true before it)", err)
	}
	return err
}

// refuse takes out of a plan the experiments that cannot be run here, says why, and counts them. Those of which nothing is picked are
// none of them.
func refuse(a *lab.Session, p *plan.Plan, host machines.Host, picked lab.Filter, adapt bool) int {
	before := len(p.Experiments)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		if picked != nil && !slices.ContainsFunc(e.Trials, func(t *plan.Trial) bool { return picked(e, t) }) {
			return false
		}
		if adapt {
			e.Adapt(host.CoresOf)
		}
		var problems source.Problems
		for _, u := range e.Unsupported {
			problems.Add("not-yet", u.Pos, "this version cannot run an experiment with %s yet", u.What).
				Hint = fmt.Sprintf("experiment %q is left out; %s", e.Name, cmp.Or(u.Instead, "measure it with a later version"))
		}
		e.CheckCPUs(host.CoresOf, &problems)
		e.CheckEngine(&problems)
		lab.PrintProblems(a.Stderr, problems.Sorted())
		return !problems.Empty()
	})
	return before - len(p.Experiments)
}

// sweep removes what earlier runs left running: nothing can be measured beside it.
func sweep(ctx context.Context, a *lab.Session, e engine.Engine) error {
	left, err := e.Sweep(ctx, false)
	if err != nil {
		return lab.Interrupted(ctx, fmt.Errorf("removing what earlier runs left behind: %w", err))
	}
	if len(left) > 0 {
		fmt.Fprintf(a.Stderr, "removed %s of an earlier run that was killed or told to keep them\n", Leftovers(left))
	}
	return nil
}

// runner puts together what carries out plans.
func newRunner(a *lab.Session, v *target, p runner.Progress) *runner.Runner {
	return &runner.Runner{Engine: v.engine, Host: v.host, Machines: v.machines, Progress: p, Agent: a.Config.Agent,
		Requests: &load.Requests{Agent: a.Config.Agent}, Commands: &load.Commands{Agent: a.Config.Agent},
		Tools: foreign.Drivers(a.Config.Agent), Settler: a.Config.Settler, Cache: a.Config.Cache}
}

// measureOn measures articles where each of them is measured; last is the last one of which something is to be.
func measureOn(ctx context.Context, a *lab.Session, at targets, project *article.Project, list []*lab.Article, last *lab.Article,
	plans map[string]*plan.Plan, options runner.Options) error {
	for _, v := range at.distinct() {
		if err := sweep(ctx, a, v.engine); err != nil {
			return err
		}
	}
	for _, c := range list {
		if err := record.Dir(project.RecordsDir(c.Slug)).Tidy(); err != nil {
			return lab.Failure(err)
		}
	}
	shown, err := newReporter(ctx, a, project, list, plans, at, options)
	if err != nil {
		return lab.Failure(err)
	}
	progress := progress.NewStatusFile(shown, project.Dir)
	defer progress.Close()
	runners := map[*target]*runner.Runner{}
	for _, v := range at.distinct() {
		runners[v] = newRunner(a, v, progress)
	}
	var total runner.Summary
	var failed error
	var missing []images.NoImageError // of which was said what is wrong
	for _, v := range at.distinct() {
		if options.Budget > 0 {
			break // it would be spent on images of articles that are never reached: each has its own made when its turn comes
		}
		var work []runner.Work
		for _, c := range list {
			if at[c.Slug] == v {
				work = append(work, runner.Work{Plan: plans[c.Slug], Store: record.Dir(project.RecordsDir(c.Slug))})
			}
		}
		begin := time.Now()
		options.Present = v.present
		found, err := runners[v].Prepare(ctx, options, work...)
		total.Spent[runner.Preparing] += time.Since(begin)
		switch {
		case err != nil && (ctx.Err() != nil || len(list) == 1):
			progress.Stop()
			return abortedRun(ctx, a, v, total, options, err)
		case err != nil: // which may be of one article alone: those before it can be measured
			progress.Note(fmt.Sprintf("not everything could be made available before the first repetition, and is tried again when its turn comes: %v", err))
		}
		for _, n := range found {
			progress.Stop()
			lab.PrintProblems(a.Stderr, []*source.Problem{imageProblem(&n)})
			failed = lab.WithStatus(lab.StatusFailed, nil)
		}
		missing = append(missing, found...)
	}
	for _, c := range list {
		host := at.HostOf(c.Slug)
		judge, err := newJudge(a, shown, project, c, plans[c.Slug], host)
		if err != nil {
			return lab.Failure(err)
		}
		progress.Article(c.Slug, judge)
		options.Judge = decider{c.Doc, plans[c.Slug], host.ID}
		options.KeepLast, options.Present = options.Keep && c == last, at[c.Slug].present
		sum, err := runners[at[c.Slug]].Run(ctx, plans[c.Slug], record.Dir(project.RecordsDir(c.Slug)), options)
		progress.Stop()
		total.Measured += sum.Measured
		total.Again += sum.Again
		total.Failed += sum.Failed
		total.Spent.Add(sum.Spent)
		a.Spent = &total.Spent
		total.Searches += sum.Searches
		total.ProbesAgain += sum.ProbesAgain
		total.Stopped += sum.Stopped
		total.Unsearched += sum.Unsearched
		total.GivenUp = append(total.GivenUp, sum.GivenUp...)
		total.Probes = sum.Probes
		total.OutOfTime = total.OutOfTime || sum.OutOfTime
		for _, n := range sum.NoImage {
			failed = lab.WithStatus(lab.StatusFailed, nil)
			if !slices.ContainsFunc(missing, func(known images.NoImageError) bool { return known.Pos == n.Pos && known.Error() == n.Error() }) {
				lab.PrintProblems(a.Stderr, []*source.Problem{imageProblem(&n)}) // of what a search came to
			}
		}
		for _, n := range sum.NoRate {
			lab.PrintProblems(a.Stderr, []*source.Problem{rateProblem(&n)})
			failed = lab.WithStatus(lab.StatusFailed, nil)
		}
		for _, n := range sum.NoTune {
			lab.PrintProblems(a.Stderr, []*source.Problem{tuneProblem(&n)})
			failed = lab.WithStatus(lab.StatusFailed, nil)
		}
		for _, n := range sum.NoCleanup {
			fmt.Fprintln(a.Stderr, n.Error())
			failed = lab.WithStatus(lab.StatusFailed, nil)
		}
		if err != nil {
			return abortedRun(ctx, a, at[c.Slug], total, options, err)
		}
		if total.Kept = sum.Kept; total.Kept != nil {
			break
		}
	}
	progress.Stop()
	printSummary(a, total)
	if total.OutOfTime {
		fmt.Fprintf(a.Stderr, "the budget of %v is over before everything was measured; the same command goes on from here, and so does one without --budget\n", options.Budget)
	}
	if total.Kept != nil {
		printKept(a, total.Kept)
	}
	if total.Failed > 0 {
		words := terminal.Count(total.Failed, "repetition") + " failed"
		left := 0
		for _, g := range total.GivenUp {
			left += g.Left
		}
		if left > 0 {
			words += fmt.Sprintf(", and %s left out since they would fail in the same way; the same command tries them again", terminal.Are(left, "repetition"))
		}
		failed = a.JoinErrors(failed, lab.Failure(errors.New(words)))
	}
	if total.Unsearched > 0 {
		failed = a.JoinErrors(failed, lab.Failure(fmt.Errorf("%s not measured: the machine was too busy to search for the values that they need; "+
			"the same command goes on from here", terminal.Are(total.Unsearched, "repetition"))))
	}
	return failed
}

// abortedRun says what becomes of a run that was interrupted, or cannot go on, on one of its targets.
func abortedRun(ctx context.Context, a *lab.Session, v *target, total runner.Summary, options runner.Options, err error) error {
	var left *engine.LeftError
	if ctx.Err() != nil {
		removed, goesOn := "and all containers removed", "The same command goes on from here."
		if errors.As(err, &left) {
			removed = fmt.Sprintf("but %v; benchbook clean removes them", left)
		}
		if options.Force {
			goesOn = "With --force the same command starts anew; without it, only what is missing or stale is measured."
		}
		kept := terminal.Are(total.Measured, "finished repetition")
		if total.Searches > 0 {
			kept = fmt.Sprintf("%s and %s", terminal.Count(total.Searches, "search"), kept)
		}
		if total.Probes > 0 {
			kept = fmt.Sprintf("%s of a search, %s", terminal.Count(total.Probes, "probe"), kept)
		}
		fmt.Fprintf(a.Stderr, "\ninterrupted; %s kept %s. %s\n", kept, removed, goesOn)
		return lab.WithStatus(lab.StatusInterrupted, nil)
	}
	switch _, gone := v.engine.Sweep(ctx, true); {
	case gone != nil:
		first, _, _ := strings.Cut(err.Error(), "\n") // what follows from it is of no use to anybody
		err = fmt.Errorf("%s; the engine does not answer any more: %s kept, and when it is there again the same command removes "+
			"what is left on it and goes on from here", first, terminal.Are(total.Measured, "finished repetition"))
	case errors.As(err, &left):
		err = fmt.Errorf("%w: nothing is measured beside them; benchbook clean removes them", err)
	}
	return lab.Failure(err)
}

// rateProblem says to the author that an experiment has no rate.
func rateProblem(n *search.NoRateError) *source.Problem {
	return &source.Problem{Pos: n.Experiment.Pos, Rule: "no-rate", Message: n.Error(),
		Hint: "measure that experiment first, in this profile, so that its repetitions are valid"}
}

// tuneProblem says to the author that an experiment takes over a value which was not chosen.
func tuneProblem(n *search.NoTuneError) *source.Problem {
	return &source.Problem{Pos: n.Experiment.Pos, Rule: "no-tune", Message: n.Error(),
		Hint: "measure the experiment that chooses it first, on this machine and in this profile or in full"}
}

// imageProblem says to the author that an image cannot be had: with the way out, or with the builder's last lines.
func imageProblem(n *images.NoImageError) *source.Problem {
	var image *engine.ImageError
	var build *engine.BuildError
	switch {
	case errors.As(n.Err, &image):
		return &source.Problem{Pos: n.Pos, Rule: "no-image", Message: image.Err.Error(), Hint: image.WayOut}
	case errors.As(n.Err, &build):
		p := &source.Problem{Pos: n.Pos, Rule: "build-failed", Message: n.Error()}
		if build.Tail != "" {
			p.Hint = "the builder's last lines were:\n" + terminal.Indent(machines.BuildOutput(build.Tail))
		}
		return p
	}
	return &source.Problem{Pos: n.Pos, Rule: "no-image", Message: n.Error()}
}

func printSummary(a *lab.Session, s runner.Summary) {
	aside := s.Spent.Whole() - s.Spent[runner.Searching]
	fmt.Fprintf(a.Stderr, "measured %s in %v: %.0f %% of %v%s was measuring or warm-up\n", terminal.Count(s.Measured, "repetition"), terminal.Tenths(s.Spent.Whole()),
		100*s.Spent.Efficiency(), terminal.Tenths(aside), map[bool]string{true: ", searches aside,"}[s.Spent[runner.Searching] > 0])
	if rest := restOf(s.Spent); rest != "" {
		fmt.Fprintf(a.Stderr, "the rest: %s\n", rest)
	}
	if s.Again > 0 {
		fmt.Fprintf(a.Stderr, "%s in the place of others: the machine was busy with something else\n", terminal.Are(s.Again, "repetition"))
	}
	if s.Searches > 0 {
		again := ""
		if s.ProbesAgain > 0 {
			again = fmt.Sprintf("; %s made again: the machine was busy with something else", terminal.Are(s.ProbesAgain, "probe"))
		}
		fmt.Fprintf(a.Stderr, "before that, %s took %v%s\n", terminal.Count(s.Searches, "search"), terminal.Tenths(s.Spent[runner.Searching]), again)
	}
	if s.Stopped > 0 {
		fmt.Fprintf(a.Stderr, "%s left out: all claims about what they measure were decided\n", terminal.Are(s.Stopped, "repetition"))
	}
}

// restOf says what else time was spent on but measuring, warm-up and searches, the most first; empty for nothing that could be seen.
func restOf(s runner.Spent) string {
	rest := slices.DeleteFunc(s.Parts(), func(p runner.Part) bool {
		return p == runner.Measuring || p == runner.Warmup || p == runner.Searching || terminal.Tenths(s[p]) <= 0
	})
	slices.SortStableFunc(rest, func(p, q runner.Part) int { return cmp.Compare(s[q], s[p]) })
	var words []string
	for _, p := range rest {
		words = append(words, fmt.Sprintf("%v %v", terminal.Tenths(s[p]), p))
	}
	return strings.Join(words, ", ")
}

// A decider says which cells of an article are decided: it is a runner.Judge.
type decider struct {
	doc  *article.Document
	plan *plan.Plan
	host string
}

// Decided is part of runner.Judge.
func (j decider) Decided(experiment string, records []*record.Record, level float64) ([]string, error) {
	whole := *j.plan
	whole.Experiments = j.plan.All // a claim may also be about cells of one that is not run now
	d, err := dataset.New(j.doc, records, dataset.Options{ThisHost: j.host, Plan: func(string) (*plan.Plan, error) { return &whole, nil }})
	if err != nil {
		return nil, err
	}
	return d.Decided(experiment, level), nil
}

// printKept says how to enter what was left up.
func printKept(a *lab.Session, k *runner.Kept) {
	which := "the last repetition"
	if k.Failed {
		which = "the repetition that failed"
	}
	fmt.Fprintf(a.Stderr, "%s#%s, %s, %s: its services are still up\n", k.Article, k.Experiment, k.Trial, which)
	var rows [][]string
	for _, s := range k.Services {
		rows = append(rows, []string{s.Service, strings.Join(s.Enter, " ")})
	}
	terminal.PrintColumns(a.Stderr, "  ", rows)
	for _, h := range k.Cleanup {
		fmt.Fprintf(a.Stderr, "the hook cleanup is not run, so that all stays as it was: %s in %s\n", strings.Join(h.Run, " "), h.Service)
	}
	if k.Left > 0 {
		fmt.Fprintf(a.Stderr, "%s not measured beside them; the same command without --keep measures them\n", terminal.Are(k.Left, "repetition"))
	}
	fmt.Fprintln(a.Stderr, "benchbook clean removes them, as does the next run")
}

// Leftovers counts what was left behind, by its kind.
func Leftovers(left []engine.Leftover) string {
	var words []string
	for _, kind := range []struct{ name, word string }{{"container", "container"}, {"network", "network"}, {"volume", "volume"},
		{"folder", "folder"}, {"files", "set of files"}} {
		n := 0
		for _, l := range left {
			if l.Kind == kind.name {
				n++
			}
		}
		switch {
		case n > 1 && kind.name == "files":
			words = append(words, fmt.Sprintf("%d sets of files", n))
		case n > 0:
			words = append(words, terminal.Count(n, kind.word))
		}
	}
	return terminal.InSentence(words)
}
