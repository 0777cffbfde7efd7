package article

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"benchbook/notebook/source"
)

// A trap is a place where YAML reads something else than what the author meant, or nothing at all.
type trap struct {
	rule          string
	start, end    int // of the characters to blame
	message, hint string
	// silent says that YAML makes some sense of it, so that it is a mistake wherever it is found. Others are mistakes
	// only if the library finds one too: it knows YAML better.
	silent bool
	edits  []edit // what makes YAML of it
	meant  []meaning
}

// An edit puts other words in the place of what stands at [start, end). It moves nothing that follows on the same
// line.
type edit struct {
	start, end int
	with       string
}

// meaning is what a scalar of the mended text stands for.
type meaning struct {
	at         int    // where it begins
	value      string // what was meant, which stands at [start, end)
	start, end int
	nothing    bool // it is left out
}

// mend gives the text with all edits made, its lines, and what the scalars put in stand for, by where they were
// written.
func mend(f *fragment, traps []trap) (string, []fragmentLine, map[int]meaning) {
	var edits []edit
	meant := map[int]meaning{}
	for _, t := range traps {
		edits = append(edits, t.edits...)
		for _, m := range t.meant {
			meant[m.at] = m
		}
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	done := 0
	lines := slices.Clone(f.lines)
	shift := func(from, by int) {
		for i := f.line(from) + 1; i < len(lines); i++ {
			lines[i].at += by
		}
	}
	for _, e := range edits {
		if e.start < done {
			continue // mended already, as part of something larger
		}
		b.WriteString(f.text[done:e.start])
		b.WriteString(e.with)
		done = e.end
		shift(e.start, len(e.with)-(e.end-e.start))
	}
	b.WriteString(f.text[done:])
	return b.String(), lines, meant
}

// fillWith repeats a character as many times as s has characters.
func fillWith(character, s string) string {
	return strings.Repeat(character, utf8.RuneCountInString(s))
}

// quoteThis notes a value, [start, end) of the text, that has to be quoted because of the characters [from, to).
// label is what stands before the value in the line as it should be.
func (s *scanner) quoteThis(start, end, from, to int, label, message string, args ...any) *trap {
	meant := s.meaning(start, end)
	t := s.add(trap{rule: "quote-this", start: from, end: to, message: fmt.Sprintf(message, args...)})
	t.hint = "write " + label + quoted(meant.value)
	if len(t.hint) > source.MaxColumns || strings.Contains(meant.value, "\n") {
		t.hint = "write the whole value in quotes: " + label + "'…'"
	}
	t.meant = []meaning{meant}
	t.edits = s.words(start, end)
	return t
}

// words are the edits that put plain words in the place of [start, end), line by line.
func (s *scanner) words(start, end int) []edit {
	var out []edit
	for p := start; p < end; {
		stop := min(end, p+len(s.lineText(p)))
		from, to := p, p+len(strings.TrimRight(s.text[p:stop], " \t\r"))
		for from < to && isSpace(s.text[from]) {
			from++
		}
		if from < to {
			out = append(out, edit{from, to, fillWith("x", s.text[from:to])})
		}
		p = stop + 1
	}
	return out
}

// meaning is the value that was meant with [start, end): its lines folded, and without the quotes that may stand
// around it.
func (s *scanner) meaning(start, end int) meaning {
	text := s.text[start:end]
	m := meaning{at: start, start: start, end: end}
	if encloses(text) {
		text = text[1 : len(text)-1]
		m.start, m.end = start+1, end-1
	}
	var words []string
	for line := range strings.Lines(text) {
		if line = strings.Trim(line, " \t\r\n"); line != "" {
			words = append(words, line)
		}
	}
	m.value = strings.Join(words, " ")
	return m
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

// maxTraps is how many traps are looked for: mending takes time for each of them.
const maxTraps = source.MaxProblems

// add notes a trap; what it is mended with can be set on what is returned.
func (s *scanner) add(t trap) *trap {
	s.traps = append(s.traps, &t)
	s.lost = s.lost || len(s.traps) > maxTraps
	return &t
}

// caught gives the traps that are mistakes, in the order of the text; failed says that the library found the text to
// be no YAML.
func (s *scanner) caught(failed bool) []trap {
	var out []trap
	for _, t := range s.traps {
		if t.silent || failed {
			out = append(out, *t)
		}
	}
	slices.SortStableFunc(out, func(a, b trap) int { return cmp.Compare(a.start, b.start) })
	return out
}
