package plan

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

// library parses an article with experiment blocks in a project.
func library(t *testing.T, project string, blocks ...string) (*Library, *article.Document) {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, article.ProjectFile), []byte(project), 0o644); err != nil {
		t.Fatal(err)
	}
	opened, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	text := "---\ntitle: x\n---\n"
	for _, block := range blocks {
		text += "\n```yaml experiment\n" + block + "\n```\n"
	}
	doc := article.Parse(filepath.Join(root, "experiments", "x"), source.New("article.md", []byte(text)))
	return NewLibrary(opened, doc), doc
}

// values are the single values below n, by their paths of keys.
func values(n *source.Node) string {
	all := map[string]string{}
	var walk func(n *source.Node, at string)
	walk = func(n *source.Node, at string) {
		if n.Kind != source.Map || len(n.Fields) == 0 {
			all[at] = n.Text.Value
		}
		for _, f := range n.Fields {
			walk(f.Value, strings.TrimPrefix(at+"."+f.Key.Value, "."))
		}
	}
	walk(n.Without("name", "extends", "profiles"), "")
	var out []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, key+"="+all[key])
	}
	return strings.Join(out, " ")
}

// What is merged is what was written, what is built in, and nothing that another key has made meaningless.
func TestMerge(t *testing.T) {
	const always = "calibrate=true load.connections=10 "
	const rest = "load.keepalive=true load.method=GET "
	const end = "load.timeout=10s "
	tests := []struct{ name, project, block, profile, want string }{
		{"a load", "", "load: {target: u}", "full",
			always + "load.duration=10000ms " + rest + "load.target=u " + end +
				"load.warmup=2000ms repetitions=up to 20 timeout=5m"},
		{"a command has no load", "", "command: {run: x}", "full",
			"calibrate=true command.run=x repetitions=up to 20 timeout=5m"},
		{"requests instead of a duration", "", "load: {target: u, requests: 9}", "full",
			always + rest + "load.requests=9 load.target=u " + end + "repetitions=up to 20 timeout=5m"},
		{"a driver instead of a tool", "defaults: {load: {tool: ab, args: {ab: [-l]}, start: at once}}",
			"load: {target: u, driver: {image: x}}", "full",
			always + "load.driver.image=x load.duration=10000ms " + rest + "load.target=u " + end +
				"load.warmup=2000ms repetitions=up to 20 timeout=5m"},
		{"a rate instead of requests and think", "", "load: {target: u, requests: 9, think: 1s, rate: 5/s}", "full",
			"calibrate=true load.arrivals=constant load.connections=10 load.duration=10000ms " + rest +
				"load.rate=5/s load.target=u " + end + "load.warmup=2000ms repetitions=up to 20 timeout=5m"},
		{"quick shortens", "", "load: {target: u, warmup: 500ms}", Quick,
			always + "load.duration=3000ms " + rest + "load.target=u " + end +
				"load.warmup=500ms repetitions=3 timeout=5m"},
		{"a profile is above the block", "profiles: {smoke: {repetitions: 2}}", "command: {run: x}\nrepetitions: 7", "smoke",
			"calibrate=true command.run=x repetitions=2 timeout=5m"},
		{"null gives the default again", "defaults: {timeout: 9m}", "command: {run: x}\ntimeout: null", "full",
			"calibrate=true command.run=x repetitions=up to 20 timeout=5m"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, doc := library(t, test.project, "name: e\n"+test.block)
			var problems source.Problems
			m, skipped := l.Merge(l.Definition(doc.Experiments[0], &problems), test.profile, "")
			if got := values(m); got != test.want || skipped || !problems.Empty() {
				t.Errorf("got\n%s, want\n%s; skipped: %v, %v", got, test.want, skipped, problems.Sorted())
			}
		})
	}
}

func TestLayersSkippedByProfile(t *testing.T) {
	l, doc := library(t, "", "name: e\ncommand: {run: x}\nprofiles: {quick: skip}")
	for profile, want := range map[string]bool{Quick: true, "full": false} {
		if _, skipped := l.Merge(l.Definition(doc.Experiments[0], &source.Problems{}), profile, ""); skipped != want {
			t.Errorf("%s is skipped: %v, want %v", profile, skipped, want)
		}
	}
}

// A definition that extends what is not there, or itself, is not whole, and says so once.
func TestDefinition(t *testing.T) {
	l, doc := library(t, "", "name: a\nrepetitions: 7", "name: b\nextends: a", "name: c\nextends: nobody",
		"name: d\nextends: d", "name: e\nextends: nobody#a")
	for i, want := range []string{"", "", "unknown-experiment", "circle", "unknown-article"} {
		var problems source.Problems
		d := l.Definition(doc.Experiments[i], &problems)
		var rules []string
		for _, p := range problems.All() {
			rules = append(rules, p.Rule)
		}
		if got := strings.Join(rules, " "); got != want || d.Whole != (want == "") {
			t.Errorf("%s: got %q and whole: %v, want %q", d.Block.Name.Value, got, d.Whole, want)
		}
	}
	if n := l.Definition(doc.Experiments[1], &source.Problems{}).Node.Get("repetitions"); n == nil || n.Text.Value != "7" {
		t.Errorf("repetitions are not inherited: %v", n)
	}
}
