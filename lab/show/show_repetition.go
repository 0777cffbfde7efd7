package show

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/render/wording"
)

func showRepetition(a *lab.Session, list []ShowJSON, flags Selection, format string) error {
	var found []*record.Record
	var metrics []record.Metric
	var known []string
	var added []plan.Metric
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				for _, r := range c.cell.Records {
					known = append(known, fmt.Sprint(r.Repetition))
					if r.Repetition == flags.Repetition {
						found, metrics, added = append(found, r), e.metrics, c.cell.Experiment.Plan.Metrics
					}
				}
			}
		}
	}
	switch {
	case len(found) == 0 && len(known) == 0:
		return lab.UsageError(fmt.Errorf("trial %s has no repetitions: it was not measured", flags.Trials[0]))
	case len(found) == 0:
		return lab.UsageError(fmt.Errorf("trial %s has no repetition %d: it has %s", flags.Trials[0], flags.Repetition,
			strings.Join(known, ", ")))
	case len(found) > 1:
		return lab.UsageError(fmt.Errorf("several experiments have a trial %s: name one, as in %s#%s", flags.Trials[0],
			found[0].Article, found[0].Experiment))
	}
	one := oneOf(found[0], metrics, added)
	var err error
	switch format {
	case FormatJSON:
		err = lab.PrintJSON(a.Stdout, one)
	case FormatCSV:
		rows := [][]string{{"metric", "unit", "value", "missing"}}
		for _, v := range one.Values {
			rows = append(rows, []string{v.Metric, v.Unit, terminal.Exact(v.Value), v.Missing})
		}
		err = terminal.PrintCSV(a.Stdout, rows)
	default:
		printOneText(a, &one)
	}
	if err != nil {
		return lab.Failure(err)
	}
	return nil
}

// oneOf says what a repetition is worth: its metrics, those of the experiment first and then its other samples, and its
// checks. Added are the metrics that the experiment adds.
func oneOf(r *record.Record, metrics []record.Metric, added []plan.Metric) oneJSON {
	level, checks := validity.Of(r)
	out := oneJSON{Path: r.Path(), Validity: level.String(), Checks: showChecks(checks), Values: []shownValue{},
		Limited: validity.LimitOf(r).By, Record: r}
	for _, s := range r.Samples {
		if slices.ContainsFunc(metrics, func(m record.Metric) bool { return m.Name == s.Metric }) {
			continue
		}
		m, ok := record.LookupMetric(s.Metric)
		if !ok {
			m = record.Metric{Name: s.Metric, Unit: s.Unit}
		}
		metrics = append(slices.Clip(metrics), m)
	}
	// what was looked for and not found, which there is no sample of
	for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
		if !slices.ContainsFunc(metrics, func(m record.Metric) bool { return m.Name == name }) {
			metrics = append(slices.Clip(metrics), record.Metric{Name: name})
		}
	}
	for _, m := range metrics {
		v := shownValue{Metric: m.Name, Unit: m.Unit, metric: m}
		value, missing := dataset.Value(r, m.Name, added)
		if v.Missing = missing; missing == "" {
			v.Value = terminal.Finite(value)
		}
		out.Values = append(out.Values, v)
	}
	return out
}

func (o *oneJSON) title() string {
	r := o.Record
	return fmt.Sprintf("%s#%s %s, repetition %d of %d: %s", r.Article, r.Experiment, r.Trial, r.Repetition, r.Planned,
		o.Validity)
}

// A section is a part of a record, as rows of two or three columns.
type section struct {
	title string
	rows  [][]string
}

// sections returns the parts of a record that people look at; JSON has the whole record.
func (o *oneJSON) sections() []section {
	r := o.Record
	about := [][]string{{"run", r.Run}, {"host", r.Host}, {"profile", r.Profile}, {"key", r.Key},
		{"started", r.Started.UTC().Format("2006-01-02 15:04:05.000")},
		{"ended", r.Ended.UTC().Format("2006-01-02 15:04:05.000")},
		{"order", fmt.Sprintf("round %d, %d of %d, seed %d", r.Order.Round, r.Order.Position, r.Order.Of, r.Order.Seed)}}
	if r.Order.Replaces > 0 {
		about = append(about, []string{"replaces", fmt.Sprintf("repetition %d, because other programs or virtual "+
			"machines took CPU time", r.Order.Replaces)})
	}
	for _, p := range slices.Concat(r.Parameters, r.Labels) {
		about = append(about, []string{p.Name, p.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Parts)) {
		u := wording.UnitFor("s", false, r.Parts[name])
		about = append(about, []string{"time to " + name, u.Alone(r.Parts[name])})
	}
	if limit := wording.Limit(validity.LimitOf(r)); limit != "" {
		about = append(about, []string{"limited by", limit})
	}
	about = append(about, []string{"record", o.Path})
	var checks, metrics, facts [][]string
	for _, c := range o.Checks {
		checks = append(checks, []string{c.Check, c.Level, c.Words})
	}
	for _, v := range o.Values {
		words := v.Missing
		if v.Value != nil {
			u := wording.UnitFor(v.metric.Unit, v.metric.Share, *v.Value)
			words = u.Alone(*v.Value)
		}
		metrics = append(metrics, []string{v.Metric, words, terminal.Exact(v.Value)})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		for i, line := range strings.Split(strings.TrimSpace(r.Facts[name]), "\n") {
			if i > 0 {
				name = ""
			}
			facts = append(facts, []string{name, line})
		}
	}
	out := []section{{"the repetition", about}, {"checks", checks}, {"metrics", metrics}, {"facts", facts}}
	return slices.DeleteFunc(out, func(s section) bool { return len(s.rows) == 0 })
}

func printOneText(a *lab.Session, o *oneJSON) {
	fmt.Fprintln(a.Stdout, o.title())
	if o.Record.Failure != "" {
		fmt.Fprintf(a.Stdout, "  %s\n", o.Record.Failure)
	}
	for _, s := range o.sections() {
		fmt.Fprintf(a.Stdout, "\n%s\n", s.title)
		terminal.PrintColumns(a.Stdout, "  ", s.rows)
	}
	if o.Record.Log != "" {
		fmt.Fprintf(a.Stdout, "\nwhat was written\n%s\n", strings.TrimRight(o.Record.Log, "\n"))
	}
}
