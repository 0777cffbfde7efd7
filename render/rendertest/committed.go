package rendertest

import (
	"slices"
	"testing"
	"time"

	"benchbook/notebook/dataset"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Committed returns what the committed records of the full profile say of an article of the project in the folder root.
func Committed(t testing.TB, root, slug string) *dataset.Dataset {
	t.Helper()
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := project.Article(slug)
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := record.Dir(project.RecordsDir(slug)).Read()
	if err != nil {
		t.Fatal(err)
	}
	record.Check(records, time.Now())
	records = slices.DeleteFunc(records, func(r *record.Record) bool { return r.Profile != plan.Full })
	d, err := dataset.New(doc, records, dataset.Options{Plan: func(profile string) (*plan.Plan, error) {
		return plan.New(project, doc, plan.Options{Profile: profile}, &source.Problems{})
	}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
