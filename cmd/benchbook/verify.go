package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/inspect"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
)

func (a *app) verifyCommand() *cobra.Command {
	var flags measure.Options
	var asJSON, records bool
	var signers string
	cmd := &cobra.Command{
		Use:   "verify [ARTICLE[#NAME] ...]",
		Short: "Check the answers of services without load, or records",
		Long: `Start services and check their answers, without load: for every trial, verify starts its services as run does, with
hooks, sends one request to each target, and removes everything again. Nothing is measured and no record is saved. The status is 1 if an answer is wrong or a service is not ready.

With --records it starts nothing, and checks the records of each run instead: whether they are as they were sealed, all
there, in one chain, and free of contradictions, and whether the signature of seal fits. The status is 1 if not.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if known := a.Config.EngineNames(); flags.Engine != "" && !slices.Contains(known, flags.Engine) {
				return fmt.Errorf("no engine %q: known are %s", flags.Engine, terminal.InSentence(known))
			}
			if signers != "" && !records {
				return errors.New("--signers is for --records")
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			if records {
				return inspect.VerifyRecords(a.Session, project, list, signers, asJSON)
			}
			flags.ChooseEngine(project)
			plans, err := a.Plans(project, list, plan.Options{Profile: flags.Profile}, "articles with problems are not verified")
			if err != nil {
				return err
			}
			return measure.Verify(cmd.Context(), a.Session, project, list, plans, flags, asJSON)
		},
	}
	cmd.Flags().StringVar(&flags.Profile, "profile", plan.Full, "verify the trials of this profile")
	cmd.Flags().StringVar(&flags.Only, "only", "", "verify "+lab.OnlyUsage)
	cmd.Flags().BoolVar(&flags.Adapt, "adapt", false, adaptUsage)
	cmd.Flags().BoolVar(&flags.Wait, "wait", false, waitUsage)
	cmd.Flags().BoolVarP(&flags.Verbose, "verbose", "v", false, verboseUsage)
	engines := strings.Join(a.Config.EngineNames(), ", ")
	if i := strings.LastIndex(engines, ", "); i >= 0 {
		engines = engines[:i] + " or " + engines[i+len(", "):]
	}
	cmd.Flags().StringVar(&flags.Engine, "engine", "", "where services run: "+engines+
		" (default what the project says, or docker)")
	cmd.Flags().BoolVar(&records, "records", false, "check records instead of answers")
	cmd.Flags().StringVar(&signers, "signers", "", "with --records: a file of allowed signers, as ssh-keygen has it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func (a *app) sealCommand() *cobra.Command {
	var key, run string
	cmd := &cobra.Command{
		Use:   "seal --key FILE [ARTICLE ...]",
		Short: "Sign measured runs with an SSH key",
		Long: `Sign measured runs with an SSH key: beside each packed run, RUN.jsonl, seal writes its signature, RUN.jsonl.sig. It
signs the runs that have none yet, or the one that --run names. A run whose records were edited or removed is not signed.

  benchbook verify --records --signers FILE
  ssh-keygen -Y verify -n benchbook -f FILE -I NAME -s RUN.jsonl.sig < RUN.jsonl

Either command checks signatures, with a FILE of allowed signers: a NAME and a public key to a line.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if key == "" {
				return errors.New("which key? name an SSH private key with --key FILE")
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			return inspect.SignRuns(a.Session, project, list, key, run)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the SSH private key to sign with")
	cmd.Flags().StringVar(&run, "run", "", "sign this run, also if it is signed already")
	return cmd
}
