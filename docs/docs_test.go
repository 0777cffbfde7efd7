// Package docs_test keeps the manual true: what it shows is run, and what it lists is compared with the program.
//
// Examples are fences of Markdown. Four backticks and the word markdown hold a whole article. Three backticks hold a
// part of one: yaml with the kind of a block, a listing with file=, or markdown for prose; the parts below one heading
// make an article together, with an experiment of their own or else with the one below the heading "A whole article",
// wherever in the manual that is. In the tutorial they are added to the article as it was before.
// yaml file=benchbook.yaml is the project file of the examples below its heading. A fence of text right after a whole
// article is what "benchbook check" prints of it; all other examples are without problems. Such output is written anew
// with -update. A fence of console after that is what "benchbook run" prints where there is no engine.
package docs_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/markdown"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/render/prose"
	"benchbook/site/theme"
)

var update = flag.Bool("update", false, "write the output of examples anew")

// root is the repository, seen from this folder.
const root = ".."

type (
	page  = markdown.Page
	fence = markdown.Fence
)

// manual is all pages.
type manual []*page

func pages(t testing.TB) manual {
	t.Helper()
	var out manual
	for _, name := range append(must.Get(filepath.Glob("*.md")), problemsPage) {
		out = append(out, markdown.Read(name))
	}
	return out
}

// whole is the article below wholeHeading.
func (m manual) whole(t testing.TB) string {
	t.Helper()
	for _, p := range m {
		for _, f := range p.Fences {
			if f.Heading == wholeHeading && f.Ticks == 4 {
				return f.Body
			}
		}
	}
	t.Fatalf("no page has a section %q with an article", wholeHeading)
	return ""
}

const (
	// wholeHeading is above the article that parts without an experiment belong to.
	wholeHeading = "A whole article"
	// tutorialPage has one article, to which each section adds.
	tutorialPage = "tutorial.md"
	problemsPage = "../notebook/check/rules.md"
	stockProject = "title: Examples\n"
	stockHead    = "---\ntitle: An example\n---\n\n"
)

// example is an article that a page shows, with the output that it earns.
type example struct {
	heading string
	line    int
	article string
	project string
	want    string
	output  *fence // where want stands; nil if nothing is wrong
	run     string // what running it prints, behind the command; empty if the page does not show that
}

// runLine is the command whose output a fence of console shows.
const runLine = "$ benchbook run --engine none\n"

// examples reads the fences of a page by the rules of the package comment. Whole is the article that parts belong to.
func examples(p *page, whole string) []*example {
	var out []*example
	for from := 0; from < len(p.Fences); {
		to := from
		for to < len(p.Fences) && p.Fences[to].Heading == p.Fences[from].Heading {
			to++
		}
		section := p.Fences[from:to]
		from = to
		var here []*example
		var last *example // what a fence of text would be the output of
		project, parts, own := stockProject, "", false
		for i := range section {
			f := &section[i]
			language, second, _ := strings.Cut(f.Info, " ")
			before := last
			last = nil
			switch {
			case f.Ticks == 4 && f.Info == "markdown":
				last = &example{heading: f.Heading, line: f.Line, article: f.Body}
				here = append(here, last)
			case f.Info == "text" && before != nil:
				before.want, before.output = f.Body, f
				last = before
			case f.Info == "console" && before != nil:
				if out, ok := strings.CutPrefix(f.Body, runLine); ok {
					before.run = out
				}
			case f.Info == "yaml file="+article.ProjectFile:
				project = f.Body
			case f.Info == "markdown":
				parts += f.Body + "\n"
			case language == "yaml" && second != "",
				strings.HasPrefix(second, "file="), strings.HasPrefix(second, "include="):
				own = own || second == "experiment"
				parts += "```" + f.Info + "\n" + f.Body + "```\n\n"
			}
		}
		if parts != "" || project != stockProject && len(here) == 0 {
			head := whole + "\n"
			if own {
				head = stockHead
			}
			here = append(here, &example{heading: section[0].Heading, line: section[0].Line, article: head + parts})
		}
		for _, e := range here {
			e.project = project
		}
		out = append(out, here...)
		if p.Name == tutorialPage && len(here) > 0 {
			whole = here[len(here)-1].article
		}
	}
	return out
}

// surroundings are what an example of a rule needs beside its text.
var surroundings = map[string]func(dir string, text []byte) ([]byte, error){
	"bad-utf8": func(_ string, text []byte) ([]byte, error) {
		return bytes.ReplaceAll(text, []byte("é"), []byte{0xe9}), nil
	},
	"file-exists": func(dir string, text []byte) ([]byte, error) {
		return text, os.WriteFile(filepath.Join(dir, "server.py"), nil, 0o644)
	},
	"compose": func(dir string, text []byte) ([]byte, error) {
		return text, os.WriteFile(filepath.Join(dir, "docker-compose.yml"),
			[]byte("services:\n  server:\n    image: nginx:1.27\n    privileged: true\n"), 0o644)
	},
	"not-a-file": func(dir string, text []byte) ([]byte, error) {
		return text, os.Symlink("elsewhere", filepath.Join(dir, "data"))
	},
	"control-character": func(_ string, text []byte) ([]byte, error) {
		return bytes.ReplaceAll(text, []byte("␛"), []byte{0x1b}), nil
	},
	"white-space": func(_ string, text []byte) ([]byte, error) {
		return bytes.ReplaceAll(text, []byte("⍽"), []byte("\u00a0")), nil
	},
	"too-large": func(dir string, text []byte) ([]byte, error) {
		for _, name := range []string{"data", "more"} {
			f, err := os.Create(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			if err := errors.Join(f.Truncate(128<<20+1), f.Close()); err != nil { // sparse
				return nil, err
			}
		}
		return text, nil
	},
}

// write makes a project with the example as its article.
func (e *example) write(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	folder := filepath.Join(dir, "experiments", "example")
	text := []byte(e.article)
	err := os.MkdirAll(folder, 0o755)
	if change := surroundings[e.heading]; change != nil && err == nil {
		text, err = change(folder, text)
	}
	must.Do(errors.Join(err, os.WriteFile(filepath.Join(dir, article.ProjectFile), []byte(e.project), 0o644),
		os.WriteFile(filepath.Join(folder, article.FileName), text, 0o644)))
	return dir
}

// check gives what "benchbook check" prints of problems; it is empty if there are none.
func (e *example) check(t *testing.T) string {
	t.Helper()
	project := must.Get(article.OpenProject(e.write(t)))
	doc := must.Get(project.Article("example"))
	var problems source.Problems
	p := must.Get(plan.New(project, doc, plan.Options{}, &problems))
	problems.Merge(&doc.Problems)
	check.Check(doc, p, &problems)
	if e.heading == "asserts-what-does-not-hold" {
		check.WrongAssertions(doc, &problems)
	}
	if onlyWarns[e.heading] {
		prose.DeadLinks(doc, []string{"example"}, &problems)
		for _, one := range p.Experiments {
			one.AddWarnings(&problems)
		}
		check.Headlines(doc, &problems)
		check.Finding(doc, &problems)
		claim.Warn(claim.Undecidable(dataset.WithoutRecords(doc, p)), &problems)
	}
	var look source.Problems
	theme.Style(project, &look)
	found := slices.Concat(project.Problems.Sorted(), problems.Sorted(), look.Sorted())
	var out strings.Builder
	for _, problem := range found {
		fmt.Fprintln(&out, problem)
	}
	switch n := len(found); {
	case n == 0:
	case n == 1 && onlyWarns[e.heading]:
		out.WriteString("1 article, no problems, 1 warning\n")
	case n == 1:
		out.WriteString("1 problem\n")
	default:
		fmt.Fprintf(&out, "%d problems\n", len(found))
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

func TestExamples(t *testing.T) {
	all := pages(t)
	whole, number := all.whole(t), 0
	for _, p := range all {
		found := examples(p, whole)
		number += len(found)
		text := []byte(p.Text)
		shift := 0
		for _, e := range found {
			t.Run(fmt.Sprintf("%s:%d", p.Name, e.line), func(t *testing.T) {
				if testing.Short() && e.heading == "too-large" {
					t.Skip("it reads files of 256 MiB")
				}
				got := e.check(t)
				if *update && e.output != nil {
					text = slices.Replace(text, e.output.Start+shift, e.output.End+shift, []byte(got)...)
					shift += len(got) - (e.output.End - e.output.Start)
					return
				}
				assert.Equal(t, got, e.want, "under %q what the article\n%s\nearns, and what the page says", e.heading, e.article)
			})
		}
		if *update {
			must.Do(os.WriteFile(p.Name, text, 0o644))
		}
	}
	assert.Equal(t, number >= 130, true, "the manual has enough examples, %d", number)
}

// foundElsewhere are the rules of problems that depend on the machine, or that are about other files than articles: no
// example shows them.
var foundElsewhere = map[string]bool{"build-failed": true, "no-image": true, "no-rate": true, "no-tune": true,
	"no-such-cpu": true, "bad-mark": true, "not-woven": true, "typed-number": true}

// onlyWarns are the rules of warnings. Examples of other rules may have such warnings, which are not shown.
var onlyWarns = map[string]bool{"dead-link": true, "no-headline": true, "port-not-exposed": true, "too-few-answers": true,
	"too-few-repetitions": true, "unbound-finding": true, "unused-axis": true}

// Every rule has an example, and every example earns its rule.
func TestRulesHaveTheirExample(t *testing.T) {
	problems := markdown.Read(problemsPage)
	has := map[string]bool{}
	for _, e := range examples(problems, stockHead) {
		has[e.heading] = true
		assert.Equal(t, strings.Contains(e.want+e.run, "["+e.heading+"]"), true,
			"rules.md:%d: the example of %s earns it", e.line, e.heading)
	}
	for _, heading := range problems.Headings {
		if rule, ok := strings.CutPrefix(heading, "### "); ok && has[rule] == foundElsewhere[rule] {
			t.Errorf("rules.md: that %s has an example is %v", rule, has[rule])
		}
	}
}

// compare reports what only one of the program and the manual has.
func compare(t *testing.T, what string, program, manual map[string]bool) {
	t.Helper()
	for name := range program {
		if !manual[name] {
			t.Errorf("the manual lacks the %s %q", what, name)
		}
	}
	for name := range manual {
		if !program[name] {
			t.Errorf("the manual has the %s %q, which the program does not have", what, name)
		}
	}
}

var (
	code = regexp.MustCompile("`([^`]+)`")
	// span is code in prose: also in two backticks, which may hold one, and over the end of a line.
	span = regexp.MustCompile("(?s)``.+?``|`[^`]+`")
)

// firstColumn gives the words in code font in the first column of the tables in a text.
func firstColumn(text string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(text) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.HasPrefix(line, "|") {
			for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
				out[m[1]] = true
			}
		}
	}
	return out
}

// keysOf gives the keys of all structs that articles and projects are read into, by the names of their types.
func keysOf() map[string][]string {
	keys := map[string][]string{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			add(t.Elem())
		case reflect.Struct:
			name, _, _ := strings.Cut(t.Name(), "[")
			if f, ok := t.FieldByName("Value"); ok && name == "Named" {
				add(f.Type)
			}
			if keys[name] != nil {
				return
			}
			for _, f := range source.FieldsOf(t) {
				keys[name] = append(keys[name], f.Key)
			}
			for _, f := range source.FieldsOf(t) {
				add(f.Type)
			}
		}
	}
	for _, one := range []any{article.Front{}, article.Settings{}, article.Policy{}, article.Experiment{}, article.AxisFiles{},
		article.Claim{}, article.Table{}, article.Figure{}, article.Published{}} {
		add(reflect.TypeOf(one))
	}
	return keys
}

// Each type has all of its keys in one table of the manual, and such tables have no others.
func TestKeysAreDocumented(t *testing.T) {
	var tables []map[string]bool
	documented, known := map[string]bool{}, map[string]bool{"condition": true} // in the mapping of depends_on
	for _, p := range pages(t) {
		for heading, text := range p.Sections {
			if strings.Contains(text, "\n| key |") && heading != "A line for each request" { // of the output of a driver
				tables = append(tables, firstColumn(text))
				maps.Copy(documented, firstColumn(text))
			}
		}
	}
	for name, keys := range keysOf() {
		if !slices.ContainsFunc(tables, func(table map[string]bool) bool {
			return !slices.ContainsFunc(keys, func(key string) bool { return !table[key] })
		}) {
			t.Errorf("no table of the manual has all keys of %s: %q", name, keys)
		}
		for _, key := range keys {
			known[key] = true
		}
	}
	compare(t, "key", known, documented)
}

func TestFunctionsAreDocumented(t *testing.T) {
	_, err := expr.Parse("qqqqqqqqqqqqqqqqqq(1)")
	var e *expr.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	list, ok := strings.CutPrefix(e.Hint, "functions are ")
	if !ok {
		t.Fatalf("no list of functions in %q", e.Hint)
	}
	known := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		known[name] = true
	}
	documented := map[string]bool{}
	for call := range firstColumn(markdown.Read("expressions.md").Sections["Functions"]) {
		must.Get(expr.Parse(call))
		name, _, _ := strings.Cut(call, "(")
		documented[name] = true
	}
	compare(t, "function", known, documented)
}

var (
	verbLine = regexp.MustCompile(`(?m)^  ([a-z]+) {2,}\S`)
	flagLine = regexp.MustCompile(`(?m)^ {2,6}(?:-[a-zA-Z], )?--([a-z-]+)`)
	flagWord = regexp.MustCompile(`--([a-z][a-z-]+)`)
	// typedCommand is a verb and its arguments after a prompt or another command.
	typedCommand = regexp.MustCompile(`(?m)(?:^\$ |&& )benchbook ([a-z]+)([^&\n]*)`)
)

func TestCommand(t *testing.T) {
	slowtest.SkipSequential(t)
	program := filepath.Join(t.TempDir(), "benchbook")
	build := exec.Command("go", "build", "-o", program, "./cmd/benchbook")
	build.Dir = root
	must.Run(build)
	t.Run("verbs and flags", func(t *testing.T) { verbsAndFlags(t, program) })
	t.Run("run", func(t *testing.T) { refusals(t, program) })
	t.Run("unknown", func(t *testing.T) { unknownWords(t, program) })
}

// unknownHeading is that of the section that shows what the command does not know.
const unknownHeading = "Unknown verbs and flags"

// unknownWords runs the commands of that section, and compares what they print.
func unknownWords(t *testing.T, program string) {
	shown := 0
	for _, f := range markdown.Read("command.md").Fences {
		if f.Info != "console" || f.Heading != unknownHeading {
			continue
		}
		for command := range strings.SplitSeq(strings.TrimPrefix(f.Body, "$ "), "\n$ ") {
			line, want, _ := strings.Cut(command, "\n")
			shown++
			cmd := exec.Command(program, strings.Fields(line)[1:]...)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			assert.Equal(t, cmd.ProcessState.ExitCode(), 2, "status of %s (%v)", line, err)
			assert.Equal(t, strings.TrimSpace(string(out)), strings.TrimSpace(want), "%s prints", line)
		}
	}
	assert.Equal(t, shown >= 2, true, "commands are shown that nothing knows, %d", shown)
}

// refusals compares what run prints with what the pages show.
func refusals(t *testing.T, program string) {
	shown := 0
	all := pages(t)
	for _, p := range all {
		for _, e := range examples(p, all.whole(t)) {
			if e.run == "" {
				continue
			}
			shown++
			cmd := exec.Command(program, "run", "--engine", "none")
			cmd.Dir = e.write(t)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			assert.Equal(t, cmd.Run() != nil, true, "%s:%d: run refuses it", p.Name, e.line)
			assert.Equal(t, stderr.String(), e.run, "%s:%d: run prints", p.Name, e.line)
		}
	}
	assert.Equal(t, shown >= 2, true, "examples show what run prints, %d", shown)
}

// verbsAndFlags compares verbs and flags with the section of each verb, and with every command that a page shows as it is
// typed.
func verbsAndFlags(t *testing.T, program string) {
	help := func(args ...string) string {
		return string(must.Get(exec.Command(program, append([]string{"help"}, args...)...).Output()))
	}
	flags := map[string]map[string]bool{} // by verb
	for _, m := range verbLine.FindAllStringSubmatch(help(), -1) {
		if m[1] == "help" {
			continue
		}
		flags[m[1]] = map[string]bool{}
		for _, f := range flagLine.FindAllStringSubmatch(help(m[1]), -1) {
			flags[m[1]][f[1]] = true
		}
	}
	reference := markdown.Read("command.md")
	for verb, known := range flags {
		text, ok := reference.Sections[verb]
		assert.Equal(t, ok, true, "command.md has a section %s", verb)
		has, documented := maps.Clone(known), map[string]bool{}
		for _, ofAll := range []string{"help", "directory", "json"} {
			delete(has, ofAll)
		}
		for word := range firstColumn(text) {
			for _, m := range flagWord.FindAllStringSubmatch(word, -1) {
				documented[m[1]] = true
			}
		}
		compare(t, "flag of "+verb, has, documented)
	}
	typed := 0
	for _, p := range pages(t) {
		for _, f := range p.Fences {
			if f.Info != "console" || f.Heading == unknownHeading { // see unknownWords
				continue
			}
			for _, m := range typedCommand.FindAllStringSubmatch(f.Body, -1) {
				typed++
				known, ok := flags[m[1]]
				assert.Equal(t, ok, true, "%s:%d: there is a verb %s", p.Name, f.Line, m[1])
				for _, word := range flagWord.FindAllStringSubmatch(m[2], -1) {
					assert.Equal(t, known[word[1]], true, "%s:%d: %s has the flag --%s", p.Name, f.Line, m[1], word[1])
				}
			}
		}
	}
	assert.Equal(t, typed >= 20, true, "commands are shown as they are typed, %d", typed)
}

var link = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)

// anchor is the name that forges give a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func TestLinks(t *testing.T) {
	var released []string // files, folders and patterns of files in archives
	for line := range strings.Lines(must.Read("../scripts/release")) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "cp ") {
			released = append(released, strings.Fields(line)...)
		}
	}
	anchors := map[string]bool{}
	for _, p := range pages(t) {
		for heading := range p.Sections {
			anchors[p.Name+"#"+anchor(heading)] = true
		}
	}
	for _, p := range pages(t) {
		for _, text := range p.Sections {
			for _, m := range link.FindAllStringSubmatch(span.ReplaceAllString(text, ""), -1) {
				file, at, _ := strings.Cut(m[1], "#")
				if strings.Contains(file, "://") {
					continue
				}
				file = cmp.Or(file, p.Name)
				if strings.HasPrefix(file, "../") && !slices.ContainsFunc(released, func(pattern string) bool {
					matches, _ := filepath.Match(pattern, file[3:])
					return matches || strings.HasPrefix(file[3:], pattern+"/")
				}) {
					t.Errorf("%s links to %s, which scripts/release does not put into archives", p.Name, m[1])
				}
				if _, err := os.Stat(file); err != nil || at != "" && !anchors[file+"#"+at] {
					t.Errorf("%s links to %s, which does not exist", p.Name, m[1])
				}
			}
		}
	}
}
