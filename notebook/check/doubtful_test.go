package check

import (
	"strings"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// A metric that a program would have to print is doubted where it is nearly called as another, or nothing that is run
// mentions it.
func TestDoubtful(t *testing.T) {
	const (
		image = "name: e\ncalibrate: false\ncommand: {image: x, run: \"sleep 1\"}\n" +
			"metrics: [{name: ratio, value: time.user / time.real}]"
		script = "name: e\ncalibrate: false\ncommand: {build: ., run: python3 /a.py, configs: [{source: a.py, target: " +
			"/a.py}]}"
		file = "```python file=a.py\nprint('{\"metric\": \"calls\", \"value\": 1}')\n```\n\n"
	)
	table := func(columns string) string { return recordtest.Fence("table", "label: tbl-x\ncolumns: ["+columns+"]") }
	tests := []struct{ name, text, want string }{
		{"what is measured", recordtest.Fence("experiment", image) + table("time.real, memory.peak, ratio"), ""},
		{"nearly what is measured", recordtest.Fence("experiment", image) + table("time.reall, memory.peek"),
			"time.reall memory.peek"},
		{"what an image may print", recordtest.Fence("experiment", image) + table("calls"), ""},
		{"what a file prints", file + recordtest.Fence("experiment", script) + table("calls"), ""},
		{"what no file prints", file + recordtest.Fence("experiment", script) + table("cals, throughput"), "cals throughput"},
		{"in prose and claims", file + recordtest.Fence("experiment", script) + "`{value} cals | round 2`\n\n" +
			recordtest.Fence("claim", "name: c\nexpect: clals > 1"), "cals clals"},
		{"of a load, where it is a problem", recordtest.Fence("experiment", recordtest.Servers) + table("throughputt"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+test.text)
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			var problems source.Problems
			Doubtful(b.Doc, p, &problems)
			var got []string
			for _, p := range problems.Sorted() {
				if p.Rule != "unknown-metric" || p.Severity != source.SeverityWarning {
					t.Errorf("it is no warning: %v", p)
				}
				got = append(got, string(p.Pos.Source.Data[p.Pos.Start:p.Pos.End]))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}
