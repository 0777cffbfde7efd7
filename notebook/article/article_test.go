package article

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// parseText parses an article that lies in an empty folder.
func parseText(t testing.TB, text string) *Document {
	t.Helper()
	return Parse(filepath.Join(t.TempDir(), "sample"), source.New("article.md", []byte(text)))
}

// Every broken article in testdata/broken has exactly the problems in testdata/broken/NAME.txt.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.md")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d broken articles, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			data := must.Get(os.ReadFile(file))
			var got bytes.Buffer
			for _, p := range parseText(t, string(data)).Problems.Sorted() {
				checkShown(t, p.String())
				got.WriteString(p.String())
				got.WriteByte('\n')
			}
			if got.Len() == 0 {
				t.Fatal("no problems were found")
			}
			golden := strings.TrimSuffix(file, ".md") + ".txt"
			if *update {
				must.Do(os.WriteFile(golden, got.Bytes(), 0o644))
			}
			want := must.Get(os.ReadFile(golden))
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
		})
	}
}

const head = "---\ntitle: A title\n---\n\n"

// The articles of this repository are clean, and so are those in testdata/good, which use all of YAML that is legal
// near the traps.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("../../experiments/*/article.md")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d articles, %v", len(files), err)
	}
	more, err := filepath.Glob("testdata/good/*.md")
	if err != nil || len(more) < 10 {
		t.Fatalf("%d good articles, %v", len(more), err)
	}
	for _, file := range append(files, more...) {
		data := must.Get(os.ReadFile(file))
		for _, p := range Parse(filepath.Dir(file), source.New(file, data)).Problems.Sorted() {
			t.Error(p)
		}
	}
}

func TestDocument(t *testing.T) {
	doc := parseText(t, head+"A `{value} throughput{server=\"a\"} | round 2` and [a claim](claim:c), see [](#tbl-t).\n\n"+
		"```python file=x/server.py\nprint(1)\n```\n\n```yaml experiment\nname: e\nload: {target: http://s/}\n```\n\n"+
		"```yaml claim\nname: c\nexpect: a > b\n```\n\n```yaml table\n- {label: tbl-t, columns: [throughput]}\n```\n\n"+
		"```go\nfunc main() {}\n```\n")
	for _, p := range doc.Problems.Sorted() {
		t.Error(p)
	}
	if len(doc.Listings) != 1 || doc.Listings[0].Path != "x/server.py" || string(doc.Listings[0].Data) != "print(1)\n" {
		t.Errorf("listings: %+v", doc.Listings)
	}
	if len(doc.Values) != 1 || doc.Values[0].Written.Value != `throughput{server="a"} | round 2` {
		t.Errorf("values: %+v", doc.Values)
	}
	at := doc.Values[0].Written.Pos
	if got := string(doc.Source.Data[at.Start:at.End]); got != doc.Values[0].Written.Value {
		t.Errorf("the value's place holds %q", got)
	}
	for _, p := range []struct {
		what string
		text source.Text
	}{{"claim link", doc.ClaimLinks[0].Name}, {"reference", doc.References[0].Label},
		{"experiment", doc.Experiments[0].Name},
		{"expect", doc.Claims[0].Expect.Text}} {
		if got := string(doc.Source.Data[p.text.Pos.Start:p.text.Pos.End]); got != p.text.Value {
			t.Errorf("%s: the place holds %q, want %q", p.what, got, p.text.Value)
		}
	}
}

func TestMerge(t *testing.T) {
	read := func(s string) *source.Node { return source.Mapping("test", s) }
	for _, test := range []struct{ name, base, over, want string }{
		{"mappings merge", "a: 1\nb: {c: 2, d: 3}", "b: {c: 4}", "{a: 1, b: {d: 3, c: 4}}"},
		{"lists replace", "a: [1, 2]", "a: [3]", "{a: [3]}"},
		{"null removes", "a: 1\nb: 2", "a: null", "{b: 2}"},
		{"null of nothing is nothing", "b: 2", "a:", "{b: 2}"},
		{"a mapping replaces a word", "a: 1", "a: {b: 2}", "{a: {b: 2}}"},
		{"a word replaces a mapping", "a: {b: 2}", "a: 1", "{a: 1}"},
		{"null below what was not there", "a: 1", "b: {c: null, d: 1}", "{a: 1, b: {d: 1}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := show(Merge(read(test.base), read(test.over))); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func show(n *source.Node) string {
	var parts []string
	switch n.Kind {
	case source.Map:
		for _, f := range n.Fields {
			parts = append(parts, f.Key.Value+": "+show(f.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case source.List:
		for _, i := range n.Items {
			parts = append(parts, show(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case source.Null:
		return "null"
	}
	return n.Text.Value
}

// Whatever an author types, parsing ends, and a problem points inside the article, says where, and shows the line so
// that nothing of it can act on a terminal.
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

// checkShown checks that a problem as it is shown is safe for terminals and keeps to their width.
func checkShown(t *testing.T, shown string) {
	t.Helper()
	if !utf8.ValidString(shown) {
		t.Errorf("no UTF-8: %q", shown)
	}
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

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{
		"sockets": true, "a-b_2": true, "été": true, "сервер": true, "हिन्दी": true, "": false, "2a": false, "a-": false,
		"_a": false, "a b": false, "a.b": false, "ि": false,
	} {
		if IsName(name) != want {
			t.Errorf("%q is a name: %v", name, !want)
		}
	}
}
