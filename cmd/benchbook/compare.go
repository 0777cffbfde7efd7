package main

import (
	"errors"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/notebook/compare"
)

func (a *app) compareCommand() *cobra.Command {
	var flags results.CompareOptions
	var formatted formatFlag
	cmd := &cobra.Command{
		Use:   "compare A B [ARTICLE[#NAME] ...]",
		Short: "Compare two runs, revisions or hosts",
		Long: `Compare two runs, revisions or hosts, A before and B after. Each cell gets its change with an interval and a verdict,
corrected for the number of cells. Then follow the differences between A and B, and any single difference that could
explain a change.

A and B are each a run, a host, a profile, a git revision with records committed in it, or a folder of records. A word that
could be several of them is refused: write run:, host:, profile:, revision: or folder: before it. Articles are taken as they
stand now, and nothing is checked out. Of a side with several hosts or profiles the one is taken that the other side has too,
this host's first and full before quick.

Better and worse mean more than noise floor and smallest effect (5 %). Numbers of hosts with another processor or other cores
are listed and not compared, unless --across-hosts is given, and never those whose samples have another meaning.

With --fail-on 'throughput < -5% or latency.p99 > 10%' the status is 1 if the whole interval of some cell's change fulfils it,
or if it can be judged of none.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("compare needs two sides, A before and B after, each a run, a host, a profile, a git revision or a folder of records: " +
					"benchbook compare HEAD~1 HEAD")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := formatted.Check(cmd)
			if err != nil {
				return err
			}
			var gate *compare.Gate
			if flags.FailOn != "" {
				if gate, err = compare.NewGate(flags.FailOn); err != nil {
					return results.FailOnError(flags.FailOn, err)
				}
			}
			c, err := results.CompareSides(cmd.Context(), a.Session, args, flags, gate)
			if err != nil {
				return err
			}
			if err := c.Print(a.Session, format); err != nil {
				return lab.Failure(err)
			}
			return c.Gated(a.Session)
		},
	}
	formatted.Add(cmd)
	cmd.Flags().StringVar(&flags.FailOn, "fail-on", "", "end with status 1 if this holds of some cell, such as 'throughput < -5%'")
	cmd.Flags().StringSliceVar(&flags.Metrics, "metric", nil, "compare only this metric; can be given several times (default those that conclusions are drawn from)")
	cmd.Flags().BoolVar(&flags.AcrossHosts, "across-hosts", false, "compare numbers of hosts that differ in processor or cores, and mark them")
	return cmd
}
