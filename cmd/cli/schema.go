package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/starter"
	"benchbook/lab/terminal"
	"benchbook/notebook/source"
)

func (a *app) schemaCommand() *cobra.Command {
	names := slices.Sorted(maps.Keys(starter.Kinds()))
	return &cobra.Command{
		Use:   "schema [" + strings.Join(names, "|") + "]",
		Short: "Print the JSON Schema of a block, the project file or a record",
		Long: `Print the JSON Schema (2020-12) of a kind of block, of the front matter, the project file or a record, for
editors and other tools. It describes keys and the shapes of values; check finds all other errors. Without a name, the
names are listed.`,
		Args:      arguments(0, 1),
		ValidArgs: names,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				titles := map[string]string{}
				for _, name := range names {
					titles[name] = starter.Kinds()[name].Title
				}
				return a.Print(titles, func() {
					rows := slice.Map(names, func(name string) []string { return []string{name, titles[name]} })
					terminal.PrintColumns(a.Stdout, "", rows)
				})
			}
			if !slices.Contains(names, args[0]) {
				return fmt.Errorf("no schema %q: %s", args[0], source.Suggest(args[0], names))
			}
			return lab.PrintJSON(a.Stdout, starter.Of(args[0]))
		},
	}
}
