package show

import (
	"cmp"
	"fmt"
	"maps"
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
	if a.JSON {
		return lab.PrintJSON(a.Stdout, all)
	}
	t := Table{Head: []string{"article", "run", "started", "host", "profile", "revision", "repetitions", "standing"}}
	for _, r := range all {
		count := fmt.Sprint(r.Repetitions)
		if r.Failed > 0 {
			count += fmt.Sprintf(", %d failed", r.Failed)
		}
		t.Rows = append(t.Rows, []string{r.Article, r.Run, minuteOf(r.Started), r.Host, r.Profile, cmp.Or(r.Revision, "–"), count,
			counted(cmp.Or(r.Standing, "–"), r.Count)})
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
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(byRun))) {
		own := byRun[name]
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
