package yamltext

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// above gives the line with something in it before the one that begins at p, or -1.
func (f *Fragment) above(p int) int {
	for i := f.line(p) - 1; i >= 0; i-- {
		if !f.isBlank(f.lines[i].at) {
			return f.lines[i].at
		}
	}
	return -1
}

// continued finds a line that goes on with the value above, and has a colon or a dash in it.
func (f finder) continued(p int) []*trap {
	e, above := f.entry(p), f.above(p)
	if above < 0 || f.inFlow || e.end == e.key || e.dash {
		return nil
	}
	a := f.entry(above)
	if a.column >= e.column || a.value == a.key || a.value >= f.end(a.value) ||
		strings.IndexByte("[{\"'|>", f.Text[a.value]) >= 0 {
		return nil
	}
	colon := e.end + strings.IndexByte(f.Text[e.end:], ':')
	if !simpleKey.MatchString(f.Text[e.key:e.end]) {
		return []*trap{f.quoteThis(a.value, f.end(p), colon, colon+1, a.label, `": " inside a value means a key to YAML`)}
	}
	hint := f.indentLike(a.column, above)
	if a.dash && a.end > a.key { // it goes on with what the dash begins
		hint = fmt.Sprintf("indent it by %d spaces, so that it stands below %s", a.key-f.begin(above), f.Text[a.key:a.end])
	}
	return []*trap{{rule: "yaml-syntax", start: e.key, end: f.end(p), hint: hint, lost: true,
		message: fmt.Sprintf("this line is indented further than line %d, which has its value already", f.number(above)),
		edits:   f.hidden(p)}}
}

// hidden are the edits that make a comment of a line.
func (f *Fragment) hidden(p int) []edit {
	first := p + len(f.Text[p:]) - len(strings.TrimLeft(f.Text[p:], " "))
	return []edit{{at: first, with: strings.Repeat("#", max(0, f.end(p)-first))}}
}

func (f *Fragment) indentLike(column, line int) string {
	switch column {
	case 0:
		return fmt.Sprintf("begin it without spaces, like line %d", f.number(line))
	case 1:
		return fmt.Sprintf("indent it by 1 space, like line %d", f.number(line))
	}
	return fmt.Sprintf("indent it by %d spaces, like line %d", column, f.number(line))
}

// glued finds a key whose colon has no space behind it.
func (f finder) glued(p int) []*trap {
	e := f.entry(p)
	if e.end > e.key {
		return nil
	}
	if t := f.gluedAt(e.key, f.end(e.key)); t != nil {
		return []*trap{t}
	}
	return nil
}

// gluedAt makes a trap of key:value, [p, end). A key of one letter is not mended.
func (f *Fragment) gluedAt(p, end int) *trap {
	m := GluedKey.FindStringSubmatch(f.Text[p:end])
	if m == nil {
		return nil
	}
	colon := p + len(m[1])
	t := &trap{rule: "yaml-syntax", start: colon, end: colon + 1, message: "a key's colon needs a space behind it",
		hint: "write " + m[1] + ": " + strings.TrimSpace(m[2]), lost: true, edits: f.hidden(f.begin(p))}
	if _, last := utf8.DecodeLastRuneInString(m[1]); last == 1 && len(m[1]) > 1 {
		f.mean(t, p, p, m[1], p)
		t.edits, t.lost, t.at = []edit{{at: colon - 1, with: ": "}}, false, p
	}
	return t
}

// brackets finds brackets of a value in the line that begins at p that do not come in pairs.
func (f finder) brackets(p int) []*trap {
	e := f.entry(p)
	if e.value >= f.end(e.value) || strings.IndexByte("[{", f.Text[e.value]) < 0 {
		return nil
	}
	region := f.region(p, e.column)
	var open []int
	for q := e.value; q < region; q++ {
		switch c := f.Text[q]; c {
		case '"', '\'', '#':
			q = f.skip(q, region)
		case '[', '{':
			open = append(open, q)
		case ']', '}':
			if len(open) == 0 {
				return nil
			}
			last := open[len(open)-1]
			if opposite(f.Text[last]) != string(c) {
				return []*trap{f.wrongBracket(open, q)}
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return nil
	}
	stop := len(strings.TrimRight(f.Text[:region], " \t\r\n"))
	var closers strings.Builder
	for i := len(open) - 1; i >= 0; i-- {
		closers.WriteString(opposite(f.Text[open[i]]))
	}
	t := &trap{rule: "yaml-syntax", start: open[0], end: open[0] + 1,
		message: fmt.Sprintf("this %q is never closed", f.Text[open[0]:open[0]+1])}
	t.hint = "write " + strings.TrimSpace(f.lineText(f.begin(stop-1))) + closers.String()
	if len(t.hint) > maxHint || len(open) > 3 {
		t.hint = fmt.Sprintf("close it at the end of line %d", f.number(stop))
	}
	t.edits = []edit{{at: stop, with: closers.String(), adds: true}}
	return []*trap{t}
}

// skip gives the last byte of what is quoted from p on, or of a comment.
func (f finder) skip(p, end int) int {
	if f.Text[p] == '#' {
		if isSpace(f.Text[p-1]) {
			return f.end(p) - 1
		}
	} else if stop, _ := closing(f.Text[:end], p); stop > 0 && !isWord(f.Text[p-1]) {
		return stop - 1
	}
	return p
}

// wrongBracket is the trap of a bracket at q that does not fit the innermost of those that are open.
func (f finder) wrongBracket(open []int, q int) *trap {
	last := open[len(open)-1]
	right := opposite(f.Text[last])
	t := &trap{rule: "yaml-syntax", start: q, end: q + 1, hint: "write " + right, edits: []edit{{at: q, with: right}},
		message: fmt.Sprintf("%q cannot close the %q of line %d", f.Text[q:q+1], f.Text[last:last+1], f.number(last))}
	for _, outer := range open[:len(open)-1] {
		if opposite(f.Text[outer]) == f.Text[q:q+1] {
			t.start, t.end, t.lost = last, last+1, true
			t.message = fmt.Sprintf("this %q is never closed", f.Text[last:last+1])
			t.hint = "write " + f.Text[last:q] + right
		}
	}
	return t
}

// maxRegion bounds the lines that are looked at for the end of a bracket that is not closed.
const maxRegion = 1000

func opposite(bracket byte) string {
	if bracket == '[' {
		return "]"
	}
	return "}"
}

// region is where a bracket in the line that begins at p should be closed at the latest: before the next line that
// looks like one of the block around it.
func (f finder) region(p, column int) int {
	for n, lines := f.next(p), 0; n < len(f.Text) && lines < maxRegion; n, lines = f.next(n), lines+1 {
		if e := f.entry(n); !f.isBlank(n) && e.column <= column && (e.dash || e.end > e.key) {
			return n
		}
	}
	return len(f.Text)
}

// commas finds lines inside brackets with a comma too many or none at their end.
func (f finder) commas(p int) []*trap {
	var out []*trap
	text := f.lineText(p)
	for i, c := range text {
		before := strings.TrimRight(text[:i], " \t")
		if c == ',' && before != "" && strings.IndexByte("[{,", before[len(before)-1]) >= 0 {
			out = append(out, &trap{rule: "yaml-syntax", start: p + i, end: p + i + 1,
				message: "nothing stands before this comma", hint: "remove it", edits: []edit{{at: p + i, with: " "}}})
		}
	}
	if i := strings.Index(text, " #"); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimRight(text, " \t")
	if end := p + len(text); f.inFlow && strings.TrimSpace(text) != "" && !strings.HasSuffix(text, ",") {
		out = append(out, &trap{rule: "yaml-syntax", start: end - 1, end: end, message: "a comma is missing behind this",
			hint: "write " + strings.TrimSpace(text) + ",", edits: []edit{{at: end, with: ",", adds: true}}})
	}
	return out
}

// indentation finds out why the line that begins at p fits nowhere.
func (f finder) indentation(p int) []*trap {
	above := f.above(p)
	if above < 0 || f.inFlow || f.isBlank(p) {
		return nil
	}
	l := f.entry(p)
	outer, left := f.levels(above, l.column)
	message, hint := f.misplacement(l, outer, left)
	if message == "" {
		return nil
	}
	return []*trap{{rule: "yaml-syntax", start: p + l.column, end: f.end(p + l.column), message: message, hint: hint,
		lost: true, edits: f.hidden(p)}}
}

// misplacement says why a line fits neither of two collections, of which either may be none. It is empty if that is not
// for its column.
func (f finder) misplacement(l entry, outer, left *level) (message, hint string) {
	switch {
	case left != nil && outer != nil && blockHeader.MatchString(f.lineText(f.entry(outer.line).value)):
		first := f.next(outer.line)
		return fmt.Sprintf("this line is indented less than line %d, which begins the block of text", f.number(first)),
			f.indentLike(f.entry(first).column, first)
	case outer != nil && outer.column == l.column:
		return besideOthers(l, outer)
	case outer == nil && left != nil:
		return "this line is indented less than the first one", f.indentLike(left.column, left.line)
	case outer == nil || l.end == l.key && !l.dash:
		return "", ""
	case left == nil:
		return "this line is indented further than the ones above, which have their values already",
			f.indentLike(outer.column, outer.line)
	}
	return "this line is indented like none above it",
		f.indentLike(left.column, left.line) + ", or " + f.indentLike(outer.column, outer.line)
}

// besideOthers says why a line cannot stand beside the entries of a collection.
func besideOthers(l entry, others *level) (message, hint string) {
	switch {
	case l.dash && !others.dash:
		return "a list item cannot stand beside keys", "put a key above it, or remove the dash"
	case !l.dash && others.dash && l.end > l.key:
		return "a key cannot stand beside list items", "put a dash before it, or indent it like the keys of the item above"
	}
	return "", ""
}

// level is a collection by the column that its entries begin in.
type level struct {
	column, line int
	dash         bool
}

// levels gives the innermost collection that may go on below a line in a column, and the outermost one that ends there.
func (f *Fragment) levels(above, column int) (outer, left *level) {
	for q := above; q >= 0; q = f.above(q) {
		e := f.entry(q)
		found := []level{{e.column, q, e.dash}}
		if e.dash {
			found = []level{{e.key - q, q, false}, {e.column, q, true}}
		}
		for _, l := range found {
			if l.column <= column {
				return &l, left
			}
			if left == nil || l.column < left.column {
				left = &l
			}
		}
	}
	return nil, left
}

// stray finds a line in a mapping that has no colon.
func (f finder) stray(p int) []*trap {
	e := f.entry(p)
	if e.end > e.key || e.dash || f.isBlank(p) || f.inFlow {
		return nil
	}
	text := f.lineText(e.key)
	t := &trap{rule: "yaml-syntax", start: e.key, end: f.end(e.key), edits: f.hidden(p),
		message: "this line has no colon", hint: "write key: value"}
	if above := f.above(p); simpleKey.MatchString(text) {
		t.hint = "write " + text + ": and a value"
	} else if above >= 0 && f.entry(above).column < e.column {
		t.hint = "quote all of the value above, or write it as a block: " + f.entry(above).label + "|"
	}
	return []*trap{t}
}
