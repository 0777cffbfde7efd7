package lab

import (
	"errors"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// DatasetOptions returns options for a dataset of an article; host counts as this machine. Plans are cached by profile.
func DatasetOptions(project *article.Project, c *Article, host string) dataset.Options {
	type planned struct {
		plan *plan.Plan
		err  error
	}
	var known slice.Memo[string, planned]
	answers := func(d *dataset.Dataset) bool {
		return slices.ContainsFunc(d.Doc.Claims, func(c *article.Claim) bool { return c.Headline && claim.IsDecided(d, c) })
	}
	return dataset.Options{ThisHost: host, Answers: answers, Plan: func(profile string) (*plan.Plan, error) {
		p := known.Get(profile, func() planned {
			if c.Planned != nil && c.Planned.Profile == profile {
				whole := *c.Planned
				whole.Experiments = whole.All
				return planned{&whole, nil}
			}
			var problems source.Problems
			p, err := plan.New(project, c.Doc, plan.Options{Profile: profile}, &problems)
			if err == nil && !problems.Empty() {
				err = errors.New(strings.TrimSpace(problems.Sorted()[0].String()))
			}
			return planned{p, err}
		})
		return p.plan, p.err
	}}
}

// RecordRun, RecordHost and RecordProfile return the fields that records are selected by.
func RecordRun(r *record.Record) string { return r.Run }

func RecordHost(r *record.Record) string { return r.Host }

func RecordProfile(r *record.Record) string { return r.Profile }

// BoolToInt returns 1 for true, 0 for false.
func BoolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
