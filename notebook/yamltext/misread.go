package yamltext

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// findRepeated notes what aliases repeat.
func (c *converter) findRepeated(y *yaml.Node) {
	if y.Kind == yaml.AliasNode {
		if c.repeated == nil {
			c.repeated = map[*yaml.Node]bool{}
		}
		c.repeated[y.Alias] = true
	}
	for _, inner := range y.Content {
		c.findRepeated(inner)
	}
}

// coreTag is a tag that YAML itself defines.
var coreTag = regexp.MustCompile(`^!!(str|int|float|bool|null|seq|map|binary|timestamp|set|omap|pairs|merge)(\s|$)`)

// misread finds out whether YAML makes something else of a node, which begins at a byte of the text, than its author
// meant. It is nil if not. It is a table with a case for each kind of node.
//
//gocyclo:ignore
func (c *converter) misread(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	if at >= len(f.Text) {
		return nil
	}
	switch raw := c.raw(y); {
	case f.Text[raw] == '!' && !coreTag.MatchString(f.Text[raw:]):
		return f.quoteThis(raw, f.extent(raw, in), raw, raw+1, in.label, `"!" at the beginning means a tag to YAML`)
	case y.Kind == yaml.MappingNode && y.Style&yaml.FlowStyle != 0:
		return c.flowMapping(y, at, in)
	case y.Kind != yaml.ScalarNode:
	case y.Style == 0 && y.Anchor != "" && y.Value != "" && !c.repeated[y] && f.Text[raw] == '&':
		return f.quoteThis(raw, f.extent(raw, in), raw, at, in.label,
			`"&" at the beginning makes &%s an anchor, which nothing refers to`, y.Anchor)
	case y.Value == "" && y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return c.emptyText(at, in)
	case y.Value == "" && isNull(y):
		if start := f.blanks(at); strings.HasPrefix(f.Text[start:], "#") && !f.isEnd(start+1) && start > at {
			return f.quoteThis(start, f.end(at), start, f.end(at), in.label, `"#" begins a comment, which leaves no value`)
		}
	case y.Style&^yaml.TaggedStyle == 0:
		return c.plain(y, at, in)
	}
	return nil
}

// flowMapping finds out whether a mapping in brackets, or one that is only a pair in a list, is what its author meant.
func (c *converter) flowMapping(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	switch {
	case strings.HasPrefix(f.Text[at:], "{{"):
		return f.doubleBrace(at, f.extent(at, in), in.label)
	case f.Text[at] == '{':
		return c.loneKeys(y, at, in)
	}
	stop := f.extent(at, in)
	if colon := at + strings.Index(f.Text[at:stop], ":"); colon > at && in.flow {
		return f.quoteThis(at, stop, colon, colon+1, in.label, `": " inside [ ] makes a mapping`)
	}
	return nil
}

// emptyText finds out whether a block of text that begins at a byte of the text was meant to be empty.
func (c *converter) emptyText(at int, in context) *trap {
	f := c.fragment
	end, next := f.end(at), f.next(at)
	for next < len(f.Text) && f.blanks(next) >= f.end(next) {
		next = f.next(next)
	}
	if strings.Contains(f.lineText(at), "+") || next < len(f.Text) && f.column(next) > f.column(f.begin(at)) {
		return nil
	}
	t := f.quoteThis(at, end, at, end, in.label, "%q begins a block of text, and this one is empty", f.Text[at:at+1])
	if end == at+1 {
		t.hint = "write the text in the lines below, indented, or write " + in.label + quoted(f.Text[at:end])
	}
	return t
}

// extent is the end of the value at p as its author meant it: in a block all of the line, in brackets up to the comma
// or bracket that does not belong to it.
func (f *Fragment) extent(p int, in context) int {
	if in.flow {
		return p + reach(f.Text[p:f.end(p)], false)
	}
	return f.end(p)
}

// curlyQuoted is a value in the quotes of word processors.
var curlyQuoted = regexp.MustCompile(`^(?:[“”„]([^“”„"]*)[“”]|[‘’‚]([^‘’‚']*)[‘’])$`)

// wordKeys are the keys whose values are words for people, in which any quotes may stand.
var wordKeys = []string{
	"title", "description", "caption", "alt", "text", "is", "notes", "source", "author", "authors", "unavailable",
}

// aTemplate is an expression of ours inside a value.
var aTemplate = regexp.MustCompile(`\$\{\{[^{}]*\}\}`)

// plain finds out whether a value without quotes is what its author meant.
func (c *converter) plain(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	_, end := f.aligned(y.Value, at, at, plainly)
	if t := c.goingOn(at, end, in); t != nil {
		c.lost = true
		return t
	}
	value := f.Text[at:end]
	words := slices.Contains(wordKeys, strings.TrimRight(in.label, ": "))
	if m := curlyQuoted.FindStringSubmatch(value); m != nil && !words {
		_, first := utf8.DecodeRuneInString(value)
		t := f.quoteThis(at, end, at, at+first, in.label, "%s is a letter to YAML, not a quote", value[:first])
		t.hint = "write " + in.label + quoted(m[1]+m[2])
		return t
	}
	if in.flow && strings.Count(value, "(") > strings.Count(value, ")") {
		if stop := f.extent(at, in); stop > end {
			return f.quoteThis(at, stop, end, end+1, in.label, "the comma cuts the value off")
		}
	}
	if hash := f.blanks(end); hash > end && hash < len(f.Text) && f.Text[hash] == '#' {
		one := !strings.ContainsAny(aTemplate.ReplaceAllString(value, "x"), " \t\n")
		if !one || !f.isEnd(hash+1) && !in.flow {
			stop := f.end(hash)
			t := f.quoteThis(at, stop, hash, stop, in.label, `" #" begins a comment, which cuts the value off`)
			t.hint += "; a comment may have a line of its own"
			return t
		}
	}
	return nil
}

// goingOn finds what does not belong to the value [at, end) without quotes, which goes on in lines below.
func (c *converter) goingOn(at, end int, in context) *trap {
	f := c.fragment
	for p := f.begin(at); p < end; p = f.next(p) {
		start := max(f.blanks(p), at)
		if t := f.oddSpace(p); t != nil && t.end <= end {
			return t
		}
		if start == at || start >= f.end(start) {
			continue
		}
		line := f.Text[start:min(f.end(start), end)]
		if line[0] == '-' && f.isEnd(start+1) {
			t := &trap{rule: "yaml-syntax", start: start, end: f.end(start),
				message: "YAML takes this list item for a part of the value above",
				hint:    "begin it in the column of the items above"}
			if above := f.begin(at); f.Text[above+f.column(above)] == '-' {
				t.hint = f.indentLike(f.column(above), above)
			}
			return t
		}
		if !strings.ContainsAny(line, " \t") {
			if t := f.gluedAt(start, start+len(line)); t != nil {
				return t
			}
		}
	}
	return nil
}

// loneKeys reports keys without a value in the mapping in brackets that begins at a byte of the text. If it holds no
// others, it is not what was meant at all, and the trap is given.
func (c *converter) loneKeys(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	lone := c.withoutValue(y)
	cut := 0 // where a value ends that a comma cuts off
	for n, i := range lone {
		start := c.written(y.Content[i])
		stop := start + reach(f.Text[start:f.end(start)], true)
		var t *trap
		if start < cut {
			c.reported[y.Content[i]] = true
			continue
		}
		switch t = f.gluedAt(start, stop); {
		case t != nil:
		case n == 0 && 2*len(lone) == len(y.Content):
			length := max(closingBracket(f.Text[at:f.end(at)]), 2)
			t = f.quoteThis(at, at+length, start, stop, in.label, "%q has no value", f.Text[start:stop])
			t.hint = fmt.Sprintf("write %s[%s] for a list, or %s for text", in.label,
				strings.TrimSpace(f.Text[at+1:at+length-1]), quoted(f.Text[at:at+length]))
			t.until = 0
			return t
		case i > 0 && c.goesOn(y.Content[i-1], start, stop):
			from, name := c.written(y.Content[i-1]), c.written(y.Content[i-2])
			_, end := c.text(y.Content[i-1], from)
			_, nameEnd := c.text(y.Content[i-2], name)
			cut = f.cutOff(start)
			t = f.quoteThis(from, cut, end, end+1, f.Text[name:nameEnd]+": ", "the comma cuts the value off")
		default:
			t = &trap{rule: "quote-this", start: start, end: stop, message: fmt.Sprintf("%q has no value", f.Text[start:stop]),
				hint: "write " + f.Text[start:stop] + ": value, or quote the value that the comma before it belongs to"}
		}
		c.report(t)
		c.reported[y.Content[i]] = true
	}
	return nil
}

// withoutValue gives the keys of a mapping in brackets that have no colon, as offsets in its content.
func (c *converter) withoutValue(y *yaml.Node) []int {
	f := c.fragment
	var lone []int // offsets in y.Content
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode || value.Value != "" || !isNull(value) {
			continue
		}
		start := c.written(key)
		_, end := c.text(key, start)
		after := f.blanks(end)
		if after >= len(f.Text) || f.Text[after] != ':' {
			lone = append(lone, i)
		}
	}
	return lone
}

// goesOn says that what stands at [start, stop), behind a comma, looks more like the rest of the value before it than
// like a key.
func (c *converter) goesOn(value *yaml.Node, start, stop int) bool {
	from := c.written(value)
	return value.Kind == yaml.ScalarNode && value.Style == 0 && c.fragment.begin(from) == c.fragment.begin(start) &&
		(strings.Contains(value.Value, " ") || !simpleKey.MatchString(c.fragment.Text[start:stop]))
}

// cutOff is where a value ends that goes on at p, behind a comma: before the comma of the next key.
func (f *Fragment) cutOff(p int) int {
	line := f.end(p)
	stop := p + reach(f.Text[p:line], false)
	for comma := f.blanks(stop); comma < line && f.Text[comma] == ','; comma = f.blanks(stop) {
		next := f.blanks(comma + 1)
		end := next + reach(f.Text[next:line], true)
		if after := f.blanks(end); end <= next || after < line && f.Text[after] == ':' {
			break
		}
		stop = end
	}
	return stop
}
