package check

import (
	"testing"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

func TestHeadlines(t *testing.T) {
	const claim = `{name: c, expect: 'throughput{server="a"} > throughput{server="b"}'`
	for _, tt := range []struct {
		name, text string
		warnings   int
	}{
		{"no claim", "", 0},
		{"a headline", recordtest.Fence("claim", "- "+claim+"}\n- {name: d, headline: true, expect: throughput > 1/s}"), 0},
		{"claims that are none", recordtest.Fence("claim", "- "+claim+
			"}\n- {name: d, headline: false, expect: throughput > 1/s}"), 1},
	} {
		b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
			recordtest.Servers)+tt.text)
		var problems source.Problems
		Headlines(b.Doc, &problems)
		found := problems.Sorted()
		if len(found) != tt.warnings {
			t.Errorf("%s: %v", tt.name, found)
		}
		for _, p := range found {
			if p.Rule != "no-headline" || p.Severity != source.SeverityWarning || p.Hint == "" {
				t.Errorf("%s: %+v", tt.name, p)
			}
		}
	}
}
