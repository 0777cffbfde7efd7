// Package cli implements the command line: verbs, their flags and their output.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/terminal"
)

// Most verbs end before garbage matters, so it is collected less often than by default until there is much of it.
const (
	gcPercent = 400
	gcLimit   = 400 << 20 // bytes
)

// Main runs the command with the arguments of the program and returns its exit status. clusters connects to Kubernetes;
// it is nil in a program without Kubernetes libraries.
func Main(clusters Clusters) (status int) {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(gcLimit)
	return run(os.Args[1:], os.Stdout, os.Stderr, wired(clusters))
}

// sameSignal is the time within which a second signal counts as the same one: GNU timeout sends each signal to its
// command and to the command's process group.
const sameSignal = 100 * time.Millisecond

// run runs the command and returns its exit status. It never calls os.Exit, so tests can call it.
func run(args []string, stdout, stderr io.Writer, w lab.Config) int {
	defer surviveClosedPipes()()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends the program at once, without waiting for containers to be removed.
	context.AfterFunc(ctx, func() {
		time.Sleep(sameSignal)
		stop()
	})

	screen := stderr
	out := &output{w: terminal.Plain{To: stdout}}
	stdout, stderr = out, terminal.Plain{To: stderr}
	a := &app{&lab.Session{Stdout: stdout, Stderr: stderr, Terminal: screen, Version: version, Config: w}}
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
		if a.CleansUp.Load() {
			err = <-ended
		} else {
			// A verb that only reads and writes files has nothing to clean up, and may hang on a file.
			err = lab.WithStatus(lab.StatusInterrupted, errors.New("interrupted"))
		}
	}
	if _, ok := errors.AsType[*lab.StatusError](err); err != nil && !ok {
		err = lab.UsageError(flagGroupError(err)) // such as cobra's errors for unknown verbs and wrong flags
	}
	if err = a.JoinErrors(err, out.lost()); err == nil {
		return 0
	}
	var s *lab.StatusError
	errors.As(err, &s)
	if s.Err != nil {
		fmt.Fprintf(stderr, "benchbook: %s\n", terminal.WithWayOut(s.Err))
	}
	return s.Status
}

// app implements the verbs of one session.
type app struct{ *lab.Session }

func (a *app) root() *cobra.Command {
	version, asVersion := a.versionCommand(), false
	root := &cobra.Command{
		Use:   "benchbook",
		Short: "Run the experiments of articles, and render the articles with their results",
		Long: `benchbook runs literate benchmarks: Markdown articles with YAML experiment blocks. It starts
containers for the services that an article names, puts load on them, and renders the article to
HTML with tables, figures and verdicts made from what it measured.

Begin with what you have:
  benchbook init --from docker-compose.yml   your Compose file or Dockerfile
  benchbook load URL                         a running server
  benchbook time 'COMMAND' 'COMMAND'         two commands: which is faster?
  benchbook init demo                        an article of your own

An article is named by its slug, its folder or its file; ARTICLE#NAME is one of its experiments.
Without one, all articles of the project are meant. An article runs programs: run only those that
you trust.

Exit statuses:
` + statuses(),
		Args: unknownVerb,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asVersion {
				return version.RunE(version, args)
			}
			return cmd.Help()
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVarP(&a.Dir, "directory", "C", ".", "the project's folder, or one below it")
	root.PersistentFlags().BoolVar(&a.JSON, "json", false, "print JSON")
	root.Flags().BoolVar(&asVersion, "version", false, "print version information")
	addVerbs(root, "Start", a.initCommand(), a.loadCommand(), a.timeCommand())
	addVerbs(root, "Measure", a.checkCommand(), a.planCommand(), a.runCommand(), a.reportCommand(), a.benchCommand())
	addVerbs(root, "Look", a.showCommand(), a.compareCommand(), a.renderCommand(), a.previewCommand())
	addVerbs(root, "Share", a.publishCommand(), a.weaveCommand(), a.bundleCommand(), a.reproCommand())
	addVerbs(root, "Keep", a.doctorCommand(), a.cleanCommand(), a.schemaCommand(), version)
	a.addCompletion(root, "Keep")
	addHelp(root, "Keep")
	for _, verb := range root.Commands() {
		if verb.Flags().Lookup("format") != nil {
			verb.MarkFlagsMutuallyExclusive("format", "json")
		}
	}
	a.complete(root)
	return root
}

func statuses() (lines string) {
	for _, s := range lab.Statuses {
		lines += fmt.Sprintf("  %-4d %s\n", s.Status, s.Meaning)
	}
	return strings.TrimSuffix(lines, "\n")
}
