package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// TestCases plans every case of testdata/cases. A file there has cases about one subject; the files of a case are called
// "CASE: PATH", with paths from the folder of its article. Three of them have names of their own: "article" is the whole
// article, or "experiment" its only block; "profile" chooses a profile; "want" is what comes out.
func TestCases(t *testing.T) {
	archives, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(archives) < 10 {
		t.Fatalf("%d files of cases, %v", len(archives), err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		cases := map[string]map[string]*txtar.File{}
		for i := range archive.Files {
			of, file, ok := strings.Cut(archive.Files[i].Name, ": ")
			if !ok {
				t.Fatalf("%s: %q names no case", name, archive.Files[i].Name)
			}
			if cases[of] == nil {
				cases[of] = map[string]*txtar.File{}
			}
			cases[of][file] = &archive.Files[i]
		}
		for _, of := range slices.Sorted(maps.Keys(cases)) {
			t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar")+"/"+of, func(t *testing.T) {
				want := cases[of]["want"]
				got := outcome(t, cases[of])
				if *update {
					want.Data = []byte(got)
				}
				if got != string(want.Data) {
					t.Errorf("got\n%s\nwant\n%s", got, want.Data)
				}
			})
		}
		if *update {
			if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// outcome plans the article of a case in a project of its own, and shows its problems, or the plan without any.
func outcome(t *testing.T, files map[string]*txtar.File) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	write(t, filepath.Join(root, article.ProjectFile), "")
	text, profile := "", ""
	for name, file := range files {
		switch name {
		case "want":
		case "article":
			text = string(file.Data)
		case "experiment":
			text = "---\ntitle: x\n---\n\n```yaml experiment\n" + string(file.Data) + "```\n"
		case "profile":
			profile = strings.TrimSpace(string(file.Data))
		default:
			write(t, filepath.Join(dir, name), string(file.Data))
		}
	}
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc := article.Parse(dir, source.New("article.md", []byte(text)))
	var problems source.Problems
	problems.Merge(&doc.Problems)
	p, err := plan.New(project, doc, plan.Options{Profile: profile}, &problems)
	if err != nil {
		t.Fatal(err)
	}
	shown := describe(p, &problems)
	if root = filepath.Dir(root); strings.Contains(shown, root) {
		shown = marks.ReplaceAllString(strings.ReplaceAll(shown, root, "/above"), "^")
	}
	return shown
}

// marks are under the text of a problem, as long as the path of a temporary folder in it.
var marks = regexp.MustCompile(`\^~+`)

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// describe shows problems, or without any what would be measured; then remarks, and what the engine cannot do.
func describe(p *plan.Plan, problems *source.Problems) string {
	var out strings.Builder
	if problems.Empty() {
		for _, e := range p.Experiments {
			describeExperiment(&out, e)
		}
		for _, e := range p.Experiments {
			e.Remarks(problems)
			e.CheckEngine(problems)
		}
	}
	for _, problem := range problems.Sorted() {
		fmt.Fprintln(&out, problem)
	}
	return out.String()
}

func describeExperiment(out *strings.Builder, e *plan.Experiment) {
	if e.Skipped != "" {
		fmt.Fprintf(out, "%s: skipped: %s\n", e.Name, e.Skipped)
		return
	}
	fmt.Fprintf(out, "%s: repetitions %v, timeout %v, %d steps", e.Name, e.Looks, e.Timeout, len(e.Steps))
	if e.Blocks {
		fmt.Fprint(out, ", blocks")
	}
	fmt.Fprintln(out)
	for _, note := range e.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	for _, t := range e.Trials {
		fmt.Fprintf(out, "- %s %v %v %s\n", t.Name, t.Parameters, t.Labels, t.Key)
		if t.InsteadOf != "" {
			fmt.Fprintf(out, "  instead of: %s\n", t.InsteadOf)
		}
		if t.Unavailable != "" {
			fmt.Fprintf(out, "  unavailable: %s\n", t.Unavailable)
			continue
		}
		var parts map[string]json.RawMessage
		if err := json.Unmarshal(t.Definition, &parts); err != nil {
			fmt.Fprintln(out, err)
		}
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			fmt.Fprintf(out, "  %s: %s\n", key, parts[key])
		}
	}
}
