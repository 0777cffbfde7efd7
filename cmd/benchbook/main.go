// Benchbook runs the experiments of articles and renders the articles with what was measured.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/runner"
	"benchbook/runner/engine/local"
)

// Exit statuses of docs/command.md#exit-statuses, in the order in which one goes before another.
const (
	statusUsage        = 2
	statusProblems     = 104
	statusInterrupted  = 105
	statusFailed       = 1
	statusContradicted = 99  // with --claims: a claim is
	statusInvalid      = 110 // with --claims: a claim rests on a number that is not valid
)

// A statusError ends the command with a status. Its text, if there is any, has not been said yet.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// withStatus ends the command with a status; err may be nil.
func withStatus(status int, err error) error { return &statusError{status: status, err: err} }

// failure is an error of a command that could not do what it was to do.
func failure(err error) error { return withStatus(statusFailed, err) }

// usageError is an error of a command that was not used as it should be.
func usageError(err error) error { return withStatus(statusUsage, err) }

// worse keeps the status that goes before the other one.
func worse(a, b error) error {
	order := []int{statusUsage, statusProblems, statusInterrupted, statusFailed, statusContradicted, statusInvalid}
	for _, status := range order {
		for _, err := range []error{a, b} {
			var s *statusError
			if errors.As(err, &s) && s.status == status {
				return err
			}
		}
	}
	if a != nil {
		return a
	}
	return b
}

// both keeps the status that goes before the other one, and says what the other one had to say.
func (a *session) both(first, then error) error {
	kept := worse(first, then)
	for _, err := range []error{first, then} {
		var s *statusError
		if err != kept && errors.As(err, &s) && s.err != nil {
			fmt.Fprintf(a.stderr, "benchbook: %s\n", errorText(s.err))
		}
	}
	return kept
}

// stopped is the status of a command that failed, or that failed because it was interrupted.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return withStatus(statusInterrupted, errors.New("interrupted"))
	}
	return failure(err)
}

func main() {
	local.BecomeProgram() // of services without containers, which begin as this program
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, wired()))
}

// run is the whole command. It never calls os.Exit, so that tests can call it.
func run(args []string, stdout, stderr io.Writer, w wiring) int {
	keepDescriptors()
	defer surviveClosedPipes()()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends us at once: whoever sends it does not want to wait for containers to be removed.
	context.AfterFunc(ctx, stop)

	screen := stderr
	out := &output{w: plain{stdout}}
	stdout, stderr = out, plain{stderr}
	a := &app{&session{stdout: stdout, stderr: stderr, terminal: screen, version: version, wiring: w}}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		if a.cleansUp.Load() {
			err = <-ended
		} else {
			// What only reads and writes files has nothing to take down, and may be waiting for a file that never comes.
			err = withStatus(statusInterrupted, errors.New("interrupted"))
		}
	}
	if _, ok := errors.AsType[*statusError](err); err != nil && !ok {
		err = usageError(err) // cobra's: an unknown verb, a wrong flag
	}
	if err = a.both(err, out.lost()); err == nil {
		return 0
	}
	var s *statusError
	errors.As(err, &s)
	if s.err != nil {
		fmt.Fprintf(stderr, "benchbook: %s\n", withWayOut(s.err))
	}
	return s.status
}

// app has the verbs.
type app struct{ *session }

// A session is one use of the command: the folder that it is about, where it prints, and what it runs on.
type session struct {
	stdout, stderr io.Writer
	terminal       io.Writer // standard error as it is, for a screen
	version        string    // of benchbook
	wiring         wiring
	dir            string
	cleansUp       atomic.Bool   // an interrupt is waited for, see waits
	spent          *runner.Spent // on measuring; nil as long as nothing was measured

	saying sync.Mutex      // guards said
	said   map[string]bool // what sayBad has said
}

// waits begins a part of a verb that ends by itself when it is interrupted, since it has things to take down. Everything else
// is ended at once. The function given back ends that part, unless there was an interrupt: then the verb has its say to the end.
func (a *session) waits(ctx context.Context) func() {
	a.cleansUp.Store(true)
	return func() {
		if ctx.Err() == nil {
			a.cleansUp.Store(false)
		}
	}
}

func (a *app) root() *cobra.Command {
	version, asVersion := a.versionCommand(), false
	root := &cobra.Command{
		Use:   "benchbook",
		Short: "Run the experiments of articles, and render the articles with their results",
		Long: `benchbook runs literate benchmarks: Markdown articles with YAML experiment blocks. It starts
containers for the services that an article names, puts load on them, and renders the article to
HTML with tables, figures and verdicts made from what it measured.

An article is named by its slug, its folder or its file; ARTICLE#NAME is one of its experiments.
Without one, all articles of the project are meant. Every flag can also be given as an environment
variable: BENCHBOOK_PROFILE for --profile. An article runs programs: run only those that you trust.`,
		Args: unknownVerb,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asVersion {
				return version.RunE(version, args)
			}
			return cmd.Help()
		},
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags())
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVarP(&a.dir, "directory", "C", ".", "the project's folder, or one below it")
	root.Flags().BoolVar(&asVersion, "version", false, "print version information")
	root.AddCommand(a.initCommand(), a.newCommand(), a.checkCommand(), a.listCommand(), a.planCommand(), a.verifyCommand(), a.runCommand(), a.statusCommand(),
		a.showCommand(), a.compareCommand(), a.renderCommand(), a.reportCommand(), a.previewCommand(), a.publishCommand(), a.exportCommand(), a.importCommand(), a.cleanCommand(), a.gcCommand(), a.doctorCommand(),
		a.schemaCommand(), a.completionCommand(), a.manCommand(), version)
	root.SetHelpCommand(helpCommand())
	a.complete(root)
	onceOnly(root)
	return root
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print help for a command",
		Args:  arguments(0, 1),
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
			for _, verb := range cmd.Root().Commands() {
				if verb.IsAvailableCommand() {
					out = append(out, cobra.CompletionWithDesc(verb.Name(), verb.Short))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			verb, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownVerb(cmd.Root(), args)
			}
			verb.InitDefaultHelpFlag() // which it has if it is run itself
			return verb.Help()
		},
	}
}

// setByEnvironment is the annotation of flags that were given as a variable.
const setByEnvironment = "benchbook_environment"

// fromEnvironment sets flags that were not given from BENCHBOOK_<FLAG>.
func fromEnvironment(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "BENCHBOOK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok && !f.Changed && f.Name != "help" && f.Name != "version" {
			if err := flags.Set(f.Name, value); err != nil {
				failed = errors.Join(failed, invalidValue(f, value, name))
				return
			}
			failed = errors.Join(failed, flags.SetAnnotation(f.Name, setByEnvironment, []string{name}))
		}
	})
	return failed
}
