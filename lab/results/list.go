package results

import (
	"cmp"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/claim"
	"benchbook/notebook/projects"
	"benchbook/runner/sysinfo"
)

// ListJSON is an article as list prints it with --json. Fields are added to it in later versions, none are renamed or
// removed.
type ListJSON struct {
	Article     string   `json:"article"` // slug
	Title       string   `json:"title"`
	Date        string   `json:"date,omitempty"`
	Draft       bool     `json:"draft"`
	Tags        []string `json:"tags"`
	Experiments []string `json:"experiments"`
	Problems    int      `json:"problems"` // if there are any, all below is empty

	Standing string `json:"standing,omitempty"` // what the set of records that the page shows came to
	Count    string `json:"count,omitempty"`    // of the headline claims that are supported: "2 of 3"
	Reason   string `json:"reason,omitempty"`
	Run      string `json:"run,omitempty"` // the newest of that set
	Profile  string `json:"profile,omitempty"`
	Host     string `json:"host,omitempty"`
	ThisHost bool   `json:"this_host"`

	standing string // with its count
}

// ListEntry is an article with what its page shows.
func ListEntry(a *lab.Session, project *projects.Project, c *lab.Article, this sysinfo.Host) (ListJSON, error) {
	front := c.Doc.Front
	out := ListJSON{Article: c.Slug, Title: front.Title.Value, Date: front.Date.Value, Draft: front.Draft.V,
		Tags: []string{}, Experiments: []string{}, Problems: len(c.Problems.Sorted())}
	for _, t := range front.Tags {
		out.Tags = append(out.Tags, t.Value)
	}
	for _, e := range c.Doc.Experiments {
		out.Experiments = append(out.Experiments, e.Name.Value)
	}
	if out.Problems > 0 {
		return out, nil
	}
	d, err := ShownDataset(a, project, c, this)
	if err != nil {
		return out, err
	}
	s := claim.StandingOf(d)
	out.Standing, out.Count, out.Reason = string(s.Is), s.Count, s.Reason
	out.standing = s.String()
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

// PrintList prints articles in columns.
func PrintList(a *lab.Session, list []ListJSON) {
	rows := [][]string{{"article", "date", "standing", "newest run", "profile", "host", "title"}}
	for _, l := range list {
		standing := l.standing
		if l.Problems > 0 {
			standing = terminal.Count(l.Problems, "problem")
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
	terminal.PrintColumns(a.Stdout, "", rows)
}
