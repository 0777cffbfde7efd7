package render_test

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// A noise floor is told of every metric that a number or claim rests on, wherever it stands, and both findings about
// it.
func TestFloorBanners(t *testing.T) {
	const claim = "```yaml claim\n{name: c, expect: '%s'}\n```\n"
	for _, test := range []struct{ name, front, body, want string }{
		{"in a table", "", "```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [memory.server]\n```\n",
			"memory.server of servers by 50 %"},
		{"in a claim", "", strings.Replace(claim, "%s", `memory.server{server="a"} < 1GiB`, 1),
			"memory.server of servers by 50 %"},
		{"in a claim about a value", "values: {most: 'max(memory.server)'}\n", strings.Replace(claim, "%s",
			`memory.server{server="a"} < memory.server{server="b"}`, 1), "memory.server of servers by 50 %"},
		{"in the text", "", "`{value} memory.server{server=\"a\"}`\n", "memory.server of servers by 50 %"},
		{"by name", "values: {most: 'max(memory.server)'}\n", "`{value} 2 * most`\n", "memory.server of servers by 50 %"},
		{"a value made from itself", "values: {x: y, y: x}\n", "`{value} x`\n`{value} memory.server{server=\"a\"}`\n",
			"memory.server of servers by 50 %"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := rendertest.New(t, "floors", []byte("---\ntitle: Floors\n"+test.front+"---\n\n"+strings.Replace(experiment,
				"calibrate: false", "", 1)+test.body))
			more := func(r *record.Record) { r.Samples[1].Value *= 1.5 }
			b.Measure("full", "servers", "a", []float64{500, 490, 510})
			b.Measure("full", "servers", "again", []float64{500, 490, 510}, more)
			b.Measure("full", "servers", "b", []float64{600, 590, 610})
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			text := wordsOf(string(page.HTML))
			assert.Contains(t, text, "Noisy: two measurements of the same cell (the A/A pair) differ by more than the "+
				"smallest effect: "+test.want,
				"Systematic offset: two measurements of the same cell (the A/A pair) differ significantly: "+test.want)
		})
	}
}
