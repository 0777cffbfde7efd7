package article

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

// parseText parses an article in an empty folder.
func parseText(t testing.TB, text string) *Document {
	t.Helper()
	return Parse(filepath.Join(t.TempDir(), "sample"), source.New("article.md", []byte(text)))
}

// Every broken article in testdata/broken has exactly the problems in testdata/broken/NAME.txt.
func TestBroken(t *testing.T) {
	for _, file := range must.Glob("testdata/broken/*.md", 30) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			data := must.Get(os.ReadFile(file))
			var got strings.Builder
			for _, p := range parseText(t, string(data)).Problems.Sorted() {
				checkShown(t, p.String())
				fmt.Fprintln(&got, p)
			}
			if got.Len() == 0 {
				t.Fatal("no problems were found")
			}
			golden.Equal(t, strings.TrimSuffix(file, ".md")+".txt", got.String())
		})
	}
}

const head = "---\ntitle: A title\n---\n\n"

// The articles of this repository are clean, and so are those in testdata/good, which use all of YAML that is legal
// near the traps.
func TestGood(t *testing.T) {
	for _, file := range append(must.Glob("../../experiments/*/article.md", 2), must.Glob("testdata/good/*.md", 10)...) {
		data := must.Get(os.ReadFile(file))
		assert.None(t, Parse(filepath.Dir(file), source.New(file, data)).Problems.Sorted())
	}
}

func TestDocument(t *testing.T) {
	doc := parseText(t, head+"A `{value} throughput{server=\"a\"} | round 2` and [a claim](claim:c), see [](#tbl-t).\n\n"+
		"```python file=x/server.py\nprint(1)\n```\n\n```yaml experiment\nname: e\nload: {target: http://s/}\n```\n\n"+
		"```yaml claim\nname: c\nexpect: a > b\n```\n\n```yaml table\n- {label: tbl-t, columns: [throughput]}\n```\n\n"+
		"```go\nfunc main() {}\n```\n")
	assert.None(t, doc.Problems.Sorted())
	if len(doc.Listings) != 1 || doc.Listings[0].Path != "x/server.py" || string(doc.Listings[0].Data) != "print(1)\n" {
		t.Errorf("listings: %+v", doc.Listings)
	}
	if len(doc.Values) != 1 || doc.Values[0].Written.Value != `throughput{server="a"} | round 2` {
		t.Errorf("values: %+v", doc.Values)
	}
	at := doc.Values[0].Written.Pos
	assert.Equal(t, string(doc.Source.Data[at.Start:at.End]), doc.Values[0].Written.Value, "the value's place")
	for _, p := range []struct {
		what string
		text source.Text
	}{{"claim link", doc.ClaimLinks[0].Name}, {"reference", doc.References[0].Label},
		{"experiment", doc.Experiments[0].Name},
		{"expect", doc.Claims[0].Expect.Text}} {
		assert.Equal(t, string(doc.Source.Data[p.text.Pos.Start:p.text.Pos.End]), p.text.Value, "the place of the %s", p.what)
	}
}

// Whatever an author types, parsing ends. A problem has a place inside the article, a text, and an excerpt that cannot
// control the terminal.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.md", "testdata/good/*.md"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			data := must.Get(os.ReadFile(file))
			f.Add(data)
		}
	}
	f.Add([]byte(head + "> ```yaml experiment\n> name: x\n> ```\n\n1. ```yaml claim\n   expect: [\n   ```\n"))
	f.Add([]byte(head + "| a | b |\n|---|---|\n| `{value} a \\| round 2` | [](#fig-x) |\n"))
	f.Add([]byte(head + "```yaml claim\n\x1b]0;title\x07\u202e: \x9b31m\xff\n```\n\n`{value} a\x1b[2J`\n"))
	dir := filepath.Join(f.TempDir(), "sample")
	f.Fuzz(func(t *testing.T, text []byte) {
		doc := Parse(dir, source.New("article.md", text))
		for _, p := range doc.Problems.Sorted() {
			if p.Pos.Source == nil {
				t.Errorf("without a place: %v", p)
				continue
			}
			if p.Pos.Start < 0 || p.Pos.End < p.Pos.Start || p.Pos.End > len(p.Pos.Source.Data)+1 {
				t.Errorf("outside the article: %d to %d of %d: %v", p.Pos.Start, p.Pos.End, len(p.Pos.Source.Data), p)
			}
			line, column := p.Pos.Source.Position(p.Pos.Start)
			if line < 1 || line > bytes.Count(p.Pos.Source.Data, []byte("\n"))+1 || column < 1 {
				t.Errorf("at line %d, column %d: %v", line, column, p)
			}
			shown := p.String()
			if where := fmt.Sprintf("%s:%d:%d: ", p.Pos.Source.Path, line, column); !strings.HasPrefix(shown, where) {
				t.Errorf("does not begin with %s: %q", where, shown)
			}
			checkShown(t, shown)
		}
	})
}

// checkShown checks that a problem is safe for terminals and fits their width.
func checkShown(t *testing.T, shown string) {
	t.Helper()
	assert.Equal(t, utf8.ValidString(shown), true, "%q is UTF-8", shown)
	for _, r := range shown {
		if r != '\n' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r)) {
			t.Errorf("holds %U: %q", r, shown)
		}
	}
	lines := strings.Split(shown, "\n")
	for _, line := range lines[1:min(3, len(lines))] {
		if n := uniseg.StringWidth(line); n > source.MaxColumns {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// Links, folders and pipes are refused with the reason, without waiting.
func TestOpenRefusesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	must.Write(filepath.Join(dir, "there.py"), "pass\n")
	must.Do(os.Symlink("there.py", filepath.Join(dir, "link.py")))
	must.Do(os.Mkdir(filepath.Join(dir, "folder.py"), 0o755))
	must.Do(syscall.Mkfifo(filepath.Join(dir, "pipe.py"), 0o644))
	for _, test := range []struct{ name, rule, message, hint string }{
		{"link.py", "not-a-file", `"link.py" cannot be read: it is a symbolic link`,
			"replace the link with the file it points to"},
		{"folder.py", "not-a-file", `"folder.py" cannot be read: it is a folder, not a file`,
			"name a regular file that you may read"},
		{"pipe.py", "not-a-file", `"pipe.py" cannot be read: it is a named pipe, not a file`,
			"name a regular file that you may read"},
		{"their.py", "no-such-file", `no file or listing "their.py"`, `did you mean "there.py"?`},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := Parse(dir, source.New("article.md", []byte(head+"```python include="+test.name+"\n```\n")))
			found := doc.Problems.Sorted()
			if len(found) != 1 || found[0].Rule != test.rule || !strings.HasPrefix(found[0].Message, test.message) ||
				found[0].Hint != test.hint {
				t.Errorf("got %v, want %s: %s (%s)", found, test.rule, test.message, test.hint)
			}
		})
	}
}

// An article or project file that cannot be read is a problem like others, and the project still opens.
func TestUnreadableArticles(t *testing.T) {
	dir := t.TempDir()
	must.Write(filepath.Join(dir, ProjectFile), "")
	for name, make := range map[string]func(string) error{
		"pipe":     func(file string) error { return syscall.Mkfifo(file, 0o644) },
		"folder":   func(file string) error { return os.Mkdir(file, 0o755) },
		"dangling": func(file string) error { return os.Symlink("nowhere", file) },
		"endless":  func(file string) error { return os.Symlink("/dev/zero", file) },
		"huge": func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 1<<40))
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "experiments", name, FileName)
			must.Do(os.MkdirAll(filepath.Dir(file), 0o755))
			must.Do(make(file))
			project := must.Get(OpenProject(dir))
			doc := must.Get(project.Article(name))
			want := "not-a-file"
			if name == "huge" {
				want = "too-large"
			}
			if found := doc.Problems.Sorted(); len(found) != 1 || found[0].Rule != want || found[0].Hint == "" {
				t.Errorf("got %v, want one of %s", found, want)
			}
		})
	}
}

// A text beyond a bound is a problem at its place; a text just below a bound is not.
func TestLimits(t *testing.T) {
	const head = "---\ntitle: x\n---\n\n"
	count := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	block := func(yaml string) string {
		return head + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\n" + yaml + "```\n"
	}
	for _, tt := range []struct {
		name string
		text func(n int) string
		most int
		rule string
	}{
		{"bytes", func(n int) string { return head + strings.Repeat(strings.Repeat("word ", 50)+"\n", n/251-1) }, 1_000_000,
			"too-large"},
		{"lines", func(n int) string { return head + strings.Repeat("\n", n-5) }, 100_000, "too-large"},
		{"a line", func(n int) string { return head + strings.Repeat("x", n) }, 100_000, "too-large"},
		{"YAML", func(n int) string { return head + "```yaml claim\n" + strings.Repeat("# word\n", n/7) + "```\n" }, 250_000,
			"yaml-too-large"},
		{"quotations in quotations", func(n int) string { return head + strings.Repeat("> ", n) + "a" }, 100, "too-large"},
		{"emphasised words", func(n int) string { return head + strings.Repeat(strings.Repeat("*a* ", 100)+"\n\n", n/200) },
			100_000, "too-large"},
		{"cells of a table", func(n int) string {
			return head + strings.Repeat("|a", 99) + "|\n" + strings.Repeat("|-", 99) + "|\n" + strings.Repeat("|b\n", n/100-2)
		}, 100_000 - 2000, "too-large"},
		{"brackets in a paragraph", func(n int) string { return head + strings.Repeat("a]\n", n) }, 7900, "too-large"},
		{"destinations in a paragraph", func(n int) string { return head + count(n, "[a%d]: b\n") }, 14_000, "too-large"},
		{"experiments", func(n int) string {
			return head + count(n, "```yaml experiment\nname: e%d\ncommand: {image: x, run: y}\n```\n")
		}, maxExperiments, "too-many"},
		{"listings", func(n int) string { return head + count(n, "```python file=f%d.py\n```\n") }, maxListings, "too-many"},
		{"axes", func(n int) string { return block("matrix:\n" + count(n, "  a%d: [1]\n")) }, maxAxes, "too-many"},
		{"values", func(n int) string { return "---\ntitle: x\nvalues:\n" + count(n, "  v%d: 1\n") + "---\n" }, maxNamed,
			"too-many"},
		{"problems", func(n int) string { return head + count(n, "[x](claim:c%d)\n\n") }, source.MaxProblems, "too-many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			earned := func(n int) *source.Problem {
				doc := Parse(t.TempDir(), source.New("article.md", []byte(tt.text(n))))
				for _, p := range doc.Problems.Sorted() {
					if p.Rule == tt.rule {
						return p
					}
				}
				return nil
			}
			if p := earned(tt.most); p != nil {
				t.Errorf("%d are too many: %v", tt.most, p)
			}
			p := earned(tt.most + max(1, tt.most/5))
			if p == nil {
				t.Fatalf("more than %d are no problem", tt.most)
			}
			if p.Hint == "" || p.Pos.Source == nil || p.Pos.End > len(p.Pos.Source.Data) {
				t.Errorf("without a place or a way out: %v", p)
			}
		})
	}
}
