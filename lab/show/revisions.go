package show

import (
	"errors"
	"fmt"
	"slices"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Revisions are two revisions of a project that are measured together.
type Revisions struct {
	Project     *article.Project
	Articles    []*lab.Article
	Profile     string
	Repetitions string // as in articles; empty for theirs
	A, B        plan.Revision
	compare.ChangeOptions

	// SameBuilds are the experiments, as SLUG#NAME, whose builds are the same in both revisions.
	SameBuilds map[string]bool
}

// sides returns both revisions of an article, in one set of records.
func (r *Revisions) sides(l *lab.Article, p *plan.Plan, records []*record.Record, host string) (compare.Sides, error) {
	d, err := dataset.New(l.Doc, records, dataset.Options{ThisHost: host, Plan: func(string) (*plan.Plan, error) {
		return p, nil
	}})
	return compare.Sides{A: d, B: d, Experiments: l.Experiments, Axis: plan.RevisionAxis, From: r.A.Name,
		To: r.B.Name}, err
}

// Open returns a function that picks the trials whose change is undecided, for runner.Options.
func (r *Revisions) Open(l *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
	return func(records []*record.Record) map[string][]string {
		s, err := r.sides(l, p, records, host)
		if err != nil { // cannot happen with a plan and a host
			return nil
		}
		open, _ := compare.Open(s, r.ChangeOptions) // Compare returns the error of an unknown metric too
		return open
	}
}

// plan plans an article, without the experiments that are the same in both revisions.
func (r *Revisions) plan(l *lab.Article) (*plan.Plan, error) {
	var problems source.Problems
	p, err := plan.New(r.Project, l.Doc, plan.Options{Profile: r.Profile, Repetitions: r.Repetitions,
		Revisions: []plan.Revision{r.A, r.B}}, &problems)
	if err != nil {
		return nil, lab.Failure(err)
	}
	l.KeepExperiments(p)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		return e.Skipped != "" || r.SameBuilds[l.Slug+"#"+e.Name]
	})
	return p, nil
}

// Same reports whether nothing that is measured differs between the revisions.
func (r *Revisions) Same() (bool, error) {
	for _, l := range r.Articles {
		if p, err := r.plan(l); err != nil || len(p.Experiments) > 0 {
			return false, err
		}
	}
	return true, nil
}

// Comparison returns a comparison of the revisions without cells.
func (r *Revisions) Comparison() *Comparison {
	return &Comparison{A: Side{Kind: kindRevision, Name: r.A.Name, Commit: r.A.Commit},
		B: Side{Kind: kindRevision, Name: r.B.Name, Commit: r.B.Commit}, Changes: []Change{},
		Differences: []compare.Difference{}, LeftOut: []string{}}
}

// Compare compares the revisions by their records. The comparison is nil if no cell differs.
func (r *Revisions) Compare(a *lab.Session) (*Comparison, error) {
	c := r.Comparison()
	var sides []compare.Sides
	measured := 0
	for _, l := range r.Articles {
		p, err := r.plan(l)
		if err != nil {
			return nil, err
		}
		if len(p.Experiments) == 0 {
			continue
		}
		host, err := a.HostOf(r.Project, l)
		if err != nil {
			return nil, lab.Failure(err)
		}
		records, _, err := a.Records(r.Project, l)
		if err != nil {
			return nil, lab.Failure(err)
		}
		records = p.RecordsOf(nil, records, host.ID)
		measured += len(records)
		s, err := r.sides(l, p, records, host.ID)
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", l.Slug, err))
		}
		sides = append(sides, s)
		set := newCompared(l.Slug, s.A)
		c.A.Sets, c.B.Sets = append(c.A.Sets, set), append(c.B.Sets, set)
	}
	switch {
	case len(sides) == 0:
		return nil, nil
	case measured == 0:
		return nil, lab.Failure(errors.New("nothing was measured"))
	}
	return c, c.compare(sides, r.ChangeOptions)
}
