package source

import (
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

// misread returns the trap of a node, which begins at a byte of the text; nil if YAML reads what its author meant. It is
// a table with a case for each kind of node.
//
//gocyclo:ignore
func (c *converter) misread(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	if at >= len(f.Text) {
		return nil
	}
	switch raw := c.raw(y); {
	case f.Text[raw] == '!' && !coreTag.MatchString(f.Text[raw:]):
		return quoteThis(raw, raw+1, `"!" at the beginning means a tag to YAML`)
	case y.Kind == yaml.MappingNode && y.Style&yaml.FlowStyle != 0:
		return c.flowMapping(y, at, in)
	case y.Kind != yaml.ScalarNode:
	case y.Style == 0 && y.Anchor != "" && y.Value != "" && !c.repeated[y] && f.Text[raw] == '&':
		return quoteThis(raw, at, `"&" at the beginning makes &%s an anchor, which nothing refers to`, y.Anchor)
	case y.Value == "" && y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return c.emptyText(at)
	case y.Value == "" && isNull(y):
		if start := f.blanks(at); strings.HasPrefix(f.Text[start:], "#") && !f.isEnd(start+1) && start > at {
			return quoteThis(start, f.end(at), `"#" begins a comment, which leaves no value`)
		}
	case y.Style&^yaml.TaggedStyle == 0:
		return c.plain(y, at, in)
	}
	return nil
}

// flowMapping returns the trap of a mapping in brackets, or of a pair that is an item of a list.
func (c *converter) flowMapping(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	switch {
	case strings.HasPrefix(f.Text[at:], "{{"):
		t := quoteThis(at, at+2, `"{{" means a mapping inside a mapping to YAML`)
		t.hint += "; our templates begin with ${{"
		return t
	case f.Text[at] == '{':
		return c.loneKey(y)
	}
	if colon := strings.Index(f.lineText(at), ":"); colon > 0 && in.flow {
		return quoteThis(at+colon, at+colon+1, `": " inside [ ] makes a mapping`)
	}
	return nil
}

// emptyText returns the trap of a block of text that begins at a byte and has no lines.
func (c *converter) emptyText(at int) *trap {
	f := c.fragment
	end, next := f.end(at), f.next(at)
	for next < len(f.Text) && f.blanks(next) >= f.end(next) {
		next = f.next(next)
	}
	if strings.Contains(f.lineText(at), "+") || next < len(f.Text) && f.column(next) > f.column(f.begin(at)) {
		return nil
	}
	t := quoteThis(at, end, "%q begins a block of text, and this one is empty", f.Text[at:at+1])
	t.hint = "write the text in the lines below, indented, or " + inQuotes
	return t
}

// curlyQuoted is a value in the quotes of word processors.
var curlyQuoted = regexp.MustCompile(`^(?:[“”„]([^“”„"]*)[“”]|[‘’‚]([^‘’‚']*)[‘’])$`)

// wordKeys are the keys whose values are words for people, in which any quotes may stand.
var wordKeys = []string{
	"title", "description", "caption", "text", "is", "source", "author", "authors", "unavailable",
}

// aTemplate is an expression of ours inside a value.
var aTemplate = regexp.MustCompile(`\$\{\{[^{}]*\}\}`)

// plain returns the trap of a value without quotes.
func (c *converter) plain(y *yaml.Node, at int, in context) *trap {
	f := c.fragment
	_, end := f.aligned(y.Value, at, at, plainly)
	if t := f.continued(at, end); t != nil {
		c.lost = true
		return t
	}
	value := f.Text[at:end]
	if curlyQuoted.MatchString(value) && !slices.Contains(wordKeys, in.key) {
		_, first := utf8.DecodeRuneInString(value)
		t := quoteThis(at, at+first, "%s is a letter to YAML, not a quote", value[:first])
		t.hint = "write straight quotes"
		return t
	}
	if in.flow && strings.Count(value, "(") > strings.Count(value, ")") && end < f.end(at) {
		return quoteThis(end, end+1, "the comma cuts the value off")
	}
	if hash := f.blanks(end); hash > end && hash < len(f.Text) && f.Text[hash] == '#' {
		one := !strings.ContainsAny(aTemplate.ReplaceAllString(value, "x"), " \t\n")
		if !one || !f.isEnd(hash+1) && !in.flow {
			t := quoteThis(hash, f.end(hash), `" #" begins a comment, which cuts the value off`)
			t.hint += "; a comment may have a line of its own"
			return t
		}
	}
	return nil
}

// continued returns the trap of lines that YAML adds to the value [at, end) without quotes.
func (f *Fragment) continued(at, end int) *trap {
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
			return &trap{rule: "yaml-syntax", start: start, end: f.end(start),
				message: "YAML takes this list item for a part of the value above",
				hint:    "begin it in the column of the items above"}
		}
		if !strings.ContainsAny(line, " \t") {
			if t := f.gluedAt(start, start+len(line)); t != nil {
				return t
			}
		}
	}
	return nil
}

// loneKey returns the trap of the first key without a colon of a mapping in brackets.
func (c *converter) loneKey(y *yaml.Node) *trap {
	f := c.fragment
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode || value.Value != "" || !isNull(value) {
			continue
		}
		start := c.written(key)
		_, end := c.text(key, start)
		if after := f.blanks(end); after < len(f.Text) && f.Text[after] == ':' {
			continue
		}
		if t := f.gluedAt(start, end); t != nil {
			return t
		}
		t := quoteThis(start, end, "%q has no value", f.Text[start:end])
		t.hint = "write KEY: value, or [ ] for a list; put a value with a comma in quotes"
		return t
	}
	return nil
}
