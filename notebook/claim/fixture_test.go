package claim

import (
	"flag"
	"testing"

	"benchbook/internal/test/must"
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
	return must.Get(dataset.New(b.Doc, b.Records, o))
}

// judge judges the only claim.
func (b *fixture) judge() Judgement {
	b.T.Helper()
	all := JudgeAll(b.dataset(dataset.Options{})).Claims
	if len(all) != 1 || all[0].Claim == nil {
		b.T.Fatalf("judgements %+v", all)
	}
	return all[0]
}

var update = flag.Bool("update", false, "write the golden files anew")
