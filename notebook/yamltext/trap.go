package yamltext

import (
	"fmt"
	"strings"

	"benchbook/notebook/source"
)

// A trap is a place where YAML reads something else than what the author meant, or nothing at all.
type trap struct {
	rule          string
	start, end    int // of the characters to blame
	message, hint string

	edits []edit // what makes YAML of it
	at    int    // where the value begins that was meant to be another
	until int    // where it ends
	meant *meaning
	lost  bool // the structure is not what was meant, also where it was mended
}

// An edit puts other words of the same length in the place of what stands at an offset, or, at the end of a line,
// behind it.
type edit struct {
	at   int
	with string
	adds bool
}

// meaning is what a scalar of the mended text stands for.
type meaning struct {
	text    source.Text
	nothing bool // it is left out
}

// apply gives the fragment with edits made.
func (f *Fragment) apply(edits []edit) Fragment {
	out := *f
	out.newest = cursor{}
	for _, e := range edits {
		length := len(e.with)
		if e.adds {
			length = 0
			out.lines = append([]fragmentLine(nil), out.lines...)
			for i := out.line(e.at) + 1; i < len(out.lines); i++ {
				out.lines[i].at += len(e.with)
			}
		}
		out.Text = out.Text[:e.at] + e.with + out.Text[e.at+length:]
	}
	return out
}

// maxHint bounds a hint that quotes a line or a value, in bytes.
const maxHint = 120

// quoteThis is the trap of a value, [start, end) of the text, that has to be quoted because of the characters
// [from, to). label is what stands before the value in the line as it should be.
func (f *Fragment) quoteThis(start, end, from, to int, label, message string, args ...any) *trap {
	value, inner := f.meaning(start, end)
	t := &trap{rule: "quote-this", start: from, end: to, message: fmt.Sprintf(message, args...)}
	if t.hint = "write " + label + quoted(value); len(t.hint) > maxHint || strings.Contains(value, "\n") {
		t.hint = "write the whole value in quotes: " + label + "'…'"
	}
	f.mean(t, start, end, value, inner)
	return t
}

// mean notes what was meant with [start, end): a value whose characters begin at from.
func (f *Fragment) mean(t *trap, start, end int, value string, from int) {
	text, _ := f.aligned(value, from, from, plainly)
	t.at, t.until, t.meant, t.edits = start, end, &meaning{text: text}, nil
	for p := start; p < end; p = f.next(p) {
		p = f.blanks(p)
		t.edits = append(t.edits, edit{at: p, with: strings.Repeat("x", max(0, min(end, f.end(p))-p))})
	}
}

// meaning is the value that was meant with [start, end): its lines folded, and without the quotes that may stand
// around it. Its characters begin at from.
func (f *Fragment) meaning(start, end int) (value string, from int) {
	text := f.Text[start:end]
	if encloses(text) {
		start++
		text = text[1 : len(text)-1]
	}
	var words []string
	for line := range strings.Lines(text) {
		if line = strings.Trim(line, " \t\r\n"); line != "" {
			words = append(words, line)
		}
	}
	return strings.Join(words, " "), start
}

// encloses says that the quotes at both ends of text belong to each other: one that stands between them looks like
// text, as in 'it's' or "say "hi" now", and not like an end, as in "a" and "b".
func encloses(text string) bool {
	last := len(text) - 1
	if last < 1 || text[0] != text[last] || text[0] != '"' && text[0] != '\'' {
		return false
	}
	i := strings.IndexByte(text[1:last], text[0])
	return i < 0 || isWord(text[i+2])
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

// quoted is a value as it is written in YAML, in the kind of quotes that leaves it readable.
func quoted(s string) string {
	if strings.ContainsAny(s, "\"\\") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return `"` + s + `"`
}
