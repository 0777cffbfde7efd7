package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab/show"
	"benchbook/notebook/source"
)

// A formatFlag is how a verb is told in which format to print.
type formatFlag struct {
	name  string
	known []string
}

func (f *formatFlag) Add(cmd *cobra.Command, known ...string) {
	f.known = known
	cmd.Flags().StringVar(&f.name, "format", show.FormatText, "how to print it: "+strings.Join(known, ", "))
	// The only error is a flag that is not there. Formats of other verbs are others.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
}

// Check returns the format; with --json it is FormatJSON.
func (f *formatFlag) Check(asJSON bool) (string, error) {
	switch {
	case asJSON && f.name != show.FormatText:
		return "", fmt.Errorf("--json and --format %s contradict each other: give one of them", f.name)
	case asJSON:
		return show.FormatJSON, nil
	case !slices.Contains(f.known, f.name):
		return "", fmt.Errorf("no format %q: %s", f.name, source.Suggest(f.name, f.known))
	}
	return f.name, nil
}
