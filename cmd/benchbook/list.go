package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/runner/machines"
)

// listJSON is an article as list prints it with --json. Fields are added to it in later versions, none are renamed or
// removed.
type listJSON struct {
	Article     string   `json:"article"` // slug
	Title       string   `json:"title"`
	Date        string   `json:"date,omitempty"`
	Draft       bool     `json:"draft"`
	Tags        []string `json:"tags"`
	Experiments []string `json:"experiments"`
	Problems    int      `json:"problems"` // if there are any, all below is empty

	Standing string `json:"standing,omitempty"` // what the set of records that the page shows came to
	Reason   string `json:"reason,omitempty"`
	Run      string `json:"run,omitempty"` // the newest of that set
	Profile  string `json:"profile,omitempty"`
	Host     string `json:"host,omitempty"`
	ThisHost bool   `json:"this_host"`
}

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List articles with their standing",
		Long:  `List articles with their standing, title and date, and the run, profile and host of the results that the page shows.`,
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			project, list, err := a.choose(nil)
			if err != nil {
				return err
			}
			host, err := machines.ThisHost()
			if err != nil {
				return failure(err)
			}
			if _, _, err := a.check(project, list, plan.Options{}); err != nil {
				return err
			}
			var out []listJSON
			for _, c := range list {
				item, err := listEntry(a.session, project, c, host)
				if err != nil {
					return failure(fmt.Errorf("article %s: %w", c.slug, err))
				}
				out = append(out, item)
			}
			if asJSON {
				return printJSON(a.stdout, out)
			}
			printList(a.session, out)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func listEntry(a *session, project *article.Project, c *chosen, this machines.Host) (listJSON, error) {
	front := c.doc.Front
	out := listJSON{Article: c.slug, Title: front.Title.Value, Date: front.Date.Value, Draft: front.Draft.V, Tags: []string{},
		Experiments: []string{}, Problems: len(c.problems.Sorted())}
	for _, t := range front.Tags {
		out.Tags = append(out.Tags, t.Value)
	}
	for _, e := range c.doc.Experiments {
		out.Experiments = append(out.Experiments, e.Name.Value)
	}
	if out.Problems > 0 {
		return out, nil
	}
	host, err := a.hostOf(project, c, this)
	if err != nil {
		return out, err
	}
	d, err := shownDataset(a, project, c, host.ID, "")
	if err != nil {
		return out, err
	}
	standing, reason := d.Standing()
	out.Standing, out.Reason = string(standing), reason
	for _, e := range d.Experiments {
		for _, cell := range e.Cells {
			out.Run = max(out.Run, cell.Run)
		}
	}
	if out.Run != "" {
		out.Profile, out.Host, out.ThisHost = d.Profile, d.Host, d.Own
	}
	return out, nil
}

func printList(a *session, list []listJSON) {
	rows := [][]string{{"article", "date", "standing", "newest run", "profile", "host", "title"}}
	for _, l := range list {
		standing := l.Standing
		if l.Problems > 0 {
			standing = count(l.Problems, "problem")
		}
		if l.Draft {
			standing += ", draft"
		}
		host := l.Host
		if l.ThisHost {
			host += " (this one)"
		}
		rows = append(rows, []string{l.Article, cmp.Or(l.Date, "-"), standing,
			cmp.Or(l.Run, "-"), cmp.Or(l.Profile, "-"), cmp.Or(host, "-"), l.Title})
	}
	printColumns(a.stdout, "", rows)
}
