package article

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A scanner walks through a fragment beside the library, line by line, to find its traps. It knows as much of YAML as
// it takes to tell where values begin and end, and what their author meant them to hold; what it does not understand,
// it leaves alone.
type scanner struct {
	*fragment
	end    int // where reading ends: at the end of the text or at a second document
	traps  []*trap
	levels []level // of the block collections that are open, outermost first
	open   bool    // the last key or dash has no value yet
	lost   bool    // the structure cannot be told from here on
	begun  bool    // there was something other than comments
	marked bool    // there was a line ---
	closed bool    // there was a line ... behind something
	flow   []int   // where the brackets stand that are open
	limit  int     // where a bracket that is never closed is taken to end, or the end

	unclosed int // brackets so far

	anchors []*anchor
	unknown []unknownAlias
}

// unknownAlias is an alias without an anchor above it.
type unknownAlias struct {
	name string
	trap *trap
}

// A level is a block collection by the column that its entries begin in.
type level struct {
	column int
	dash   bool   // a list
	at     int    // of the newest entry
	label  string // the newest entry's key or dash, as it stands before a value
}

// anchor is a name that aliases may repeat.
type anchor struct {
	name       string
	at         int
	start, end int    // of the plain value behind it, if it has one
	label      string // what stands before it
	used       bool
}

// scan finds all traps.
func (s *scanner) scan() {
	s.limit = s.end
	for p := 0; p < s.end && !s.lost; {
		p = s.readLine(p)
	}
	for _, u := range s.unknown {
		for _, a := range s.anchors {
			if a.name == u.name {
				u.trap.message = fmt.Sprintf("the anchor &%s comes only in line %d", a.name, s.number(a.at))
				u.trap.hint = "move it up: an alias repeats what stands above it"
				a.used = true
			}
		}
	}
	for _, a := range s.anchors {
		if !a.used && a.end > a.start {
			s.quoteThis(a.at, a.end, a.at, a.start, a.label,
				`"&" at the beginning makes &%s an anchor, which nothing refers to`, a.name).silent = true
		}
	}
}

// eol is the end of the line that p stands in, white space at it left out.
func (s *scanner) eol(p int) int {
	return p + len(strings.TrimRight(s.lineText(p)[:max(0, min(len(s.lineText(p)), s.end-p))], " \t\r"))
}

// next is where the line after that of p begins.
func (s *scanner) next(p int) int { return min(p+len(s.lineText(p))+1, s.end) }

// begin is where the line of p begins.
func (s *scanner) begin(p int) int { return s.lines[s.line(p)].at }

// blanks skips spaces and tabs.
func (s *scanner) blanks(p int) int {
	for p < s.end && (s.text[p] == ' ' || s.text[p] == '\t') {
		p++
	}
	return p
}

// ends says that a line end or white space stands at p.
func (s *scanner) ends(p int) bool { return p >= s.end || isSpace(s.text[p]) }

// over says that nothing but a comment may follow at p in its line.
func (s *scanner) over(p int) bool {
	return p >= s.eol(p) || s.text[p] == '#' && (p == 0 || isSpace(s.text[p-1]))
}

// marker says that the line at p is one of those between documents.
func (s *scanner) marker(p int) bool {
	return p+3 <= s.end && (s.text[p:p+3] == "---" || s.text[p:p+3] == "...") && s.ends(p+3)
}

// readLine reads what begins in a line and gives where to go on.
func (s *scanner) readLine(start int) int {
	p := start
	for p < s.end && s.text[p] == ' ' {
		p++
	}
	content := s.blanks(p)
	switch {
	case s.marker(start):
		return s.document(start)
	case content >= s.eol(start) || s.text[content] == '#':
		return s.next(start)
	case content > p:
		s.tab(p, content)
		s.lost = true
		return s.end
	case s.closed:
		return s.second(start)
	case s.oddSpaces(p):
		return start
	case p == start && !s.begun && (strings.HasPrefix(s.text[p:], "%YAML ") || strings.HasPrefix(s.text[p:], "%TAG ")):
		return s.next(start)
	}
	s.begun = true
	return s.entry(p)
}

// tab notes white space with a tab in it, [p, end), that YAML would take for indentation.
func (s *scanner) tab(p, end int) *trap {
	return s.add(trap{rule: "yaml-syntax", start: p, end: end, message: "YAML cannot be indented with tabs", hint: "use spaces"})
}

// document reads a line --- or ...; what follows an end is a second document, which the library would not look at.
func (s *scanner) document(start int) int {
	switch {
	case s.text[start] == '.':
		s.closed = s.begun
	case s.begun || s.marked:
		return s.second(start)
	default:
		s.marked = true
		if p := s.blanks(start + 3); !s.over(p) {
			s.begun = true
			return s.entry(p)
		}
	}
	return s.next(start)
}

func (s *scanner) second(start int) int {
	s.add(trap{rule: "yaml-syntax", start: start, end: s.eol(start), message: "a second document begins here",
		hint: "keep one document to a block: remove the line, or begin another block", silent: true})
	s.end, s.lost = start, true
	return start
}

// oddSpaces puts ordinary spaces in the place of white space at p that YAML takes for letters.
func (s *scanner) oddSpaces(p int) bool {
	r, _ := utf8.DecodeRuneInString(s.text[p:s.end])
	if !oddSpace(r) {
		return false
	}
	old := s.text[p:s.end]
	if i := strings.IndexFunc(old, func(r rune) bool { return !oddSpace(r) && r != ' ' }); i >= 0 {
		old = old[:i]
	}
	with := strings.Repeat(" ", utf8.RuneCountInString(old))
	s.replace(p, old, with)
	s.end += len(with) - len(old)
	s.limit += len(with) - len(old)
	s.add(trap{rule: "white-space", start: p, end: p + len(with), silent: true, hint: "write ordinary spaces",
		message: fmt.Sprintf("U+%04X looks like a space here, but YAML takes it for a letter", r)})
	return true
}

func oddSpace(r rune) bool { return r != ' ' && unicode.Is(unicode.Zs, r) || r == '\u200b' }

// entry reads the dashes, keys and values of a line, whose first character is at p.
func (s *scanner) entry(p int) int {
	begin := s.begin(p)
	for first := true; ; first = false {
		if s.text[p] == '-' {
			s.oddSpaces(p + 1)
		}
		switch {
		case s.text[p] == '-' && s.ends(p+1):
			if !s.enter(level{p - begin, true, p, "- "}, first) {
				return s.end
			}
			dash := p
			if p = s.blanks(p + 1); s.over(p) {
				return s.value(p, "- ")
			}
			if gap := s.text[dash+1 : p]; strings.Contains(gap, "\t") {
				s.tab(dash+1, p).edits = []edit{{dash + 1, p, fillWith(" ", gap)}}
			}
			continue
		case s.text[p] == '?' && s.ends(p+1): // a key on a line of its own
			if !s.enter(level{p - begin, false, p, ""}, first) {
				return s.end
			}
			if p = s.blanks(p + 1); s.over(p) {
				return s.next(p)
			}
			continue
		case s.text[p] == ':' && s.ends(p+1) && first: // and its value
			if !s.enter(level{p - begin, false, p, ""}, first) {
				return s.end
			}
			return s.value(p+1, "")
		}
		start := p
		key, colon, ok := s.key(p)
		if !ok {
			var bad bool
			if p, bad = s.properties(p, s.label()); bad || s.over(p) {
				return s.next(p)
			}
			key, colon, ok = s.key(p)
		}
		if ok {
			label := s.text[p:key] + ": "
			if !s.enter(level{start - begin, false, start, label}, first) {
				return s.end
			}
			s.badKey(p, key)
			return s.value(colon+1, label)
		}
		if first && s.stray(p) {
			return s.next(p)
		}
		return s.value(p, s.label())
	}
}

// label is what stands before the value that comes next.
func (s *scanner) label() string {
	if len(s.levels) == 0 {
		return ""
	}
	return s.levels[len(s.levels)-1].label
}

// parent is the column that lines have to be indented beyond to go on with a value; -1 if there is none.
func (s *scanner) parent() int {
	if len(s.levels) == 0 {
		return -1
	}
	return s.levels[len(s.levels)-1].column
}

// enter begins an entry of a collection: of one that is open, or, where a value is awaited, of a new one. If the
// entry fits none, that is a trap, and the structure is lost.
func (s *scanner) enter(l level, first bool) bool {
	defer func() { s.open = true }()
	if !first {
		s.levels = append(s.levels, l)
		return true
	}
	var left *level // the innermost collection that ends here
	for len(s.levels) > 0 && s.levels[len(s.levels)-1].column > l.column {
		left = &s.levels[len(s.levels)-1]
		s.levels = s.levels[:len(s.levels)-1]
	}
	n := len(s.levels)
	if n > 1 && !l.dash && s.levels[n-1].dash && s.levels[n-1].column == l.column && s.levels[n-2].column == l.column {
		n-- // a list may begin in the column of its key, and a key ends it
		s.levels = s.levels[:n]
	}
	switch {
	case n > 0 && s.levels[n-1].column == l.column && s.levels[n-1].dash == l.dash:
		s.levels[n-1] = l
		return true
	case left == nil && (n == 0 || s.open && (s.levels[n-1].column < l.column || l.dash && !s.levels[n-1].dash)):
		s.levels = append(s.levels, l)
		return true
	}
	s.misplaced(l, left)
	return false
}

// misplaced notes an entry that belongs to no collection, since its column is wrong; left is the innermost one that
// it ends.
func (s *scanner) misplaced(l level, left *level) {
	t := trap{rule: "yaml-syntax", start: l.at, end: s.eol(l.at)}
	outer := s.levels
	switch {
	case len(outer) > 0 && outer[len(outer)-1].column == l.column && l.dash:
		t.message = "a list item cannot stand beside keys"
		t.hint = "put a key above it, or remove the dash"
	case len(outer) > 0 && outer[len(outer)-1].column == l.column:
		t.message = "a key cannot stand beside list items"
		t.hint = "put a dash before it, or indent it like the keys of the item above"
	case left == nil:
		o := outer[len(outer)-1]
		t.message = "this line is indented further than the ones above, which have their values already"
		t.hint = s.indentLike(o)
	case len(outer) == 0:
		t.silent = true // the library reads on as if a second document began
		t.message = "this line is indented less than the first one"
		t.hint = s.indentLike(*left)
	default:
		t.message = "this line is indented like none above it"
		t.hint = s.indentLike(*left) + ", or " + s.indentLike(outer[len(outer)-1])
	}
	s.add(t)
	s.lost = true
}

func (s *scanner) indentLike(l level) string {
	switch l.column {
	case 0:
		return fmt.Sprintf("begin it without spaces, like line %d", s.number(l.at))
	case 1:
		return fmt.Sprintf("indent it by 1 space, like line %d", s.number(l.at))
	}
	return fmt.Sprintf("indent it by %d spaces, like line %d", l.column, s.number(l.at))
}

// key finds out whether a key begins at p: where it ends, and where its colon is.
func (s *scanner) key(p int) (end, colon int, ok bool) {
	eol := s.eol(p)
	q := p
	switch c := s.text[p]; c {
	case '|', '>', '#', '&', '!':
		return 0, 0, false
	case '"', '\'':
		if q, _ = closing(s.text[:eol], p); q < 0 {
			return 0, 0, false
		}
	case '[', '{':
		n := closingBracket(s.text[p:eol])
		if n < 0 {
			return 0, 0, false
		}
		q = p + n
	default:
		for ; q < eol; q++ {
			if s.text[q] == '#' && q > p && isSpace(s.text[q-1]) {
				return 0, 0, false
			}
			if s.text[q] == ':' {
				if s.ends(q + 1) {
					break
				}
				if simpleKey.MatchString(s.text[p:q]) && s.oddSpaces(q+1) {
					break
				}
			}
		}
		return p + len(strings.TrimRight(s.text[p:q], " \t")), q, q < s.eol(p)
	}
	colon = s.blanks(q)
	return q, colon, colon < eol && s.text[colon] == ':' && s.ends(colon+1)
}

var (
	// simpleKey is what keys of ours look like.
	simpleKey = regexp.MustCompile(`^[\pL_][\pL\d_.-]*$`)
	// gluedKey is a key whose colon has no space behind it.
	gluedKey = regexp.MustCompile(`^([\pL_][\pL\d_.-]*):([^\s/:\\].*)$`)
)

// badKey notes a key that begins with a character that YAML has another use for.
func (s *scanner) badKey(p, end int) {
	switch s.text[p] {
	case '"':
		if _, escape := closing(s.text[:end], p); escape > 0 {
			s.badEscape(p, end, escape, "")
		}
	case '*':
		if anchorName.MatchString(s.text[p+1 : end]) {
			s.alias(p, "")
			return
		}
		fallthrough
	case '@', '`', '%', ',', ']', '}':
		t := s.quoteThis(p, end, p, p+1, "", "a key cannot begin with %q", s.text[p:p+1])
		t.hint = "write " + quoted(s.text[p:end]) + ": …"
	}
}

// stray notes a line in a mapping that has no colon, or one without a space behind it.
func (s *scanner) stray(p int) bool {
	eol := s.eol(p)
	column := p - s.begin(p)
	var left *level // the innermost collection that ends here
	for len(s.levels) > 0 && s.levels[len(s.levels)-1].column > column {
		left = &s.levels[len(s.levels)-1]
		s.levels = s.levels[:len(s.levels)-1]
		s.open = false
	}
	top := len(s.levels) == 0
	if top && left != nil {
		s.misplaced(level{column: column, at: p}, left)
		return true
	}
	beside := !top && (s.parent() == column || !s.open)
	if !beside {
		glued := top && gluedKey.MatchString(s.text[p:eol])
		if strings.IndexByte("[{\"'|>*", s.text[p]) >= 0 || !glued && !s.keyBelow(p, column) {
			return false
		}
	}
	if s.glued(p, eol, top) {
		return true
	}
	text := s.text[p:eol]
	t := s.add(trap{rule: "yaml-syntax", start: p, end: eol, message: "this line has no colon", hint: "write key: value"})
	if simpleKey.MatchString(text) {
		t.hint = "write " + text + ": and a value"
	} else if len(s.levels) > 0 && s.parent() < column {
		t.hint = "quote all of the value above, or write it as a block: " + s.label() + "|"
	}
	_, size := utf8.DecodeRuneInString(text)
	t.edits = []edit{{p, p + size, "#"}}
	return true
}

// keyBelow says that the next line with something in it, in the same column, has a key.
func (s *scanner) keyBelow(p, column int) bool {
	for n := s.next(p); n < s.end; n = s.next(n) {
		q := s.blanks(n)
		if q >= s.eol(n) || s.text[q] == '#' {
			continue
		}
		end, _, ok := s.key(q)
		return ok && q-n == column && simpleKey.MatchString(s.text[q:end])
	}
	return false
}

// glued notes key:value, [p, end), without a space. A key of one letter is mended in no way that keeps all columns.
func (s *scanner) glued(p, end int, silent bool) bool {
	m := gluedKey.FindStringSubmatch(s.text[p:end])
	if m == nil {
		return false
	}
	colon := p + len(m[1])
	value := strings.TrimSpace(m[2])
	t := s.add(trap{rule: "yaml-syntax", start: colon, end: colon + 1, message: "a key's colon needs a space behind it",
		hint: "write " + m[1] + ": " + value, silent: silent})
	if _, last := utf8.DecodeLastRuneInString(m[1]); last < len(m[1]) {
		t.edits = []edit{{colon - last, colon + 1, ": "}}
		t.meant = []meaning{{at: p, value: m[1], start: p, end: colon}}
	}
	return true
}
