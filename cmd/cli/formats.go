package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab/show"
	"benchbook/notebook/source"
)

// addFormat adds the flag --format.
func addFormat(cmd *cobra.Command, format *string, known ...string) {
	*format = show.FormatText
	cmd.Flags().Func("format", "how to print it: "+strings.Join(known, ", ")+" (default text)", func(name string) error {
		if *format = name; !slices.Contains(known, name) {
			return fmt.Errorf("no format %q: %s", name, source.Suggest(name, known))
		}
		return nil
	})
	// The only error is a flag that is not there. Formats of other verbs are others.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
}
