package render_test

import (
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// The largest pages of the project stay small enough for phones.
func TestWeight(t *testing.T) {
	slowtest.SkipSequential(t)
	for slug, most := range map[string]int{"not-faster": 260_500, "asyncio-worth-it": 222_700, "hello": 12_700} {
		page := must.Get(newRenderer(t).Page(rendertest.Committed(t, "..", slug), render.Options{}))
		if got := len(page.HTML); got > most {
			t.Errorf("%s: %d bytes, want at most %d", slug, got, most)
		}
	}
}
