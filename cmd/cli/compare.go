package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/show"
	"benchbook/notebook/compare"
)

func (a *app) compareCommand() *cobra.Command {
	var flags compare.ChangeOptions
	var format string
	cmd := &cobra.Command{
		Use:   "compare A B [ARTICLE[#NAME] ...]",
		Short: "Compare two runs, revisions or hosts",
		Long: `Compare two runs, revisions or hosts, A before and B after. Each cell gets its change with an interval and a verdict,
corrected for the number of cells. Then follow the differences between A and B, and any single difference that could
explain a change.

A and B are each a run, a host, a profile, a git revision with committed records, or a folder of records. A word that names
several of these means the first in this order; write run:, host:, profile:, revision: or folder: before it to choose. The articles are those of the working tree;
nothing is checked out. If a side has several hosts or profiles, compare takes one that both sides have, this host
before others and full before other profiles.

Better and worse mean a change beyond the noise floor and the smallest effect (5 %). Results of hosts with a different
processor or number of cores are listed but not compared, unless --across-hosts is given. Samples of a different meaning are
never compared.

With --fail-on 'throughput < -5%' the status is 99 if the condition holds over the whole interval of any
cell's change, and 2 if no cell can be judged.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("compare needs two sides, A before and B after, each a run, a host, a profile, a git revision " +
					"or a folder of records: benchbook compare HEAD~1 HEAD")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := show.CompareSides(cmd.Context(), a.Session, args, flags)
			if err != nil {
				return err
			}
			if err := c.Print(a.Session, format); err != nil {
				return lab.Failure(err)
			}
			return c.Gated(a.Session)
		},
	}
	addComparing(cmd, &format, &flags)
	cmd.Flags().BoolVar(&flags.AcrossHosts, "across-hosts", false,
		"compare and mark results of hosts that differ in processor or cores")
	return cmd
}

func addComparing(cmd *cobra.Command, format *string, o *compare.ChangeOptions) {
	addFormat(cmd, format, show.FormatText, show.FormatMarkdown, show.FormatCSV)
	cmd.Flags().Func("fail-on", "end with status 99 if this holds for any cell, such as 'throughput < -5%'", o.SetFailOn)
	cmd.Flags().StringSliceVar(&o.Metrics, "metric", nil,
		"compare only this metric; can be given several times (default those that conclusions are drawn from)")
}

func (a *app) benchCommand() *cobra.Command {
	var o measure.BenchOptions
	cmd := &cobra.Command{
		Use:   "bench BASE [HEAD] [ARTICLE[#NAME] ...]",
		Short: "Measure two revisions of your code against each other",
		Long: `Measure two revisions of your code against each other, A before and B after, and print what has changed. What experiments
build from the repository is built from both, and each cell is measured once of each in every round of one run, in random
order, so that a change of the machine affects both. The first cell of BASE is measured twice, which shows the
noise floor. Measuring ends, after 3 to 20 rounds, when it is decided for every cell whether it has changed.

Without HEAD, B is the revision HEAD; with --dirty it is what is not committed. Builds, configs and volumes take files of
the repository from each revision; articles are those of the working tree on both sides. Cells with the same inputs, and
experiments whose builds have the same results, are not measured. Records are kept in .benchbook/bench: the same command
resumes a stopped run.

With --fail-on 'latency.p99 > 3%' the status is 99 if the condition holds over the whole interval of any cell's change. If
no cell can be judged, it is 2. With --prove 10% bench also says whether it would have seen a slowdown of that size: it
plants one in the second measurement of the first cell, and measures until that is decided too.`,
		Example: "  benchbook bench main\n" +
			"  benchbook bench v1.0 v1.1 api --fail-on 'throughput < -3%'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("bench needs a revision of git to compare HEAD with: benchbook bench main")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return measure.Bench(cmd.Context(), a.Session, args, o)
		},
	}
	addComparing(cmd, &o.Format, &o.ChangeOptions)
	a.addMeasuring(cmd, &o.Options)
	cmd.Flags().Func("prove", "say whether a slowdown of this size, such as 10%, would have been seen", o.SetProve)
	cmd.Flags().BoolVar(&o.Dirty, "dirty", false, "compare BASE with what is not committed")
	return cmd
}
