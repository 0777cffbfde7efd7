package check

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// problemsOf is what is wrong with an article, all passes together, as "LINE rule".
func problemsOf(t *testing.T, text string) []string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, article.ProjectFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc := article.Parse(dir, source.New("article.md", []byte(text)))
	var problems source.Problems
	p, err := plan.New(project, doc, plan.Options{}, &problems)
	if err != nil {
		t.Fatal(err)
	}
	problems.Merge(&doc.Problems)
	Check(doc, p, &problems)
	var out []string
	for _, p := range problems.Sorted() {
		out = append(out, p.Rule+" at "+string(p.Pos.Source.Data[p.Pos.Start:p.Pos.End]))
	}
	return out
}

// A mistake hides no other, and brings none along that are only its consequences.
func TestCheckBesideMistakes(t *testing.T) {
	const (
		claim = "name: c\nexpect: throughput{server=\"a\"} > throughput{server=\"zzz\"}"
		table = "label: tbl-x\nrows: [serveer]\ncolumns: [throughputt, latency.p50, lag.p99, cpu.other]"
		value = "Of `{value} througput{server=\"a\"}`.\n"
	)
	rest := recordtest.Fence("claim", claim) + recordtest.Fence("table", table) + value
	found := []string{`no-cell at server="zzz"`, "unknown-parameter at serveer", "unknown-metric at throughputt",
		"unknown-metric at througput"}
	of := func(lines string) string {
		return recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", lines)
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"none", of(strings.Replace(recordtest.Servers, "connections: 10", "connections: 10, rate: 9/s", 1)) + rest,
			append([]string{}, append(found[:3:3], "unknown-metric at cpu.other", found[3])...)},
		{"a misspelt key of the load", of(strings.Replace(recordtest.Servers, "connections", "conections", 1)) + rest,
			append([]string{"unknown-key at conections"}, found...)},
		{"a wrong value of a service", of(strings.Replace(recordtest.Servers, "build: .", "build: ., read_only: perhaps",
			1)) + rest,
			append([]string{"wrong-value at perhaps"}, found...)},
		{"a wrong number of repetitions", of(strings.Replace(recordtest.Servers, "repetitions: 3", "repetitions: many", 1)) +
			recordtest.Fence("claim", claim),
			[]string{"wrong-value at many", found[0]}},
		{"a key that nobody knows", of(recordtest.Servers+"\nspeed: 3") + recordtest.Fence("claim", claim),
			[]string{"unknown-key at speed", found[0]}},
		{"a service that is not indented", of("name: servers\nservices:\nserver:\n  build: .\n  expose: [\"8080\"]\n"+
			"matrix: {server: [a, b, c]}\n"+
			"load: {target: \"http://server:8080/\", connections: 10}") + recordtest.Fence("claim", claim),
			[]string{"unknown-key at server", found[0]}},
		{"misspelt services", of(strings.Replace(recordtest.Servers, "services:", "servces:", 1)) + recordtest.Fence("claim",
			claim), []string{"unknown-key at servces", found[0]}},
		{"a misspelt matrix", of(strings.Replace(recordtest.Servers, "matrix", "matrx", 1)) + rest,
			[]string{"unknown-key at matrx"}},
		{"a mistake in the matrix", of(strings.Replace(recordtest.Servers, "[a, b, c]", "a", 1)) + rest,
			[]string{"wrong-shape at a"}},
		{"a metric without a source", of(recordtest.Servers+"\nmetrics: [{name: mine, unit: ms}]") + recordtest.Fence("table",
			"label: tbl-x\ncolumns: [yours]\nrows: [serveer]"),
			[]string{"missing-key at {", "unknown-parameter at serveer"}},
		{"another experiment that cannot be read", of(recordtest.Servers) + recordtest.Fence("experiment",
			"name: other\n  load: {}") +
			recordtest.Fence("claim", "name: c\nexperiment: servers\nexpect: througput{server=\"a\"} > 5/s") +
			recordtest.Fence("claim", "name: d\nexperiment: other\nexpect: througput{server=\"a\"} > 5/s"),
			[]string{"yaml-syntax at load: {}", "unknown-metric at througput"}},
		{"a reference above the experiment that cannot be read", recordtest.FrontMatter + recordtest.Dockerfile +
			recordtest.Fence("claim", "name: d\nexperiment: servers\nexpect: throughput > 5/s") +
			recordtest.Fence("table", "label: tbl-x\nexperiment: servers\ncolumns: [throughput]") +
			recordtest.Fence("experiment", " "+recordtest.Servers),
			[]string{"yaml-syntax at services: {server: {build: ., expose: [\"8080\"]}}"}},
		{"a fence that swallows the experiment", recordtest.FrontMatter + recordtest.Dockerfile +
			"`{value} throughput`\n\n```text\nhello\n\n" + recordtest.Fence("experiment", recordtest.Servers) +
			recordtest.Fence("claim", "name: d\nexpect: throughput > 5/s"), []string{"unclosed-fence at ```yaml experiment"}},
		{"prose behind a fence that is not closed", of(recordtest.Servers)[:len(of(recordtest.Servers))-len("```\n\n")] +
			"\n\nProse: with a colon, `{value} throughput`.\n\n" +
			recordtest.Fence("claim", "name: d\nexpect: througput{server=\"a\"} > 5/s"),
			[]string{"unclosed-fence at ```yaml claim"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := problemsOf(t, test.text); !slices.Equal(got, test.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(test.want, "\n  "))
			}
		})
	}
}
