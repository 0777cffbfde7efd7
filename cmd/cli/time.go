package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
)

// longest is how long something may take that is measured in one line.
const longest = 100 * time.Hour

func (a *app) timeCommand() *cobra.Command {
	var c measure.Commands
	var o measure.OneLineOptions
	cmd := &cobra.Command{
		Use:   "time COMMAND ...",
		Short: "Time commands of this machine, and compare them with the first",
		Long: `Time commands of this machine, each in quotes, and compare them with the first. Nothing else is needed: no project, no
engine, no root. The commands take turns in random order, and the first is measured twice in every round: what sets it
apart from itself is the noise floor. Measuring goes on until it is decided which are faster, for 3 to 20 rounds. Each
command has all CPUs, and the environment and folder of benchbook; one with characters such as | or $ goes through
/bin/sh. The status is 1 if a command fails.`,
		Example: "  benchbook time 'gzip -1 -k -c data' 'gzip -9 -k -c data'\n" +
			"  benchbook time --warmup 1 -o page.html 'xz -T1 -c data' 'xz -T0 -c data'",
		Args: arguments(1, 100),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if c.Warmup < 0 || c.Warmup > 1000 {
				return fmt.Errorf("invalid value \"%d\" for --warmup: give a number from 0 to 1000", c.Warmup)
			}
			if c.Timeout < time.Second || c.Timeout > longest {
				return fmt.Errorf("invalid value %q for --timeout: give a time from 1s to %v", c.Timeout, longest)
			}
			if c.Folder, err = os.Getwd(); err != nil {
				return lab.Failure(err)
			}
			c.Lines = args
			return measure.Time(cmd.Context(), a.Session, c, o)
		},
	}
	cmd.Flags().IntVar(&c.Warmup, "warmup", 0, "runs of each command before every run that is timed")
	cmd.Flags().DurationVar(&c.Timeout, "timeout", time.Hour, "a run that takes longer with its warm-up is a failure")
	addOneLine(cmd, &c.Repetitions, &o)
	return cmd
}

func (a *app) loadCommand() *cobra.Command {
	var l measure.Load
	var o measure.OneLineOptions
	var vs []string
	cmd := &cobra.Command{
		Use:   "load URL",
		Short: "Put a load on a server that runs already",
		Long: `Put a load on a server that runs already, and print how many requests it answers, how fast, and what limited it.
With --vs it is compared with others: they take turns, and the first is measured twice in every round, which shows the
noise floor. Nothing else is needed: no project, no engine, no root. The load stays on one connection count, or with
--rate on one number of requests per second. Put it on servers of your own only. The status is 1 if a server fails.`,
		Example: "  benchbook load http://127.0.0.1:8080/\n" +
			"  benchbook load http://127.0.0.1:8080/ --vs http://127.0.0.1:8081/ -c 20 -d 10s",
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.Connections < 1 || l.Duration < time.Second || l.Duration > longest {
				return fmt.Errorf("--connections takes a number from 1, and --duration a time from 1s to %v", longest)
			}
			l.URLs = append(args, vs...)
			return measure.Requests(cmd.Context(), a.Session, l, o)
		},
	}
	cmd.Flags().StringArrayVar(&vs, "vs", nil, "another URL to compare it with")
	cmd.Flags().IntVarP(&l.Connections, "connections", "c", 10, "connections that wait for their answers")
	cmd.Flags().DurationVarP(&l.Duration, "duration", "d", 5*time.Second, "how long each repetition is measured")
	cmd.Flags().StringVar(&l.Rate, "rate", "", "requests per second, such as 500/s, instead of connections")
	addOneLine(cmd, &l.Repetitions, &o)
	return cmd
}

// addOneLine adds the flags that time and load have in common.
func addOneLine(cmd *cobra.Command, repetitions *string, o *measure.OneLineOptions) {
	addRepetitions(cmd.Flags(), repetitions)
	addQuiet(cmd.Flags(), &o.Quiet)
	cmd.Flags().StringVarP(&o.HTML, "output", "o", "", "write the page to this file")
}
