package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

// A table has the rows, order, units and digits that its author asks for.
func TestTableOptions(t *testing.T) {
	b := rendertest.New(t, "servers", []byte(textOf("table.md")))
	again := func(r *record.Record) {
		if r.Repetition == 3 {
			r.Order.Replaces = 1
		}
	}
	of := trials{"a, 1": {500, 490, 510}, "b, 1": {600, 590, 610}, "a, 2": {900, 890, 910}, "b, 2": {800, 790, 810}}
	for trial, throughputs := range of {
		b.Measure("full", "servers", trial, throughputs, again)
	}
	markup := string(rendered(t, b).HTML)
	_, table, _ := strings.Cut(markup, `id=tbl-t`)
	table, _, _ = strings.Cut(table, "</table>")
	for i, row := range regexp.MustCompile(`(?s)<tr>(.*?)(?:\n|</tbody>)`).FindAllStringSubmatch(table, -1) {
		want := []string{"ServerWorkersThroughputrequests/s", "a2900 875–925", "b2800 775–825", "b1600 576–625", "a1500 476–525"}[i]
		assert.Equal(t, strings.HasPrefix(wordsOf(row[1]), want), true, "row %d, %q, begins with %q", i,
			wordsOf(row[1]), want)
	}
	assert.Contains(t, wordsOf(markup), "13,894.7 13,327.1–14,487.3", // µs, with more digits than the interval would have
		"4 re-run because of background load",
		"claimed more than +5 %; published +50 %")
	back := regexp.MustCompile(`<a rev=footnote href=#([^ >]*)`).FindAllStringSubmatch(markup, -1)
	assert.Equal(t, len(back), 2, "ways back of the note")
	for _, to := range back {
		assert.Contains(t, markup, `id=`+to[1]+` `)
	}
}

// A table of an experiment that the profile leaves out says so, and has no head.
func TestTableLeftOut(t *testing.T) {
	b := rendertest.New(t, "servers", []byte(textOf("table.md")+
		"\n```yaml experiment\nname: other\nextends: servers\nprofiles: {quick: {repetitions: 3}}\n```\n"))
	for _, trial := range []string{"a, 1", "b, 1", "a, 2", "b, 2"} {
		b.Measure("quick", "other", trial, []float64{500, 490, 510})
	}
	markup := string(rendered(t, b).HTML)
	_, table, _ := strings.Cut(markup, `id=tbl-t`)
	assert.Contains(t, wordsOf(table), "Left out: profile quick leaves this experiment out.")
	assert.Lacks(t, markup, "<table class=\"results")
}
