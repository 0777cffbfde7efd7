package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/runner"
)

func (a *app) importCommand() *cobra.Command {
	var format, as, profile, program string
	cmd := &cobra.Command{
		Use:   "import FILE ... --as ARTICLE[#EXPERIMENT][{PARAMETER=VALUE, ...}]",
		Short: "Import results of load generators that ran elsewhere",
		Long: `Import results of load generators that ran elsewhere, as records beside benchbook's own. Each file is one repetition
of the trial that --as names. It reads the output of ` + strings.Join(runner.Formats(), " ") + `, and detects the tool unless
--format names it. A record holds only what its tool printed. Pages mark such numbers as imported, not as measurements of
this machine.`,
		Args: arguments(1, math.MaxInt),
		RunE: func(cmd *cobra.Command, files []string) error {
			if as == "" {
				return errors.New("which trial was measured? name it with --as ARTICLE#EXPERIMENT{PARAMETER=VALUE}")
			}
			if format != "" && !slices.Contains(runner.Formats(), format) {
				return fmt.Errorf("output of %q cannot be imported: %s", format, source.Suggest(format, runner.Formats()))
			}
			name, matches, err := measure.ReadAs(as)
			if err != nil {
				return lab.UsageError(err)
			}
			return measure.ImportFiles(cmd.Context(), a.Session, files, format, program, name, matches, profile)
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "the tool that printed the files: "+strings.Join(runner.Formats(), ", "))
	cmd.Flags().StringVar(&program, "program", "",
		"the program to import if hyperfine timed several; by default the command of the trial")
	cmd.Flags().StringVar(&as, "as", "", "the trial that they measured, such as 'async-101#sockets{server=sync}'")
	cmd.Flags().StringVar(&profile, "profile", plan.Full, "import as results of this profile")
	return cmd
}
