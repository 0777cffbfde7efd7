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
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/runner"
	"benchbook/runner/engine/local"
)

// Exit statuses of FORMAT.md 8, in the order in which one goes before another.
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
func (a *app) both(first, then error) error {
	kept := worse(first, then)
	for _, err := range []error{first, then} {
		var s *statusError
		if err != kept && errors.As(err, &s) && s.err != nil {
			fmt.Fprintf(a.stderr, "benchbook: %v\n", s.err)
		}
	}
	return kept
}

// stopped is the status of a command that failed, or that failed because it was interrupted.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &statusError{statusInterrupted, errors.New("interrupted")}
	}
	return &statusError{statusFailed, err}
}

func main() {
	local.BecomeProgram() // of services without containers, which begin as this program
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, wired()))
}

// run is the whole command. It never calls os.Exit, so that tests can call it.
func run(args []string, stdout, stderr io.Writer, w wiring) int {
	keepDescriptors()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends us at once: whoever sends it does not want to wait for containers to be removed.
	context.AfterFunc(ctx, stop)

	terminal := stderr
	stdout, stderr = plain{stdout}, plain{stderr}
	a := &app{stdout: stdout, stderr: stderr, terminal: terminal, wiring: w}
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
			err = &statusError{statusInterrupted, errors.New("interrupted")}
		}
	}
	if err == nil {
		return 0
	}
	var s *statusError
	if !errors.As(err, &s) {
		// Whatever is no statusError comes from cobra: an unknown verb, a wrong flag.
		fmt.Fprintf(stderr, "benchbook: %v\n", err)
		return statusUsage
	}
	if s.err != nil {
		fmt.Fprintf(stderr, "benchbook: %s\n", withWayOut(s.err))
	}
	return s.status
}

// withWayOut is the text of an error, with what to do about a cause that can befall whatever writes files.
func withWayOut(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return err.Error() + ": free some space there; benchbook gc removes records and images that newer ones stand in for"
	}
	return err.Error()
}

// app is what the verbs share.
type app struct {
	stdout, stderr io.Writer
	terminal       io.Writer // standard error as it is, for a screen
	wiring         wiring
	dir            string
	cleansUp       atomic.Bool   // an interrupt is waited for, see waits
	spent          *runner.Spent // on measuring; nil as long as nothing was measured
}

// waits begins a part of a verb that ends by itself when it is interrupted, since it has things to take down. Everything else
// is ended at once. The function given back ends that part, unless there was an interrupt: then the verb has its say to the end.
func (a *app) waits(ctx context.Context) func() {
	a.cleansUp.Store(true)
	return func() {
		if ctx.Err() == nil {
			a.cleansUp.Store(false)
		}
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "benchbook",
		Short: "Run the experiments of articles, and render the articles with what was measured",
		Long: `benchbook runs literate benchmarks: Markdown articles with YAML experiment blocks. It starts
containers for the services that an article names, puts load on them, and renders the article to
HTML with tables, figures and verdicts made from what it measured.

An article is named by its slug, its folder or its file; ARTICLE#NAME is one of its experiments.
Without one, all articles of the project are meant. Every flag can also be given as an environment
variable: BENCHBOOK_PROFILE for --profile. An article runs programs: run only those that you trust.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags())
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVarP(&a.dir, "directory", "C", ".", "the project's folder, or one below it")
	root.AddCommand(a.initCommand(), a.newCommand(), a.checkCommand(), a.listCommand(), a.planCommand(), a.verifyCommand(), a.runCommand(), a.statusCommand(),
		a.showCommand(), a.compareCommand(), a.renderCommand(), a.reportCommand(), a.previewCommand(), a.publishCommand(), a.exportCommand(), a.importCommand(), a.cleanCommand(), a.gcCommand(), a.doctorCommand(),
		a.schemaCommand(), a.completionCommand(), a.manCommand(), a.versionCommand())
	a.complete(root)
	return root
}

// setByEnvironment is the annotation of flags that were given as a variable.
const setByEnvironment = "benchbook_environment"

// fromEnvironment sets flags that were not given from BENCHBOOK_<FLAG>.
func fromEnvironment(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "BENCHBOOK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok && !f.Changed && f.Name != "help" {
			if err := flags.Set(f.Name, value); err != nil {
				failed = errors.Join(failed, fmt.Errorf("environment variable %s: %w", name, err))
			}
			failed = errors.Join(failed, flags.SetAnnotation(f.Name, setByEnvironment, []string{name}))
		}
	})
	return failed
}
