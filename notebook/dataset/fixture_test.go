package dataset

import (
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/recordtest"
)

// servers is an article with recordtest.Servers.
var servers = recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", recordtest.Servers)

// A fixture is an article under test, with the records that it has.
type fixture struct{ *recordtest.Fixture }

func newFixture(t testing.TB, text string) *fixture {
	t.Helper()
	return &fixture{recordtest.New(t, text)}
}

// measuredServers has all of recordtest.Servers measured in one run, with the changes given.
func measuredServers(t testing.TB, text string, changes ...recordtest.Change) *fixture {
	t.Helper()
	return &fixture{recordtest.NewMeasured(t, text, changes...)}
}

// searched is an article with claims and all that recordtest.Searching searches for.
func searched(t *testing.T, claims ...string) *fixture {
	t.Helper()
	return &fixture{recordtest.NewSearched(t, claims...)}
}

func (b *fixture) dataset(o Options) *Dataset {
	b.T.Helper()
	o.Plan = b.Plan
	return must.Get(New(b.Doc, b.Records, o))
}

// cellOf finds a cell by its trial, and its experiment where several have the trial.
func cellOf(t testing.TB, d *Dataset, trial string, experiment ...string) *Cell {
	t.Helper()
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			if c.Trial.Name == trial && (len(experiment) == 0 || e.Plan.Name == experiment[0]) {
				return c
			}
		}
	}
	t.Fatalf("no cell %q", trial)
	return nil
}

// measure returns the cell of server a, measured with throughputs.
func measure(t testing.TB, throughputs []float64, changes ...recordtest.Change) *Cell {
	t.Helper()
	b := newFixture(t, servers)
	b.Measure("servers", "a", "1", throughputs, changes...)
	return cellOf(t, b.dataset(Options{}), "a")
}
