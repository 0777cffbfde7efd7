package article

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is a mistake that the author can repair, with its place and a way out.
type Problem struct {
	Pos     Pos
	Rule    string // a short name that manual and tests use, such as "unknown-key"
	Message string // lower case, no full stop, the author's own words in quotes
	Hint    string // what to do; may be empty

	covers Pos // of a value that was not read as it was meant: problems in it are likely to follow from this one
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

// Sorted gives the problems by file and place; of those that are alike only the first, and none that follows from
// another.
func (p *Problems) Sorted() []*Problem {
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b *Problem) int {
		return cmp.Or(strings.Compare(a.path(), b.path()), cmp.Compare(a.Pos.Start, b.Pos.Start))
	})
	type likeness struct {
		at            Pos
		rule, message string
	}
	seen := map[likeness]bool{}
	var covers []Pos
	for _, p := range list {
		if p.covers.Source != nil {
			covers = append(covers, p.covers)
		}
	}
	return slices.DeleteFunc(list, func(p *Problem) bool {
		l := likeness{p.Pos, p.Rule, p.Message}
		alike := seen[l]
		seen[l] = true
		return alike || p.covers.Source == nil && slices.ContainsFunc(covers, p.Pos.inside)
	})
}

func (p *Problem) path() string {
	if p.Pos.Source == nil {
		return ""
	}
	return p.Pos.Source.Path
}

// maxColumns is the width that the lines of a problem keep to where they show the article.
const maxColumns = 120

// maxMessage is the width beyond which a message, which may quote the author at length, loses its middle.
const maxMessage = 240

// String gives the problem as a person sees it: place and message, the line, a caret under the place, the way out.
//
// Whatever the article holds, nothing but printable characters and line ends reaches the terminal, and carets stand
// right under wide and combining characters.
func (p *Problem) String() string {
	var b strings.Builder
	message := shorten(visible(p.Message), maxMessage)
	if p.Pos.Source == nil {
		fmt.Fprintf(&b, "%s [%s]\n", message, p.Rule)
	} else {
		line, column := p.Pos.Source.Position(p.Pos.Start)
		fmt.Fprintf(&b, "%s:%d:%d: %s [%s]\n", visible(p.Pos.Source.Path), line, column, message, p.Rule)
		margin := fmt.Sprintf("%5d | ", line)
		start := p.Pos.Source.lines[line-1]
		text, mark := excerpt(string(p.Pos.Source.Line(line)), p.Pos.Start-start, p.Pos.End-start, maxColumns-len(margin))
		fmt.Fprintf(&b, "%s\n%*s%s\n", strings.TrimRight(margin+text, " "), len(margin), "| ", mark)
	}
	if p.Hint != "" {
		for line := range strings.Lines(p.Hint) {
			fmt.Fprintf(&b, "   %s\n", visible(strings.TrimRight(line, "\r\n")))
		}
	}
	return b.String()
}
