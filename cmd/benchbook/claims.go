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
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/render/number"
	"benchbook/runner/machines"
)

// dataset lays the records of an article over its plans: what the page shows. host is this machine, only the one whose results
// are wanted, if any.
func shownDataset(a *session, project *article.Project, c *chosen, host, only string) (*dataset.Dataset, error) {
	records, bad, err := a.records(project, c)
	if err != nil {
		return nil, err
	}
	o := datasetOptions(project, c, host)
	o.Bad = bad
	return datasetOf(c, records, o, only)
}

// records reads the records of an article. Files that are none are named and given apart.
func (a *session) records(project *article.Project, c *chosen) (records []*record.Record, bad []record.Bad, err error) {
	records, bad, err = record.Dir(project.RecordsDir(c.slug)).Read()
	a.sayBad(bad)
	return records, bad, err
}

// sayBad names files that are no records: each once, however often they are read, and those of one reason together.
func (a *session) sayBad(bad []record.Bad) {
	a.saying.Lock()
	defer a.saying.Unlock()
	if a.said == nil {
		a.said = map[string]bool{}
	}
	var reasons []string
	paths := map[string][]string{}
	for _, b := range bad {
		reason := errorText(b.Err)
		if a.said[b.Path+": "+reason] {
			continue
		}
		a.said[b.Path+": "+reason] = true
		if paths[reason] == nil {
			reasons = append(reasons, reason)
		}
		paths[reason] = append(paths[reason], b.Path)
	}
	for _, reason := range reasons {
		if list := paths[reason]; len(list) > fewFiles {
			fmt.Fprintf(a.stderr, "left out: %d files, such as %s: %s\n", len(list), list[0], reason)
			continue
		}
		for _, path := range paths[reason] {
			fmt.Fprintf(a.stderr, "left out: %s: %s\n", path, reason)
		}
	}
}

// fewFiles is how many files that are left out for one reason are named.
const fewFiles = 3

// datasetOf lays records over the plans of an article: those of a host, if one is given.
func datasetOf(c *chosen, records []*record.Record, o dataset.Options, only string) (*dataset.Dataset, error) {
	o.Host = only
	return dataset.New(c.doc, records, o)
}

// datasetOptions say what records of an article are laid over, on a host. Each profile is planned once.
func datasetOptions(project *article.Project, c *chosen, host string) dataset.Options {
	type planned struct {
		plan *plan.Plan
		err  error
	}
	known := map[string]planned{}
	if c.planned != nil {
		known[plan.Full] = planned{c.planned, nil}
	}
	return dataset.Options{ThisHost: host, Plan: func(profile string) (*plan.Plan, error) {
		if p, ok := known[profile]; ok {
			return p.plan, p.err
		}
		var problems source.Problems
		p, err := plan.New(project, c.doc, plan.Options{Profile: profile}, &problems)
		if err == nil && !problems.Empty() {
			err = errors.New(strings.TrimSpace(problems.Sorted()[0].String()))
		}
		known[profile] = planned{p, err}
		return p, err
	}}
}

// outcomes are what the records say of the articles: those of this host in a profile, where there are some, or else those that the page shows.
// Articles with problems are left out.
func outcomesOf(a *session, project *article.Project, list []*chosen, profile string, asJSON bool) ([]*articleOutcome, error) {
	this, err := machines.ThisHost()
	if err != nil {
		return nil, failure(err)
	}
	var out []*articleOutcome
	for _, c := range list {
		if !c.problems.Empty() || !c.doc.Problems.Empty() {
			continue
		}
		host, err := a.hostOf(project, c, this)
		if err != nil {
			return nil, failure(err)
		}
		d, err := outcomeDataset(a, project, c, host.ID, profile)
		if err != nil {
			return nil, failure(fmt.Errorf("article %s: %w", c.slug, err))
		}
		out = append(out, outcomeOf(d, asJSON))
	}
	return out, nil
}

// outcomeSet is the set of records that a run in a profile is about.
func outcomeDataset(a *session, project *article.Project, c *chosen, host, profile string) (*dataset.Dataset, error) {
	records, bad, err := a.records(project, c)
	if err != nil {
		return nil, err
	}
	o := datasetOptions(project, c, host)
	o.Bad = bad
	shown, err := dataset.New(c.doc, records, o)
	mine := dataset.SetName{Host: host, Profile: profile}
	isMine := func(s dataset.SetName) bool { return s.Host == mine.Host && s.Profile == mine.Profile }
	if err != nil || !slices.ContainsFunc(shown.Others, isMine) {
		return shown, err
	}
	fmt.Fprintf(a.stderr, "%s: this is of profile %s; pages show the set of profile %s, host %s\n", c.slug, profile, shown.Profile, shown.Host)
	o.Profile, o.Host = profile, host
	return dataset.New(c.doc, records, o)
}

// printOutcome says what each claim came to; site is where the site was made, if it was.
func printOutcome(a *session, outcomes []*articleOutcome, site string, asJSON bool) error {
	out := outcomeJSON{Articles: []articleOutcomeJSON{}, Site: site, Time: timeOf(a.spent)}
	for _, o := range outcomes {
		if !asJSON {
			fmt.Fprint(a.stdout, o.words)
		}
		out.Articles = append(out.Articles, o.data)
	}
	if !asJSON {
		return nil
	}
	return printJSON(a.stdout, out)
}

// sayOtherProfile says of articles that were measured under a profile that results of another one are shown, with the way to those
// that were asked for: a complete set of this host in full goes before quick ones.
func sayOtherProfile(a *session, outcomes []*articleOutcome, slugs []string, profile string) {
	for _, o := range outcomes {
		slug, shown := o.data.Article, o.data.Profile
		mine := func(s dataset.SetName) bool { return s.Profile == profile && s.Host == o.data.Host }
		if slices.Contains(slugs, slug) && o.data.Own && shown != profile && slices.ContainsFunc(o.others, mine) {
			fmt.Fprintf(a.stderr, "%s: shown is the complete set of profile %s; benchbook show --profile %s %s shows that of %s\n",
				slug, shown, profile, slug, profile)
		}
	}
}

// datasetWords say what each claim came to, a line to each.
func datasetWords(d *dataset.Dataset) string {
	var b strings.Builder
	standing, reason := d.Standing()
	where := fmt.Sprintf("profile %s, host %s", d.Profile, d.Host)
	if !d.Own {
		where += ", not this one"
		if d.Host == record.ImportedHost {
			where = "profile " + d.Profile + ", imported, not measured"
		}
	}
	fmt.Fprintf(&b, "%s: %s (%s)\n", d.Doc.Slug, standing, where)
	if reason != "" {
		fmt.Fprintf(&b, "  %s\n", reason)
	}
	width := 0
	for _, j := range d.Judgements() {
		width = max(width, len(j.Claim.Name.Value))
	}
	for _, j := range d.Judgements() {
		fmt.Fprintf(&b, "  %-12s  %-*s  %s\n", j.Verdict, width, j.Claim.Name.Value, because(&j))
	}
	return b.String()
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
