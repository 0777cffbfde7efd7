// Package show prints results, comparisons and plans as text, CSV or JSON.
package show

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Formats of show and compare besides JSON.
const (
	FormatText     = "text"
	FormatMarkdown = "md"
	FormatCSV      = "csv"
	FormatBenchfmt = "benchfmt" // Go's benchmark format, for benchstat
)

// A Selection chooses records and trials. Empty fields choose all.
type Selection struct {
	Run, Host, Profile string
	Trials             []string
	Repetition         int
}

// fields maps the kind of a name to the field of records that has it.
var fields = map[string]func(*record.Record) string{"run": lab.RecordRun, "host": lab.RecordHost,
	"profile": lab.RecordProfile}

// named returns the records with a name of a kind in fields, and all names of that kind in reverse order. If no host
// has the name, it can be a class of hosts.
func named(records []*record.Record, kind, name string) (of []*record.Record, known []string) {
	known = slices.Compact(slices.Sorted(slices.Values(slice.Map(records, fields[kind]))))
	slices.Reverse(known)
	of = slice.Filter(records, func(r *record.Record) bool { return fields[kind](r) == name })
	if len(of) == 0 && kind == "host" {
		of = slice.Filter(records, func(r *record.Record) bool { return record.ClassOf(r.Host) == name })
	}
	return of, known
}

// of returns the selected records of an article. The error names the flag that no record matches.
func (s *Selection) of(slug string, records []*record.Record) ([]*record.Record, error) {
	for _, flag := range []struct{ name, value string }{{"run", s.Run}, {"host", s.Host}, {"profile", s.Profile}} {
		if flag.value == "" {
			continue
		}
		var known []string
		if records, known = named(records, flag.name, flag.value); len(records) == 0 {
			return nil, fmt.Errorf("no records of article %s with --%s %s: %s", slug, flag.name, flag.value,
				cmp.Or(source.Suggest(flag.value, known), "it has none"))
		}
	}
	return records, nil
}

// chosen is an article with the selected records.
type chosen struct {
	*lab.Article
	records []*record.Record
	options dataset.Options
}

func (c *chosen) dataset(records []*record.Record) (*dataset.Dataset, error) {
	d, err := dataset.New(c.Doc, records, c.options)
	if err != nil {
		return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
	}
	return d, nil
}

// choose returns the articles that have selected records. It ignores s.Trials.
func choose(a *lab.Session, args []string, s Selection) ([]chosen, error) {
	project, list, err := a.SelectPlanned(args, plan.Options{}, "articles with problems are not shown")
	if err != nil {
		return nil, err
	}
	var out []chosen
	for _, c := range list {
		records, o, err := a.Lay(project, c)
		if err != nil {
			return nil, lab.Failure(err)
		}
		wanted, err := s.of(c.Slug, records)
		if err == nil {
			out = append(out, chosen{c, wanted, o})
		} else if len(list) == 1 { // with several, another article may have such records
			return nil, lab.UsageError(err)
		}
	}
	if len(out) == 0 {
		return nil, lab.UsageError(errors.New("no article has such records: leave out --run, --host or --profile"))
	}
	return out, nil
}

// Full is like NewArticle, and sets Experiments. If experiments are named, only these are set, without claims.
func Full(c *lab.Article, d *dataset.Dataset) *Article {
	out := NewArticle(d)
	for _, e := range d.Experiments {
		if c.Wants(e.Plan.Name) {
			out.Experiments = append(out.Experiments, newExperiment(d, e))
		}
	}
	if len(c.Experiments) > 0 {
		out.Claims = []Claim{}
	}
	return out
}

// Show prints the selected results in a format.
func Show(a *lab.Session, args []string, s Selection, format string) error {
	found, err := choose(a, args, s)
	if err != nil {
		return err
	}
	var list []*Article
	for _, c := range found {
		d, err := c.dataset(c.records)
		if err != nil {
			return err
		}
		list = append(list, Full(c.Article, d))
	}
	if list, err = onlyTrials(list, s.Trials); err != nil {
		return lab.UsageError(err)
	}
	if s.Repetition != 0 {
		r, err := repetition(list, s)
		if err != nil {
			return lab.UsageError(err)
		}
		return printRepetition(a, r)
	}
	switch {
	case a.JSON:
		return lab.PrintJSON(a.Stdout, list)
	case format == FormatCSV:
		return cellTable(list).CSV(a.Stdout)
	case format == FormatBenchfmt:
		return benchfmt(a.Stdout, list)
	}
	isDetailed := slices.ContainsFunc(args, func(name string) bool { return strings.Contains(name, "#") })
	if len(list) > 1 && !isDetailed && len(s.Trials) == 0 {
		summary(list).Text(a.Stdout)
		return nil
	}
	for i, article := range list {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		article.report(isDetailed, len(s.Trials) > 0).Text(a.Stdout)
	}
	return nil
}

// onlyTrials reduces articles to the named trials and drops those that have none of them. Without names it returns
// list. An unknown trial is an error.
func onlyTrials(list []*Article, trials []string) ([]*Article, error) {
	if len(trials) == 0 {
		return list, nil
	}
	var known []string
	for _, a := range list {
		for _, e := range a.Experiments {
			known = append(known, slice.Map(e.Cells, func(c *Cell) string { return c.Name })...)
			e.Cells = slice.Filter(e.Cells, func(c *Cell) bool { return slices.Contains(trials, c.Name) })
		}
		a.Experiments = slice.Filter(a.Experiments, func(e *Experiment) bool { return len(e.Cells) > 0 })
		a.Claims = []Claim{}
	}
	for _, trial := range trials {
		if !slices.Contains(known, trial) {
			return nil, fmt.Errorf("no trial %q: %s", trial, source.Suggest(trial, known))
		}
	}
	return slice.Filter(list, func(a *Article) bool { return len(a.Experiments) > 0 }), nil
}

// report returns all metrics if the article has one experiment, or if experiments or trials are selected. Otherwise it
// returns a line for each cell.
func (a *Article) report(named, trials bool) Report {
	out := Report{a.verdicts()}
	isBrief := len(a.Experiments) > 1 && !trials && !named
	for _, e := range a.Experiments {
		switch {
		case isBrief:
			out = append(out, e.overview(a.Article))
		case trials:
			out = append(append(out, e.everything(a.Article)), e.details()...)
		default:
			out = append(out, e.everything(a.Article))
		}
	}
	if isBrief {
		out = append(out, Section{Title: "all metrics, checks and notes: benchbook show " + a.Article + "#EXPERIMENT"})
	}
	return out
}

// repetition returns the record of the selected repetition of a trial.
func repetition(list []*Article, s Selection) (*record.Record, error) {
	var all []*record.Record
	for _, article := range list {
		for _, e := range article.Experiments {
			for _, c := range e.Cells {
				all = append(all, c.cell.Records...)
			}
		}
	}
	of := slice.Filter(all, func(r *record.Record) bool { return r.Repetition == s.Repetition })
	switch len(of) {
	case 0:
		known := slice.Map(all, func(r *record.Record) string { return fmt.Sprint(r.Repetition) })
		return nil, fmt.Errorf("trial %s has no repetition %d: it has %s", s.Trials[0], s.Repetition,
			cmp.Or(strings.Join(known, ", "), "none"))
	case 1:
		return of[0], nil
	}
	return nil, fmt.Errorf("several experiments have a trial %s: name one, as in %s#%s", s.Trials[0], of[0].Article,
		of[0].Experiment)
}

// A Run describes one run of an article and its results alone.
type Run struct {
	Article     string    `json:"article"`
	Run         string    `json:"run"`
	Started     time.Time `json:"started"`
	Host        string    `json:"host"`
	Profile     string    `json:"profile"`
	Revision    string    `json:"revision"` // of the article; empty if unknown
	Repetitions int       `json:"repetitions"`
	Failed      int       `json:"failed"`
	Standing    string    `json:"standing"` // by this run alone; empty if the article no longer plans its cells
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
