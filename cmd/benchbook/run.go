package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/load/foreign"
)

// runFlags are what run and report have in common.
type runFlags struct {
	profile     string
	force       bool
	repetitions int
	seed        int64
	engine      string
}

// The engines that --engine names.
const (
	engineDocker = "docker"
	engineNone   = "none"
)

func (f *runFlags) add(cmd *cobra.Command, profile string) {
	cmd.Flags().StringVar(&f.profile, "profile", profile, "measure under this profile")
	cmd.Flags().BoolVar(&f.force, "force", false, "measure what is fresh as well, as a new run")
	cmd.Flags().IntVar(&f.repetitions, "repetitions", 0, "repetitions of every trial, instead of what the article says")
	cmd.Flags().Int64Var(&f.seed, "seed", 0, "seed of the order of repetitions, instead of one drawn from the experiment")
	cmd.Flags().StringVar(&f.engine, "engine", engineDocker, "where services run: docker, or none to measure nothing")
}

func (f *runFlags) check(flags *pflag.FlagSet) error {
	if f.engine != engineDocker && f.engine != engineNone {
		return fmt.Errorf("no engine %q: known are %s and %s", f.engine, engineDocker, engineNone)
	}
	return checkRepetitions(flags, f.repetitions)
}

// checkRepetitions refuses a number of repetitions that is none; 0 is what stands there without the flag.
func checkRepetitions(flags *pflag.FlagSet, n int) error {
	if n < 0 || n == 0 && flags.Changed("repetitions") {
		return fmt.Errorf("--repetitions has to be 1 or more, not %d", n)
	}
	return nil
}

// quick chooses profile quick, unless another one was given in a way that goes before.
func (f *runFlags) quick(flags *pflag.FlagSet) error {
	byVariable := func(name string) bool { return flags.Lookup(name).Annotations[setByEnvironment] != nil }
	profile := flags.Lookup("profile")
	switch {
	case !profile.Changed || f.profile == plan.Quick || byVariable("profile") && !byVariable("quick"):
		f.profile = plan.Quick
	case byVariable("profile") == byVariable("quick"):
		return fmt.Errorf("--quick and --profile %s contradict each other: give one of them", f.profile)
	}
	return nil
}

func (f *runFlags) planOptions() plan.Options {
	return plan.Options{Profile: f.profile, Seed: f.seed, Repetitions: f.repetitions}
}

func (a *app) runCommand() *cobra.Command {
	var flags runFlags
	var quick bool
	cmd := &cobra.Command{
		Use:   "run [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing or stale",
		Long: `Measure what is missing or stale, and say what each claim came to. Every repetition leaves a record
in the article's folder; a run that was stopped goes on where it was. Statuses: 1 something failed
or no engine could be had, 104 an article has problems, 105 interrupted.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if quick {
				if err := flags.quick(cmd.Flags()); err != nil {
					return err
				}
			}
			if err := flags.check(cmd.Flags()); err != nil {
				return err
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			err = a.measure(cmd.Context(), project, list, flags)
			var s *statusError
			if errors.As(err, &s) && s.status == statusUsage || !project.Problems.Empty() {
				return err
			}
			return a.both(err, a.printClaims(project, list))
		},
	}
	flags.add(cmd, plan.Full)
	cmd.Flags().BoolVarP(&quick, "quick", "q", false, "the same as --profile quick")
	return cmd
}

// measure runs what is missing or stale of the chosen articles, and says on standard error what it does.
func (a *app) measure(ctx context.Context, project *article.Project, list []*chosen, flags runFlags) error {
	plans, problems, err := a.check(project, list, flags.planOptions())
	if err != nil {
		return err
	}
	var failed error
	if len(problems) > 0 {
		printProblems(a.stderr, problems)
		list = slices.DeleteFunc(slices.Clone(list), func(c *chosen) bool { return !c.problems.Empty() })
		if len(list) == 0 || !project.Problems.Empty() {
			return &statusError{statusProblems, fmt.Errorf("%s; nothing was measured", count(len(problems), "problem"))}
		}
		failed = &statusError{statusProblems, fmt.Errorf("%s; the articles that have them were not measured", count(len(problems), "problem"))}
	}
	return a.both(failed, a.measureSound(ctx, project, list, plans, flags))
}

// measureSound runs what is missing or stale of articles without problems.
func (a *app) measureSound(ctx context.Context, project *article.Project, list []*chosen, plans map[string]*plan.Plan, flags runFlags) error {
	host, err := runner.ThisHost()
	if err != nil {
		return &statusError{statusFailed, err}
	}
	options := runner.Options{Force: flags.force}
	pending, refused := 0, 0
	var wanted []*chosen // those that something is pending of
	for _, c := range list {
		only(plans[c.slug], c.experiments)
		refused += a.refuse(plans[c.slug], host)
		records, bad, err := record.Dir(project.RecordsDir(c.slug)).Read()
		if err != nil {
			return &statusError{statusFailed, err}
		}
		for _, b := range bad {
			fmt.Fprintf(a.stderr, "left out: %s: %v\n", b.Path, b.Err)
		}
		for _, run := range runner.FromTheFuture(records, time.Now()) {
			fmt.Fprintf(a.stderr, "%s: run %s is from the future: new runs are not named after it, and pages show it as the newest; if a wrong "+
				"clock named it, remove its records\n", c.slug, run)
		}
		if n := runner.Pending(plans[c.slug], records, host.ID, options); n > 0 {
			pending += n
			wanted = append(wanted, c)
		}
	}
	var failed error
	if refused > 0 {
		failed = &statusError{statusFailed, fmt.Errorf("%s not run, for the reasons above", are(refused, "experiment"))}
	}
	if pending == 0 {
		if refused == 0 {
			everything := "everything"
			if len(plans) > len(list) {
				everything = "everything else"
			}
			fmt.Fprintf(a.stderr, "%s is measured; nothing to do (--force measures it again)\n", everything)
		}
		return failed
	}
	if flags.engine == engineNone {
		return &statusError{statusFailed, fmt.Errorf("%s not measured, without an engine", count(pending, "repetition"))}
	}
	for _, c := range wanted { // before anything takes time
		if err := record.Dir(project.RecordsDir(c.slug)).Writable(); err != nil {
			return &statusError{statusFailed, err}
		}
	}
	defer a.waits(ctx)()
	e, err := a.wiring.engine(ctx)
	if err != nil {
		return stopped(ctx, err)
	}
	defer e.Close()
	if a.wiring.lockDir != "" {
		unlock, err := host.Lock(ctx, a.wiring.lockDir, func() {
			fmt.Fprintln(a.stderr, "another run measures on this machine: waiting until it ends")
		})
		if err != nil {
			return stopped(ctx, err)
		}
		defer unlock()
	}
	return a.both(failed, a.measureOn(ctx, e, host, project, list, plans, options))
}

// refuse takes out of a plan the experiments that cannot be run here, says why, and counts them.
func (a *app) refuse(p *plan.Plan, host runner.Host) int {
	before := len(p.Experiments)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		var problems article.Problems
		for _, u := range e.Unsupported {
			problems.Add("not-yet", u.Pos, "this version cannot run an experiment with %s yet", u.What).
				Hint = fmt.Sprintf("experiment %q is left out; measure it with a later version", e.Name)
		}
		e.CheckCPUs(host.Cores, &problems)
		printProblems(a.stderr, problems.Sorted())
		return !problems.Empty()
	})
	return before - len(p.Experiments)
}

func (a *app) measureOn(ctx context.Context, e engine.Engine, host runner.Host, project *article.Project, list []*chosen, plans map[string]*plan.Plan, options runner.Options) error {
	left, err := e.Sweep(ctx, false)
	if err != nil {
		return stopped(ctx, fmt.Errorf("removing what earlier runs left behind: %w", err))
	}
	if len(left) > 0 {
		fmt.Fprintf(a.stderr, "removed %s of an earlier run that was killed\n", leftovers(left))
	}
	progress := &progress{w: a.stderr}
	r := runner.Runner{Engine: e, Host: host, Progress: progress, Programs: a.wiring.tool,
		Requests: &load.Requests{Tool: a.wiring.tool}, Commands: &load.Commands{Tool: a.wiring.tool},
		Tools: foreign.Drivers(a.wiring.tool)}
	var total runner.Summary
	var failed error
	for _, c := range list {
		progress.article = c.slug
		sum, err := r.Run(ctx, plans[c.slug], record.Dir(project.RecordsDir(c.slug)), options)
		progress.stop()
		total.Measured += sum.Measured
		total.Failed += sum.Failed
		total.Took += sum.Took
		total.Preparing += sum.Preparing
		total.Measuring += sum.Measuring
		for _, n := range sum.NoImage {
			printProblems(a.stderr, []*article.Problem{imageProblem(&n)})
			failed = &statusError{status: statusFailed}
		}
		for _, n := range sum.NoRate {
			printProblems(a.stderr, []*article.Problem{rateProblem(&n)})
			failed = &statusError{status: statusFailed}
		}
		if err != nil {
			var left *runner.LeftError
			if ctx.Err() != nil {
				removed, goesOn := "and all containers removed", "The same command goes on from here."
				if errors.As(err, &left) {
					removed = fmt.Sprintf("but %v; benchbook clean removes them", left)
				}
				if options.Force {
					goesOn = "With --force the same command starts anew; without it, only what is missing or stale is measured."
				}
				fmt.Fprintf(a.stderr, "\ninterrupted; %s kept %s. %s\n", are(total.Measured, "finished repetition"), removed, goesOn)
				return &statusError{status: statusInterrupted}
			}
			if errors.As(err, &left) {
				err = fmt.Errorf("%w: nothing is measured beside them; benchbook clean removes them", err)
			}
			return &statusError{statusFailed, err}
		}
	}
	a.printSummary(total)
	if total.Failed > 0 {
		failed = a.both(failed, &statusError{statusFailed, fmt.Errorf("%s failed", count(total.Failed, "repetition"))})
	}
	return failed
}

// rateProblem says to the author that an experiment has no rate.
func rateProblem(n *runner.NoRateError) *article.Problem {
	return &article.Problem{Pos: n.Experiment.Pos, Rule: "no-rate", Message: n.Error(),
		Hint: "measure that experiment first, in this profile, and without failures"}
}

// imageProblem says to the author that an image cannot be had: with the way out, or with the builder's last lines.
func imageProblem(n *runner.NoImageError) *article.Problem {
	var image *engine.ImageError
	var build *engine.BuildError
	switch {
	case errors.As(n.Err, &image):
		return &article.Problem{Pos: n.Pos, Rule: "no-image", Message: image.Err.Error(), Hint: image.WayOut}
	case errors.As(n.Err, &build):
		p := &article.Problem{Pos: n.Pos, Rule: "build-failed", Message: n.Error()}
		if build.Tail != "" {
			p.Hint = "the builder's last lines were:\n" + indent(runner.BuildOutput(build.Tail))
		}
		return p
	}
	return &article.Problem{Pos: n.Pos, Rule: "no-image", Message: n.Error()}
}

func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

func (a *app) printSummary(s runner.Summary) {
	running := s.Took - s.Preparing
	share := 0.0
	if running > 0 {
		share = 100 * s.Measuring.Seconds() / running.Seconds()
	}
	fmt.Fprintf(a.stderr, "measured %s in %v: %v for images, then %.0f %% of %v was measuring or warm-up\n", count(s.Measured, "repetition"),
		s.Took.Round(100*time.Millisecond), s.Preparing.Round(100*time.Millisecond), share, running.Round(100*time.Millisecond))
}

// only leaves the named experiments in a plan.
func only(p *plan.Plan, names []string) {
	if len(names) == 0 {
		return
	}
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool { return !slices.Contains(names, e.Name) })
}

func leftovers(left []engine.Leftover) string {
	containers, networks := 0, 0
	for _, l := range left {
		if l.Kind == "container" {
			containers++
		} else {
			networks++
		}
	}
	return count(containers, "container") + " and " + count(networks, "network")
}
