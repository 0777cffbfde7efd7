package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/lab/weave"
	"benchbook/notebook/source"
)

func (a *app) exportCommand() *cobra.Command {
	var flags results.Selection
	var format string
	cmd := &cobra.Command{
		Use:   "export [ARTICLE[#NAME] ...]",
		Short: "Print every valid repetition of every metric for other programs",
		Long: `Print every valid repetition of every metric for other programs, unrounded and in base units, without those of the
A/A pair. Without flags it exports the records that the page shows.

  benchfmt   the format of Go's benchmarks, which benchstat reads: benchstat old.txt new.txt
  bmf        Bencher Metric Format: centres with their intervals
  csv, json  a row for each repetition and metric
  hyperfine  what hyperfine --export-json writes, of experiments with a command`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			export, known := results.Exporters[format]
			switch {
			case format == "":
				return fmt.Errorf("choose a format: add --format %s", strings.Join(results.ExportFormats(), " or --format "))
			case !known:
				return fmt.Errorf("no format %q: %s", format, source.Suggest(format, results.ExportFormats()))
			}
			list, err := results.Selected(a.Session, args, flags)
			if err != nil {
				return err
			}
			if len(flags.Trials) > 0 {
				if err := results.OnlyTrials(list, flags.Trials); err != nil {
					return lab.UsageError(err)
				}
			}
			cells := results.ExportedCells(list)
			if len(cells) == 0 {
				return lab.Failure(errors.New("no valid results: benchbook status lists what is missing, benchbook show tells " +
					"why a number is not valid"))
			}
			if err := export(a.Stdout, cells); err != nil {
				return lab.Failure(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "what to print: "+strings.Join(results.ExportFormats(), ", "))
	cmd.Flags().StringVar(&flags.Run, "run", "", "export this run")
	cmd.Flags().StringVar(&flags.Host, "host", "", "export the results of this host")
	cmd.Flags().StringVar(&flags.Profile, "profile", "", "export the results of this profile")
	cmd.Flags().StringArrayVar(&flags.Trials, "trial", nil, "export only this trial, named as in status; can be repeated")
	return cmd
}

func (a *app) weaveCommand() *cobra.Command {
	var o weave.Options
	cmd := &cobra.Command{
		Use:   "weave FILE ...",
		Short: "Fill Markdown files, such as a README, with tables, values, figures and badges of articles",
		Long: `Fill Markdown files, such as a README, with parts of articles, as their pages show them. A file says with comments what
stands where, and may have anything beside it:

  <!-- benchbook: table tbl-levels of hello --> ... <!-- /benchbook -->
  <!-- benchbook: figure fig-gzip of hello --> ... <!-- /benchbook -->
  <!-- benchbook: value time.real{level="9"} | round 1 of hello --> ... <!-- /benchbook -->
  <!-- benchbook: badge of hello --> ... <!-- /benchbook -->

What stands between the two comments is replaced. Figures, in light and dark, and badges go into the folder woven
beside the file. With --check nothing is written: the status is 104 if the text and the records differ.`,
		Args: arguments(1, math.MaxInt),
		RunE: func(_ *cobra.Command, names []string) error { return weave.Weave(a.Session, names, o) },
	}
	cmd.Flags().BoolVar(&o.Check, "check", false, "write nothing, and report what differs from the records")
	cmd.Flags().StringVar(&o.Host, "host", "", "show the results of this host, instead of this machine's or the newest")
	return cmd
}
