package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// TestCases plans every case of testdata/cases. An archive there has cases about one subject:
//
//	-- base --         lines that the experiment of a case begins with, unless it has a name of its own
//	-- case: NAME --   the experiment, or a whole article
//	-- front --        lines of the front matter below its title, if the case is an experiment
//	-- PATH --         a file of the case, counted from the folder of its article
//	-- profile --      the profile, if it is not full
//	-- want --         what is planned
//
// "case: NAME < OTHER" changes files of the earlier case OTHER, and its experiment unless that is empty. Of the first
// trial, it shows the parts that differ from those of OTHER.
func TestCases(t *testing.T) {
	for _, name := range must.Glob("testdata/cases/*.txtar", 5) {
		archive := must.Get(txtar.ParseFile(name))
		for _, c := range readCases(t, archive) {
			p, problems, _ := c.plan(t)
			got := c.describe(p, problems)
			t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar")+"/"+c.name, func(t *testing.T) {
				if *golden.Update {
					c.want.Data = []byte(got)
				}
				assert.Equal(t, got, string(c.want.Data))
			})
		}
		if *golden.Update {
			must.Do(os.WriteFile(name, txtar.Format(archive), 0o644))
		}
	}
}

// planCase is an article with its files.
type planCase struct {
	name, profile     string
	article           string // whole; empty: its front matter and only block are front and experiment
	front, experiment string
	files             map[string]string
	want              *txtar.File
	of                *planCase // the case that this one changes
	first             parts     // of the first trial
}

// parts are the parts of a trial's definition.
type parts map[string]json.RawMessage

func (c *planCase) text() string {
	if c.article != "" {
		return c.article
	}
	return "---\ntitle: x\n" + c.front + "---\n\n```yaml experiment\n" + c.experiment + "```\n"
}

// newCase returns the case of a text: an experiment, or a whole article, before its files as in an archive.
func newCase(text string) *planCase {
	c := &planCase{files: map[string]string{}}
	c.change(text)
	return c
}

// change applies a text like that of newCase to a case. Without an experiment before the files, the old one stays.
func (c *planCase) change(by string) {
	archive := txtar.Parse([]byte(by))
	if len(archive.Comment) > 0 {
		c.write("", string(archive.Comment))
	}
	for _, f := range archive.Files {
		c.add(f.Name, string(f.Data))
	}
}

// write sets the article of a case, or its only experiment.
func (c *planCase) write(base, text string) {
	switch {
	case strings.HasPrefix(text, "---\n"):
		c.article = text
	case strings.HasPrefix(text, "name: "):
		c.article, c.experiment = "", text
	default:
		c.article, c.experiment = "", base+text
	}
}

// add sets the front matter or the profile of a case, or adds a file.
func (c *planCase) add(name, text string) {
	switch name {
	case "front":
		c.front = text
	case "profile":
		c.profile = strings.TrimSpace(text)
	default:
		c.files[name] = text
	}
}

func readCases(t *testing.T, archive *txtar.Archive) (cases []*planCase) {
	t.Helper()
	base := ""
	var c *planCase
	for i := range archive.Files {
		f := &archive.Files[i]
		text := string(f.Data)
		heading, isCase := strings.CutPrefix(f.Name, "case: ")
		switch {
		case isCase:
			name, of, inherits := strings.Cut(heading, " < ")
			c = &planCase{files: map[string]string{}}
			if inherits {
				i := slices.IndexFunc(cases, func(c *planCase) bool { return c.name == of })
				if i < 0 {
					t.Fatalf("there is no case %q", of)
				}
				*c = *cases[i]
				c.files, c.of = maps.Clone(c.files), cases[i]
			}
			c.name, cases = name, append(cases, c)
			if text != "" || !inherits {
				c.write(base, text)
			}
		case f.Name == "base":
			base = text
		case f.Name == "want":
			c.want = f
		default:
			c.add(f.Name, text)
		}
	}
	return cases
}

// open creates a project with the files of a case. The article is in dir.
func (c *planCase) open(t *testing.T) (project *article.Project, dir string) {
	t.Helper()
	root := t.TempDir()
	dir = filepath.Join(root, "experiments", "sample")
	must.Write(filepath.Join(root, article.ProjectFile), "")
	for name, text := range c.files {
		must.Write(filepath.Join(dir, name), text)
	}
	return must.Get(article.OpenProject(root)), dir
}

// plan plans the article of a case in a project below the folder above.
func (c *planCase) plan(t *testing.T) (p *plan.Plan, problems *source.Problems, above string) {
	t.Helper()
	project, dir := c.open(t)
	doc := article.Parse(dir, source.New("article.md", []byte(c.text())))
	problems = &source.Problems{}
	problems.Merge(&doc.Problems)
	p = must.Get(plan.New(project, doc, plan.Options{Profile: c.profile}, problems))
	return p, problems, filepath.Dir(project.Dir)
}

// describe shows what would be measured, or the problems.
func (c *planCase) describe(p *plan.Plan, problems *source.Problems) string {
	var out strings.Builder
	for _, problem := range problems.Sorted() {
		fmt.Fprintln(&out, problem)
	}
	if !problems.Empty() {
		return out.String()
	}
	var before parts
	if c.of != nil {
		before = c.of.first
	}
	for i, e := range p.Experiments {
		all := describeExperiment(&out, e, before, len(p.Experiments) > 1)
		if len(all) == 0 {
			continue
		}
		if i == 0 {
			c.first = all[0]
		}
		before = all[len(all)-1]
	}
	return out.String()
}

// describeExperiment shows the trials of an experiment, each with the parts of its definition that differ from the
// previous trial. It omits the second half of an A/A pair. The experiment has a line of its own if it is one of
// several, or differs from the defaults.
func describeExperiment(out *strings.Builder, e *plan.Experiment, before parts, several bool) (all []parts) {
	if e.Skipped != "" {
		fmt.Fprintf(out, "%s: skipped: %s\n", e.Name, e.Skipped)
		return nil
	}
	head := fmt.Sprintf("repetitions %v, timeout %v, %d steps", e.Looks, e.Timeout, len(e.Steps))
	if several || head != fmt.Sprintf("repetitions [3 5 10 20], timeout 5m0s, %d steps", 20*len(e.Trials)) {
		fmt.Fprintf(out, "%s: %s\n", e.Name, head)
	}
	twice := map[string]string{}
	for _, t := range e.Trials {
		if t.Calibration {
			twice[e.Original(t).Name] = " twice"
		}
	}
	for _, note := range e.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	for _, t := range e.Trials {
		if t.Calibration {
			continue
		}
		fmt.Fprintf(out, "- %s %v %v %s%s\n", t.Name, t.Parameters, t.Labels, t.Key, twice[t.Name])
		var is parts
		if err := json.Unmarshal(t.Definition, &is); err != nil {
			fmt.Fprintln(out, err)
		}
		for _, key := range slices.Sorted(maps.Keys(before)) {
			if is[key] == nil {
				fmt.Fprintf(out, "  without %s\n", key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(is)) {
			if !slices.Equal(is[key], before[key]) {
				fmt.Fprintf(out, "  %s: %s\n", key, is[key])
			}
		}
		before, all = is, append(all, is)
	}
	return all
}
