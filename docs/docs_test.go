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

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/site/theme"
)

var update = flag.Bool("update", false, "write the output of examples anew")

// root is the repository, seen from this folder.
const root = ".."

// page is a file of the manual.
type page struct {
	name   string
	text   string
	fences []fence
}

// fence is a fenced block with the nearest heading above it.
type fence struct {
	ticks      int
	info       string
	heading    string
	line       int // of its first fence, from 1
	start, end int // of the body in the page
	body       string
}

func readPage(t testing.TB, name string) *page {
	t.Helper()
	data := must.Get(os.ReadFile(name))
	p := &page{name: name, text: string(data)}
	var open *fence
	offset, heading := 0, ""
	number := 0
	for line := range strings.Lines(p.text) {
		number++
		trimmed := strings.TrimRight(line, "\n")
		ticks := len(trimmed) - len(strings.TrimLeft(trimmed, "`"))
		switch {
		case open != nil && ticks >= open.ticks && len(trimmed) == ticks:
			open.end, open.body = offset, p.text[open.start:offset]
			p.fences = append(p.fences, *open)
			open = nil
		case open != nil:
		case ticks >= 3:
			open = &fence{ticks: ticks, info: trimmed[ticks:], heading: heading, line: number, start: offset + len(line)}
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(trimmed, "#"))
		}
		offset += len(line)
	}
	if open != nil {
		t.Fatalf("%s:%d: the fence is never closed", name, open.line)
	}
	return p
}

// manual is all pages.
type manual []*page

func pages(t testing.TB) manual {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil || len(names) < 2 {
		t.Fatalf("%d pages, %v", len(names), err)
	}
	var out manual
	for _, name := range append(names, problemsPage) {
		out = append(out, readPage(t, name))
	}
	return out
}

// section is the text between a heading, which only one page of the reference has, and the next one, without its
// fences.
func (m manual) section(t testing.TB, heading string) string {
	t.Helper()
	var of *page
	for _, p := range m {
		if p.name == problemsPage || !p.has(heading) {
			continue
		}
		if of != nil {
			t.Fatalf("%s and %s both have a section %q", of.name, p.name, heading)
		}
		of = p
	}
	if of == nil {
		t.Fatalf("no page has a section %q", heading)
	}
	return of.section(t, heading)
}

// whole is the article below wholeHeading.
func (m manual) whole(t testing.TB) string {
	t.Helper()
	for _, p := range m {
		for _, f := range p.fences {
			if f.heading == wholeHeading && f.ticks == 4 {
				return f.body
			}
		}
	}
	t.Fatalf("no page has a section %q with an article", wholeHeading)
	return ""
}

// has reports whether the page has a heading.
func (p *page) has(heading string) bool {
	for line := range strings.Lines(p.prose()) {
		if strings.HasPrefix(line, "#") && strings.TrimSpace(strings.TrimLeft(line, "#")) == heading {
			return true
		}
	}
	return false
}

// section is the text between a heading and the next one, without its fences.
func (p *page) section(t testing.TB, heading string) string {
	t.Helper()
	found := false
	var out strings.Builder
	for line := range strings.Lines(p.prose()) {
		isHeading := strings.HasPrefix(line, "#")
		switch {
		case isHeading && found:
			return out.String()
		case isHeading:
			found = strings.TrimSpace(strings.TrimLeft(line, "#")) == heading
		case found:
			out.WriteString(line)
		}
	}
	if !found {
		t.Fatalf("%s has no section %q", p.name, heading)
	}
	return out.String()
}

// prose is the page without its fences.
func (p *page) prose() string {
	text := p.text
	for _, f := range slices.Backward(p.fences) {
		begin := strings.LastIndexByte(text[:f.start-1], '\n') + 1
		text = text[:begin] + text[f.end+f.ticks:]
	}
	return text
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
func (p *page) examples(whole string) []*example {
	var out []*example
	for from := 0; from < len(p.fences); {
		to := from
		for to < len(p.fences) && p.fences[to].heading == p.fences[from].heading {
			to++
		}
		section := p.fences[from:to]
		from = to
		var here []*example
		var last *example // what a fence of text would be the output of
		project, parts, own := stockProject, "", false
		for i := range section {
			f := &section[i]
			language, second, _ := strings.Cut(f.info, " ")
			before := last
			last = nil
			switch {
			case f.ticks == 4 && f.info == "markdown":
				last = &example{heading: f.heading, line: f.line, article: f.body}
				here = append(here, last)
			case f.info == "text" && before != nil:
				before.want, before.output = f.body, f
				last = before
			case f.info == "console" && before != nil:
				if out, ok := strings.CutPrefix(f.body, runLine); ok {
					before.run = out
				}
			case f.info == "yaml file="+article.ProjectFile:
				project = f.body
			case f.info == "markdown":
				parts += f.body + "\n"
			case language == "yaml" && second != "",
				strings.HasPrefix(second, "file="), strings.HasPrefix(second, "include="):
				own = own || second == "experiment"
				parts += "```" + f.info + "\n" + f.body + "```\n\n"
			}
		}
		if parts != "" || project != stockProject && len(here) == 0 {
			head := whole + "\n"
			if own {
				head = stockHead
			}
			here = append(here, &example{heading: section[0].heading, line: section[0].line, article: head + parts})
		}
		for _, e := range here {
			e.project = project
		}
		out = append(out, here...)
		if p.name == tutorialPage && len(here) > 0 {
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
	var look source.Problems
	theme.Style(project, &look)
	found := slices.Concat(project.Problems.Sorted(), problems.Sorted(), look.Sorted())
	var out strings.Builder
	for _, problem := range found {
		fmt.Fprintln(&out, problem)
	}
	switch len(found) {
	case 0:
	case 1:
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
		found := p.examples(whole)
		number += len(found)
		text := []byte(p.text)
		shift := 0
		for _, e := range found {
			t.Run(fmt.Sprintf("%s:%d", p.name, e.line), func(t *testing.T) {
				if testing.Short() && e.heading == "too-large" {
					t.Skip("it reads files of 256 MiB")
				}
				got := e.check(t)
				if *update && e.output != nil {
					text = slices.Replace(text, e.output.start+shift, e.output.end+shift, []byte(got)...)
					shift += len(got) - (e.output.end - e.output.start)
					return
				}
				assert.Equal(t, got, e.want, "under %q what the article\n%s\nearns, and what the page says", e.heading, e.article)
			})
		}
		if *update {
			must.Do(os.WriteFile(p.name, text, 0o644))
		}
	}
	if number < 130 {
		t.Errorf("the manual has %d examples", number)
	}
}

// foundElsewhere are the rules of problems that depend on the machine, or are about files that are no articles: no
// example can show them.
var foundElsewhere = map[string]bool{"build-failed": true, "no-image": true, "no-rate": true, "no-tune": true,
	"no-such-cpu": true, "bad-mark": true, "not-woven": true}

// Every rule has an example, and every example earns its rule.
func TestRulesHaveTheirExample(t *testing.T) {
	problems := readPage(t, problemsPage)
	has := map[string]bool{}
	for _, e := range problems.examples(stockHead) {
		has[e.heading] = true
		if !strings.Contains(e.want+e.run, "["+e.heading+"]") {
			t.Errorf("rules.md:%d: the example of %s does not earn it", e.line, e.heading)
		}
	}
	for rule := range rulesIn(problems) {
		if has[rule] == foundElsewhere[rule] {
			t.Errorf("rules.md: that %s has an example is %v", rule, has[rule])
		}
	}
}

// rulesIn gives the rules that have a heading of their own.
func rulesIn(p *page) map[string]bool {
	rules := map[string]bool{}
	for line := range strings.Lines(p.prose()) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			rules[strings.TrimSpace(name)] = true
		}
	}
	return rules
}

// compare reports what only one of the program and the manual has.
func compare(t *testing.T, what string, program, manual map[string]bool) {
	t.Helper()
	if len(program) == 0 {
		t.Errorf("no %s was found in the program", what)
	}
	for _, name := range slices.Sorted(maps.Keys(program)) {
		if !manual[name] {
			t.Errorf("the manual lacks the %s %q", what, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(manual)) {
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

// The tables of each section have the keys that are read there, and no key is in none of them.
func TestKeysAreDocumented(t *testing.T) {
	manual := pages(t)
	keys := keysOf()
	tests := []struct {
		section string
		types   []string
	}{
		{"Front matter", []string{"Front", "Work"}},
		{"The project file", []string{"Settings", "Cluster", "ClusterNodes", "Publish", "Weave",
			"AllowList"}},
		{"Experiment", []string{"Experiment"}},
		{"Rows from files", []string{"AxisFiles"}},
		{"Who may allow", []string{"Policy", "AllowList"}},
		{"Variables of Compose files", []string{"Compose"}},
		{"Services", []string{"Service", "File", "Ulimit"}},
		{"Builds", []string{"Build"}},
		{"Volumes and permissions", []string{"Volume", "Tmpfs"}},
		{"When a service is ready", []string{"Ready"}},
		{"Secrets from outside", []string{"Secret", "SecretFile"}},
		{"Origins and links", []string{"HTTPOrigin", "Latency", "Link"}},
		{"Load", []string{"Load", "Target", "Pace", "Verify"}},
		{"Keys of a driver", []string{"Driver"}},
		{"Command", []string{"Command", "Results"}},
		{"Hooks", []string{"Hook"}},
		{"Searches", []string{"Search", "Capacity"}},
		{"Metrics of your own", []string{"Metric"}},
		{"Claim blocks", []string{"Claim", "Quote", "Says"}},
		{"Tables", []string{"Table"}},
		{"Figures", []string{"Figure"}},
		{"Published numbers", []string{"Published"}},
	}
	described := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.section, func(t *testing.T) {
			known := map[string]bool{}
			if tt.section == "Services" {
				known["condition"] = true // in the mapping of depends_on
			}
			for _, of := range tt.types {
				for _, key := range keys[of] {
					known[key] = true
				}
				if keys[of] == nil {
					t.Errorf("no type %s reads keys", of)
				}
			}
			compare(t, "key", known, firstColumn(manual.section(t, tt.section)))
		})
		for _, of := range tt.types {
			described[of] = true
		}
	}
	for of := range keys {
		if !described[of] {
			t.Errorf("no section has the keys of %s", of)
		}
	}
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
	manual := pages(t)
	for call := range firstColumn(manual.section(t, "Functions")) {
		if _, err := expr.Parse(call); err != nil {
			t.Errorf("the manual writes %s: %v", call, err)
		}
		name, _, _ := strings.Cut(call, "(")
		documented[name] = true
	}
	compare(t, "function", known, documented)
}

var (
	verbLine = regexp.MustCompile(`(?m)^  ([a-z]+) {2,}\S`)
	flagLine = regexp.MustCompile(`(?m)^ {2,6}(?:-[a-zA-Z], )?--([a-z-]+)`)
	flagWord = regexp.MustCompile(`--([a-z][a-z-]+)`)
)

func TestCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the command")
	}
	program := filepath.Join(t.TempDir(), "benchbook")
	build := exec.Command("go", "build", "-o", program, "./cmd/benchbook")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Run("verbs and flags", func(t *testing.T) { verbsAndFlags(t, program) })
	t.Run("run", func(t *testing.T) { refusals(t, program) })
	t.Run("unknown", func(t *testing.T) { unknownWords(t, program) })
}

// unknownHeading is that of the section that shows what the command does not know.
const unknownHeading = "Unknown verbs and flags"

// unknownWords runs the commands of that section, and compares what they print.
func unknownWords(t *testing.T, program string) {
	shown := 0
	for _, f := range readPage(t, "command.md").fences {
		if f.info != "console" || f.heading != unknownHeading {
			continue
		}
		for command := range strings.SplitSeq(strings.TrimPrefix(f.body, "$ "), "\n$ ") {
			line, want, _ := strings.Cut(command, "\n")
			shown++
			cmd := exec.Command(program, strings.Fields(line)[1:]...)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			assert.Equal(t, cmd.ProcessState.ExitCode(), 2, "status of %s (%v)", line, err)
			if got := strings.TrimSpace(string(out)); got != strings.TrimSpace(want) {
				t.Errorf("%s prints\n%s\nand the manual says\n%s", line, got, want)
			}
		}
	}
	if shown < 2 {
		t.Errorf("%d commands are shown that nothing knows", shown)
	}
}

// refusals compares what run prints with what the pages show.
func refusals(t *testing.T, program string) {
	shown := 0
	all := pages(t)
	for _, p := range all {
		for _, e := range p.examples(all.whole(t)) {
			if e.run == "" {
				continue
			}
			shown++
			cmd := exec.Command(program, "run", "--engine", "none")
			cmd.Dir = e.write(t)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err == nil {
				t.Errorf("%s:%d: run did not refuse anything", p.name, e.line)
			}
			if stderr.String() != e.run {
				t.Errorf("%s:%d: run prints\n%s\nand the page says\n%s", p.name, e.line, &stderr, e.run)
			}
		}
	}
	if shown < 2 {
		t.Errorf("%d examples show what run prints", shown)
	}
}

// verbsAndFlags compares the section of each verb with the flags that the verb has.
func verbsAndFlags(t *testing.T, program string) {
	help := func(args ...string) string {
		out := must.Get(exec.Command(program, append([]string{"help"}, args...)...).Output())
		return string(out)
	}
	manual, reference := pages(t), readPage(t, "command.md")
	verbs, sections := map[string]bool{}, map[string]bool{}
	for _, m := range verbLine.FindAllStringSubmatch(help(), -1) {
		verbs[m[1]] = m[1] != "help"
	}
	delete(verbs, "help")
	for line := range strings.Lines(reference.prose()) {
		if name, ok := strings.CutPrefix(line, "## "); ok && verbs[strings.TrimSpace(name)] {
			sections[strings.TrimSpace(name)] = true
		}
	}
	compare(t, "verb", verbs, sections)
	for verb := range verbs {
		has := map[string]bool{}
		for _, m := range flagLine.FindAllStringSubmatch(help(verb), -1) {
			if !slices.Contains([]string{"help", "directory", "json"}, m[1]) { // every verb has these
				has[m[1]] = true
			}
		}
		if len(has) == 0 {
			has["none"] = true // so that there is something to compare
		}
		documented := map[string]bool{}
		for word := range firstColumn(reference.section(t, verb)) {
			for _, m := range flagWord.FindAllStringSubmatch(word, -1) {
				documented[m[1]] = true
			}
		}
		if len(documented) == 0 {
			documented["none"] = true
		}
		compare(t, "flag of "+verb, has, documented)
	}
	commandsAreKnown(t, manual, verbs, help)
	for _, m := range flagWord.FindAllStringSubmatch(manual.section(t, unknownHeading), -1) {
		for verb := range verbs {
			for _, f := range flagLine.FindAllStringSubmatch(help(verb), -1) {
				if f[1] == m[1] {
					t.Errorf("--%s is shown as unknown, and %s has it", m[1], verb)
				}
			}
		}
	}
}

// commandsAreKnown looks at every command that a page shows as it is typed: there is such a verb, with such flags.
func commandsAreKnown(t *testing.T, manual manual, verbs map[string]bool, help func(args ...string) string) {
	t.Helper()
	typed := 0
	for _, p := range manual {
		for _, f := range p.fences {
			if f.info != "console" || f.heading == unknownHeading { // see unknownWords
				continue
			}
			for line := range strings.Lines(f.body) {
				for command := range strings.SplitSeq(strings.TrimSpace(line), "&&") {
					words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(command), "$ "))
					if !strings.HasPrefix(line, "$ ") || len(words) < 2 || words[0] != "benchbook" || words[1] == "VERB" {
						continue
					}
					typed++
					if !verbs[words[1]] {
						t.Errorf("%s:%d: there is no verb %s", p.name, f.line, words[1])
						continue
					}
					known := map[string]bool{}
					for _, m := range flagLine.FindAllStringSubmatch(help(words[1]), -1) {
						known[m[1]] = true
					}
					for _, m := range flagWord.FindAllStringSubmatch(command, -1) {
						if !known[m[1]] {
							t.Errorf("%s:%d: %s has no flag --%s", p.name, f.line, words[1], m[1])
						}
					}
				}
			}
		}
	}
	if typed < 20 {
		t.Errorf("%d commands are shown as they are typed", typed)
	}
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
	anchors := map[string]map[string]bool{}
	for _, p := range pages(t) {
		anchors[p.name] = map[string]bool{}
		for line := range strings.Lines(p.prose()) {
			if strings.HasPrefix(line, "#") {
				anchors[p.name][anchor(strings.TrimSpace(strings.TrimLeft(line, "#")))] = true
			}
		}
	}
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(span.ReplaceAllString(p.prose(), ""), -1) {
			file, at, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			file = cmp.Or(file, p.name)
			if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
				t.Errorf("%s links to %s, which is not there", p.name, m[1])
			} else if at != "" && !anchors[file][at] {
				t.Errorf("%s links to %s, and %s has no such heading", p.name, m[1], file)
			}
		}
	}
}

// tableBelow is the table of a page whose first column has this head.
func tableBelow(t *testing.T, name, head string) string {
	t.Helper()
	_, rest, ok := strings.Cut(readPage(t, name).text, "\n| "+head+" |")
	if !ok {
		t.Fatalf("%s has no table of %s", name, head)
	}
	_, rest, _ = strings.Cut(rest, "\n") // the rest of the head
	table, _, _ := strings.Cut(rest, "\n\n")
	return table
}
