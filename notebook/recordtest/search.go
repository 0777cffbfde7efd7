package recordtest

import (
	"slices"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// Searching is an article with values that searches find: a number of workers, which a second experiment takes over,
// and capacities.
const Searching = "---\ntitle: x\n---\n\n" +
	"```yaml experiment\nname: tuned\nservices: {s: {image: x, command: 'serve ${{ tune.workers }}'}}\n" +
	"matrix: {server: [a, b]}\n" +
	"load: {target: http://s/}\ntune: {workers: {to: 24}}\nrepetitions: 3\ncalibrate: false\n```\n\n" +
	"```yaml experiment\nname: steady\nextends: tuned\nload: {rate: 10/s}\n```\n\n" +
	"```yaml experiment\nname: ceiling\nextends: tuned\nmatrix: {server: [a, b, c]}\ntune: null\n" +
	"services: {s: {command: serve}}\n" +
	"capacity: {slo: latency.p99 < 1s, from: 100/s, to: 2000/s}\n```\n\n"

// Searched adds the record of a search.
func (b *Fixture) Searched(experiment, trial, run string, s record.Search) {
	b.T.Helper()
	p := must.Get(b.Plan(plan.Full))
	e, ok := p.Find(experiment)
	if !ok {
		b.T.Fatalf("no experiment %s", experiment)
	}
	i := slices.IndexFunc(e.Trials, func(t *plan.Trial) bool { return t.Name == trial })
	t := e.Trials[i]
	b.Records = append(b.Records, &record.Record{SchemaVersion: record.SchemaVersion, Article: "sample",
		Experiment: e.Name, Trial: t.Name, Key: t.Key, Run: run, Profile: plan.Full, Host: "host-1", Parameters: t.Parameters,
		Definition: t.Definition, Search: &s})
}

// Chose sets the number of workers.
func Chose(workers float64) Change {
	return func(r *record.Record) {
		r.Samples = append(r.Samples, record.Sample{Metric: "tune.workers", Value: workers, Unit: "1"})
	}
}

// TuneOf returns a search that chose a number of workers, between lo and hi.
func TuneOf(chosen int, lo, hi float64) record.Search {
	return record.Search{Kind: record.SearchTune, Name: "workers", Metric: "throughput", Chosen: chosen, Lo: lo, Hi: hi,
		Stop: record.StopWorse}
}

// CapacityOf returns a search for a capacity, between lo and hi; 0 means no bound.
func CapacityOf(lo, hi float64) record.Search {
	return record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: lo, Hi: hi, Stop: record.StopStep}
}

// NewSearched returns an article with claims and the results of all searches of Searching. It has a value of 5 (to 8)
// for a and 12 (to 24) for b, and capacities of 700 to 734, 900 to 940 and at least 2000.
func NewSearched(t testing.TB, claims ...string) *Fixture {
	text := Searching
	for i, c := range claims {
		text += "```yaml claim\nname: claim-" + string(rune('a'+i)) + "\nexpect: '" + c + "'\n```\n\n"
	}
	b := New(t, text)
	b.Searched("tuned", "a", "1", TuneOf(5, 5, 8))
	b.Searched("tuned", "b", "1", TuneOf(12, 12, 24))
	for _, e := range []string{"tuned", "steady"} {
		b.Measure(e, "a", "1", []float64{100, 101, 102}, Chose(5))
		b.Measure(e, "b", "1", []float64{100, 101, 102}, Chose(12))
	}
	b.Searched("ceiling", "a", "1", CapacityOf(700, 734))
	b.Searched("ceiling", "b", "1", CapacityOf(900, 940))
	b.Searched("ceiling", "c", "1", CapacityOf(2000, 0))
	return b
}

// Repeat adds an older session that found the same in all records.
func (b *Fixture) Repeat() {
	for _, r := range b.Records {
		older := *r
		older.Run, older.Started = "20250101T100000Z-abcd", r.Started.AddDate(-1, 0, 0)
		b.Records = append(b.Records, &older)
	}
}
