package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
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
	rest := fence("claim", claim) + fence("table", table) + value
	found := []string{`no-cell at server="zzz"`, "unknown-parameter at serveer", "unknown-metric at throughputt", "unknown-metric at througput"}
	of := func(lines string) string {
		return frontMatter + dockerfile + fence("experiment", lines)
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"none", of(strings.Replace(servers, "connections: 10", "connections: 10, rate: 9/s", 1)) + rest,
			append([]string{}, append(found[:3:3], "unknown-metric at cpu.other", found[3])...)},
		{"a misspelt key of the load", of(strings.Replace(servers, "connections", "conections", 1)) + rest, append([]string{"unknown-key at conections"}, found...)},
		{"a wrong value of a service", of(strings.Replace(servers, "build: .", "build: ., read_only: perhaps", 1)) + rest,
			append([]string{"wrong-value at perhaps"}, found...)},
		{"a wrong number of repetitions", of(strings.Replace(servers, "repetitions: 3", "repetitions: many", 1)) + fence("claim", claim),
			[]string{"wrong-value at many", found[0]}},
		{"a key that nobody knows", of(servers+"\nspeed: 3") + fence("claim", claim), []string{"unknown-key at speed", found[0]}},
		{"a service that is not indented", of("name: servers\nservices:\nserver:\n  build: .\n  expose: [\"8080\"]\nmatrix: {server: [a, b, c]}\n"+
			"load: {target: \"http://server:8080/\", connections: 10}") + fence("claim", claim), []string{"unknown-key at server", found[0]}},
		{"a misspelt key behind services that are missing", of("name: servers\nservices:\nlaod: {target: \"http://server:8080/\", connections: 10}"),
			[]string{"unknown-key at laod", `unknown-service at "http://server:8080/"`}}, // there is none, however load is written
		{"misspelt services", of(strings.Replace(servers, "services:", "servces:", 1)) + fence("claim", claim), []string{"unknown-key at servces", found[0]}},
		{"a misspelt matrix", of(strings.Replace(servers, "matrix", "matrx", 1)) + rest, []string{"unknown-key at matrx"}},
		{"a mistake in the matrix", of(strings.Replace(servers, "[a, b, c]", "a", 1)) + rest, []string{"wrong-shape at a"}},
		{"a metric without a source", of(servers+"\nmetrics: [{name: mine, unit: ms}]") + fence("table", "label: tbl-x\ncolumns: [yours]\nrows: [serveer]"),
			[]string{"missing-key at {", "unknown-parameter at serveer"}},
		{"another experiment that cannot be read", of(servers) + fence("experiment", "name: other\n  load: {}") +
			fence("claim", "name: c\nexperiment: servers\nexpect: througput{server=\"a\"} > 5/s") +
			fence("claim", "name: d\nexperiment: other\nexpect: througput{server=\"a\"} > 5/s"),
			[]string{"yaml-syntax at load: {}", "unknown-metric at througput"}},
		{"a reference above the experiment that cannot be read", frontMatter + dockerfile + fence("claim", "name: d\nexperiment: servers\nexpect: throughput > 5/s") +
			fence("table", "label: tbl-x\nexperiment: servers\ncolumns: [throughput]") + fence("experiment", " "+servers),
			[]string{"yaml-syntax at services: {server: {build: ., expose: [\"8080\"]}}"}},
		{"a fence that swallows the experiment", frontMatter + dockerfile + "`{value} throughput`\n\n```text\nhello\n\n" + fence("experiment", servers) +
			fence("claim", "name: d\nexpect: throughput > 5/s"), []string{"unclosed-fence at ```yaml experiment"}},
		{"prose behind a fence that is not closed", of(servers)[:len(of(servers))-len("```\n\n")] + "\n\nProse: with a colon, `{value} throughput`.\n\n" +
			fence("claim", "name: d\nexpect: througput{server=\"a\"} > 5/s"),
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
