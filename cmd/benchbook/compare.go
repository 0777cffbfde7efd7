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

A and B are each a run, a host, a profile, a git revision with committed records, or a folder of records. An ambiguous word
is an error: write run:, host:, profile:, revision: or folder: before it. The articles are those of the working tree;
nothing is checked out. If a side has several hosts or profiles, compare takes one that both sides have, this host
before others and full before quick.

Better and worse mean a change beyond the noise floor and the smallest effect (5 %). Results of hosts with a different
processor or number of cores are listed but not compared, unless --across-hosts is given. Samples of a different meaning are
never compared.

With --fail-on 'throughput < -5% or latency.p99 > 10%' the status is 1 if the condition holds over the whole interval of any
cell's change, or if no cell can be judged.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("compare needs two sides, A before and B after, each a run, a host, a profile, a git revision " +
					"or a folder of records: benchbook compare HEAD~1 HEAD")
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
	cmd.Flags().StringVar(&flags.FailOn, "fail-on", "",
		"end with status 1 if this holds for any cell, such as 'throughput < -5%'")
	cmd.Flags().StringSliceVar(&flags.Metrics, "metric", nil,
		"compare only this metric; can be given several times (default those that conclusions are drawn from)")
	cmd.Flags().BoolVar(&flags.AcrossHosts, "across-hosts", false,
		"compare and mark results of hosts that differ in processor or cores")
	return cmd
}
