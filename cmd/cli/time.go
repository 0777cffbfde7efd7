package cli

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
)

func (a *app) timeCommand() *cobra.Command {
	var c measure.Commands
	var o measure.OneLineOptions
	cmd := &cobra.Command{
		Use:   "time COMMAND ...",
		Short: "Time commands of this machine, and compare them with the first",
		Long: `Time commands of this machine, each in quotes, and compare them with the first. Nothing else is needed: no project, no
engine, no root. The commands take turns in random order, and the first is measured twice in every
round: the difference between these two is the noise floor. Measuring ends, after 3 to 20 rounds, when it is decided which
are faster. Each command has all CPUs, and the environment and folder of benchbook; one with characters such as | or $
runs through /bin/sh. The status is 1 if a command fails.`,
		Example: "  benchbook time 'gzip -1 -k -c data' 'gzip -9 -k -c data'\n" +
			"  benchbook time -w 1 -o page.html 'xz -T1 -c data' 'xz -T0 -c data'\n" +
			"  benchbook time --prepare 'rm -rf out' 'tar xf a.tar -C out' 'tar xf b.tar -C out'",
		Args: arguments(1, 100),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if c.Warmup < 0 || c.Warmup > 1000 {
				return fmt.Errorf("invalid value \"%d\" for --warmup: give a number from 0 to 1000", c.Warmup)
			}
			if c.Folder, err = os.Getwd(); err != nil {
				return lab.Failure(err)
			}
			c.Lines = args
			o.Command = commandLine(cmd, args)
			return measure.Time(cmd.Context(), a.Session, c, o)
		},
	}
	cmd.Flags().IntVarP(&c.Warmup, "warmup", "w", 0, "run each command this many times before every timed run")
	cmd.Flags().StringArrayVarP(&c.Names, "name", "n", nil, "name a command; once for each, in order")
	cmd.Flags().StringVar(&c.Prepare, "prepare", "", "run this command before each run, untimed")
	cmd.Flags().BoolVarP(&c.NoShell, "no-shell", "N", false, "start commands without /bin/sh")
	cmd.Flags().BoolVarP(&c.Ignore, "ignore-failure", "i", false, "accept every exit status of a command")
	cmd.MarkFlagsMutuallyExclusive("no-shell", "ignore-failure")
	cmd.Flags().StringVar(&o.Export, "export-json", "", "write the times to this file, as hyperfine does")
	addOneLine(cmd, &c.Repetitions, &o)
	return cmd
}

func (a *app) loadCommand() *cobra.Command {
	var l measure.Load
	var o measure.OneLineOptions
	var vs []string
	cmd := &cobra.Command{
		Use:   "load URL",
		Short: "Put load on a running server",
		Long: `Put load on a running server, and print how many requests it answers, how fast, and what limited it. With --vs it is
compared with others: they take turns, and the first is measured twice in every round, which shows the noise floor.
Nothing else is needed: no project, no engine, no root. The load keeps a number of connections busy, or with --rate sends
at a fixed rate over at most as many. Use it only on servers of your own. The status is 1 if a server fails.`,
		Example: "  benchbook load http://127.0.0.1:8080/\n" +
			"  benchbook load http://127.0.0.1:8080/ --vs http://127.0.0.1:8081/ -c 20 -d 10s",
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			isGiven := cmd.Flags().Changed("duration")
			if l.Connections < 1 || l.Connections > plan.MaxConnections {
				return fmt.Errorf("--connections takes a number from 1 to %d", plan.MaxConnections)
			}
			if isGiven && l.Duration < time.Second || l.Duration > plan.MaxTime {
				return fmt.Errorf("--duration takes a time from 1s to 24h")
			}
			if cmd.Flags().Changed("requests") && l.Requests < 1 || l.Timeout < 0 || l.Timeout > plan.MaxTime {
				return fmt.Errorf("--requests takes a number from 1, and --timeout a time up to 24h")
			}
			l.URLs = append(args, vs...)
			o.Command = commandLine(cmd, args)
			return measure.Requests(cmd.Context(), a.Session, l, o)
		},
	}
	cmd.Flags().StringArrayVar(&vs, "vs", nil, "another URL to compare it with")
	cmd.Flags().IntVarP(&l.Connections, "connections", "c", 10, "connections to keep busy, each with one request at a time")
	cmd.Flags().DurationVarP(&l.Duration, "duration", "d", 0, "of each repetition (default 5s to 20s, as its p99 needs)")
	cmd.Flags().StringVarP(&l.Rate, "rate", "R", "", "requests per second, such as 500/s, over at most --connections")
	cmd.Flags().IntVarP(&l.Requests, "requests", "n", 0, "send this many requests in each repetition, instead of --duration")
	cmd.MarkFlagsMutuallyExclusive("requests", "duration")
	cmd.Flags().DurationVarP(&l.Timeout, "timeout", "t", 0, "for one answer (default 10s)")
	cmd.Flags().StringArrayVarP(&l.Headers, "header", "H", nil, "a header of every request, such as 'Accept: text/html'")
	cmd.Flags().StringVarP(&l.Method, "method", "m", "", "of every request (default GET, or POST with --body)")
	cmd.Flags().StringVarP(&l.Body, "body", "b", "", "of every request")
	addOneLine(cmd, &l.Repetitions, &o)
	return cmd
}

// commandLine returns the user's command line for the page, without credentials and flags about output.
func commandLine(cmd *cobra.Command, args []string) string {
	words := []string{"benchbook", cmd.Name()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains([]string{"output", "export-json", "against", "quiet", "json", "directory"}, f.Name):
		case f.Value.Type() == "bool":
			words = append(words, "--"+f.Name)
		default:
			values := []string{f.Value.String()}
			if list, ok := f.Value.(pflag.SliceValue); ok {
				values = list.GetSlice()
			}
			for _, v := range values {
				if f.Name == "header" {
					v = measure.WithoutCredential(v)
				}
				words = append(words, "--"+f.Name, v)
			}
		}
	})
	return shellquote.Join(append(words, args...)...)
}

func addOneLine(cmd *cobra.Command, repetitions *string, o *measure.OneLineOptions) {
	cmd.Flags().StringVarP(repetitions, "repetitions", "r", "", "rounds, such as 5 or 'up to 20'")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if _, err := article.ReadRepetitions(*repetitions); err != nil && cmd.Flags().Changed("repetitions") {
			return fmt.Errorf("--repetitions %w", err)
		}
		return nil
	}
	addQuiet(cmd.Flags(), &o.Quiet)
	cmd.Flags().StringVar(&o.Against, "against", "", "compare with a result that --json or hyperfine saved in this file")
	cmd.Flags().StringVarP(&o.HTML, "output", "o", "", "write the page to this file")
}
