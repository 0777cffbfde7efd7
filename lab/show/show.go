// Package show prints what was measured, how it compares, and what a run would do: as text, CSV or JSON.
package show

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render/wording"
	"benchbook/runner/machine"
)

// Formats of show and compare.
const (
	FormatText     = "text"
	FormatMarkdown = "md"
	FormatCSV      = "csv"
	FormatJSON     = "json"
	FormatBenchfmt = "benchfmt" // of Go's benchmarks, for benchstat
)

// A Selection chooses records, and trials of them; empty fields choose all.
type Selection struct {
	Run, Host, Profile string
	Trials             []string
	Repetition         int
}

// Select returns the named articles with the selected records. It does not look at Trials.
func Select(a *lab.Session, args []string, flags Selection) ([]*Article, error) {
	project, list, _, err := a.SelectPlanned(args, plan.Options{}, "articles with problems are not shown")
	if err != nil {
		return nil, err
	}
	this, err := machine.Here()
	if err != nil {
		return nil, lab.Failure(err)
	}
	var out []*Article
	for _, c := range list {
		records, o, err := a.Lay(project, c, this)
		if err != nil {
			return nil, lab.Failure(err)
		}
		wanted := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return !flags.wants(r) })
		if len(wanted) == 0 && cmp.Or(flags.Run, flags.Host, flags.Profile) != "" {
			if len(list) > 1 {
				continue // another article may have some
			}
			return nil, lab.UsageError(flags.nothing(c.Slug, records))
		}
		d, err := dataset.New(c.Doc, wanted, o)
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
		}
		out = append(out, Full(c, d))
	}
	if len(out) == 0 {
		return nil, lab.UsageError(errors.New("no article has such records: leave out --run, --host or --profile"))
	}
	return out, nil
}

// wants reports whether a record is selected.
func (f *Selection) wants(r *record.Record) bool {
	return (f.Run == "" || r.Run == f.Run) && (f.Host == "" || r.Host == f.Host) && (f.Profile == "" ||
		r.Profile == f.Profile)
}

// nothing is the error of a selection without records.
func (f *Selection) nothing(slug string, records []*record.Record) error {
	var words []string
	for _, k := range []struct {
		flag, wanted string
		field        func(*record.Record) string
	}{{"run", f.Run, lab.RecordRun}, {"host", f.Host, lab.RecordHost}, {"profile", f.Profile, lab.RecordProfile}} {
		if k.wanted == "" {
			continue
		}
		known := map[string]bool{}
		for _, r := range records {
			known[k.field(r)] = true
		}
		if !known[k.wanted] {
			return fmt.Errorf("no records of article %s with --%s %s: %s", slug, k.flag, k.wanted,
				cmp.Or(source.Suggest(k.wanted, slices.Sorted(maps.Keys(known))), "it has none"))
		}
		words = append(words, fmt.Sprintf("--%s %s", k.flag, k.wanted))
	}
	return fmt.Errorf("no records of article %s with %s together", slug, strings.Join(words, " and "))
}

// Full is NewArticle with its experiments. If experiments are named, others are left out, with their claims.
func Full(c *lab.Article, d *dataset.Dataset) *Article {
	out := NewArticle(d)
	for _, e := range d.Experiments {
		if c.Wants(e.Plan.Name) {
			out.Experiments = append(out.Experiments, newExperiment(d, e))
		}
	}
	if len(c.Experiments) > 0 {
		named := map[string]bool{}
		for _, declared := range c.Doc.Claims {
			named[declared.Name.Value] = concerns(declared, c.Experiments)
		}
		out.Claims = slices.DeleteFunc(out.Claims, func(shown Claim) bool { return !named[shown.Claim] })
	}
	return out
}

// concerns reports whether a claim names one of some experiments, or none at all.
func concerns(c *article.Claim, experiments []string) bool {
	named := []string{}
	if c.Experiment.Value != "" {
		named = append(named, c.Experiment.Value)
	}
	if c.Expect.Node != nil {
		for _, s := range expr.Selectors(c.Expect.Node) {
			for _, m := range s.Matches {
				if m.Name == "experiment" {
					named = append(named, m.Value)
				}
			}
		}
	}
	return len(named) == 0 || slices.ContainsFunc(named, func(name string) bool {
		return slices.Contains(experiments, name)
	})
}

// Show prints the selected results in a format.
func Show(a *lab.Session, args []string, flags Selection, format string) error {
	list, err := Select(a, args, flags)
	if err != nil {
		return err
	}
	if len(flags.Trials) > 0 {
		if err := onlyTrials(list, flags.Trials); err != nil {
			return lab.UsageError(err)
		}
	}
	if flags.Repetition != 0 {
		return showRepetition(a, list, flags, format)
	}
	switch format {
	case FormatJSON:
		return lab.PrintJSON(a.Stdout, list)
	case FormatCSV:
		return cellTable(list).CSV(a.Stdout)
	case FormatBenchfmt:
		return benchfmt(a.Stdout, list)
	}
	if len(list) > 1 && !slices.ContainsFunc(args, func(name string) bool { return strings.Contains(name, "#") }) {
		overview(list).Text(a.Stdout)
		return nil
	}
	for i, s := range list {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		s.report(args, len(flags.Trials) > 0).Text(a.Stdout)
	}
	return nil
}

// onlyTrials leaves trials in list. A name without a trial is an error.
func onlyTrials(list []*Article, trials []string) error {
	var known []string
	for _, s := range list {
		for k := range s.Experiments {
			e := &s.Experiments[k]
			for _, c := range e.Cells {
				known = append(known, c.Trial)
			}
			e.Cells = slices.DeleteFunc(e.Cells, func(c Cell) bool { return !slices.Contains(trials, c.Trial) })
		}
		s.Experiments = slices.DeleteFunc(s.Experiments, func(e Experiment) bool { return len(e.Cells) == 0 })
		s.Claims = []Claim{}
	}
	for _, trial := range trials {
		if !slices.Contains(known, trial) {
			return fmt.Errorf("no trial %q: %s", trial, source.Suggest(trial, known))
		}
	}
	return nil
}

// overview has a line for each article.
func overview(list []*Article) Report {
	rows := slice.Map(list, func(s *Article) []string {
		return []string{s.Article, s.standing(), tally(s.Claims), s.Profile, s.host()}
	})
	return Report{{Table: Table{Head: []string{"article", "standing", "claims", "profile", "host"}, Rows: rows}},
		{Lines: []string{"more of one: benchbook show ARTICLE, or ARTICLE#EXPERIMENT"}}}
}

// report has all metrics of an article with one experiment, of named experiments and of selected trials. Otherwise it
// has a line for each cell.
func (a *Article) report(args []string, trials bool) Report {
	out := Report{{Title: a.head(), Lines: a.below()}}
	if len(a.Claims) > 0 {
		out = append(out, Section{Title: "claims of " + a.Article,
			Table: Table{Rows: claimRows(a.Claims, func(c *Claim) string { return c.Because })}})
	}
	brief := len(a.Experiments) > 1 && !trials &&
		!slices.ContainsFunc(args, func(name string) bool { return strings.Contains(name, "#") })
	for i := range a.Experiments {
		e := &a.Experiments[i]
		if brief {
			out = append(out, e.overview(a.Article))
			continue
		}
		out = append(out, e.section(a.Article))
		if !trials {
			continue
		}
		columns := e.columns()
		for k := range e.Cells {
			c := &e.Cells[k]
			if limit := wording.Limit(c.cell.Validity().LimitedBy()); limit != "" {
				out[len(out)-1].Notes = append(out[len(out)-1].Notes, c.Trial+": limited by "+limit)
			}
			if c.cell.Trial.Capacity == nil && len(c.Repetitions) > 0 {
				out = append(out, c.repetitions(columns))
			}
			for _, found := range c.Searches {
				out = append(out, searchSection(found))
			}
		}
	}
	if brief {
		out = append(out, Section{Title: "all metrics, checks and notes: benchbook show " + a.Article + "#EXPERIMENT"})
	}
	return out
}

// showRepetition prints one record of a trial.
func showRepetition(a *lab.Session, list []*Article, flags Selection, format string) error {
	var found []One
	var known []string
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				for _, r := range c.cell.Records {
					known = append(known, fmt.Sprint(r.Repetition))
					if r.Repetition == flags.Repetition {
						found = append(found, newOne(r, c.cell))
					}
				}
			}
		}
	}
	switch {
	case len(known) == 0:
		return lab.UsageError(fmt.Errorf("trial %s has no repetitions: it was not measured", flags.Trials[0]))
	case len(found) == 0:
		return lab.UsageError(fmt.Errorf("trial %s has no repetition %d: it has %s", flags.Trials[0], flags.Repetition,
			strings.Join(known, ", ")))
	case len(found) > 1:
		r := found[0].Record
		return lab.UsageError(fmt.Errorf("several experiments have a trial %s: name one, as in %s#%s", flags.Trials[0],
			r.Article, r.Experiment))
	}
	one := &found[0]
	switch format {
	case FormatJSON:
		return lab.PrintJSON(a.Stdout, one)
	case FormatCSV:
		t := Table{Head: []string{"metric", "unit", "value", "missing"}}
		for _, v := range one.Values {
			t.Rows = append(t.Rows, []string{v.Metric, v.Unit, exact(v.Value), v.Missing})
		}
		return t.CSV(a.Stdout)
	}
	one.report().Text(a.Stdout)
	return nil
}
