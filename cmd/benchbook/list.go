package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/notebook/plan"
	"benchbook/runner/sysinfo"
)

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List articles with their standing",
		Long:  `List articles with their standing, title and date, and the run, profile and host of the results that the page shows.`,
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			project, list, err := a.Select(nil)
			if err != nil {
				return err
			}
			host, err := sysinfo.ThisHost()
			if err != nil {
				return lab.Failure(err)
			}
			if _, _, err := a.Check(project, list, plan.Options{}); err != nil {
				return err
			}
			var out []results.ListJSON
			for _, c := range list {
				item, err := results.ListEntry(a.Session, project, c, host)
				if err != nil {
					return lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
				}
				out = append(out, item)
			}
			return a.Print(asJSON, out, func() { results.PrintList(a.Session, out) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
