package compare

import (
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
