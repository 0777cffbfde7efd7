package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab/show"
	"benchbook/notebook/source"
)

type formatFlag struct{ name string }

func (f *formatFlag) Add(cmd *cobra.Command, known ...string) {
	f.name = show.FormatText
	cmd.Flags().Func("format", "how to print it: "+strings.Join(known, ", ")+" (default text)", func(name string) error {
		if f.name = name; !slices.Contains(known, name) {
			return fmt.Errorf("no format %q: %s", name, source.Suggest(name, known))
		}
		return nil
	})
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
	}
	return f.name, nil
}
