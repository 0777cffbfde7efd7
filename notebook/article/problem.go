package article

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is a mistake that the author can repair, with its place and a way out.
type Problem struct {
	Pos     Pos
	Rule    string // a short name that manual and tests use, such as "unknown-key"
	Message string // lower case, no full stop, the author's own words in quotes
	Hint    string // what to do; may be empty
}

// Problems collects what is wrong with an article, so that everything is reported at once.
type Problems struct{ list []*Problem }

// Add notes a problem; its Hint can be set on what is returned.
func (p *Problems) Add(rule string, at Pos, format string, args ...any) *Problem {
	problem := &Problem{Pos: at, Rule: rule, Message: fmt.Sprintf(format, args...)}
	p.list = append(p.list, problem)
	return problem
}

// Merge takes over the problems of another pass.
func (p *Problems) Merge(o *Problems) { p.list = append(p.list, o.list...) }

// Empty says that nothing is wrong.
func (p *Problems) Empty() bool { return len(p.list) == 0 }

// Sorted gives the problems by file and place; of those that are alike only the first.
func (p *Problems) Sorted() []*Problem {
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b *Problem) int {
		return cmp.Or(strings.Compare(a.path(), b.path()), cmp.Compare(a.Pos.Start, b.Pos.Start))
	})
	return slices.CompactFunc(list, func(a, b *Problem) bool {
		return a.Pos == b.Pos && a.Rule == b.Rule && a.Message == b.Message
	})
}

func (p *Problem) path() string {
	if p.Pos.Source == nil {
		return ""
	}
	return p.Pos.Source.Path
}

// String gives the problem as a person sees it: place and message, the line, a caret under the place, the way out.
func (p *Problem) String() string {
	var b strings.Builder
	if p.Pos.Source == nil {
		fmt.Fprintf(&b, "%s [%s]\n", p.Message, p.Rule)
	} else {
		line, column := p.Pos.Source.Position(p.Pos.Start)
		fmt.Fprintf(&b, "%s:%d:%d: %s [%s]\n", p.Pos.Source.Path, line, column, p.Message, p.Rule)
		text := p.Pos.Source.Line(line)
		fmt.Fprintf(&b, "%5d | %s\n", line, text)
		fmt.Fprintf(&b, "      | %s%s\n", blank(text, column-1), underline(p.Pos, text, column-1))
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "   %s\n", p.Hint)
	}
	return b.String()
}

// blank is as wide as the first n characters of text; tabs stay tabs, so that it lines up on any terminal.
func blank(text []byte, n int) string {
	var b strings.Builder
	for _, r := range string(text) {
		if n--; n < 0 {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func underline(at Pos, text []byte, before int) string {
	span := at.Source.Data[at.Start:max(at.Start, min(at.End, len(at.Source.Data)))]
	if i := bytes.IndexByte(span, '\n'); i >= 0 {
		span = span[:i]
	}
	n := min(utf8.RuneCount(span), utf8.RuneCount(text)-before)
	return "^" + strings.Repeat("~", max(0, n-1))
}
