package check

import (
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// The servers answer about 1200, 1000 and 800 requests per second.
func TestStaleNumbers(t *testing.T) {
	const a, ratio = "`{value} throughput{server=\"a\"}`",
		"`{value} ratio(throughput{server=\"a\"}, throughput{server=\"b\"})`"
	tests := []struct{ name, prose, want string }{
		{"a number that still holds", "It answers " + a + ", about 1200/s.", ""},
		{"one that does not", "It answers " + a + ", about 1500/s.", "1500/s"},
		{"in words", "It answers " + a + ", that is 1,500 requests per second.", "1,500 requests per second"},
		{"of another size", "It answers " + a + ", for a link of 9000/s.", ""},
		{"of another unit", "It answers " + a + " within 1500 ms.", ""},
		{"in another sentence", "It answers " + a + ". The old one did 1500/s.", ""},
		{"a number without a unit", "It answers " + a + " on 1500 connections.", ""},
		{"rounded", "It answers " + a + ", over 1.2 times as many.", ""},
		{"a ratio", "It is " + ratio + " as fast, or 1.6 times.", "1.6 times"},
		{"a rounded ratio", "It is " + ratio + " as fast, or 1.2 times.", ""},
		{"beside two, of which one is it", "It answers " + a + " and not `{value} throughput{server=\"b\"}`, so 1000/s less.",
			""},
		{"in code", "It answers " + a + ", see `1500/s`.", ""},
		{"in a link and emphasis, on another line", "It answers " + a + ",\nor [*about\n1500/s*](https://example.com).",
			"1500/s"},
		{"in a table", "| measured | as said |\n|---|---|\n| " + a + " or 1500/s | 1500/s |", "1500/s"},
		{"in a heading", "## It answers " + a + ", not 1500/s", "1500/s"},
		{"in a caption", recordtest.Fence("table",
			"label: tbl-x\nrows: [server]\ncolumns: [throughput]\ncaption: 'It answers "+a+", not \"1500/s\".'"), "1500/s"},
		{"in a title", recordtest.Fence("table", "{label: tbl-x, rows: [server], columns: [throughput], title: 'It answers "+
			a+", about 1200/s'}"), ""},
		{"in a caption without a measured value",
			recordtest.Fence("table", "{label: tbl-x, rows: [server], columns: [throughput], caption: 'Not 1500/s.'}"), ""},
		{"in parts of which one applies", "::: when `throughput{server=\"a\"} > 1/s`\nIt answers " + a +
			", not 1500/s.\n:::\n" +
			"::: when `throughput{server=\"a\"} < 1/s`\nIt answers " + a + ", not 1600/s.\n\n" +
			recordtest.Fence("table", "{label: tbl-x, rows: [server], columns: [throughput], title: 'It answers "+a+
				", not 1700/s'}") + ":::", "1500/s"},
		{"what was published", "It answers " + a + ", and 1500/s there.\n\n" + recordtest.Fence("published",
			"source: x\nrows: [{server: a, throughput: 1500/s}]"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", recordtest.Servers) +
				tt.prose + "\n"
			var problems source.Problems
			StaleNumbers(claim.JudgeAll(measuredServers(t, text).dataset(dataset.Options{})), &problems)
			got := ""
			for _, p := range problems.Sorted() {
				got += text[p.Pos.Start:p.Pos.End]
				if p.Severity != source.SeverityWarning || p.Rule != "stale-number" || !strings.Contains(p.Hint, "`{value} ") {
					t.Errorf("got %v", p)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What was not measured makes no number stale.
func TestStaleNumbersNeedMeasuredOnes(t *testing.T) {
	b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers)+
		"It answers `{value} throughput{server=\"a\"}`, about 1500/s.\n")
	var problems source.Problems
	if StaleNumbers(claim.JudgeAll(b.dataset(dataset.Options{})), &problems); problems.Len() > 0 {
		t.Errorf("got %v", problems.Sorted()[0])
	}
}

// A typed number is compared with the interval by which the claim about its ratio is judged: the one that is shown.
func TestStaleNumbersAsJudged(t *testing.T) {
	for name, block := range map[string]string{"1.27": "", "": recordtest.Fence("claim",
		`{name: c, expect: 'throughput{server="a"} > throughput{server="b"}'}`)} {
		text := recordtest.FrontMatter + recordtest.Dockerfile +
			recordtest.Fence("experiment", strings.Replace(recordtest.Servers, "calibrate: false", "", 1)) + block +
			"It is `{value} ratio(throughput{server=\"a\"}, throughput{server=\"b\"})` as fast, or 1.27 times.\n"
		b := measuredServers(t, text)
		b.Measure("servers", "again", "1", []float64{1260, 1270, 1250}) // and a has 1200
		var problems source.Problems
		StaleNumbers(claim.JudgeAll(b.dataset(dataset.Options{})), &problems)
		got := ""
		for _, p := range problems.Sorted() {
			got += text[p.Pos.Start:p.Pos.End]
		}
		if !strings.HasPrefix(got, name) || name == "" && got != "" {
			t.Errorf("with the claim %q %q is stale, want %q", block, got, name)
		}
	}
}
