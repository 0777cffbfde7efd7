package article

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"benchbook/notebook/source"
)

// properties skips the anchors and tags before a value. bad says that one of them is none, and the value was noted as
// a trap, which ends where it goes on.
func (s *scanner) properties(p int, label string) (at int, bad bool) {
	for p < s.end && (s.text[p] == '&' || s.text[p] == '!') {
		end := p + 1
		for end < s.end && !isSpace(s.text[end]) && (len(s.flow) == 0 || !strings.ContainsRune(",[]{}", rune(s.text[end]))) {
			end++
		}
		word := s.text[p:end]
		what := ""
		switch {
		case s.text[p] == '&' && !anchorName.MatchString(word[1:]):
			what = "an anchor"
		case s.text[p] == '!' && !coreTag.MatchString(word):
			what = "a tag"
		}
		if what != "" {
			stop := s.extent(p)
			s.quoteThis(p, stop, p, p+1, label, "%q at the beginning means %s to YAML", s.text[p:p+1], what).silent = true
			return stop, true
		}
		next := s.blanks(end)
		if s.text[p] == '&' && len(s.anchors) == maxTraps {
			s.lost = true
		} else if s.text[p] == '&' {
			a := &anchor{name: word[1:], at: p, start: next, label: label}
			if next < s.eol(p) && !strings.ContainsRune("[{\"'|>*#&!,]}", rune(s.text[next])) {
				if _, _, key := s.key(next); !key {
					a.end = s.extent(next)
				}
			}
			s.anchors = append(s.anchors, a)
		}
		p = next
	}
	return p, false
}

var (
	anchorName = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
	coreTag    = regexp.MustCompile(`^!!(str|int|float|bool|null|seq|map|binary|timestamp|set|omap|pairs|merge)$`)
)

// extent is the end of the value at p as its author meant it: in a block all of the line, in brackets up to the comma
// or bracket that does not belong to it.
func (s *scanner) extent(p int) int {
	if len(s.flow) > 0 {
		return s.flowExtent(p, false)
	}
	return s.eol(p)
}

// value reads what stands behind a colon or dash, or on a line of its own, and gives where to go on. label is what
// stands before it.
func (s *scanner) value(p int, label string) int {
	p = s.blanks(p)
	eol := s.eol(p)
	if p >= eol {
		return s.next(p)
	}
	if s.text[p] == '#' {
		s.hash(p, p, eol, label)
		return s.next(p)
	}
	p, bad := s.properties(p, label)
	if bad || s.over(p) {
		return s.next(p)
	}
	s.open = false
	switch c := s.text[p]; c {
	case '"', '\'':
		return s.quotedValue(p, label)
	case '[', '{':
		return s.flowValue(p, label)
	case '|', '>':
		return s.blockText(p, label)
	case '*':
		s.alias(p, label)
		return s.next(p)
	}
	if what := begins(s.text[p:eol]); what != "" {
		s.quoteThis(p, eol, p, p+1, label, "%s", what)
		return s.next(p)
	}
	if s.curly(p, eol, label) {
		return s.next(p)
	}
	return s.plain(p, label)
}

// curlyQuoted is a value in the quotes of word processors.
var curlyQuoted = regexp.MustCompile(`^(?:[“”„]([^“”„"]*)[“”]|[‘’‚]([^‘’‚']*)[‘’])$`)

// wordKeys are the keys whose values are words for people, in which any quotes may stand.
var wordKeys = []string{"title", "description", "caption", "alt", "text", "is", "notes", "source", "author", "authors", "unavailable"}

// curly notes a value, the text [p, end), in the quotes of word processors, which YAML takes for letters.
func (s *scanner) curly(p, end int, label string) bool {
	text := strings.TrimRight(s.text[p:end], " \t\r")
	m := curlyQuoted.FindStringSubmatch(text)
	if m == nil || slices.Contains(wordKeys, strings.TrimRight(label, ": ")) {
		return false
	}
	_, first := utf8.DecodeRuneInString(text)
	t := s.quoteThis(p, p+len(text), p, p+first, label, "%s is no quote to YAML, but a letter", text[:first])
	t.silent = true
	_, last := utf8.DecodeLastRuneInString(text)
	t.meant[0].value, t.meant[0].start, t.meant[0].end = m[1]+m[2], p+first, p+len(text)-last
	t.hint = "write " + label + quoted(m[1]+m[2])
	return true
}

// begins says why a plain value cannot begin as text does; empty if it can.
func begins(text string) string {
	alone := len(text) == 1 || isSpace(text[1])
	switch c := text[0]; {
	case strings.IndexByte("@`%,]}", c) >= 0:
		return fmt.Sprintf("a value cannot begin with %q", text[:1])
	case c == '-' && alone:
		return `"-" at the beginning means a list item to YAML`
	case c == '?' && alone:
		return `"?" at the beginning means a key to YAML`
	case c == ':' && alone:
		return `":" at the beginning means an empty key to YAML`
	}
	return ""
}

// hash decides about " #" behind the value [start, at): whether it begins a comment that was meant as one.
func (s *scanner) hash(start, at, eol int, label string) {
	comment := s.text[at:eol]
	value := strings.TrimRight(s.text[start:at], " \t\n\r")
	switch {
	case !strings.ContainsAny(oneWord(value), " \t\n") && (len(comment) == 1 || isSpace(comment[1])):
		// It stands behind one word, and looks like a comment.
	case value != "":
		t := s.quoteThis(start, eol, at, eol, label, `" #" begins a comment, which cuts the value off`)
		t.silent = true
		t.hint += "; a comment may have a line of its own"
	case !s.child(at):
		s.quoteThis(start, eol, at, eol, label, `"#" begins a comment, which leaves no value`).silent = true
		s.open = false
	}
}

// aTemplate is an expression of ours inside a value.
var aTemplate = regexp.MustCompile(`\$\{\{[^{}]*\}\}`)

// oneWord is a value in which each template stands as a word, whatever spaces are in it.
func oneWord(value string) string { return aTemplate.ReplaceAllString(value, "x") }

// child says that the lines below p hold the value of the entry that p belongs to.
func (s *scanner) child(p int) bool {
	for n := s.next(p); n < s.end; n = s.next(n) {
		q := s.blanks(n)
		if q >= s.eol(n) || s.text[q] == '#' {
			continue
		}
		return q-n > s.parent() || q-n == s.parent() && s.text[q] == '-' && s.ends(q+1)
	}
	return false
}

// plain reads a value without quotes, which may go on in the lines below.
func (s *scanner) plain(p int, label string) int {
	parent := s.parent()
	for n := p; ; {
		from := n
		if n > p {
			from = s.blanks(n)
		}
		eol := s.eol(n)
		for q := from; q < eol; q++ {
			switch {
			case s.text[q] == ':' && s.ends(q+1):
				return s.colon(p, n, q, label)
			case s.text[q] == '#' && q > p && isSpace(s.text[q-1]):
				s.hash(p, q, eol, label)
				return s.next(n)
			}
		}
		if n > p && s.continued(n, from, eol) {
			return s.next(n)
		}
		// The value goes on in the next line that is indented further than its parent.
		for n = s.next(n); n < s.end && s.blanks(n) >= s.eol(n); n = s.next(n) {
		}
		indent := 0
		for n+indent < s.end && s.text[n+indent] == ' ' {
			indent++
		}
		if n >= s.end || indent <= parent || s.marker(n) || s.text[s.blanks(n)] == '#' {
			return n
		}
	}
}

// colon notes ": " at q inside the plain value that began at p, in its line n.
func (s *scanner) colon(p, n, q int, label string) int {
	eol := s.eol(n)
	from := s.blanks(n)
	switch {
	case n > p && simpleKey.MatchString(s.text[from:q]) && label != "":
		s.add(trap{rule: "yaml-syntax", start: from, end: eol, hint: s.indentLike(s.levels[len(s.levels)-1]),
			message: fmt.Sprintf("this line is indented further than line %d, which has its value already", s.number(p))})
		s.lost = true
	case n == p && simpleKey.MatchString(s.text[p:q]) && label != "" && s.child(p):
		s.add(trap{rule: "yaml-syntax", start: p, end: q + 1, hint: "begin a line with it, indented like the ones below",
			message: fmt.Sprintf("%q cannot stand on the line of another key", s.text[p:q])})
		s.lost = true
	case q+1 >= eol:
		s.quoteThis(p, eol, q, q+1, label, `":" at the end of a value makes it a key to YAML`)
	default:
		s.quoteThis(p, eol, q, q+1, label, `": " inside a value means a key to YAML`)
	}
	return s.next(n)
}

// continued notes a line below a value that YAML takes for a part of it, though it does not look like one.
func (s *scanner) continued(n, from, eol int) bool {
	text := s.text[from:eol]
	if text[0] == '-' && s.ends(from+1) {
		t := s.add(trap{rule: "yaml-syntax", start: from, end: eol, silent: true,
			message: "YAML takes this list item for a part of the value above"})
		t.hint = "begin it in the column of the items above"
		if l := s.levels; len(l) > 0 && l[len(l)-1].dash {
			t.hint = s.indentLike(l[len(l)-1])
		}
		s.lost = true
		return true
	}
	return !strings.ContainsAny(text, " \t") && s.glued(from, eol, true)
}

// alias reads *name. What is no alias is noted as a value to be quoted.
func (s *scanner) alias(p int, label string) (end int, ok bool) {
	end = p + 1
	for end < s.end && anchorName.MatchString(s.text[end:end+1]) {
		end++
	}
	name := s.text[p+1 : end]
	after := s.blanks(end)
	closers := ":"
	if len(s.flow) > 0 {
		closers = ":,]}"
	}
	if name == "" || !s.over(after) && strings.IndexByte(closers, s.text[after]) < 0 {
		stop := s.extent(p)
		s.quoteThis(p, stop, p, p+1, label, `"*" at the beginning means an alias to YAML`)
		return stop, false
	}
	var known []string
	for _, a := range s.anchors {
		if a.name == name {
			a.used = true
			return end, true
		}
		known = append(known, a.name)
	}
	t := s.add(trap{rule: "unknown-anchor", start: p, end: end, message: fmt.Sprintf("no anchor &%s above this line", name)})
	switch hint := source.Suggest(name, known); {
	case hint != "":
		t.hint = hint
	case label == "<<: ":
		t.hint = "write &" + name + " before the mapping to merge"
	default:
		t.hint = "write &" + name + " before the value to repeat, or, if the word is text, " + label + quoted(s.text[p:end])
	}
	s.unknown = append(s.unknown, unknownAlias{name, t})
	t.edits = s.words(p, end)
	t.meant = []meaning{{at: p, nothing: true}}
	return end, false
}

// quotedValue reads a value in quotes in a block.
func (s *scanner) quotedValue(p int, label string) int {
	end, escape := closing(s.text[:s.end], p)
	if end >= 0 && s.over(s.blanks(end)) {
		if escape > 0 {
			s.badEscape(p, end, escape, label)
		}
		return s.next(end)
	}
	eol := s.eol(p)
	if end < 0 || end > eol {
		s.unclosedQuote(p, eol, label)
		return s.next(p)
	}
	s.quoteThis(p, eol, end, eol, label, "the value goes on behind its closing quote")
	return s.next(p)
}

// unclosedQuote notes a quote that nothing closes in its line.
func (s *scanner) unclosedQuote(p, eol int, label string) {
	t := s.quoteThis(p, eol, p, p+1, label, "this quote is never closed")
	if text := strings.TrimSpace(s.text[p+1 : eol]); text != "" {
		t.hint = "write " + label + quoted(text)
		t.meant = []meaning{{at: p, value: text, start: p + 1, end: eol}}
	}
}

// badEscape notes a backslash in the double quotes [p, end) that begins no escape.
func (s *scanner) badEscape(p, end, escape int, label string) {
	_, width, _ := unescape(s.text[escape:end])
	stop := min(escape+width, end-1)
	t := s.quoteThis(p, end, escape, stop, label, `"%s" is no escape of YAML`, s.text[escape:stop])
	t.meant[0].value = s.text[p+1 : end-1]
	t.meant[0].start, t.meant[0].end = p+1, end-1
	t.hint = "write " + label + "'" + strings.ReplaceAll(strings.ReplaceAll(t.meant[0].value, `\"`, `"`), "'", "''") + "'"
}

// closing gives the end of the quoted scalar that begins at p, behind its quote, or -1, and the first backslash that
// begins no escape, or 0.
func closing(text string, p int) (end, escape int) {
	quote := text[p]
	for i := p + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			if _, _, ok := unescape(text[i:]); !ok && escape == 0 {
				escape = i
			}
			i++
		case quote == '\'' && strings.HasPrefix(text[i:], "''"):
			i++
		case text[i] == quote:
			return i + 1, escape
		}
	}
	return -1, escape
}

var blockHeader = regexp.MustCompile(`^[|>]([1-9][+-]?|[+-][1-9]?)?([ \t]+#.*|[ \t]*)$`)

// blockText reads a literal or folded block.
func (s *scanner) blockText(p int, label string) int {
	eol := s.eol(p)
	kind := s.text[p : p+1]
	if !blockHeader.MatchString(s.text[p:eol]) {
		s.quoteThis(p, eol, p, p+1, label, "%q at the beginning means a block of text to YAML", kind)
		return s.next(p)
	}
	parent := s.parent()
	empty := !strings.Contains(s.text[p:eol], "+") // which keeps even empty lines
	explicit := strings.ContainsAny(s.text[p:eol], "123456789")
	first, column := 0, 0 // where the text begins, and how far it is indented
	n := s.next(p)
	for ; n < s.end; n = s.next(n) {
		indent := 0
		for n+indent < s.end && s.text[n+indent] == ' ' {
			indent++
		}
		if s.blanks(n) >= s.eol(n) && (indent <= parent || !strings.Contains(s.lineText(n), "\t")) {
			continue
		}
		if s.text[n+indent] == '\t' && !explicit && (first == 0 || indent < column) {
			s.tab(n+indent, s.blanks(n+indent))
			s.lost = true
			return s.end
		}
		if indent <= parent || s.marker(n) {
			break
		}
		if first == 0 {
			first, column = n, indent
		}
		if indent < column && !explicit {
			s.add(trap{rule: "yaml-syntax", start: n + indent, end: s.eol(n),
				message: fmt.Sprintf("this line is indented less than line %d, which begins the block of text", s.number(first)),
				hint:    s.indentLike(level{column: column, at: first})})
			s.lost = true
			return s.end
		}
		empty = false
	}
	if empty {
		t := s.quoteThis(p, eol, p, eol, label, "%q begins a block of text, and this one is empty", kind)
		t.silent = true
		if eol == p+1 {
			t.hint = "write the text in the lines below, indented, or write " + label + quoted(kind)
		}
	}
	return n
}
