package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
)

// runFlags are what run and report have in common.
type runFlags struct {
	measure.Options
	claims      bool
	chooseQuick func() error // see addQuick
}

// verboseUsage is what --verbose means, wherever it is given.
const verboseUsage = "print the output of builds also if they succeed"

func addQuiet(cmd *cobra.Command, quiet *bool) {
	cmd.Flags().BoolVarP(quiet, "quiet", "q", false, "print no progress, only problems and results")
}

func (f *runFlags) Add(cmd *cobra.Command, profile string, engines []string) {
	f.chooseQuick = addMeasuring(cmd, &f.Options, profile, engines)
	cmd.Flags().BoolVar(&f.claims, "claims", false,
		"end with status 99 if a claim is contradicted, or depends on a number that is not valid")
}

// addMeasuring adds the flags that say how something is measured. The function chooses the profile; see addQuick.
func addMeasuring(cmd *cobra.Command, f *measure.Options, profile string, engines []string) func() error {
	cmd.Flags().StringVar(&f.Profile, "profile", profile, "measure under this profile")
	choose := addQuick(cmd.Flags(), &f.Profile)
	cmd.Flags().BoolVar(&f.Force, "force", false, "re-measure even if up to date, as a new run")
	cmd.Flags().DurationVar(&f.Budget, "budget", 0,
		"begin no repetition after this time, such as 20m; the same command resumes from there")
	cmd.Flags().StringVar(&f.Only, "only", "", "measure "+lab.OnlyUsage)
	cmd.Flags().BoolVarP(&f.Verbose, "verbose", "v", false, verboseUsage)
	addQuiet(cmd, &f.Quiet)
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	cmd.Flags().BoolVar(&f.Yes, "yes", false, "measure without asking what the project, or the bundle, may do")
	cmd.Flags().StringVar(&f.Engine, "engine", "", "where services run: "+strings.Join(engines, ", ")+
		", or none to measure nothing (default what the project says, or docker)")
	return choose
}

func (f *runFlags) Check(flags *pflag.FlagSet, engines []string) error {
	return checkMeasuring(flags, &f.Options, f.chooseQuick, engines)
}

// checkMeasuring refuses values of the flags of addMeasuring.
func checkMeasuring(flags *pflag.FlagSet, f *measure.Options, choose func() error, engines []string) error {
	if err := choose(); err != nil {
		return err
	}
	if f.Engine != "" && f.Engine != measure.EngineNone && !slices.Contains(engines, f.Engine) {
		return fmt.Errorf("no engine %q: known are %s", f.Engine,
			terminal.InSentence(append(slices.Clone(engines), measure.EngineNone)))
	}
	if f.Budget < 0 || f.Budget == 0 && flags.Changed("budget") {
		return fmt.Errorf("--budget must be more than 0, not %v", f.Budget)
	}
	return nil
}

// checkRepetitions refuses repetitions that articles could not have.
func checkRepetitions(flags *pflag.FlagSet, text string) error {
	if _, err := article.ReadRepetitions(text); err != nil && flags.Changed("repetitions") {
		return fmt.Errorf("--repetitions %w", err)
	}
	return nil
}

// addQuick adds the flag --quick. The function chooses profile quick if it was given.
func addQuick(flags *pflag.FlagSet, profile *string) (choose func() error) {
	quick := flags.Bool("quick", false, "the same as --profile quick")
	return func() error {
		if *quick && flags.Changed("profile") && *profile != plan.Quick {
			return fmt.Errorf("--quick and --profile %s contradict each other: give one of them", *profile)
		}
		if *quick {
			*profile = plan.Quick
		}
		return nil
	}
}

func (a *app) runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing or stale",
		Long: `Measure what is missing or stale, and print the verdict of each claim. Every repetition leaves a record
in the article's folder, and a stopped run resumes where it was. The status is 1 if something failed, an article has
problems, no engine is available, or no result is valid.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Check(cmd.Flags(), a.Config.EngineNames()); err != nil {
				return err
			}
			if flags.Keep && flags.Budget > 0 {
				return errors.New("--keep and --budget do not go together, because the last repetition is not known in advance: " +
					"give one of them")
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			flags.ChooseEngine(project)
			if flags.Keep && !project.Engine.V.Can(spec.Keeping) {
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
				err = a.JoinErrors(err, show.ClaimStatus(a.Session, outcomes))
			}
			return err
		},
	}
	flags.Add(cmd, plan.Full, a.Config.EngineNames())
	cmd.Flags().BoolVar(&flags.Stated, "stated", false,
		"refuse to measure if anything is not committed, so that claims are stated before they are measured")
	cmd.Flags().BoolVar(&flags.Keep, "keep", false,
		"leave the services of the last repetition running, or of the first that fails, and print how to enter them")
	return cmd
}
