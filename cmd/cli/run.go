package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/internal/phrase"
	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/show"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
)

type runFlags struct {
	measure.Options
	claims bool
}

func (a *app) addRunning(cmd *cobra.Command, f *runFlags) {
	a.addMeasuring(cmd, &f.Options)
	addQuick(cmd, &f.Options)
	cmd.MarkFlagsMutuallyExclusive("quick", "force")
	cmd.Flags().BoolVar(&f.claims, "claims", false,
		"end with status 99 if a claim is contradicted, or depends on a number that is not valid")
}

func addQuick(cmd *cobra.Command, f *measure.Options) {
	cmd.Flags().BoolVar(&f.Quick, "quick", false,
		"measure what headline claims need, the shortest first, until they are decided or the --budget is over")
}

func (a *app) addMeasuring(cmd *cobra.Command, f *measure.Options) {
	flags := cmd.Flags()
	addProfile(flags, &f.Profile, "measure")
	flags.BoolVar(&f.Force, "force", false, "re-measure even if up to date, as a new run")
	flags.StringVar(&f.Only, "only", "",
		`measure only the trials that match this expression, such as 'server == "sync" and workers > 2'`)
	a.addRepeating(cmd, f)
}

// addRepeating adds the flags that repro shares with run, report and bench.
func (a *app) addRepeating(cmd *cobra.Command, f *measure.Options) {
	flags := cmd.Flags()
	flags.Func("budget", "begin no repetition after this time, such as 20m; the same command resumes from there",
		func(text string) (err error) {
			if f.Budget, err = time.ParseDuration(text); err != nil || f.Budget <= 0 {
				return fmt.Errorf("invalid value %q for --budget: give a time, such as 20m", text)
			}
			return nil
		})
	flags.BoolVarP(&f.Verbose, "verbose", "v", false, "print the output of builds that succeed too")
	addQuiet(flags, &f.Quiet)
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	flags.BoolVar(&f.Yes, "yes", false, "measure without asking what the project, or the bundle, may do")
	a.addEngine(flags, &f.Engine, measure.EngineNone)
}

func addQuiet(flags *pflag.FlagSet, quiet *bool) {
	flags.BoolVarP(quiet, "quiet", "q", false, "print no progress, only problems and results")
}

// addEngine adds the flag --engine. none can be measure.EngineNone, to allow that value too.
func (a *app) addEngine(flags *pflag.FlagSet, engine *string, none ...string) {
	known := append(a.Config.EngineNames(), none...)
	flags.Func("engine", "where services run: "+strings.Join(known, ", ")+" (default what the project says, or docker)",
		func(name string) error {
			if *engine = name; !slices.Contains(known, name) {
				return fmt.Errorf("no engine %q: known are %s", name, phrase.List(known))
			}
			return nil
		})
}

func addProfile(flags *pflag.FlagSet, profile *string, does string) {
	flags.StringVar(profile, "profile", plan.Full, does+" under this profile")
}

func (a *app) runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing or stale",
		Long: `Measure what is missing or stale, and print the verdict of each claim. Every repetition leaves a record
in the article's folder, and a stopped run resumes where it was. The status is 1 if something failed, an article has
problems, no engine is available, or no result is valid.`,
		Example: "  benchbook run                      all articles\n" +
			"  benchbook run hello                one of them\n" +
			"  benchbook run pool#workers         one experiment\n" +
			"  benchbook run hello --sessions 3   three times, as sessions differ",
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.Sessions < 1 && cmd.Flags().Changed("sessions") {
				return fmt.Errorf("--sessions must be at least 1, not %d", flags.Sessions)
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			flags.ChooseEngine(project)
			if flags.Keep && !project.EngineName().Can(spec.Keeping) {
				return errors.New("--keep has no effect with the engine local, because its processes end with benchbook: leave " +
					"it out, or use the engine docker")
			}
			err = measure.Run(cmd.Context(), a.Session, project, list, flags.Options)
			var s *lab.StatusError
			if errors.As(err, &s) && s.Status == lab.StatusUsage || !project.Problems.Empty() {
				return err
			}
			outcomes, outcomesErr := show.Outcomes(a.Session, project, list, flags.Profile)
			if outcomesErr != nil {
				return a.JoinErrors(err, outcomesErr)
			}
			err = a.JoinErrors(err, show.PrintOutcome(a.Session, outcomes, ""))
			if flags.claims {
				err = a.JoinErrors(err, show.ClaimStatus(outcomes))
			}
			return err
		},
	}
	a.addRunning(cmd, &flags)
	cmd.Flags().IntVar(&flags.Sessions, "sessions", 0,
		"make this many runs, one after the other: claims are then judged by how much they differ")
	cmd.Flags().BoolVar(&flags.Stated, "stated", false,
		"refuse to measure if anything is not committed, so that claims are stated before they are measured")
	cmd.Flags().BoolVar(&flags.Keep, "keep", false,
		"leave the services of the last repetition running, or of the first that fails, and print how to enter them")
	for _, other := range []string{"quick", "sessions", "budget"} { // these have no last repetition to keep
		cmd.MarkFlagsMutuallyExclusive("keep", other)
	}
	cmd.MarkFlagsMutuallyExclusive("quick", "sessions")
	return cmd
}

func (a *app) planCommand() *cobra.Command {
	var options plan.Options
	cmd := &cobra.Command{
		Use:   "plan [ARTICLE[#NAME] ...]",
		Short: "Show what a run would do, without running anything",
		Long: `Show what a run would do, without running anything: a line for each experiment with what would be measured, and
how long it should take. ARTICLE#EXPERIMENT is every trial: whether it is fresh, stale or missing, and why. With --json it has all keys of each trial, defaults included.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			project, list, err := a.SelectPlanned(args, options, "articles with problems cannot be planned")
			if err != nil {
				return err
			}
			planned, err := show.Plan(cmd.Context(), a.Session, project, list)
			if err != nil {
				return lab.Interrupted(cmd.Context(), err)
			}
			named := slices.ContainsFunc(list, func(c *lab.Article) bool { return len(c.Experiments) > 0 })
			return a.Print(planned, func() { planned.Text(a.Stdout, named) })
		},
	}
	addProfile(cmd.Flags(), &options.Profile, "plan")
	return cmd
}
