package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// measureOptions say what is measured, and how.
type measureOptions struct {
	profile     string
	force       bool // what is fresh as well
	repetitions int
	seed        int64
	budget      time.Duration
	engine      string // empty for the project's
	only        string // an expression that picks trials
	keep        bool   // the services of the last repetition
	adapt       bool   // placements to the CPUs that there are
	wait        bool   // for another run to finish
	yes         bool   // to very many trials
}

// runFlags are what run and report have in common.
type runFlags struct {
	measureOptions
	claims      bool
	json        bool
	chooseQuick func() error // see addQuick
}

// adaptUsage is what --adapt means, wherever it is given.
const adaptUsage = "use other CPUs where an article asks for CPUs that this machine lacks"

// waitUsage is what --wait means, wherever it is given.
const waitUsage = "wait for another run to finish, instead of failing"

// engineNone is what --engine names beside engines.
const engineNone = "none"

func (f *runFlags) add(cmd *cobra.Command, profile string) {
	cmd.Flags().StringVar(&f.profile, "profile", profile, "measure under this profile")
	f.chooseQuick = addQuick(cmd.Flags(), &f.profile)
	cmd.Flags().BoolVar(&f.force, "force", false, "re-measure even if up to date, as a new run")
	cmd.Flags().IntVar(&f.repetitions, "repetitions", 0, "repetitions of every trial, instead of what the article says")
	cmd.Flags().Int64Var(&f.seed, "seed", 0, "seed of the order of repetitions, instead of one drawn from the experiment")
	cmd.Flags().DurationVar(&f.budget, "budget", 0, "end after this time, such as 20m, and stop cells early whose claims are decided; claims are then judged more strictly")
	cmd.Flags().BoolVar(&f.claims, "claims", false, "end with status 99 if a claim is contradicted, and 110 if one rests on a number that is not valid")
	cmd.Flags().BoolVar(&f.json, "json", false, "print what the claims came to as JSON")
	cmd.Flags().StringVar(&f.only, "only", "", "measure "+onlyUsage)
	cmd.Flags().BoolVar(&f.adapt, "adapt", false, adaptUsage)
	cmd.Flags().BoolVar(&f.wait, "wait", false, waitUsage)
	cmd.Flags().BoolVar(&f.yes, "yes", false, fmt.Sprintf("measure more than %d trials of an experiment", manyTrials))
	cmd.Flags().StringVar(&f.engine, "engine", "", "where services run: docker, local, kubernetes, or none to measure nothing (default what the project says, or docker)")
}

func (f *runFlags) check(flags *pflag.FlagSet, engines []string) error {
	if err := f.chooseQuick(); err != nil {
		return err
	}
	if f.engine != "" && f.engine != engineNone && !slices.Contains(engines, f.engine) {
		return fmt.Errorf("no engine %q: known are %s", f.engine, inSentence(append(slices.Clone(engines), engineNone)))
	}
	if f.budget < 0 || f.budget == 0 && flags.Changed("budget") {
		return fmt.Errorf("--budget has to be more than 0, not %v", f.budget)
	}
	return checkRepetitions(flags, f.repetitions)
}

// chooseEngine puts the engine of the flag in the place of the project's.
func (f *measureOptions) chooseEngine(project *article.Project) {
	if f.engine != "" && f.engine != engineNone {
		project.Engine = article.Value[article.EngineName]{V: article.EngineName(f.engine), Text: source.Text{Value: f.engine}}
	}
}

// checkRepetitions refuses a number of repetitions that is none; 0 is what stands there without the flag.
func checkRepetitions(flags *pflag.FlagSet, n int) error {
	if n < 0 || n == 0 && flags.Changed("repetitions") {
		return fmt.Errorf("--repetitions has to be 1 or more, not %d", n)
	}
	return nil
}

// addQuick gives a command with --profile the flag --quick. The function chooses profile quick where that was given, unless another one
// was given in a way that goes before.
func addQuick(flags *pflag.FlagSet, profile *string) (choose func() error) {
	quick := flags.BoolP("quick", "q", false, "the same as --profile quick")
	byVariable := func(name string) bool { return flags.Lookup(name).Annotations[setByEnvironment] != nil }
	return func() error {
		switch {
		case !*quick:
		case !flags.Changed("profile") || *profile == plan.Quick || byVariable("profile") && !byVariable("quick"):
			*profile = plan.Quick
		case byVariable("profile") == byVariable("quick"):
			return fmt.Errorf("--quick and --profile %s contradict each other: give one of them", *profile)
		}
		return nil
	}
}

func (f *measureOptions) planOptions() plan.Options {
	return plan.Options{Profile: f.profile, Seed: f.seed, Repetitions: f.repetitions}
}

func (a *app) runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing or stale",
		Long: `Measure what is missing or stale, and say what each claim came to. Every repetition leaves a record
in the article's folder; a run that was stopped goes on where it was. Statuses: 1 something failed
or no engine could be had, 104 an article has problems, 105 interrupted; with --claims also 99 a
claim is contradicted, 110 a claim rests on a number that is not valid.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd.Flags(), a.wiring.engineNames()); err != nil {
				return err
			}
			if flags.keep && flags.budget > 0 {
				return errors.New("--keep leaves the services of the last repetition up, and with --budget nobody knows which one that will be: give one of them")
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			flags.chooseEngine(project)
			if flags.keep && project.Engine.V == article.Local {
				return errors.New("--keep leaves nothing running with the engine local, whose processes end with benchbook: leave it out, or use the engine docker")
			}
			err = measure(cmd.Context(), a.session, project, list, flags.measureOptions)
			var s *statusError
			if errors.As(err, &s) && s.status == statusUsage || !project.Problems.Empty() {
				return err
			}
			outcomes, outcomesErr := outcomesOf(a.session, project, list, flags.profile, flags.json)
			if outcomesErr != nil {
				return a.both(err, outcomesErr)
			}
			err = a.both(err, printOutcome(a.session, outcomes, "", flags.json))
			if flags.claims {
				err = a.both(err, claimStatus(a.session, outcomes))
			}
			return err
		},
	}
	flags.add(cmd, plan.Full)
	cmd.Flags().BoolVar(&flags.keep, "keep", false, "leave the services of the last repetition up, or of the first that fails, and say how to enter them")
	return cmd
}

// measure runs what is missing or stale of the chosen articles, and says on standard error what it does.
func measure(ctx context.Context, a *session, project *article.Project, list []*chosen, flags measureOptions) error {
	revisions := map[string]string{} // of what is read here: it may be edited, and committed, long before it is measured
	for _, c := range list {
		revisions[c.slug] = revisionOf(ctx, project, c.slug)
	}
	plans, problems, err := a.check(project, list, flags.planOptions())
	if err != nil {
		return err
	}
	var failed error
	if len(problems) > 0 {
		printProblems(a.stderr, problems)
		list = slices.DeleteFunc(slices.Clone(list), func(c *chosen) bool { return !c.problems.Empty() })
		if len(list) == 0 || !project.Problems.Empty() {
			return withStatus(statusProblems, fmt.Errorf("%s; nothing was measured", count(len(problems), "problem")))
		}
		failed = withStatus(statusProblems, fmt.Errorf("%s; the articles that have them were not measured", count(len(problems), "problem")))
	}
	return a.both(failed, measureSound(ctx, a, project, list, plans, revisions, flags))
}

// measureSound runs what is missing or stale of articles without problems.
func measureSound(ctx context.Context, a *session, project *article.Project, list []*chosen, plans map[string]*plan.Plan, revisions map[string]string,
	flags measureOptions) error {
	host, err := machines.ThisHost()
	if err != nil {
		return failure(err)
	}
	for _, c := range list {
		only(plans[c.slug], c.experiments)
	}
	picked, err := newFilter(flags.only, list, plans)
	if err != nil {
		return err
	}
	doing := func(list []*chosen) string {
		return fmt.Sprintf("measures %s in profile %s", articlesInWords(list), flags.profile)
	}
	options := runner.Options{Force: flags.force, Only: picked, Keep: flags.keep, Budget: flags.budget, Revisions: revisions}
	at := targets{}
	if flags.engine == engineNone {
		for _, c := range list {
			known, err := a.hostOf(project, c, host)
			if err != nil {
				return failure(err)
			}
			at[c.slug] = &target{host: known}
		}
	} else {
		defer a.waits(ctx)()
		if at, err = connectTargets(ctx, a, project, list, plans, host, doing(list), flags.wait); err != nil {
			return stopped(ctx, err)
		}
	}
	defer at.close()
	pending, capacities, refused, fruitless := 0, 0, 0, 0
	var wanted []*chosen // those that something is pending of
	for _, c := range list {
		refused += refuse(a, plans[c.slug], at.hostOf(c.slug), picked, flags.adapt)
		records, bad, err := record.Dir(project.RecordsDir(c.slug)).Read()
		if err != nil {
			return failure(err)
		}
		a.sayBad(bad)
		for _, run := range runner.FromTheFuture(records, time.Now()) {
			fmt.Fprintf(a.stderr, "%s: run %s is from the future: new runs are not named after it, and pages show it as the newest; if a wrong "+
				"clock named it, remove its records\n", c.slug, run)
		}
		v := at[c.slug]
		if flags.engine != engineNone && v.machines == nil && v.present == nil {
			v.present = &images.Present{Connect: func(ctx context.Context) (engine.Engine, error) { return v.connected(ctx, a, project) }}
		}
		options.Present = v.present
		if err := options.Present.Look(ctx, records); err != nil {
			return stopped(ctx, err)
		}
		for _, words := range runner.Outdated(plans[c.slug], records, v.host.ID, options) {
			fmt.Fprintf(a.stderr, "%s#%s\n", c.slug, words)
		}
		for _, f := range runner.AllFailed(plans[c.slug], records, v.host.ID, options) {
			fmt.Fprintf(a.stderr, "%s#%s: %v\n", c.slug, f.Experiment.Name, &f)
			fruitless++
		}
		if n := runner.Pending(plans[c.slug], records, at.hostOf(c.slug).ID, options); n > 0 {
			if err := checkMany(ctx, a, project, c, plans[c.slug], records, v, options, flags); err != nil {
				return err
			}
			pending += n
			capacities += runner.PendingSearches(plans[c.slug], records, at.hostOf(c.slug).ID, options)
			wanted = append(wanted, c)
		}
	}
	var failed error
	if refused > 0 {
		failed = failure(fmt.Errorf("%s not run, for the reasons above", are(refused, "experiment")))
	}
	if fruitless > 0 {
		failed = a.both(failed, failure(fmt.Errorf("nothing of %s is measured, as every repetition failed; --force measures again",
			count(fruitless, "experiment"))))
	}
	if pending == 0 {
		if failed == nil {
			everything := "everything"
			if len(plans) > len(list) {
				everything = "everything else"
			}
			fmt.Fprintf(a.stderr, "%s is measured; nothing to do (--force measures it again)\n", everything)
		}
		return failed
	}
	if flags.engine == engineNone {
		return failure(fmt.Errorf("%s not measured, without an engine", pendingWords(pending-capacities, capacities)))
	}
	for _, c := range wanted { // before anything takes time
		if err := record.Dir(project.RecordsDir(c.slug)).Writable(); err != nil {
			return failure(err)
		}
	}
	if err := connect(ctx, a, project, at); err != nil {
		return stopped(ctx, err)
	}
	unlock, err := lockMachines(ctx, a, host, at, doing(wanted), flags.wait)
	if err != nil {
		return a.both(failed, err)
	}
	defer unlock()
	if flags.budget > 0 { // from when measuring may begin, however long another run was waited for
		options.Deadline = time.Now().Add(flags.budget)
	}
	return a.both(failed, measureOn(ctx, a, at, project, list, wanted[len(wanted)-1], plans, options))
}

// connect gives those of some targets an engine that have none yet: they are this machine.
func connect(ctx context.Context, a *session, project *article.Project, at targets) error {
	for _, v := range at.distinct() {
		if _, err := v.connected(ctx, a, project); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "engine %s\n", v.engine.Name())
	}
	return nil
}

// manyTrials is how many trials of one experiment are measured without a question.
const manyTrials = 200

// checkMany refuses to measure very many trials of one experiment that nobody may have meant: the lengths of axes are multiplied.
func checkMany(ctx context.Context, a *session, project *article.Project, c *chosen, p *plan.Plan, records []*record.Record, v *target, o runner.Options,
	flags measureOptions) error {
	if flags.yes || flags.budget > 0 || o.Only != nil {
		return nil
	}
	for _, e := range p.Experiments {
		n := runner.PendingTrials(p, e, records, v.host.ID, o)
		if n <= manyTrials {
			continue
		}
		known, err := inspect(ctx, a, project, c, p, v.host.ID, v.present)
		if err != nil {
			return stopped(ctx, err)
		}
		time := e.Estimate(plan.Place(v.host.Cores), experience(e, known))
		return usageError(fmt.Errorf("%s#%s has %d trials to measure, which takes about %s: measure all of them with --yes, some with --only, or as "+
			"many as fit into a time with --budget", c.slug, e.Name, n, clock(time.Total)))
	}
	return nil
}

// connected is the engine of a target, that of the project where it has none yet.
func (v *target) connected(ctx context.Context, a *session, project *article.Project) (engine.Engine, error) {
	if v.engine == nil {
		e, err := a.wiring.engineOf(ctx, project)
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
		return count(repetitions, "repetition")
	case repetitions == 0:
		return count(capacities, "search") + " for a capacity"
	}
	return fmt.Sprintf("%s, and %s for a capacity", count(repetitions, "repetition"), count(capacities, "search"))
}

// lock takes the machine for what is to be done, so that no two runs use it at the same time: a second one gives up, or waits. That of
// somebody on another machine, to whom this one is a host, finds the first by its engine. The machines of a run over several are taken
// already. Whoever waits has nothing that comes later in the one order in which all take what they need: their own machine, and then
// engines as engine.LockHosts sorts them.
func lockMachines(ctx context.Context, a *session, host machines.Host, at targets, doing string, wait bool) (unlock func(), err error) {
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
			unlock, err = nil, stopped(ctx, err)
		}
	}()
	leave, err := lockThis(ctx, a, host, doing, wait)
	if err != nil {
		return unlock, err
	}
	held = append(held, leave)
	if a.wiring.lockDir == "" || !a.wiring.lockEngines {
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
func lockThis(ctx context.Context, a *session, this machines.Host, doing string, wait bool) (unlock func(), err error) {
	if a.wiring.lockDir == "" {
		return func() {}, nil
	}
	var waiting func(*machines.BusyError)
	if wait {
		waiting = func(busy *machines.BusyError) { a.sayWaiting(busy) }
	}
	unlock, err = this.Lock(ctx, a.wiring.lockDir, doing, waiting)
	return unlock, whenBusy(err)
}

// lockHosts takes machines by their engines, by which runs find each other that are started on different ones.
func lockHosts(ctx context.Context, a *session, list []engine.Host, doing string, wait bool) (unlock func(), err error) {
	var waiting func(error)
	if wait {
		waiting = a.sayWaiting
	}
	unlock, err = engine.LockHosts(ctx, list, doing, waiting)
	return unlock, whenBusy(err)
}

// guard is the engine by whose lock runs from other machines are kept off what is measured here on an engine: itself, or, if it has no lock
// as local has none, the Docker engine of this machine, as they would come by that. Where there is none nobody comes. What was connected to
// for it is closed with done.
func lockedEngine(ctx context.Context, a *session, e engine.Engine) (guard engine.Engine, done func(), err error) {
	if _, ok := e.(engine.Locked); ok {
		return e, func() {}, nil
	}
	beside, err := a.wiring.engine(ctx, article.Docker)
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

// sayWaiting says who has a machine that is waited for.
func (a *session) sayWaiting(busy error) { fmt.Fprintf(a.stderr, "%v: waiting until it ends\n", busy) }

// whenBusy adds to the error that somebody else has a machine what can be done about it.
func whenBusy(err error) error {
	if errors.As(err, new(*machines.BusyError)) || errors.As(err, new(*engine.BusyError)) {
		return fmt.Errorf("%w; give the command again when that has ended, or with --wait (with make, BENCHBOOK_WAIT=true before it)", err)
	}
	return err
}

// articlesInWords names articles, or counts them if they are many.
func articlesInWords(list []*chosen) string {
	if len(list) > 3 {
		return count(len(list), "article")
	}
	return inSentence(slugsOf(list))
}

// refuse takes out of a plan the experiments that cannot be run here, says why, and counts them. Those of which nothing is picked are
// none of them.
func refuse(a *session, p *plan.Plan, host machines.Host, picked filter, adapt bool) int {
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
		printProblems(a.stderr, problems.Sorted())
		return !problems.Empty()
	})
	return before - len(p.Experiments)
}

// sweep removes what earlier runs left running: nothing can be measured beside it.
func sweep(ctx context.Context, a *session, e engine.Engine) error {
	left, err := e.Sweep(ctx, false)
	if err != nil {
		return stopped(ctx, fmt.Errorf("removing what earlier runs left behind: %w", err))
	}
	if len(left) > 0 {
		fmt.Fprintf(a.stderr, "removed %s of an earlier run that was killed or told to keep them\n", leftovers(left))
	}
	return nil
}

// runner puts together what carries out plans.
func newRunner(a *session, v *target, p runner.Progress) *runner.Runner {
	return &runner.Runner{Engine: v.engine, Host: v.host, Machines: v.machines, Progress: p, Agent: a.wiring.agent,
		Requests: &load.Requests{Agent: a.wiring.agent}, Commands: &load.Commands{Agent: a.wiring.agent},
		Tools: foreign.Drivers(a.wiring.agent), Settler: a.wiring.settler, Cache: a.wiring.cache}
}

// measureOn measures articles where each of them is measured; last is the last one of which something is to be.
func measureOn(ctx context.Context, a *session, at targets, project *article.Project, list []*chosen, last *chosen,
	plans map[string]*plan.Plan, options runner.Options) error {
	for _, v := range at.distinct() {
		if err := sweep(ctx, a, v.engine); err != nil {
			return err
		}
	}
	for _, c := range list {
		if err := record.Dir(project.RecordsDir(c.slug)).Tidy(); err != nil {
			return failure(err)
		}
	}
	shown, err := newReporter(ctx, a, project, list, plans, at, options)
	if err != nil {
		return failure(err)
	}
	progress := newStatusFile(shown, project.Dir)
	defer progress.close()
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
			if at[c.slug] == v {
				work = append(work, runner.Work{Plan: plans[c.slug], Store: record.Dir(project.RecordsDir(c.slug))})
			}
		}
		begin := time.Now()
		options.Present = v.present
		found, err := runners[v].Prepare(ctx, options, work...)
		total.Spent[runner.Preparing] += time.Since(begin)
		switch {
		case err != nil && (ctx.Err() != nil || len(list) == 1):
			progress.stop()
			return abortedRun(ctx, a, v, total, options, err)
		case err != nil: // which may be of one article alone: those before it can be measured
			progress.Note(fmt.Sprintf("not everything could be made available before the first repetition, and is tried again when its turn comes: %v", err))
		}
		for _, n := range found {
			progress.stop()
			printProblems(a.stderr, []*source.Problem{imageProblem(&n)})
			failed = withStatus(statusFailed, nil)
		}
		missing = append(missing, found...)
	}
	for _, c := range list {
		host := at.hostOf(c.slug)
		judge, err := newJudge(a, shown, project, c, plans[c.slug], host)
		if err != nil {
			return failure(err)
		}
		progress.article(c.slug, judge)
		options.Judge = decider{c.doc, plans[c.slug], host.ID}
		options.KeepLast, options.Present = options.Keep && c == last, at[c.slug].present
		sum, err := runners[at[c.slug]].Run(ctx, plans[c.slug], record.Dir(project.RecordsDir(c.slug)), options)
		progress.stop()
		total.Measured += sum.Measured
		total.Again += sum.Again
		total.Failed += sum.Failed
		total.Spent.Add(sum.Spent)
		a.spent = &total.Spent
		total.Searches += sum.Searches
		total.ProbesAgain += sum.ProbesAgain
		total.Stopped += sum.Stopped
		total.Unsearched += sum.Unsearched
		total.GivenUp = append(total.GivenUp, sum.GivenUp...)
		total.Probes = sum.Probes
		total.OutOfTime = total.OutOfTime || sum.OutOfTime
		for _, n := range sum.NoImage {
			failed = withStatus(statusFailed, nil)
			if !slices.ContainsFunc(missing, func(known images.NoImageError) bool { return known.Pos == n.Pos && known.Error() == n.Error() }) {
				printProblems(a.stderr, []*source.Problem{imageProblem(&n)}) // of what a search came to
			}
		}
		for _, n := range sum.NoRate {
			printProblems(a.stderr, []*source.Problem{rateProblem(&n)})
			failed = withStatus(statusFailed, nil)
		}
		for _, n := range sum.NoTune {
			printProblems(a.stderr, []*source.Problem{tuneProblem(&n)})
			failed = withStatus(statusFailed, nil)
		}
		for _, n := range sum.NoCleanup {
			fmt.Fprintln(a.stderr, n.Error())
			failed = withStatus(statusFailed, nil)
		}
		if err != nil {
			return abortedRun(ctx, a, at[c.slug], total, options, err)
		}
		if total.Kept = sum.Kept; total.Kept != nil {
			break
		}
	}
	progress.stop()
	printSummary(a, total)
	if total.OutOfTime {
		fmt.Fprintf(a.stderr, "the budget of %v is over before everything was measured; the same command goes on from here, and so does one without --budget\n", options.Budget)
	}
	if total.Kept != nil {
		printKept(a, total.Kept)
	}
	if total.Failed > 0 {
		words := count(total.Failed, "repetition") + " failed"
		left := 0
		for _, g := range total.GivenUp {
			left += g.Left
		}
		if left > 0 {
			words += fmt.Sprintf(", and %s left out since they would fail in the same way; the same command tries them again", are(left, "repetition"))
		}
		failed = a.both(failed, failure(errors.New(words)))
	}
	if total.Unsearched > 0 {
		failed = a.both(failed, failure(fmt.Errorf("%s not measured: the machine was too busy to search for the values that they need; "+
			"the same command goes on from here", are(total.Unsearched, "repetition"))))
	}
	return failed
}

// abortedRun says what becomes of a run that was interrupted, or cannot go on, on one of its targets.
func abortedRun(ctx context.Context, a *session, v *target, total runner.Summary, options runner.Options, err error) error {
	var left *engine.LeftError
	if ctx.Err() != nil {
		removed, goesOn := "and all containers removed", "The same command goes on from here."
		if errors.As(err, &left) {
			removed = fmt.Sprintf("but %v; benchbook clean removes them", left)
		}
		if options.Force {
			goesOn = "With --force the same command starts anew; without it, only what is missing or stale is measured."
		}
		kept := are(total.Measured, "finished repetition")
		if total.Searches > 0 {
			kept = fmt.Sprintf("%s and %s", count(total.Searches, "search"), kept)
		}
		if total.Probes > 0 {
			kept = fmt.Sprintf("%s of a search, %s", count(total.Probes, "probe"), kept)
		}
		fmt.Fprintf(a.stderr, "\ninterrupted; %s kept %s. %s\n", kept, removed, goesOn)
		return withStatus(statusInterrupted, nil)
	}
	switch _, gone := v.engine.Sweep(ctx, true); {
	case gone != nil:
		first, _, _ := strings.Cut(err.Error(), "\n") // what follows from it is of no use to anybody
		err = fmt.Errorf("%s; the engine does not answer any more: %s kept, and when it is there again the same command removes "+
			"what is left on it and goes on from here", first, are(total.Measured, "finished repetition"))
	case errors.As(err, &left):
		err = fmt.Errorf("%w: nothing is measured beside them; benchbook clean removes them", err)
	}
	return failure(err)
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
			p.Hint = "the builder's last lines were:\n" + indent(machines.BuildOutput(build.Tail))
		}
		return p
	}
	return &source.Problem{Pos: n.Pos, Rule: "no-image", Message: n.Error()}
}

func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

func printSummary(a *session, s runner.Summary) {
	aside := s.Spent.Whole() - s.Spent[runner.Searching]
	fmt.Fprintf(a.stderr, "measured %s in %v: %.0f %% of %v%s was measuring or warm-up\n", count(s.Measured, "repetition"), tenths(s.Spent.Whole()),
		100*s.Spent.Efficiency(), tenths(aside), map[bool]string{true: ", searches aside,"}[s.Spent[runner.Searching] > 0])
	if rest := restOf(s.Spent); rest != "" {
		fmt.Fprintf(a.stderr, "the rest: %s\n", rest)
	}
	if s.Again > 0 {
		fmt.Fprintf(a.stderr, "%s in the place of others: the machine was busy with something else\n", are(s.Again, "repetition"))
	}
	if s.Searches > 0 {
		again := ""
		if s.ProbesAgain > 0 {
			again = fmt.Sprintf("; %s made again: the machine was busy with something else", are(s.ProbesAgain, "probe"))
		}
		fmt.Fprintf(a.stderr, "before that, %s took %v%s\n", count(s.Searches, "search"), tenths(s.Spent[runner.Searching]), again)
	}
	if s.Stopped > 0 {
		fmt.Fprintf(a.stderr, "%s left out: all claims about what they measure were decided\n", are(s.Stopped, "repetition"))
	}
}

// restOf says what else time was spent on but measuring, warm-up and searches, the most first; empty for nothing that could be seen.
func restOf(s runner.Spent) string {
	rest := slices.DeleteFunc(s.Parts(), func(p runner.Part) bool {
		return p == runner.Measuring || p == runner.Warmup || p == runner.Searching || tenths(s[p]) <= 0
	})
	slices.SortStableFunc(rest, func(p, q runner.Part) int { return cmp.Compare(s[q], s[p]) })
	var words []string
	for _, p := range rest {
		words = append(words, fmt.Sprintf("%v %v", tenths(s[p]), p))
	}
	return strings.Join(words, ", ")
}

// tenths is a time to a tenth of a second.
func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

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
func printKept(a *session, k *runner.Kept) {
	which := "the last repetition"
	if k.Failed {
		which = "the repetition that failed"
	}
	fmt.Fprintf(a.stderr, "%s#%s, %s, %s: its services are still up\n", k.Article, k.Experiment, k.Trial, which)
	var rows [][]string
	for _, s := range k.Services {
		rows = append(rows, []string{s.Service, strings.Join(s.Enter, " ")})
	}
	printColumns(a.stderr, "  ", rows)
	for _, h := range k.Cleanup {
		fmt.Fprintf(a.stderr, "the hook cleanup is not run, so that all stays as it was: %s in %s\n", strings.Join(h.Run, " "), h.Service)
	}
	if k.Left > 0 {
		fmt.Fprintf(a.stderr, "%s not measured beside them; the same command without --keep measures them\n", are(k.Left, "repetition"))
	}
	fmt.Fprintln(a.stderr, "benchbook clean removes them, as does the next run")
}

// only leaves the named experiments in a plan.
func only(p *plan.Plan, names []string) {
	if len(names) == 0 {
		return
	}
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool { return !slices.Contains(names, e.Name) })
}

// leftovers counts what was left behind, by its kind.
func leftovers(left []engine.Leftover) string {
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
			words = append(words, count(n, kind.word))
		}
	}
	return inSentence(words)
}

// inSentence is a list as in a sentence: "a, b and c".
func inSentence(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
