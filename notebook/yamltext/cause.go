package yamltext

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"benchbook/notebook/source"
)

// Bounds of mending, which parses a text again and again.
const (
	maxMended = 50 // problems of an article, beyond which no more blocks are mended
	maxAbove  = 50 // lines above the one that the library gives up in, among which its cause is looked for
)

// mend finds what keeps the library from reading the text, reports it, and mends the text, one trap after the other,
// until the library can read it. The error is the library's where that fails.
func (c *converter) mend(err error) (doc *yaml.Node, _ error) {
	budget := 8*len(c.fragment.Text) + 20_000
	for err != nil {
		t, mended := c.fragment.cause(err, &budget)
		if t == nil {
			return nil, err
		}
		c.report(t)
		if t.lost {
			return nil, err
		}
		*c.fragment = mended
		doc, err = unmarshal(mended.Text)
	}
	return doc, nil
}

// finder looks for traps near the place where the library gives up.
type finder struct {
	*Fragment
	inFlow bool // the library was reading a list or mapping in brackets
}

// cause finds the trap that makes the library give up, and the text without it. What only may be a trap is one if the
// library gets further without it.
func (f *Fragment) cause(err error, budget *int) (*trap, Fragment) {
	if t := (finder{f, false}).secondDocument(); t != nil {
		return t, *f
	}
	if t := (finder{f, false}).unknownAlias(err); t != nil {
		return t, f.apply(t.edits)
	}
	before := reached(f.Text)
	at := min(before-1, len(f.Text)-1)
	find := finder{f, strings.Contains(err.Error(), "',' or")}
	for _, kind := range []struct {
		traps func(p int) []*trap
		above int // lines above the one that the library gives up in
	}{
		{find.tabs, 2}, {find.oddSpaces, maxAbove}, {find.values, maxAbove}, {find.continued, 1},
		{find.glued, maxAbove}, {find.brackets, maxAbove}, {find.commas, maxAbove}, {find.indentation, 1}, {find.stray, 2},
	} {
		last := f.line(at)
		for i := last; i >= max(0, last-kind.above); i-- {
			length := f.end(f.lines[i].at) - f.lines[i].at
			*budget -= length * length / 1000
			for _, t := range kind.traps(f.lines[i].at) {
				if t.rule == "white-space" {
					return t, *f
				}
				if *budget < 0 {
					return nil, *f
				}
				*budget -= len(f.Text)
				mended := f.apply(t.edits)
				if reached(mended.Text) > before+len(mended.Text)-len(f.Text) {
					return t, mended
				}
			}
		}
	}
	return nil, *f
}

// An entry is what a line of a block holds.
type entry struct {
	column   int // of its first character
	dash     bool
	key, end int // of its key; both are value if it has none
	value    int
	label    string // what stands before the value
}

// blockKey is a key at the beginning of a line or behind a dash, with its colon.
var blockKey = regexp.MustCompile(
	`^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[{#&!|>\-][^\n]*?|-[^\s][^\n]*?)[ \t]*:(?:[ \t\r\n]|$)`)

// entry reads the line that begins at p.
func (f *Fragment) entry(p int) entry {
	at := p + len(f.Text[p:]) - len(strings.TrimLeft(f.Text[p:], " "))
	e := entry{column: at - p}
	for at < len(f.Text) && f.Text[at] == '-' && f.isEnd(at+1) {
		e.dash, e.label = true, "- "
		at = f.blanks(at + 1)
	}
	e.key, e.end, e.value = at, at, at
	if m := blockKey.FindStringSubmatchIndex(f.lineText(at)); m != nil && !strings.Contains(f.Text[at:at+m[3]], " #") {
		e.end, e.value = at+m[3], f.blanks(at+m[3])
		e.value = f.blanks(e.value + 1)
		e.label = f.Text[e.key:e.end] + ": "
	}
	return e
}

// isEnd says that a line end or white space stands at p.
func (f *Fragment) isEnd(p int) bool { return p >= len(f.Text) || isSpace(f.Text[p]) }

// isOver says that nothing but a comment may follow at p in its line.
func (f *Fragment) isOver(p int) bool { return p >= f.end(p) || f.Text[p] == '#' }

// isBlank says that a line holds nothing but a comment.
func (f *Fragment) isBlank(p int) bool { return f.isOver(f.blanks(p)) }

// secondDocument finds a line that ends the text before its end.
func (f finder) secondDocument() *trap {
	begun, closed := false, false
	for p := 0; p < len(f.Text); p = f.next(p) {
		line := f.lineText(p)
		marks := len(line) >= 3 && (line[:3] == "---" || line[:3] == "...") && f.isEnd(p+3)
		switch {
		case marks && line[0] == '.':
			closed = begun
			continue
		case closed && !f.isBlank(p), marks && begun:
			return &trap{rule: "yaml-syntax", start: p, end: f.end(p), message: errSecond.Error(), lost: true,
				hint: "keep one document to a block: remove the line, or begin another block"}
		}
		begun = begun || !f.isBlank(p) && line[0] != '%'
	}
	return nil
}

var (
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)
	anyAnchor     = regexp.MustCompile(`(?:^|[\s\[{,])&([0-9A-Za-z_-]+)`)
	anchorName    = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
)

// unknownAlias finds the alias that the library does not know.
func (f finder) unknownAlias(err error) *trap {
	m := unknownAnchor.FindStringSubmatch(err.Error())
	if m == nil {
		return nil
	}
	name := m[1]
	at := regexp.MustCompile(`(?:^|[\s\[{,])(\*` + name + `)(?:[\s,:\]}]|$)`).FindStringSubmatchIndex(f.Text)
	if at == nil {
		return nil
	}
	t := &trap{rule: "unknown-anchor", start: at[2], end: at[3],
		message: fmt.Sprintf("no anchor &%s above this line", name)}
	e := f.entry(f.begin(t.start))
	label := ""
	if e.value == t.start {
		label = e.label
		if traps := f.valueTraps(e.value, f.end(e.value), e.label, false); len(traps) > 0 {
			return traps[0]
		}
	}
	var above []string
	below := -1
	for _, a := range anyAnchor.FindAllStringSubmatchIndex(f.Text, -1) {
		if other := f.Text[a[2]:a[3]]; a[2] < t.start {
			above = append(above, other)
		} else if other == name && below < 0 {
			below = a[2]
		}
	}
	switch hint := source.Suggest(name, above); {
	case below >= 0:
		t.message = fmt.Sprintf("the anchor &%s comes only in line %d", name, f.number(below))
		t.hint = "move it up: an alias repeats what stands above it"
	case hint != "":
		t.hint = hint
	case strings.HasSuffix(strings.TrimRight(f.Text[:t.start], " "), "<<:"):
		t.hint = "write &" + name + " before the mapping to merge"
	default:
		t.hint = "write &" + name + " before the value to repeat, or, if the word is text, " + label + quoted("*"+name)
	}
	t.edits = []edit{{at: t.start, with: strings.Repeat("x", t.end-t.start)}}
	t.at, t.meant = t.start, &meaning{nothing: true}
	return t
}

var (
	tabIndent = regexp.MustCompile(`^ *(\t[ \t]*)\S`)
	tabDash   = regexp.MustCompile(`^ *-( *\t[ \t]*)\S`)
)

// tabs finds white space with a tab in it that YAML would take for indentation.
func (f finder) tabs(p int) []*trap {
	for _, pattern := range []*regexp.Regexp{tabIndent, tabDash} {
		if m := pattern.FindStringSubmatchIndex(f.lineText(p)); m != nil {
			t := &trap{rule: "yaml-syntax", start: p + m[2], end: p + m[3], lost: pattern == tabIndent,
				message: "YAML cannot be indented with tabs", hint: "use spaces"}
			t.edits = []edit{{at: t.start, with: strings.Repeat(" ", t.end-t.start)}}
			return []*trap{t}
		}
	}
	return nil
}

// oddSpace is white space that YAML takes for letters, where it is likely to be meant as indentation or behind a colon.
var oddSpace = regexp.MustCompile(`^ *(?:-|[\pL_][\pL\d_.-]*:)? *([\p{Zs}\x{200b}]+)`)

// oddSpaces finds such white space.
func (f finder) oddSpaces(p int) []*trap {
	m := oddSpace.FindStringSubmatchIndex(f.lineText(p))
	if m == nil || strings.Trim(f.lineText(p)[m[2]:m[3]], " ") == "" {
		return nil
	}
	t := &trap{rule: "white-space", start: p + m[2], end: p + m[3], lost: true, hint: "write ordinary spaces"}
	r, _ := utf8.DecodeRuneInString(f.Text[t.start:])
	t.message = fmt.Sprintf("U+%04X looks like a space here, but YAML takes it for a letter", r)
	return []*trap{t}
}

// values finds the values in the line that begins at p that have to be quoted.
func (f finder) values(p int) []*trap {
	e := f.entry(p)
	end := f.end(e.value)
	var out []*trap
	if e.end > e.key {
		out = f.badKey(e.key, e.end)
	}
	switch {
	case e.value >= end:
	case strings.IndexByte("[{", f.Text[e.value]) >= 0:
		return append(append(out, f.flow(e.value, end)...), f.behindBracket(e.value, end, e.label)...)
	case f.inFlow:
		return append(out, f.flow(e.key, end)...)
	default:
		out = append(out, f.valueTraps(e.value, end, e.label, false)...)
	}
	return out
}

// badKey finds out why a key cannot be one.
func (f finder) badKey(start, end int) []*trap {
	switch c := f.Text[start]; {
	case c == '"':
		if _, escape := closing(f.Text[:end], start); escape > 0 {
			return []*trap{f.badEscape(start, end, escape, "")}
		}
	case strings.IndexByte("*@`%,]}", c) >= 0:
		t := f.quoteThis(start, end, start, start+1, "", "a key cannot begin with %q", f.Text[start:start+1])
		t.hint = "write " + quoted(f.Text[start:end]) + ": …"
		return []*trap{t}
	}
	return nil
}

// behindBracket finds what goes on behind the bracket that closes the one at p.
func (f finder) behindBracket(p, end int, label string) []*trap {
	length := closingBracket(f.Text[p:end])
	if length < 0 {
		return nil
	}
	after := f.blanks(p + length)
	if f.isOver(after) {
		return nil
	}
	if rest := f.Text[after:end]; strings.Trim(rest, "]}") == "" {
		return []*trap{{rule: "yaml-syntax", start: after, end: end, message: fmt.Sprintf("%q closes nothing", rest),
			hint: "remove it", edits: []edit{{at: after, with: strings.Repeat(" ", len(rest))}}}}
	}
	bracket := f.Text[p+length-1 : p+length]
	return []*trap{f.quoteThis(p, end, after, end, label, "the value goes on behind its closing %q", bracket)}
}

// flow finds the values between the brackets of a line that have to be quoted.
func (f finder) flow(p, end int) []*trap {
	var out []*trap
	end = min(end, p+maxReach)
	open := []byte{'{'}
	for q := p; q < end; {
		switch c := f.Text[q]; {
		case strings.HasPrefix(f.Text[q:end], "{{"):
		case c == '[' || c == '{':
			open = append(open, c)
			q++
			continue
		case c == ']' || c == '}':
			if q++; len(open) > 1 {
				open = open[:len(open)-1]
			}
			continue
		case c == ',' || isSpace(c):
			q++
			continue
		}
		label := ""
		if open[len(open)-1] == '{' {
			key := q
			if label, q = f.flowKey(q, end); label != "" {
				if stop := key + len(label) - len(": "); stop > key {
					out = append(out, f.badKey(key, stop)...)
				}
				if q >= end || f.noScalar(q) {
					continue
				}
			}
		}
		stop := max(q+1, q+reach(f.Text[q:end], false))
		out = append(out, f.valueTraps(q, stop, label, true)...)
		q = stop
	}
	return out
}

// flowKey gives the key at p, as it stands before its value, and where that begins. Without a key it is empty.
func (f finder) flowKey(p, end int) (label string, value int) {
	stop := p + reach(f.Text[p:end], true)
	if colon := f.blanks(stop); colon < end && f.Text[colon] == ':' {
		return f.Text[p:stop] + ": ", f.blanks(colon + 1)
	}
	return "", p
}

// noScalar says that a bracket or comma stands at p.
func (f finder) noScalar(p int) bool {
	return strings.IndexByte(",]}[{", f.Text[p]) >= 0 && !strings.HasPrefix(f.Text[p:], "{{")
}

// valueTraps finds out why the value [p, end) has to be quoted. It may be in brackets.
func (f finder) valueTraps(p, end int, label string, inFlow bool) []*trap {
	one := func(t *trap) []*trap { return []*trap{t} }
	first := f.Text[p : p+1]
	switch text := f.Text[p:end]; {
	case first == `"` || first == "'":
		return f.quotes(p, end, label, inFlow)
	case strings.HasPrefix(text, "{{"):
		return one(f.doubleBrace(p, end, label))
	case first == "*":
		if isAlias(text) {
			return nil
		}
		return one(f.quoteThis(p, end, p, p+1, label, `"*" at the beginning means an alias to YAML`))
	case inFlow && strings.Contains("|>#?:", first):
		return one(f.quoteThis(p, end, p, p+1, label, "a value inside [ ] or { } cannot begin with %q", first))
	case first == "|" || first == ">":
		if !blockHeader.MatchString(text) {
			return one(f.quoteThis(p, end, p, p+1, label, "%q at the beginning means a block of text to YAML", first))
		}
		return nil
	case first == "&" && !anyAnchor.MatchString(text):
		return one(f.quoteThis(p, end, p, p+1, label, `"&" at the beginning means an anchor to YAML`))
	}
	if what := begins(f.Text[p:end]); what != "" {
		return one(f.quoteThis(p, end, p, p+1, label, "%s", what))
	}
	return f.inside(p, end, label, inFlow)
}

// isAlias says that a value is an alias, with nothing but a comment behind it.
func isAlias(text string) bool {
	name, rest, _ := strings.Cut(text[1:], " ")
	rest = strings.TrimSpace(rest)
	return anchorName.MatchString(name) && (rest == "" || rest[0] == '#')
}

// inside finds out why the value [p, end) has to be quoted, if that is for what stands in it.
func (f finder) inside(p, end int, label string, inFlow bool) []*trap {
	one := func(t *trap) []*trap { return []*trap{t} }
	for q := p; q < end; q++ {
		switch c := f.Text[q]; {
		case inFlow && strings.IndexByte("?[{", c) >= 0:
			return one(f.quoteThis(p, end, q, q+1, label, "a value inside [ ] or { } cannot hold %q", string(c)))
		case c == ':' && q+1 == end && !inFlow:
			return one(f.quoteThis(p, end, q, q+1, label, `":" at the end of a value makes it a key to YAML`))
		case c == ':' && f.isEnd(q+1):
			return f.colon(p, end, q, label)
		case c == '#' && q > p && isSpace(f.Text[q-1]):
			if inFlow && f.hidesMore(q) {
				return one(f.quoteThis(p, end, q, end, label, `" #" begins a comment, which cuts the value off`))
			}
			return nil
		}
	}
	return nil
}

// hidesMore says that the comment at q is none, or that it hides the end of brackets.
func (f finder) hidesMore(q int) bool {
	return !f.isEnd(q+1) || strings.ContainsAny(f.Text[q:f.end(q)], "]}")
}

// colon judges a colon at q inside the value [p, end).
func (f finder) colon(p, end, q int, label string) []*trap {
	next := f.next(p)
	below := next < len(f.Text) && f.entry(next).column > f.entry(f.begin(p)).column
	if below && simpleKey.MatchString(f.Text[p:q]) {
		return []*trap{{rule: "yaml-syntax", start: p, end: q + 1, lost: true,
			hint:    "begin a line with it, indented like the ones below",
			message: fmt.Sprintf("%q cannot stand on the line of another key", f.Text[p:q]),
			edits:   []edit{{at: f.begin(p), with: strings.Repeat("#", q-f.begin(p))}}}}
	}
	return []*trap{f.quoteThis(p, end, q, q+1, label, `": " inside a value means a key to YAML`)}
}

// doubleBrace is the trap of {{ }}, which templates of other languages are written in.
func (f *Fragment) doubleBrace(p, end int, label string) *trap {
	t := f.quoteThis(p, end, p, p+2, label, `"{{" means a mapping inside a mapping to YAML`)
	t.hint += "; our templates begin with ${{"
	return t
}

// quotes finds what is wrong with a value, [p, stop), that begins with a quote.
func (f finder) quotes(p, stop int, label string, inFlow bool) []*trap {
	switch end, escape := closing(f.Text, p); {
	case end < 0 || end > stop:
		t := f.quoteThis(p, stop, p, p+1, label, "this quote is never closed")
		if text := strings.TrimSpace(f.Text[p+1 : stop]); text != "" {
			t.hint = "write " + label + quoted(text)
			f.mean(t, p, stop, text, p+1)
		}
		return []*trap{t}
	case escape > 0:
		return []*trap{f.badEscape(p, end, escape, label)}
	default:
		if after := f.blanks(end); after < stop && f.Text[after] != '#' {
			if !inFlow {
				after = end
			}
			return []*trap{f.quoteThis(p, stop, after, stop, label, "the value goes on behind its closing quote")}
		}
	}
	return nil
}

// badEscape is the trap of a backslash in the double quotes [p, end) that begins no escape.
func (f finder) badEscape(p, end, escape int, label string) *trap {
	_, width, _ := unescape(f.Text[escape:end])
	stop := min(escape+width, end-1)
	t := f.quoteThis(p, end, escape, stop, label, `"%s" is not a YAML escape`, f.Text[escape:stop])
	value := f.Text[p+1 : end-1]
	t.hint = "write " + label + "'" + strings.ReplaceAll(strings.ReplaceAll(value, `\"`, `"`), "'", "''") + "'"
	f.mean(t, p, end, value, p+1)
	return t
}
