package source

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// read parses YAML without problems.
func read(t testing.TB, text string) *Node {
	t.Helper()
	var problems Problems
	n := Parse(Whole(New("test.yaml", []byte(text))), &problems)
	for _, p := range problems.Sorted() {
		t.Errorf("%v\nin\n%s", p, text)
	}
	return n
}

func TestScalarsAreReadAsWritten(t *testing.T) {
	for _, test := range []struct{ name, yaml, want string }{
		{"a number keeps its zeros", "3.10", "3.10"},
		{"no octal number", "010", "010"},
		{"no floating point", "1e3", "1e3"},
		{"no hexadecimal number", "0x10", "0x10"},
		{"a date", "2026-11-20", "2026-11-20"},
		{"a time", "12:30", "12:30"},
		{"on", "on", "on"},
		{"No", "No", "No"},
		{"true", "true", "true"},
		{"null", "null", "null"},
		{"a tilde", "~", "null"},
		{"nothing", "", "null"},
		{"only a comment", "# nothing", "null"},
		{"NULL is a word", "NULL", "NULL"},
		{"Null is a word", "Null", "Null"},
		{"null in quotes", "'null'", "null\x00"},
		{"a tilde in quotes", `"~"`, "~"},
		{"nothing in quotes", `""`, ""},
		{"nothing with a tag", "!!str", ""},
		{"a null with a tag", "!!str null", "null\x00"},
		{"double quotes", `"a\tb \"c\" \u00e9"`, "a\tb \"c\" é"},
		{"single quotes", "'it''s \\d'", `it's \d`},
		{"a comment behind a word", "a # b", "a"},
		{"a hash inside a word", "a#b", "a#b"},
		{"a colon inside a word", "a:b", "a:b"},
		{"lines folded", "a\n  b\n\n  c", "a b\nc"},
		{"a literal block", "|\n  a\n   b\n", "a\n b\n"},
		{"a folded block without its end", ">-\n  a\n  b\n", "a b"},
		{"an alias", "*r", "repeated"},
		{"a list", "[a, 'b, c', [d]]", "[a, b, c, [d]]"},
		{"a mapping", `{a: b, "c":d, e: , f: null}`, "{a: b, c: d, e: null, f: null}"},
		{"a question mark as a value", "'?'", "?"},
	} {
		n := read(t, "r: &r repeated\ns: *r\nkey: "+test.yaml+"\n").Get("key")
		// A zero byte marks a word that looks like null.
		assert.Equal(t, written(n), strings.TrimSuffix(test.want, "\x00"), "%s", test.name)
		assert.Equal(t, n.Kind == Null, test.want == "null", "%s is null", test.name)
	}
}

func TestMergeKeys(t *testing.T) {
	const above = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n"
	for _, test := range []struct{ name, yaml, want string }{
		{"a written key wins", "<<: *a\n  x: 5", "{y: 2, x: 5}"},
		{"merged keys come first", "x: 5\n  <<: *a", "{y: 2, x: 5}"},
		{"the first of several wins", "<<: [*a, *b]", "{x: 1, y: 2, z: 4}"},
		{"the other way round", "<<: [*b, *a]", "{y: 3, z: 4, x: 1}"},
		{"a mapping that stands there", "<<: {x: 7}\n  y: 8", "{x: 7, y: 8}"},
		{"nothing", "<<:\n  y: 8", "{y: 8}"},
		{"a key in quotes is a key", `"<<": 9`, "{<<: 9}"},
	} {
		assert.Equal(t, written(read(t, above+"key:\n  "+test.yaml+"\n").Get("key")), test.want, "%s", test.name)
	}
}

func TestMerge(t *testing.T) {
	for _, test := range []struct{ name, base, over, want string }{
		{"mappings merge", "a: 1\nb: {c: 2, d: 3}", "b: {c: 4}", "{a: 1, b: {d: 3, c: 4}}"},
		{"lists replace", "a: [1, 2]", "a: [3]", "{a: [3]}"},
		{"null removes", "a: 1\nb: 2", "a: null", "{b: 2}"},
		{"null of nothing is nothing", "b: 2", "a:", "{b: 2}"},
		{"a mapping replaces a word", "a: 1", "a: {b: 2}", "{a: {b: 2}}"},
		{"a word replaces a mapping", "a: {b: 2}", "a: 1", "{a: 1}"},
		{"null below what was not there", "a: 1", "b: {c: null, d: 1}", "{a: 1, b: {d: 1}}"},
	} {
		assert.Equal(t, written(Merge(read(t, test.base), read(t, test.over), false)), test.want, "%s", test.name)
	}
}

// A piece of a value has the place where it is written.
func TestPlaceInValue(t *testing.T) {
	for _, test := range []struct{ name, yaml, piece, want string }{
		{"plain", "a > b", "b", "b"},
		{"in quotes", `"a > b"`, "> b", "> b"},
		{"behind escapes", `"\u00e9 \"a\" > b"`, "> b", "> b"},
		{"an escape", `"a \"b\""`, `"b`, `"b`},
		{"doubled quotes", "'a ''b'' c'", "b", "b"},
		{"on the next line", "a\n    > b", "> b", "> b"},
		{"over a line end", "a\n    > b", "a > b", "a\n    > b"},
		{"the second of two, on the next line", "b\n    > b", "b", "b"},
		{"in folded text", ">\n    a\n    > b\n", "> b", "> b"},
		{"in literal text", "|-\n\n    a\n      > b", "> b", "> b"},
		{"behind an escaped line end", "\"a \\\n    > b\"", "> b", "> b"},
		{"behind wide characters", `"日本 é b"`, "b", "b"},
		{"in brackets", "[x, 'a > b']", "> b", "> b"},
		{"behind a tag", "!!str 'a > b'", "> b", "> b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := read(t, "key: "+test.yaml+"\nother: 1\n").Get("key")
			if n.Kind == List {
				n = n.Items[1]
			}
			i := strings.Index(n.Text.Value, test.piece)
			if i < 0 {
				t.Fatalf("%q has no %q", n.Text.Value, test.piece)
			}
			at := n.Text.At(i, i+len(test.piece))
			assert.Equal(t, string(at.Source.Data[at.Start:at.End]), test.want)
		})
	}
	t.Run("a template that was filled in", func(t *testing.T) {
		text := read(t, "key: ${{ a }} b").Get("key").Text
		text.Value = "xyz b"
		assert.Equal(t, text.At(4, 5), text.Pos)
	})
}

// written returns a node in one line.
func written(n *Node) string {
	var parts []string
	switch n.Kind {
	case Map:
		for _, f := range n.Fields {
			parts = append(parts, f.Key.Value+": "+written(f.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case List:
		for _, i := range n.Items {
			parts = append(parts, written(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Null:
		return "null"
	}
	return n.Text.Value
}

func TestPlain(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"text", "prøve: 1\tms …\r\n日本", "prøve: 1\tms …\r\n日本"},
		{"text from right to left", "שלום עולם, مرحبا\u200f!\u200e", "שלום עולם, مرحبا\u200f!\u200e"},
		{"joined emoji", "\U0001F469\u200d\U0001F4BB\u2060", "\U0001F469\u200d\U0001F4BB\u2060"},
		{"a colour", "\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{"control characters", "a\x00b\x08c\x7fd\u0080e\u009bf\u009f", `a\u0000b\u0008c\u007fd\u0080e\u009bf\u009f`},
		{"an override", "a\u202egnp.exe", `a\u202egnp.exe`},
		{"embeddings and isolates", "\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069",
			`\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069`},
		{"neighbours of them", "\u2029\u202f\u2065\u206a\u00a0", "\u2029\u202f\u2065\u206a\u00a0"},
		{"no UTF-8", "a\xffb\xc2\xe2\x80", "a\xffb\xc2\xe2\x80"},
	} {
		assert.Equal(t, Plain(tt.text), tt.want, "%s", tt.name)
		assert.Equal(t, string(PlainBytes([]byte(tt.text))), tt.want, "%s, as bytes", tt.name)
	}
}

// A list that contains itself is too large, however often it does.
func TestListInItself(t *testing.T) {
	var problems Problems
	Parse(Whole(New("test.yaml", []byte("a: &a ["+strings.Repeat("*a, ", 60_000)+"]\n"))), &problems)
	if got := problems.Sorted(); len(got) != 1 || got[0].Rule != "yaml-too-large" {
		t.Errorf("problems %v", got)
	}
}
