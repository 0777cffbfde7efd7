// Package rendertest makes datasets with invented records, for tests of pages, tables and figures.
package rendertest

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// Host is the host in all records.
const Host = "c8-0a1b2c"

// Revision is the revision of the article in all records.
const Revision = "5b605583d0d9"

// Bench is an article in its own project, with records made for it.
type Bench struct {
	Doc     *article.Document
	Records []*record.Record

	t       testing.TB
	project *article.Project
	slug    string
	planned map[string]*plan.Plan // by profile: a cache for the method plan
}

// New puts an article into a new project and reads it. It fails the test if the article has problems.
func New(t testing.TB, slug string, text []byte) *Bench {
	t.Helper()
	return WithFiles(t, slug, text, nil)
}

// WithFiles is like New for an article with files in its folder.
func WithFiles(t testing.TB, slug string, text []byte, files map[string]string) *Bench {
	t.Helper()
	b := read(t, slug, text, files)
	for _, p := range b.Doc.Problems.Sorted() {
		t.Fatalf("the article has a problem: %v", p)
	}
	return b
}

// read is like WithFiles for an article that may have problems.
func read(t testing.TB, slug string, text []byte, files map[string]string) *Bench {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", slug)
	must.Write(filepath.Join(root, article.ProjectFile), "")
	must.Write(filepath.Join(dir, article.FileName), string(text))
	for name, data := range files {
		must.Write(filepath.Join(dir, filepath.FromSlash(name)), data)
	}
	project := must.Get(article.OpenProject(root))
	doc := must.Get(project.Article(slug))
	return &Bench{Doc: doc, t: t, project: project, slug: slug, planned: map[string]*plan.Plan{}}
}

// Dir returns the folder of the article.
func (b *Bench) Dir() string { return b.project.ArticleDir(b.slug) }

// plan returns the plan of a profile. It caches plans, as planning takes longer than making records or datasets.
func (b *Bench) plan(profile string) (*plan.Plan, error) {
	if p := b.planned[profile]; p != nil {
		return p, nil
	}
	var problems source.Problems
	p, err := plan.New(b.project, b.Doc, plan.Options{Profile: profile}, &problems)
	for _, problem := range problems.Sorted() {
		return nil, fmt.Errorf("the plan has a problem: %v", problem)
	}
	b.planned[profile] = p
	return p, err
}

// Dataset returns the dataset of the records, as seen on Host.
func (b *Bench) Dataset() *dataset.Dataset {
	b.t.Helper()
	return must.Get(dataset.New(b.Doc, b.Records, dataset.Options{ThisHost: Host, Plan: b.plan}))
}

// In returns a change that moves a record to another run, which began on a day of November 2026 at ten.
func In(run string, day int) func(*record.Record) {
	return func(r *record.Record) {
		later := time.Date(2026, 11, day, 10, 0, 0, 0, time.UTC).Sub(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
		r.Run, r.Started, r.Ended = run, r.Started.Add(later), r.Ended.Add(later)
	}
}

// Measure adds a record of a trial for each throughput, in answers per second; the trial "again" is the A/A copy. Each
// is of ten seconds in which every connection has one request under way. Changes are applied to each record.
func (b *Bench) Measure(profile, experiment, trial string, throughputs []float64, changes ...func(*record.Record)) {
	b.t.Helper()
	for i, x := range throughputs {
		r := b.record(profile, experiment, trial, i)
		r.Repetition, r.Order.Round = i+1, i+1
		b.load(r, x)
		for _, change := range changes {
			change(r)
		}
		b.Records = append(b.Records, r)
	}
}

// Search adds the record of a search before the repetitions of a trial. Changes are as for Measure.
func (b *Bench) Search(profile, experiment, trial string, s record.Search, changes ...func(*record.Record)) {
	b.t.Helper()
	r := b.record(profile, experiment, trial, 0)
	r.Search = &s
	for _, change := range changes {
		change(r)
	}
	b.Records = append(b.Records, r)
}

// record returns what records of a trial have in common. after counts the repetitions before it.
func (b *Bench) record(profile, experiment, trial string, after int) *record.Record {
	b.t.Helper()
	for _, e := range must.Get(b.plan(profile)).Experiments {
		for k, t := range e.Trials {
			if e.Name != experiment || t.Name != trial && (trial != "again" || !t.Calibration) {
				continue
			}
			started := time.Date(2026, 11, 20, 10, 3*after, 20*k, 0, time.UTC)
			return &record.Record{SchemaVersion: record.SchemaVersion, Article: b.slug, Experiment: e.Name, Trial: t.Name,
				Key: t.Key, Run: "20261120T100000Z-test", Plan: e.Digest, Profile: profile, Host: Host,
				Planned: e.Most(), Looks: e.Looks, Calibration: t.Calibration, Parameters: slices.Clone(t.Parameters),
				Labels:  slices.Clone(t.Labels),
				Order:   record.Order{Seed: e.Seed},
				Started: started, Ended: started.Add(13 * time.Second), Definition: slices.Clone(t.Definition),
				Inputs: slices.Clone(t.Inputs),
				Facts: map[string]string{"host.cpu": "Sample CPU", "host.cores": "8 logical, 4 physical",
					"host.siblings": "0,4; 1,5; 2,6; 3,7", "host.memory": "32 GiB",
					"host.kernel": "6.1.0", record.FactRevision: Revision, "placement.services": "0-2", "placement.load": "3",
					"image.server":    "sha256:3c1f5d9e0b7a4c2d8e6f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d90ab",
					"base.server":     "debian:bookworm-slim sha256:aa07c2d8e6f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70811114e",
					"packages.server": "python3 3.11.2-1+b1\nlibc6 2.36-9"},
			}
		}
	}
	b.t.Fatalf("no trial %q in experiment %q", trial, experiment)
	return nil
}

// Fails returns a change that makes a record one of a failed repetition.
func Fails(sentence, log string) func(*record.Record) {
	return func(r *record.Record) {
		r.Failure, r.Log = sentence, log
		r.Load, r.Samples, r.Histograms = nil, nil, nil
	}
}

func (b *Bench) load(r *record.Record, throughput float64) {
	recordtest.FillLoad(b.t, r, throughput)
	r.Machine = &record.Machine{Throttled: map[string]record.Throttling{"server": {}}}
	r.Samples = []record.Sample{{Metric: "cpu.server", Value: 0.93, Unit: "cores"},
		{Metric: "memory.server", Value: 21.4 * (1 << 20), Unit: "B"}}
}

// Committed returns the dataset of an article of the project in root, with its committed records of the full profile.
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
