package rendertest

import (
	"slices"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Committed returns what the committed records of the full profile say of an article of the project in the folder root.
func Committed(t testing.TB, root, slug string) *dataset.Dataset {
	t.Helper()
	project := must.Get(article.OpenProject(root))
	doc := must.Get(project.Article(slug))
	records, _ := must.Two(record.Dir(project.RecordsDir(slug)).Read())
	record.Check(records, time.Now())
	records = slices.DeleteFunc(records, func(r *record.Record) bool { return r.Profile != plan.Full })
	return must.Get(dataset.New(doc, records, dataset.Options{Plan: func(profile string) (*plan.Plan, error) {
		return plan.New(project, doc, plan.Options{Profile: profile}, &source.Problems{})
	}}))
}
