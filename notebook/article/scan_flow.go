package article

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/source"
)

// maxDepth bounds brackets inside brackets.
const maxDepth = 100

// maxUnclosed bounds the brackets that are looked for to the end of the text in vain.
const maxUnclosed = 20

// role is what a node inside brackets is.
type role int

const (
	inList  role = iota
	asKey        // of a mapping
	asValue      // of a mapping
)

// flowScalar is a plain value inside brackets.
type flowScalar struct {
	start, end int
	label      string
}

// flowValue reads a list or mapping in brackets that is a value in a block, and gives where to go on.
func (s *scanner) flowValue(p int, label string) int {
	traps, anchors := len(s.traps), len(s.anchors)
	back := func() { s.traps, s.anchors, s.flow = s.traps[:traps], s.anchors[:anchors], nil }
	if eol := s.eol(p); strings.HasPrefix(s.text[p:eol], "{{") {
		s.doubleBrace(p, eol, label)
		return s.next(p)
	}
	end, closed := s.collection(p, label)
	if s.unclosed > maxUnclosed {
		s.lost = true
	}
	if !closed && !s.lost {
		s.unclosed++
		// Nothing closes it, so what it holds has to be looked for in the lines that are likely to be its own.
		back()
		s.limit = s.region(p)
		s.collection(p, label)
		end = s.neverClosed(p)
		s.limit, s.flow = s.end, nil
		return s.next(end)
	}
	s.flow = nil
	if s.lost {
		return s.end
	}
	if after := s.blanks(end); !s.over(after) {
		if rest := s.text[after:s.eol(after)]; strings.Trim(rest, "]}") == "" {
			s.add(trap{rule: "yaml-syntax", start: after, end: after + len(rest), message: fmt.Sprintf("%q closes nothing", rest),
				hint: "remove it", edits: []edit{{after, after + len(rest), strings.Repeat(" ", len(rest))}}})
			return s.next(end)
		}
		back()
		stop := s.eol(end)
		s.quoteThis(p, stop, after, stop, label, "the value goes on behind its closing %q", s.text[end-1:end])
	}
	return s.next(end)
}

// doubleBrace notes {{ }}, which templates of other languages are written in.
func (s *scanner) doubleBrace(p, end int, label string) {
	t := s.quoteThis(p, end, p, p+2, label, `"{{" means a mapping inside a mapping to YAML`)
	t.silent = true
	t.hint += "; our templates begin with ${{"
}

// neverClosed notes that the bracket at p is not closed before s.limit, and gives where it should have been.
func (s *scanner) neverClosed(p int) int {
	stop := s.limit
	for stop > p && isSpace(s.text[stop-1]) {
		stop--
	}
	var closers strings.Builder
	for i := len(s.flow) - 1; i >= 0; i-- {
		closers.WriteString(opposite(s.text[s.flow[i]]))
	}
	t := s.add(trap{rule: "yaml-syntax", start: p, end: p + 1, message: fmt.Sprintf("this %q is never closed", s.text[p:p+1])})
	t.hint = fmt.Sprintf("write %s%s", strings.TrimSpace(s.text[s.begin(stop):stop]), closers.String())
	if len(t.hint) > source.MaxColumns || len(s.flow) > 3 {
		t.hint = fmt.Sprintf("close it at the end of line %d", s.number(stop))
	}
	t.edits = []edit{{stop, stop, closers.String()}}
	return stop
}

func opposite(bracket byte) string {
	if bracket == '[' {
		return "]"
	}
	return "}"
}

// region is where a bracket at p that is never closed should have been: before the next line that looks like one of
// the block around it.
func (s *scanner) region(p int) int {
	for n := s.next(p); n < s.end; n = s.next(n) {
		q := n
		for q < s.end && s.text[q] == ' ' {
			q++
		}
		if q >= s.eol(n) || q-n > s.parent() {
			continue
		}
		if _, _, ok := s.key(q); ok || s.text[q] == '-' && s.ends(q+1) {
			return n
		}
	}
	return s.end
}

// flowBlanks skips white space, line ends and comments inside brackets.
func (s *scanner) flowBlanks(p int) int {
	for p < s.limit {
		switch {
		case isSpace(s.text[p]):
			p++
		case s.text[p] == '#' && (s.ends(p+1) || !strings.ContainsAny(s.lineText(p), ",]}")):
			p += len(s.lineText(p))
		default:
			return p
		}
	}
	return s.limit
}

// collection reads the list or mapping whose bracket is at p and gives where it ends; label is what stands before it.
// If it is not closed, what is open stays in s.flow.
func (s *scanner) collection(p int, label string) (end int, closed bool) {
	if len(s.flow) >= maxDepth {
		s.lost = true
		return s.limit, false
	}
	s.flow = append(s.flow, p)
	mapping := s.text[p] == '{'
	entries, filled := 0, false // filled says that there was an entry since the last comma
	var lone []int              // keys without a value
	var before *flowScalar      // the value before the next key, if it is a plain one
	last := p                   // where the last entry ends
	for q := s.flowBlanks(p + 1); q < s.limit && !s.lost; last, q = q, s.flowBlanks(q) {
		switch c := s.text[q]; c {
		case ',':
			if !filled {
				s.add(trap{rule: "yaml-syntax", start: q, end: q + 1, message: "nothing stands before this comma", hint: "remove it",
					edits: []edit{{q, q + 1, " "}}})
			}
			filled = false
			q++
			continue
		case ']', '}':
			if (c == '}') != mapping && !s.wrongBracket(p, q) {
				return q, false
			}
			s.flow = s.flow[:len(s.flow)-1]
			s.loneKeys(p, q+1, lone, entries, label)
			return q + 1, true
		}
		entries++
		if filled && s.begin(last) != s.begin(q) {
			s.missingComma(last)
		}
		filled = true
		if !mapping {
			q, _ = s.flowNode(q, "", inList)
			continue
		}
		key, traps := q, len(s.traps)
		q, _ = s.flowNode(key, "", asKey)
		colon := s.flowBlanks(q)
		switch {
		case colon < s.limit && s.text[colon] == ':':
			name := s.text[key:q] + ": "
			before = nil
			if q = s.flowBlanks(colon + 1); q < s.limit && strings.IndexByte(",]}", s.text[q]) < 0 {
				q, before = s.flowNode(q, name, asValue)
			}
		case len(s.traps) > traps: // noted already
			before = nil
		case before != nil && s.continues(before, key):
			q = s.cutOff(before, key)
			before = nil
		default:
			lone = append(lone, key)
		}
	}
	return s.limit, false
}

// wrongBracket notes a bracket at q that does not fit the one at p. It is false if it fits one further out.
func (s *scanner) wrongBracket(p, q int) bool {
	for _, outer := range s.flow[:len(s.flow)-1] {
		if opposite(s.text[outer]) == s.text[q:q+1] {
			s.add(trap{rule: "yaml-syntax", start: p, end: p + 1, message: fmt.Sprintf("this %q is never closed", s.text[p:p+1]),
				hint: fmt.Sprintf("write %s%s", s.text[p:q], opposite(s.text[p]))})
			s.lost = true
			return false
		}
	}
	right := opposite(s.text[p])
	s.add(trap{rule: "yaml-syntax", start: q, end: q + 1, hint: fmt.Sprintf("write %s", right), edits: []edit{{q, q + 1, right}},
		message: fmt.Sprintf("%q cannot close the %q of line %d", s.text[q:q+1], s.text[p:p+1], s.number(p))})
	return true
}

// loneKeys notes the keys without a value of the mapping [p, end), which has so many entries.
func (s *scanner) loneKeys(p, end int, lone []int, entries int, label string) {
	if len(lone) == 0 {
		return
	}
	all := len(lone) == entries
	for _, at := range lone {
		all = all && !gluedKey.MatchString(s.text[at:s.flowExtent(at, true)])
	}
	if all {
		inner := strings.TrimSpace(s.text[p+1 : end-1])
		from, to := lone[0], s.flowExtent(lone[0], true)
		t := s.quoteThis(p, end, from, to, label, "%q has no value", s.text[from:to])
		t.silent = true
		t.meant[0].nothing = true
		t.hint = fmt.Sprintf("write %s[%s] for a list, or %s for text", label, inner, quoted(s.text[p:end]))
		return
	}
	for _, at := range lone {
		stop := s.flowExtent(at, true)
		if s.glued(at, stop, true) {
			continue
		}
		t := s.add(trap{rule: "quote-this", start: at, end: stop, silent: true,
			message: fmt.Sprintf("%q has no value", s.text[at:stop])})
		t.hint = "write " + s.text[at:stop] + ": value, or quote the value that the comma before it belongs to"
		t.meant = []meaning{{at: at, nothing: true}}
	}
}

// continues says that what stands at p looks more like the rest of the value before it than like a key.
func (s *scanner) continues(v *flowScalar, p int) bool {
	rest := s.text[p:s.flowExtent(p, true)]
	words := strings.Contains(s.text[v.start:v.end], " ") || !simpleKey.MatchString(rest)
	return words && s.begin(v.start) == s.begin(p) && !gluedKey.MatchString(rest)
}

// cutOff notes that the comma behind a value cuts it off, since what follows, up to the next key, has no value. It
// gives where the value ends.
func (s *scanner) cutOff(v *flowScalar, rest int) int {
	stop := s.flowExtent(rest, false)
	for {
		comma := s.blanks(stop)
		next := s.blanks(comma + 1)
		if comma >= s.eol(rest) || s.text[comma] != ',' || next >= s.eol(rest) || strings.IndexByte(",]}", s.text[next]) >= 0 {
			break
		}
		end := s.flowExtent(next, true)
		if after := s.blanks(end); after < s.limit && s.text[after] == ':' {
			break
		}
		stop = end
	}
	comma := v.end + strings.IndexByte(s.text[v.end:], ',')
	s.quoteThis(v.start, stop, comma, comma+1, v.label, "the comma cuts the value off").silent = true
	return stop
}

// flowNode reads a node inside brackets and gives where it ends, and the node itself if it is a plain value with
// nothing wrong.
func (s *scanner) flowNode(p int, label string, as role) (end int, plain *flowScalar) {
	p, bad := s.properties(p, label)
	if bad {
		return p, nil
	}
	if p = s.flowBlanks(p); p >= s.limit || strings.IndexByte(",]}", s.text[p]) >= 0 {
		return p, nil
	}
	stop := max(p+1, s.flowExtent(p, as == asKey))
	traps := len(s.traps)
	switch c := s.text[p]; c {
	case '"', '\'':
		var escape int
		switch end, escape = closing(s.text[:s.limit], p); {
		case end < 0:
			s.unclosedQuote(p, stop, label)
			return stop, nil
		case escape > 0:
			s.badEscape(p, end, escape, label)
			return end, nil
		}
	case '[', '{':
		if strings.HasPrefix(s.text[p:], "{{") {
			s.doubleBrace(p, stop, label)
			return stop, nil
		}
		var closed bool
		if end, closed = s.collection(p, label); !closed {
			return end, nil
		}
	case '*':
		var ok bool
		if end, ok = s.alias(p, label); !ok {
			return end, nil
		}
	case '|', '>', '#', '?', ':':
		s.quoteThis(p, stop, p, p+1, label, "a value inside [ ] or { } cannot begin with %q", s.text[p:p+1]).silent = c == '#'
		return stop, nil
	default:
		if what := begins(s.text[p:stop]); what != "" {
			s.quoteThis(p, stop, p, p+1, label, "%s", what)
			return stop, nil
		}
		if as != asKey && s.curly(p, stop, label) {
			return stop, nil
		}
		return s.flowPlain(p, label, as)
	}
	after := s.blanks(end)
	switch {
	case s.over(after) || strings.IndexByte(",]}", s.text[after]) >= 0 || as == asKey && s.text[after] == ':':
		return end, nil
	case s.begin(end) != s.begin(p):
		stop = s.flowExtent(after, false)
	}
	s.traps = s.traps[:traps]
	stop = max(stop, after+1)
	what := "quote"
	if c := s.text[end-1]; c == ']' || c == '}' {
		what = strconv.Quote(string(c))
	}
	s.quoteThis(p, stop, after, stop, label, "the value goes on behind its closing %s", what)
	return stop, nil
}

// quotedComma is a string of an expression with a comma in it.
var quotedComma = regexp.MustCompile(`^[ =(]"[\pL\d][^"'\[\]{}:]*"`)

// flowPlain reads a value or key without quotes inside brackets.
func (s *scanner) flowPlain(p int, label string, as role) (end int, plain *flowScalar) {
	q := p
	end = p
	for ; q < s.limit; q++ {
		c := s.text[q]
		if strings.IndexByte(",?[]{}", c) >= 0 || c == ':' && s.ends(q+1) || c == '#' && q > p && isSpace(s.text[q-1]) {
			break
		}
		if !isSpace(c) {
			end = q + 1
		}
	}
	if q >= s.limit {
		return s.limit, nil
	}
	line := s.begin(q)
	stop := max(p+1, s.flowExtent(p, as == asKey))
	switch c := s.text[q]; c {
	case '[', '{', '?':
		if line > p { // the value began in a line above
			stop = s.flowExtent(line+len(s.lineText(line))-len(strings.TrimLeft(s.lineText(line), " \t")), as == asKey)
		}
		stop = max(stop, q+1)
		s.quoteThis(p, stop, q, q+1, label, "a value inside [ ] or { } cannot hold %q", s.text[q:q+1])
		return stop, nil
	case ',':
		if value := s.text[p:end]; stop > q && (strings.Count(value, "(") > strings.Count(value, ")") ||
			strings.Count(value, `"`)%2 != 0 && quotedComma.MatchString(s.text[p+max(0, strings.LastIndexByte(value, '"')-1):stop])) {
			s.quoteThis(p, stop, q, q+1, label, "the comma cuts the value off").silent = true
			return stop, nil
		}
	case ':':
		switch {
		case line > p:
			return s.missingComma(line - 1), nil
		case as == asKey:
			return end, nil
		case as == inList:
			s.quoteThis(p, stop, q, q+1, label, `": " inside [ ] makes a mapping`).silent = true
		default:
			s.quoteThis(p, stop, q, q+1, label, `": " inside a value means a key to YAML`)
		}
		return max(stop, q+1), nil
	case '#':
		eol := s.eol(q)
		harmless := s.ends(q+1) && !strings.ContainsAny(s.text[p:end], " \t\n")
		if line > p || harmless && !strings.ContainsAny(s.text[q:eol], "]}") {
			return end, nil
		}
		s.quoteThis(p, stop, q, stop, label, `" #" begins a comment, which cuts the value off`).silent = true
		return max(stop, q+1), nil
	}
	return end, &flowScalar{p, end, label}
}

// missingComma notes that an entry inside brackets, behind which white space begins at p, has no comma though another
// one follows. It gives the entry's end.
func (s *scanner) missingComma(p int) int {
	end := p
	for end > 0 && isSpace(s.text[end-1]) {
		end--
	}
	s.add(trap{rule: "yaml-syntax", start: end - 1, end: end, message: "a comma is missing behind this",
		hint: "write " + strings.TrimSpace(s.text[s.begin(end-1):end]) + ",", edits: []edit{{end, end, ","}}})
	return end
}

// flowExtent is the end of the value at p, inside brackets, as its author meant it: it goes up to a comma or closing
// bracket that belongs to nothing in it, or to the end of the line. A key ends at its colon.
func (s *scanner) flowExtent(p int, key bool) int {
	return p + reach(s.text[p:min(s.eol(p), max(p, s.limit))], key)
}

// reach is how much of a line belongs to the value it begins with. Where brackets or quotes in it do not come in
// pairs, they are taken for letters.
func reach(line string, key bool) int {
	end := 0
	for _, pairs := range []string{"()[]{}\"'", "[]{}\"'", "[]{}", ""} {
		var ok bool
		if end, ok = reachWith(pairs, line, key); ok {
			break
		}
	}
	return len(strings.TrimRight(line[:end], " \t\r"))
}

func reachWith(pairs, line string, key bool) (end int, ok bool) {
	depth := 0
	var quote byte
	for i := range len(line) {
		c := line[i]
		paired := strings.IndexByte(pairs, c) >= 0
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && paired && (i == 0 || !isWord(line[i-1])):
			quote = c
		case (c == '(' || c == '[' || c == '{') && paired:
			depth++
		case paired && depth > 0 && (c == ')' || c == ']' || c == '}'):
			depth--
		case depth > 0:
		case c == ',' || c == ']' || c == '}' || key && c == ':' && (i+1 == len(line) || isSpace(line[i+1])):
			return i, true
		}
	}
	return len(line), depth == 0 && quote == 0
}

// closingBracket is the length of the brackets that a line begins with, or -1 if they are not closed in it.
func closingBracket(line string) int {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"', '\'':
			end, _ := closing(line, i)
			if end < 0 {
				return -1
			}
			i = end - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
