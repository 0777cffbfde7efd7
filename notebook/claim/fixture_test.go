package claim

import (
	"flag"
	"slices"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
)

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

func (b *fixture) dataset(o dataset.Options) *dataset.Dataset {
	b.T.Helper()
	o.Plan = b.Plan
	d, err := dataset.New(b.Doc, b.Records, o)
	if err != nil {
		b.T.Fatal(err)
	}
	return d
}

// trialCell finds a cell by its experiment and trial.
func trialCell(t *testing.T, d *dataset.Dataset, experiment, trial string) *dataset.Cell {
	t.Helper()
	e, ok := d.Experiment(experiment)
	if !ok {
		t.Fatalf("no experiment %s", experiment)
	}
	i := slices.IndexFunc(e.Cells, func(c *dataset.Cell) bool { return c.Trial.Name == trial })
	return e.Cells[i]
}

var update = flag.Bool("update", false, "write the golden files anew")
