package show

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/record"
)

// A Run is one run of an article, and what it says alone.
type Run struct {
	Article     string    `json:"article"`
	Run         string    `json:"run"`
	Started     time.Time `json:"started"`
	Host        string    `json:"host"`
	Profile     string    `json:"profile"`
	Revision    string    `json:"revision"` // of the article; empty if unknown
	Repetitions int       `json:"repetitions"`
	Failed      int       `json:"failed"`
	Standing    string    `json:"standing"` // of the article by this run alone; empty if the article no longer plans its cells
	Count       string    `json:"count,omitempty"`
}

// History prints the runs of articles, the newest first.
func History(a *lab.Session, args []string, s Selection, format string) error {
	list, err := choose(a, args, s)
	if err != nil {
		return err
	}
	all := []Run{}
	for _, c := range list {
		runs, err := c.runs()
		if err != nil {
			return err
		}
		all = append(all, runs...)
	}
	slices.SortStableFunc(all, func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.Article, b.Article), cmp.Compare(b.Run, a.Run))
	})
	if format == FormatJSON {
		return lab.PrintJSON(a.Stdout, all)
	}
	t := Table{Head: []string{"article", "run", "started", "host", "profile", "revision", "repetitions", "standing"},
		Right: []int{6}}
	for _, r := range all {
		count := fmt.Sprint(r.Repetitions)
		if r.Failed > 0 {
			count += fmt.Sprintf(", %d failed", r.Failed)
		}
		standing := (&Article{Standing: cmp.Or(r.Standing, "–"), Count: r.Count}).standing()
		t.Rows = append(t.Rows, []string{r.Article, r.Run, r.Started.UTC().Format("2006-01-02 15:04"), r.Host, r.Profile,
			cmp.Or(r.Revision, "–"), count, standing})
	}
	if format == FormatCSV {
		return t.CSV(a.Stdout)
	}
	if len(t.Rows) == 0 {
		fmt.Fprintln(a.Stdout, "nothing was measured")
		return nil
	}
	Report{{Table: t, Notes: []string{"one of them: benchbook show ARTICLE --run RUN; two: benchbook compare RUN RUN"}}}.
		Text(a.Stdout)
	return nil
}

func (c *chosen) runs() (out []Run, err error) {
	byRun := map[string][]*record.Record{}
	for _, r := range c.records {
		if c.Wants(r.Experiment) {
			byRun[r.Run] = append(byRun[r.Run], r)
		}
	}
	for name, own := range byRun {
		first := slices.MinFunc(own, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
		r := Run{Article: c.Slug, Run: name, Started: first.Started, Host: first.Host, Profile: first.Profile,
			Repetitions: len(own), Failed: slice.Count(own, func(r *record.Record) bool { return r.Failure != "" })}
		if revision := first.Facts[record.FactRevision]; record.IsCommitted(revision) {
			r.Revision = fmt.Sprintf("%.10s", revision)
		}
		d, err := c.dataset(own)
		if err != nil {
			return nil, err
		}
		if d.Profile == first.Profile && d.Host == first.Host {
			alone := NewArticle(d)
			r.Standing, r.Count = alone.Standing, alone.Count
		}
		out = append(out, r)
	}
	return out, nil
}
