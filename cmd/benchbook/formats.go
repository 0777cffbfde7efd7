package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"benchbook/lab/results"
	"benchbook/notebook/source"
)

// formats lists them, as completion offers them.
func formats() []string {
	return []string{results.FormatText, results.FormatMarkdown, results.FormatCSV, results.FormatJSON}
}

// A formatFlag is how a verb is told in which format to print.
type formatFlag struct {
	name   string
	asJSON bool
}

func (f *formatFlag) Add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "format", results.FormatText, "text, md (for a pull request), csv or json")
	// The only error is a flag that is not there. Formats of other verbs are others.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "the same as --format json")
}

// Check gives the format, or says that there is none of that name.
func (f *formatFlag) Check(cmd *cobra.Command) (string, error) {
	if !slices.Contains(formats(), f.name) {
		return "", fmt.Errorf("no format %q: %s", f.name, source.Suggest(f.name, formats()))
	}
	if f.asJSON && f.name != results.FormatJSON {
		if cmd.Flags().Changed("format") {
			return "", fmt.Errorf("--json and --format %s: give one of them", f.name)
		}
		return results.FormatJSON, nil
	}
	return f.name, nil
}
