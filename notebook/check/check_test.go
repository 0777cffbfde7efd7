package check

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// found reads, plans and checks an article.
func found(project *article.Project, text, profile string) []*source.Problem {
	doc := article.Parse(project.ArticleDir("sample"), source.New("article.md", []byte(text)))
	var problems source.Problems
	p := must.Get(plan.New(project, doc, plan.Options{Profile: profile}, &problems))
	problems.Merge(&doc.Problems)
	Check(doc, p, &problems)
	return problems.Sorted()
}

func emptyProject(t testing.TB) *article.Project {
	t.Helper()
	return recordtest.New(t, recordtest.FrontMatter).Project
}

// problemsOf returns the problems of an article, one to a line: rule, text, message, hint.
func problemsOf(t testing.TB, text string) string {
	t.Helper()
	var out []string
	for _, p := range found(emptyProject(t), text, plan.Full) {
		line := fmt.Sprintf("%s: %s", place(p), p.Message)
		if p.Hint != "" {
			line += " (" + p.Hint + ")"
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func place(p *source.Problem) string {
	return p.Rule + " at " + string(p.Pos.Source.Data[p.Pos.Start:p.Pos.End])
}

// places returns the rule and place of each problem of an article, one to a line.
func places(t testing.TB, text, profile string) string {
	t.Helper()
	return strings.Join(slice.Map(found(emptyProject(t), text, profile), place), "\n")
}

func TestCheck(t *testing.T) {
	const shapes = "a claim is a > b, same(a, b), within(a, b, 10%), ratio(a, b) > 2, a > 2 * b, ratio(a, b) > ratio(c, d), " +
		"about(a, b, 2), a < 100ms, every(a) < 100ms, fewer(a, b), " +
		`every(a, "<", b) or geomean(a) > geomean(b); with and between them`
	const contrary = "claim something that could turn out to be wrong"
	const numbers = "source: A paper\nrows:\n"
	const servers = recordtest.Dockerfile + "```yaml experiment\n" + recordtest.Servers + "\n```\n\n"
	two := recordtest.FrontMatter + servers + recordtest.Fence("experiment", recordtest.Grid)
	for _, group := range []struct {
		name  string
		text  func(part string) string
		tests []struct{ name, part, want string }
	}{
		{"claims", func(expect string) string { return recordtest.Claimed(expect) }, []struct{ name, part, want string }{
			{"sound", `throughput{server="a"} > throughput{server="b"}`, ""},
			{"unlike units", `throughput{server="a"} > latency.p50{server="b"}`,
				`unlike-units at throughput{server="a"} > latency.p50{server="b"}: throughput is in 1/s and latency.p50 in s (compare metrics of one unit)`},
			{"a rate without a unit", `throughput{server="a"} > 5`,
				`unlike-units at 5: throughput is a rate in 1/s, and 5 a plain number (write 5/s)`},
			{"a time without a unit", `latency.p99{server="a"} < 5`,
				`unlike-units at 5: latency.p99 is a time in s, and 5 a plain number (write 5ms or 5s)`},
			{"limit of a number as a share", `failed.count{server="a"} < 5%`,
				`unlike-units at 5%: failed.count is a number, and 5% a share (write the limit as a number)`},
			{"factor with a unit", `throughput{server="a"} > 5ms * throughput{server="b"}`,
				`no-test at 5ms: 5ms is not a plain number (write a number or a percentage)`},
			{"a margin without its sign", `within(throughput{server="a"}, throughput{server="b"}, 10)`,
				`wrong-value at 10: 10 is 1000% (write 10%, or 1000% if so much is meant)`},
			{"a margin as a share", `within(throughput{server="a"}, throughput{server="b"}, 0.1)`, ""},
			{"a margin of an estimate without its sign", `about(throughput{server="a"}, throughput{server="b"}, 2, 25)`,
				`wrong-value at 25: 25 is 2500% (write 25%, or 2500% if so much is meant)`},
			{"a wide margin", `about(throughput{server="a"}, throughput{server="b"}, 2, 150%)`, ""},
			{"several cells", `throughput > 5/s`, `several-cells at throughput: throughput selects 3 cells, but one is needed (say every(a) < 100ms of all of them, compare lists by every(a, "<", b), or pick one cell in braces)`},
			{"a difference", `throughput{server="a"} - throughput{server="b"} > 5/s`,
				`no-test at throughput{server="a"} - throughput{server="b"} > 5/s: no test for this form (compare the two, a > b, or their ratio, ratio(a, b) > 1.1)`},
			{"a part without a test", `throughput{server="a"} > 5/s and mean(throughput) > 5/s`,
				`no-test at mean(throughput) > 5/s: no test for this form (a claim is about single cells, or about lists by every(a, "<", b) or geomean(a) > geomean(b))`},
			{"a value", `throughput{server="a"}`, `no-test at throughput{server="a"}: no test for this form (` + shapes + `)`},
			{"equal", `throughput{server="a"} == throughput{server="b"}`,
				`no-test at throughput{server="a"} == throughput{server="b"}: no test for this form (two measurements are never equal: write same(a, b))`},
			{"different", `throughput{server="a"} != throughput{server="b"}`,
				`no-test at throughput{server="a"} != throughput{server="b"}: no test for this form (two measurements always differ: write a > b or a < b)`},
			{"limit first", `5/s < throughput{server="a"}`,
				`no-test at 5/s < throughput{server="a"}: no test for this form (write the limit on the right: a < 100ms)`},
			{"not", `not throughput{server="a"} > 5/s`,
				`no-test at not throughput{server="a"} > 5/s: no test for this form (write what you claim instead, such as a <= b)`},
			{"a computed side", `same(2 * throughput{server="a"}, throughput{server="b"})`,
				`no-test at same(2 * throughput{server="a"}, throughput{server="b"}): no test for this form (` + shapes + `)`},
			{"an alternative", `throughput{server="a"} > 5/s or throughput{server="c"} > 5/s`,
				`no-test at throughput{server="a"} > 5/s or throughput{server="c"} > 5/s: no test for this form (` + shapes + `)`},
			{"fewer of a rate", `fewer(throughput{server="a"}, throughput{server="b"})`,
				`no-test at throughput{server="a"}: fewer is about failures, and throughput counts none (write failed, failed.count or errors.KIND, or compare by <)`},
			{"fewer of two kinds", `fewer(failed{server="a"}, failed.count{server="b"})`,
				`unlike-units at fewer(failed{server="a"}, failed.count{server="b"}): failed and failed.count do not count the same (name one metric twice)`},
			{"every with an equal sign", `every(throughput{server="a"}, "==", throughput{server="b"})`,
				`no-test at every(throughput{server="a"}, "==", throughput{server="b"}): no test for this form (write every(a, "<", b), with two lists of cells)`},
			{"every with a common cell", `every(throughput{server!="c"}, ">", throughput{server!="a"})`,
				`same-cells at every(throughput{server!="c"}, ">", throughput{server!="a"}): both lists have the cell "b" (choose lists without common cells)`},
			{"below nothing", `throughput{server="a"} < -1/s`,
				`cannot-hold at throughput{server="a"} < -1/s: this claim can never be supported: throughput is never less than 0 (correct the number)`},
			{"less than everything", `failed{server="a"} < 100%`,
				`cannot-fail at failed{server="a"} < 100%: this claim cannot fail: a share is never more than 100% (` + contrary +
					`)`},
			{"a ratio above nothing", `ratio(throughput{server="a"}, throughput{server="b"}) > 0`,
				`cannot-fail at ratio(throughput{server="a"}, throughput{server="b"}) > 0: this claim cannot fail: a ratio is always more than that (` + contrary + `)`},
			{"within nothing", `within(throughput{server="a"}, throughput{server="b"}, 0%)`,
				`cannot-hold at 0%: this claim can never be supported: no two measurements can be that close (correct the number)`},
			{"about nothing", `about(throughput{server="a"}, throughput{server="b"}, 0)`,
				`cannot-hold at about(throughput{server="a"}, throughput{server="b"}, 0): this claim can never be supported: ratios are above 0, and about needs room on both sides (correct the number)`},
		}},
		{"experiments of claims", func(claim string) string {
			return two + recordtest.Fence("claim", "name: c\n"+claim)
		}, []struct{ name, part, want string }{
			{"named", "experiment: servers\nexpect: 'throughput{server=\"a\"} > 5/s'", ""},
			{"named in the selector", "expect: 'throughput{server=\"a\", experiment=\"servers\"} > 5/s'", ""},
			{"not named", "expect: 'throughput{server=\"a\"} > 5/s'",
				`which-experiment at throughput{server="a"}: the article has several experiments, ` +
					`and throughput{server="a"} does not say which (write throughput{experiment="servers"}, with the one that is meant)`},
			{"in the one that has the parameter", "expect: 'throughput{clients=10} > 5/s'",
				`which-experiment at throughput{clients=10}: the article has several experiments, ` +
					`and throughput{clients=10} does not say which (write throughput{experiment="grid"}, with the one that is meant)`},
			{"misspelt", "experiment: server\nexpect: 'throughput{server=\"a\"} > 5/s'",
				`unknown-experiment at server: no experiment "server" in this article (did you mean "servers"?)`},
		}},
		{"parts of the text", func(test string) string {
			return recordtest.FrontMatter + servers + "::: when `" + test + "`\n:::\n"
		}, []struct{ name, part, want string }{
			{"sound", `ratio(throughput{server="a"}, throughput{server="b"}) > 2`, ""},
			{"misspelt", `througput{server="a"} > 5/s`,
				`unknown-metric at througput: no metric "througput" (did you mean "throughput"?)`},
		}},
		{"blocks and prose", func(part string) string {
			return recordtest.FrontMatter + servers + part
		}, []struct{ name, part, want string }{
			{"a value in prose", "It answers `{value} througput{server=\"a\"} | round 2` times.\n",
				`unknown-metric at througput: no metric "througput" (did you mean "throughput"?)`},
			{"units of the same kind", "It takes `{value} latency.p50{server=\"a\"} | unit ms | round 1`, fails in `{value} " +
				"failed{server=\"a\"} | percent`.\n", ""},
			{"a minus without spaces", "Between `{value} throughput-requests` lies.\n",
				`unknown-metric at throughput-requests: minus needs spaces: without them throughput-requests is one name (write throughput - requests)`},
			{"a minus with points", "Between `{value} latency.p99-latency.p50` lies.\n",
				`unknown-metric at latency.p99-latency.p50: minus needs spaces: without them latency.p99-latency.p50 is one name (write latency.p99 - latency.p50)`},
			{"a sound table", recordtest.Fence("table",
				"label: tbl-a\nrows: [server]\ncolumns: [throughput, latency.p99.9, server]\n"+
					"sort: throughput\nwhere: server != 'a'"), ""},
			{"a table", recordtest.Fence("table", "label: tbl-a\nrows: [sever]\ncolumns: [througput, cpu.client]\n"+
				"sort: latency\nwhere: server == 'd'\npublished: true"),
				"unknown-published at yaml table: there are no published numbers in this article (add a yaml published block, or " +
					"remove published:)\n" +
					"unknown-parameter at sever: no parameter \"sever\" in experiment \"servers\" (did you mean \"server\"?)\n" +
					"unknown-metric at througput: \"througput\" is neither a metric nor a parameter of experiment \"servers\" (did " +
					"you mean \"throughput\"?)\n" +
					"unknown-metric at cpu.client: \"cpu.client\" is neither a metric nor a parameter of experiment \"servers\" " +
					"(known here: cpu.per_request, cpu.server)\n" +
					"unknown-metric at latency: \"latency\" is neither a metric nor a parameter of experiment \"servers\" (known " +
					"here: latency.p50, latency.p90, latency.p99, latency.mean, latency.max)\n" +
					"no-cell at server == 'd': no cell of experiment \"servers\" fits this (compare it with the matrix)"},
			{"a sound figure", recordtest.Fence("figure", "label: fig-a\nkind: dots\nx: throughput\ny: server"), ""},
			{"lines over words", recordtest.Fence("figure", "label: fig-a\nkind: lines\nx: server\ny: throughput"),
				"not-a-number at server: lines need an axis of numbers, and server can be \"a\" (choose another parameter, or " +
					"draw bars)"},
			{"a scatter of a parameter", recordtest.Fence("figure", "label: fig-a\nkind: scatter\nx: throughput\ny: server"),
				"unknown-metric at server: y of a figure of kind scatter must be a metric, and \"server\" is a parameter or " +
					"label (write a metric, such as throughput)"},
			{"a timeline", recordtest.Fence("figure", "label: fig-a\nkind: timeline\ny: latency.mean"), ""},
			{"a timeline of a percentile", recordtest.Fence("figure", "label: fig-a\nkind: timeline\ny: latency.p50"),
				"wrong-value at latency.p50: a timeline shows each second, and latency.p50 is known for the whole window only " +
					"(write y: throughput, or y: latency.mean)"},
			{"a timeline of a parameter", recordtest.Fence("figure", "label: fig-a\nkind: timeline\ny: server"),
				"unknown-metric at server: y of a figure of kind timeline must be a metric, and \"server\" is a parameter or " +
					"label (write a metric, such as throughput)"},
			{"a line at nothing", recordtest.Fence("figure",
				"label: fig-a\nkind: dots\nx: throughput\ny: server\nreference: max(througput)"),
				"unknown-metric at througput: no metric \"througput\" (did you mean \"throughput\"?)"},
			{"a figure beside numbers of another name",
				recordtest.Fence("figure", "label: fig-a\nkind: dots\nx: throughput\ny: server\npublished: thers") +
					recordtest.Fence("published", "name: theirs\n"+numbers+"  - {server: a, throughput: 5/s}"),
				`unknown-published at thers: no published block "thers" in this article (did you mean "theirs"?)`},
			{"sound rows", recordtest.Fence("published",
				numbers+"  - {server: a, throughput: 5/s, page: 7}\n  - {server: b, throughput: 6/s}"), ""},
			{"a row of no cell", recordtest.Fence("published",
				numbers+"  - {server: a, throughput: 5/s, page: 7}\n  - {server: somethingelse, throughput: 6/s}"),
				`no-cell at somethingelse: no cell has server "somethingelse" (known here: a, b, c; or leave the row out by where:)`},
			{"a misspelt row", recordtest.Fence("published", numbers+"  - {server: aa, throughput: 5/s}"),
				`no-cell at aa: no cell has server "aa" (did you mean "a"?)`},
			{"a row of several cells", recordtest.Fence("published", numbers+"  - {throughput: 5/s}"),
				`ambiguous-row at {: this row matches 3 cells: a; b; c (add server)`},
			{"a metric of commands", recordtest.Fence("published", numbers+"  - {server: a, time.real: 5s}"),
				`unknown-metric at time.real: time.real is not measured in experiment "servers"`},
		}},
		{"front matter", func(front string) string {
			return strings.Replace(recordtest.FrontMatter, "\n---\n\n", "\n"+front+"\n---\n\n", 1) + servers
		}, []struct{ name, part, want string }{
			{"sound values", "values: {quick: 'throughput{server=\"a\"}', all: throughput, most: max(all)}", ""},
			{"a misspelt metric", "values: {quick: 'througput{server=\"a\"}', twice: 2 * quick}",
				`unknown-metric at througput: no metric "througput" (did you mean "throughput"?)`},
			{"the name of a metric", "values: {throughput: 5}",
				`bad-name at throughput: "throughput" is the name of a metric (give the value another name)`},
			{"a value made from itself", "values: {quick: 2 * quick}",
				`circular-value at quick: value "quick" refers to itself: quick, quick (write out one of them)`},
			{"a test", "values: {quick: 'throughput{server=\"a\"} > 5/s'}",
				`not-a-number at throughput{server="a"} > 5/s: throughput{server="a"} > 5/s is a test: it has a verdict, not a number (make it the expect: of a claim)`},
			{"an unknown name", "values: {speedup: 'throughput{server=\"a\"}', twice: 2 * speedpu}",
				`unknown-metric at speedpu: no metric "speedpu" (did you mean "speedup"?)`},
			{"a minus between values", "values: {a: 'throughput{server=\"a\"}', b: 2 * a, c: b-a}",
				`unknown-metric at b-a: minus needs spaces: without them b-a is one name (write b - a)`},
		}},
		{"claims about searches", func(expect string) string {
			return recordtest.Searching + recordtest.Fence("claim", "name: c\nexpect: '"+expect+"'")
		}, []struct{ name, part, want string }{
			{"capacities", `capacity.rate{experiment="ceiling", server="b"} > capacity.rate{experiment="ceiling", server="a"}`,
				""},
			{"a tuned value", `tune.workers{experiment="tuned", server="a"} < 9`, ""},
			{"the same capacity",
				`same(capacity.rate{experiment="ceiling", server="b"}, capacity.rate{experiment="ceiling", server="a"})`, ""},
			{"means of capacities and rates",
				`geomean(capacity.rate{experiment="ceiling"}) > geomean(throughput{experiment="tuned"})`, `no-test at capacity.rate{experiment="ceiling"}: a search finds one value of each cell, ` +
					"which is not repeated, so no test compares geometric means of capacity.rate"},
			{"a capacity and a rate",
				`capacity.rate{experiment="ceiling", server="a"} > throughput{experiment="tuned", server="a"}`, `no-test at capacity.rate{experiment="ceiling", server="a"} > ` +
					`throughput{experiment="tuned", server="a"}: a search finds one value of a cell and repetitions have several, ` +
					"so no test compares capacity.rate with throughput"},
		}},
		{"colours", func(colours string) string {
			return "---\ntitle: Servers\ncolours: " + colours + "\n---\n\n" + servers
		}, []struct{ name, part, want string }{
			{"sound", "[b, a]", ""},
			{"a value that no cell has", "[b, bb]", `no-cell at bb: no cell has the value "bb" (did you mean "b"?)`},
			{"more than there are colours", "[a, b, c, a, b, c, a]",
				"too-many at a: more than 6 values have a colour (more cannot be told apart: leave out those that matter least)"},
		}},
	} {
		for _, tt := range group.tests {
			t.Run(group.name+"/"+tt.name, func(t *testing.T) {
				if got := problemsOf(t, group.text(tt.part)); !sameLines(got, tt.want) {
					t.Errorf("got\n%s\nwant\n%s", got, tt.want)
				}
			})
		}
	}
}

// sameLines compares problems line by line. A hint counts if it is wanted.
func sameLines(got, want string) bool {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		if g[i] != w[i] && !strings.HasPrefix(g[i], w[i]+" (") {
			return false
		}
	}
	return true
}

func TestCheckOfCommandsAllowsMetricsThatProgramsPrint(t *testing.T) {
	text := recordtest.Article(recordtest.Command) +
		recordtest.Fence("claim", "{name: c, expect: 'frames{tool=\"fast\"} > frames{tool=\"slow\"}'}") +
		"It draws `{value} frames{tool=\"fast\"} / time.real{tool=\"fast\"}`.\n\n" + recordtest.Fence("table",
		"label: tbl-a\nrows: [tool]\ncolumns: [frames, time.real]")
	assert.Equal(t, problemsOf(t, text), "")
}

// A published row that fits no cell is a problem where each of its values has one, and none where another profile has
// the cell.
func TestRowsThatFitNoCell(t *testing.T) {
	const text = "---\ntitle: An example\n---\n\n```yaml experiment\nname: sums\n" +
		"command: {image: \"debian:bookworm-slim\", run: \"seq ${{ matrix.size }}\"}\n" +
		"matrix: {size: [\"1\", \"2\"], way: [a, b], exclude: [{size: \"2\", way: b}]}\n" +
		"profiles: {large: {matrix: {size: [\"1\", \"3\"], exclude: []}}}\n" +
		"```\n\n```yaml published\nsource: Others\nrows:\n  - {size: 1, way: a, time.real: 1s}\n" +
		"  - {size: 2, way: b, time.real: 1s}\n" +
		"  - {size: 3, way: a, time.real: 1s}\n  - {size: 4, way: a, time.real: 1s}\n```\n"
	assert.Equal(t, places(t, text, plan.Full), "no-cell at {\nno-cell at 4")
}

// A mistake hides no other mistake, and its consequences are not reported.
func TestCheckBesideMistakes(t *testing.T) {
	const (
		claim = "name: c\nexpect: throughput{server=\"a\"} > throughput{server=\"zzz\"}"
		table = "label: tbl-x\nrows: [serveer]\ncolumns: [throughputt, latency.p50, lag.p99, cpu.other]"
		value = "Of `{value} througput{server=\"a\"}`.\n"
	)
	rest := recordtest.Fence("claim", claim) + recordtest.Fence("table", table) + value
	found := []string{`no-cell at server="zzz"`, "unknown-parameter at serveer", "unknown-metric at throughputt",
		"unknown-metric at througput"}
	of := recordtest.Article
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"none", of(strings.Replace(recordtest.Servers, "connections: 10", "connections: 10, rate: 9/s", 1)) + rest,
			append([]string{}, append(found[:3:3], "unknown-metric at cpu.other", found[3])...)},
		{"a misspelt key of the load", of(strings.Replace(recordtest.Servers, "connections", "conections", 1)) + rest,
			append([]string{"unknown-key at conections"}, found...)},
		{"a wrong value of a service", of(strings.Replace(recordtest.Servers, "build: .", "build: ., read_only: perhaps",
			1)) + rest, append([]string{"wrong-value at perhaps"}, found...)},
		{"a wrong number of repetitions", of(strings.Replace(recordtest.Servers, "repetitions: 3", "repetitions: many", 1)) +
			recordtest.Fence("claim", claim), []string{"wrong-value at many", found[0]}},
		{"a key that nobody knows", of(recordtest.Servers+"\nspeed: 3") + recordtest.Fence("claim", claim),
			[]string{"unknown-key at speed", found[0]}},
		{"a service that is not indented", of("name: servers\nservices:\nserver:\n  build: .\n  expose: [\"8080\"]\n"+
			"matrix: {server: [a, b, c]}\n"+
			"load: {target: \"http://server:8080/\", connections: 10}") + recordtest.Fence("claim", claim),
			[]string{"unknown-key at server", found[0]}},
		{"a misspelt key behind services that are missing",
			of("name: servers\nservices:\nlaod: {target: \"http://server:8080/\", connections: 10}"),
			[]string{"unknown-key at laod"}},
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
	} {
		assert.Equal(t, places(t, test.text, plan.Full), strings.Join(test.want, "\n"), "%s", test.name)
	}
}

// Values that only another profile has are valid.
func TestValuesOfAnotherProfile(t *testing.T) {
	const experiment = "name: servers\nservices: {server: {image: x, expose: [\"80\"]}}\nmatrix: {server: [a, b, c]}\n" +
		"load: {target: 'http://server/', requests: 10}\n" +
		"profiles: {quick: {matrix: {server: [a, b]}}, wide: {matrix: {server: [a, b, c, d]}}, one: {matrix: {server: [a]}}}"
	claim := func(expect string) string { return recordtest.Fence("claim", "name: c\nexpect: "+expect) }
	for _, tt := range []struct{ name, block, profile, want string }{
		{"a claim", claim(`throughput{server="a"} > throughput{server="c"}`), "quick", ""},
		{"a claim in full", claim(`throughput{server="a"} > throughput{server="c"}`), "full", ""},
		{"a claim about what another profile adds", claim(`throughput{server="a"} > throughput{server="d"}`), "full", ""},
		{"a claim about nothing", claim(`throughput{server="a"} > throughput{server="e"}`), "quick", "no-cell"},
		{"a list that is short in another profile", claim("throughput > 5/s"), "full", "several-cells"},
		{"a value", "It answers `{value} throughput{server=\"c\"}` times.\n", "quick", ""},
		{"a value of nothing", "It answers `{value} throughput{server=\"e\"}` times.\n", "quick", "no-cell"},
		{"a filter", recordtest.Fence("table", "label: tbl-a\nrows: [server]\ncolumns: [throughput]\nwhere: server == \"c\""),
			"quick", ""},
		{"colours", "", "quick", ""},
		{"a filter for nothing", recordtest.Fence("table",
			"label: tbl-a\nrows: [server]\ncolumns: [throughput]\nwhere: server == \"e\""), "quick", "no-cell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "---\ntitle: Servers\ncolours: [a, c, d]\n---\n\n" + recordtest.Fence("experiment", experiment) + tt.block
			if got := places(t, text, tt.profile); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	rules := Rules()
	if len(rules) < 100 || !slices.Contains(rules, "unknown-key") {
		t.Fatalf("%d rules", len(rules))
	}
	for _, rule := range rules {
		text, ok := Explain(rule)
		if !ok || len(text) < 40 || strings.Contains(text, ".md)") {
			t.Errorf("%s: %v\n%s", rule, ok, text)
		}
	}
	_, ok := Explain("unknown")
	assert.Equal(t, ok, false, "a rule that is none has a text")
}

// An explanation has no links to other pages, but its example is as written, and as check prints it.
func TestExplainKeepsListings(t *testing.T) {
	const example = "````markdown\n[a](a.md)\n```yaml claim\n# [b](b.md)\n```\n[c](c.md)\n````\n\n```text\n[d](d.md)\n```\n"
	assert.Equal(t, withoutLinks("See [the\npage](x.md#y).\n\n"+example+"\nOr [z](../z.md).\n"),
		"See the\npage.\n\n"+example+"\nOr z.\n")
}

// Problems lie in an article, whatever is broken in it.
func TestPlacesOfProblems(t *testing.T) {
	project, count := emptyProject(t), 0
	for _, pattern := range []string{"article/testdata/broken", "plan/testdata/broken", "plan/testdata/good"} {
		for _, file := range must.Get(filepath.Glob("../" + pattern + "/*.md")) {
			for _, problem := range found(project, must.Read(file), plan.Full) {
				count++
				if at := problem.Pos; at.Source == nil || at.Start < 0 || at.End < at.Start || at.End > len(at.Source.Data) {
					t.Errorf("%s: outside of any text: %v", file, problem)
				}
			}
		}
	}
	assert.Equal(t, count >= 200, true, "there are enough problems, %d", count)
}
