package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/number"
	"benchbook/runner"
)

// dataset lays the records of an article over its plans: what the page shows. host is this machine, only the one whose results
// are wanted, if any.
func (a *app) dataset(project *article.Project, c *chosen, host, only string) (*dataset.Dataset, error) {
	records, err := a.records(project, c)
	if err != nil {
		return nil, err
	}
	return datasetOf(project, c, records, host, only)
}

// records reads the records of an article. Files that are none are named and left out.
func (a *app) records(project *article.Project, c *chosen) ([]*record.Record, error) {
	records, bad, err := record.Dir(project.RecordsDir(c.slug)).Read()
	if err != nil {
		return nil, err
	}
	a.sayBad(bad)
	return records, nil
}

func (a *app) sayBad(bad []record.Bad) {
	for _, b := range bad {
		fmt.Fprintf(a.stderr, "left out: %s: %v\n", b.Path, b.Err)
	}
}

// datasetOf lays records over the plans of an article.
func datasetOf(project *article.Project, c *chosen, records []*record.Record, host, only string) (*dataset.Dataset, error) {
	return dataset.New(c.doc, records, dataset.Options{ThisHost: host, Host: only, Plan: func(profile string) (*plan.Plan, error) {
		var problems article.Problems
		p, err := plan.New(project, c.doc, plan.Options{Profile: profile}, &problems)
		if err == nil && !problems.Empty() {
			err = errors.New(strings.TrimSpace(problems.Sorted()[0].String()))
		}
		return p, err
	}})
}

// printClaims says what each claim of the articles came to. Articles with problems are left out.
func (a *app) printClaims(project *article.Project, list []*chosen) error {
	host, err := runner.ThisHost()
	if err != nil {
		return &statusError{statusFailed, err}
	}
	for _, c := range list {
		if !c.problems.Empty() || !c.doc.Problems.Empty() {
			continue
		}
		d, err := a.dataset(project, c, host.ID, "")
		if err != nil {
			return &statusError{statusFailed, fmt.Errorf("article %s: %w", c.slug, err)}
		}
		a.printDataset(c.slug, d)
	}
	return nil
}

func (a *app) printDataset(slug string, d *dataset.Dataset) {
	standing, reason := d.Standing()
	where := fmt.Sprintf("profile %s, host %s", d.Profile, d.Host)
	if !d.Own {
		where += ", not this one"
		if d.Host == record.ImportedHost {
			where = "profile " + d.Profile + ", imported, not measured"
		}
	}
	fmt.Fprintf(a.stdout, "%s: %s (%s)\n", slug, standing, where)
	if reason != "" {
		fmt.Fprintf(a.stdout, "  %s\n", reason)
	}
	width := 0
	for _, j := range d.Judgements() {
		width = max(width, len(j.Claim.Name.Value))
	}
	for _, j := range d.Judgements() {
		fmt.Fprintf(a.stdout, "  %-12s  %-*s  %s\n", j.Verdict, width, j.Claim.Name.Value, because(&j))
	}
}

// because is what a verdict rests on, in one line.
func because(j *dataset.Judgement) string {
	var parts []string
	if e := j.Effect; e != nil {
		u := number.For(e.Unit, e.Share, e.Number)
		effect := u.Quantity(e.Number, u.Decimals(e.Number, math.NaN(), math.NaN())) + " (no interval)"
		if e.Interval != nil {
			decimals := u.Decimals(e.Number, e.Interval.Lo, e.Interval.Hi)
			effect = fmt.Sprintf("%s [%s]", u.Quantity(e.Number, decimals), u.Between(e.Interval.Lo, e.Interval.Hi, decimals))
		}
		if e.What != "" {
			effect = e.What + ": " + effect
		}
		parts = append(parts, effect)
	}
	if j.Reason != "" {
		parts = append(parts, j.Reason)
	}
	if j.Needed > stats.MaxRepetitions {
		parts = append(parts, fmt.Sprintf("more than %d repetitions would have an even chance to decide it", stats.MaxRepetitions))
	} else if j.Needed > 0 {
		parts = append(parts, fmt.Sprintf("about %d repetitions would have an even chance to decide it", j.Needed))
	}
	marks := slices.Clone(j.Marks)
	if j.Invalid {
		marks = append(marks, "rests on a number that is not valid")
	}
	return strings.Join(append(parts, marks...), "; ")
}
