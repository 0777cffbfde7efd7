package source

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const inQuotes = "put the whole value in quotes"

// quoteThis reports a value that needs quotes because of the bytes [start, end).
func (c *converter) quoteThis(start, end int, message string, args ...any) *Problem {
	p := c.problems.Add("quote-this", c.fragment.pos(start, end), message, args...)
	p.Hint = inQuotes
	return p
}

// coreTag matches a tag that YAML itself defines.
var coreTag = regexp.MustCompile(`^!!(str|int|float|bool|null|seq|map|binary|timestamp|set|omap|pairs|merge)(\s|$)`)

// lint reports a node, which begins at a byte of the fragment, if its author probably meant something else.
// It is a table with a case for each kind of node.
//
//gocyclo:ignore
func (c *converter) lint(y *yaml.Node, at int, in context) {
	f := c.fragment
	if at >= len(f.Text) {
		return
	}
	switch tag := c.startWithTag(y); {
	case f.Text[tag] == '!' && !coreTag.MatchString(f.Text[tag:]):
		c.quoteThis(tag, tag+1, `"!" at the beginning means a tag to YAML`)
	case y.Kind == yaml.MappingNode && y.Style&yaml.FlowStyle != 0:
		c.lintFlowMapping(y, at, in)
	case y.Kind != yaml.ScalarNode:
	case y.Style == 0 && y.Anchor != "" && y.Value != "" && f.Text[tag] == '&' && !strings.Contains(f.Text, "*"+y.Anchor):
		c.quoteThis(tag, at, `"&" at the beginning makes &%s an anchor, which nothing refers to`, y.Anchor)
	case y.Value == "" && y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		c.lintEmptyText(at)
	case y.Value == "" && isNull(y):
		if hash := f.blanks(at); hash > at && strings.HasPrefix(f.Text[hash:], "#") && !f.isEnd(hash+1) {
			c.quoteThis(hash, f.end(at), `"#" begins a comment, which leaves no value`)
		}
	case y.Style&^yaml.TaggedStyle == 0:
		c.lintPlain(y, at, in)
	}
}

// lintFlowMapping checks a mapping in braces, or a pair in a list in brackets.
func (c *converter) lintFlowMapping(y *yaml.Node, at int, in context) {
	f := c.fragment
	switch {
	case strings.HasPrefix(f.Text[at:], "{{"):
		c.quoteThis(at, at+2, `"{{" means a mapping inside a mapping to YAML`).Hint =
			inQuotes + "; our templates begin with ${{"
		return
	case f.Text[at] != '{':
		if colon := strings.Index(f.rest(at), ":"); colon > 0 && in.flow {
			c.quoteThis(at+colon, at+colon+1, `": " inside [ ] makes a mapping`)
		}
		return
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode || value.Value != "" || !isNull(value) {
			continue
		}
		start, end := c.extent(key)
		if after := f.blanks(end); after < len(f.Text) && f.Text[after] == ':' {
			continue
		}
		if !f.addMissingSpace(start, end, c.problems) {
			c.quoteThis(start, end, "%q has no value", f.Text[start:end]).Hint =
				"write KEY: value, or [ ] for a list; put a value with a comma in quotes"
		}
		return
	}
}

// lintEmptyText checks a block of text (| or >) that begins at a byte and has no lines.
func (c *converter) lintEmptyText(at int) {
	f := c.fragment
	begin, next := f.begin(at), f.next(at)
	for next < len(f.Text) && f.blanks(next) >= f.end(next) {
		next = f.next(next)
	}
	isIndented := next < len(f.Text) && f.blanks(next)-next > f.blanks(begin)-begin
	if strings.Contains(f.rest(at), "+") || isIndented {
		return
	}
	c.quoteThis(at, f.end(at), "%q begins a block of text, and this one is empty", f.Text[at:at+1]).Hint =
		"write the text in the lines below, indented, or " + inQuotes
}

var (
	// curlyQuoted matches a value in the quotes of word processors.
	curlyQuoted = regexp.MustCompile(`^(?:[“”„]([^“”„"]*)[“”]|[‘’‚]([^‘’‚']*)[‘’])$`)
	// wordKeys are keys whose values are prose, which may have any quotes.
	wordKeys = []string{"title", "description", "caption", "text", "is", "source", "author", "authors"}
	// template matches a template inside a value.
	template = regexp.MustCompile(`\$\{\{[^{}]*\}\}`)
)

// lintPlain checks a scalar without quotes.
func (c *converter) lintPlain(y *yaml.Node, at int, in context) {
	f := c.fragment
	end := f.endOfWords(y.Value, at)
	if c.lintLines(at, end) {
		return
	}
	value := f.Text[at:end]
	hash := f.blanks(end)
	switch {
	case curlyQuoted.MatchString(value) && !slices.Contains(wordKeys, in.key):
		_, first := utf8.DecodeRuneInString(value)
		c.quoteThis(at, at+first, "%s is a letter to YAML, not a quote", value[:first]).Hint = "write straight quotes"
	case in.flow && strings.Count(value, "(") > strings.Count(value, ")") && end < f.end(at):
		c.quoteThis(end, end+1, "the comma cuts the value off")
	case hash > end && hash < len(f.Text) && f.Text[hash] == '#':
		isWord := !strings.ContainsAny(template.ReplaceAllString(value, "x"), " \t\n")
		if !isWord || !f.isEnd(hash+1) && !in.flow {
			c.quoteThis(hash, f.end(hash), `" #" begins a comment, which cuts the value off`).Hint =
				inQuotes + "; a comment may have a line of its own"
		}
	}
}

// lintLines checks the lines of the value [at, end) without quotes, and returns whether it has reported one.
func (c *converter) lintLines(at, end int) bool {
	f := c.fragment
	for p := f.begin(at); p < end; p = f.next(p) {
		start := max(f.blanks(p), at)
		if f.addOddSpace(p, end, c.problems) {
			return true
		}
		if start == at || start >= f.end(start) {
			continue
		}
		line := f.Text[start:min(f.end(start), end)]
		if line[0] == '-' && f.isEnd(start+1) {
			c.problems.Add("yaml-syntax", f.pos(start, f.end(start)), "YAML takes this list item for a part of the value above").
				Hint = "begin it in the column of the items above"
			return true
		}
		if !strings.ContainsAny(line, " \t") && f.addMissingSpace(start, start+len(line), c.problems) {
			return true
		}
	}
	return false
}

// oddSpaces matches white space that YAML takes for letters, in an indentation or after a colon.
var oddSpaces = regexp.MustCompile(`^ *(?:-|[\pL_][\pL\d_.-]*:)? *([\p{Zs}\x{200b}]+)`)

// addOddSpace reports such white space in the line at p, before end.
func (f *Fragment) addOddSpace(p, end int, problems *Problems) bool {
	line := f.rest(p)
	m := oddSpaces.FindStringSubmatchIndex(line)
	if m == nil || strings.Trim(line[m[2]:m[3]], " ") == "" || p+m[3] > end {
		return false
	}
	r, _ := utf8.DecodeRuneInString(line[m[2]:])
	at := f.pos(p+m[2], p+m[3])
	problems.Add("white-space", at, "U+%04X looks like a space here, but YAML takes it for a letter", r).
		Hint = "write ordinary spaces"
	return true
}

// GluedKey matches a key whose colon has no space after it.
var GluedKey = regexp.MustCompile(`^([\pL_][\pL\d_.-]*):([^\s/:\\].*)$`)

// addMissingSpace reports key:value in [start, end).
func (f *Fragment) addMissingSpace(start, end int, problems *Problems) bool {
	m := GluedKey.FindStringSubmatch(f.Text[start:end])
	if m == nil {
		return false
	}
	colon := start + len(m[1])
	problems.Add("yaml-syntax", f.pos(colon, colon+1), "a key's colon needs a space after it").
		Hint = "write " + m[1] + ": " + strings.TrimSpace(m[2])
	return true
}
