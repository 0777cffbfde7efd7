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
	o := datasetOptions(project, c, host)
	o.Host = only
	return dataset.New(c.doc, records, o)
}

// datasetOptions say what records of an article are laid over, on a host.
func datasetOptions(project *article.Project, c *chosen, host string) dataset.Options {
	return dataset.Options{ThisHost: host, Plan: func(profile string) (*plan.Plan, error) {
		var problems article.Problems
		p, err := plan.New(project, c.doc, plan.Options{Profile: profile}, &problems)
		if err == nil && !problems.Empty() {
			err = errors.New(strings.TrimSpace(problems.Sorted()[0].String()))
		}
		return p, err
	}}
}

// datasets are what the records say of the articles. Those with problems are left out.
func (a *app) datasets(project *article.Project, list []*chosen) ([]*dataset.Dataset, error) {
	this, err := runner.ThisHost()
	if err != nil {
		return nil, &statusError{statusFailed, err}
	}
	var sets []*dataset.Dataset
	for _, c := range list {
		if !c.problems.Empty() || !c.doc.Problems.Empty() {
			continue
		}
		host, err := a.hostOf(project, c, this)
		if err != nil {
			return nil, &statusError{statusFailed, err}
		}
		d, err := a.dataset(project, c, host.ID, "")
		if err != nil {
			return nil, &statusError{statusFailed, fmt.Errorf("article %s: %w", c.slug, err)}
		}
		sets = append(sets, d)
	}
	return sets, nil
}

// printOutcome says what each claim came to; site is where the site was made, if it was.
func (a *app) printOutcome(sets []*dataset.Dataset, site string, asJSON bool) error {
	if !asJSON {
		for _, d := range sets {
			a.printDataset(d.Doc.Slug, d)
		}
		return nil
	}
	out := outcomeOf(sets)
	out.Site, out.Time = site, timeOf(a.spent)
	if err := printJSON(a.stdout, out); err != nil {
		return &statusError{statusFailed, err}
	}
	return nil
}

// sayOtherProfile says of articles that were measured under a profile that results of another one are shown, with the way to those
// that were asked for: a complete set of this host in full goes before quick ones.
func (a *app) sayOtherProfile(sets []*dataset.Dataset, slugs []string, profile string) {
	for _, d := range sets {
		slug := d.Doc.Slug
		mine := func(s dataset.SetName) bool { return s.Profile == profile && s.Host == d.Host }
		if slices.Contains(slugs, slug) && d.Own && d.Profile != profile && slices.ContainsFunc(d.Others, mine) {
			fmt.Fprintf(a.stderr, "%s: shown is the complete set of profile %s; benchbook show --profile %s %s shows that of %s\n",
				slug, d.Profile, profile, slug, profile)
		}
	}
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

// effectWords writes an effect with its interval.
func effectWords(e *dataset.Quantity) string {
	u := number.For(e.Unit, e.Share, e.Number)
	if e.Interval == nil {
		return u.Quantity(e.Number, u.Decimals(e.Number, math.NaN(), math.NaN())) + " (no interval)"
	}
	decimals := u.Decimals(e.Number, e.Interval.Lo, e.Interval.Hi)
	return fmt.Sprintf("%s [%s]", u.Quantity(e.Number, decimals), u.Between(e.Interval.Lo, e.Interval.Hi, decimals))
}

// because is what a verdict rests on, in one line.
func because(j *dataset.Judgement) string {
	var parts []string
	if e := j.Effect; e != nil {
		effect := effectWords(e)
		if e.What != "" {
			effect = e.What + ": " + effect
		}
		parts = append(parts, effect)
	}
	if tally := j.Tally(); tally != "" {
		parts = append(parts, tally)
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
