package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/expr"
)

// Severity says what a problem keeps from happening.
type Severity int

// The severities.
const (
	SeverityError   Severity = iota // nothing is run or rendered before it is mended
	SeverityWarning                 // something that the author should look at; it stops nothing
	SeverityRemark                  // something that would make results better; nothing is wrong
)

// String is the word for a severity: error, warning or remark.
func (s Severity) String() string { return [...]string{"error", "warning", "remark"}[s] }

// Problem is something that the author can repair, with its place and a way out.
type Problem struct {
	Pos      Pos
	Severity Severity
	Rule     string // a short name that manual and tests use, such as "unknown-key"
	Message  string // lower case, no full stop, the author's own words in quotes
	Hint     string // what to do; may be empty

	// Covers is the place of a value that was not read as it was meant. Sorted leaves out other problems in it, which
	// are likely to follow from this one.
	Covers Pos
}

// MaxProblems bounds how many problems are kept: nobody reads more of them at once.
const MaxProblems = 1000

// Problems collects what is wrong with an article, so that everything is reported at once.
type Problems struct {
	list []*Problem
	seen map[likeness]*Problem

	found int
}

// A likeness is what problems that are alike have in common.
type likeness struct {
	at            Pos
	rule, message string
}

// Add notes an error; its Hint can be set on what is returned. Of problems that are alike only the first is kept, and
// beyond the first thousand none.
func (p *Problems) Add(rule string, at Pos, format string, args ...any) *Problem {
	return p.note(&Problem{Pos: at, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// Warn notes a warning, as Add does an error.
func (p *Problems) Warn(rule string, at Pos, format string, args ...any) *Problem {
	return p.note(&Problem{Pos: at, Severity: SeverityWarning, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// Remark notes a remark, as Add does an error.
func (p *Problems) Remark(rule string, at Pos, format string, args ...any) *Problem {
	return p.note(&Problem{Pos: at, Severity: SeverityRemark, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// note keeps a problem, and gives the one that stands for it.
func (p *Problems) note(new *Problem) *Problem {
	p.found++
	l := likeness{new.Pos, new.Rule, new.Message}
	if alike := p.seen[l]; alike != nil {
		return alike
	}
	if len(p.list) < MaxProblems {
		if p.seen == nil {
			p.seen = map[likeness]*Problem{}
		}
		p.list, p.seen[l] = append(p.list, new), new
	} else if len(p.list) == MaxProblems {
		p.list = append(p.list, &Problem{Pos: new.Pos, Rule: "too-many", Message: fmt.Sprintf("more than %d problems",
			MaxProblems), Hint: "fix the problems shown to see the others"})
	}
	return new
}

// Merge takes over the problems of another pass.
func (p *Problems) Merge(o *Problems) {
	for _, problem := range o.list {
		p.note(problem)
	}
}

// Found is how often a problem was added, repeated ones included.
func (p *Problems) Found() int { return p.found }

// All gives the problems in the order in which they were added.
func (p *Problems) All() []*Problem { return slices.Clone(p.list) }

// Len is how many problems there are, warnings among them.
func (p *Problems) Len() int { return len(p.list) }

// Empty says that nothing has to be mended; there may be warnings.
func (p *Problems) Empty() bool {
	return !slices.ContainsFunc(p.list, func(p *Problem) bool { return p.Severity == SeverityError })
}

// structural are the rules of problems that keep text from being read, whole blocks of it or the rest of the article.
// What else is wrong often comes of them.
var structural = []string{"bad-utf8", "no-front-matter", "unclosed-fence", "yaml-syntax"}

// Sorted gives the problems by file, in each the structural ones first, and otherwise by place. It gives none that
// follows from another.
func (p *Problems) Sorted() []*Problem {
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b *Problem) int {
		return cmp.Or(strings.Compare(a.path(), b.path()), cmp.Compare(a.rank(), b.rank()),
			cmp.Compare(a.Pos.Start, b.Pos.Start))
	})
	var covers []Pos
	for _, p := range list {
		if p.Covers.Source != nil {
			covers = append(covers, p.Covers)
		}
	}
	return slices.DeleteFunc(list, func(p *Problem) bool {
		return p.Covers.Source == nil && slices.ContainsFunc(covers, p.Pos.In)
	})
}

// rank is 0 for a problem that may be the cause of others.
func (p *Problem) rank() int {
	if slices.Contains(structural, p.Rule) {
		return 0
	}
	return 1
}

func (p *Problem) path() string {
	if p.Pos.Source == nil {
		return ""
	}
	return p.Pos.Source.Path
}

// MaxColumns is the width that the lines of a problem keep to where they show the article.
const MaxColumns = 120

// maxMessage is the width beyond which a message, which may quote the author at length, loses its middle.
const maxMessage = 240

// String gives the problem as a person sees it: place and message, the line, a caret under the place, the way out.
//
// Whatever the article holds, nothing but printable characters and line ends reaches the terminal, and carets stand
// right under wide and combining characters.
func (p *Problem) String() string {
	var b strings.Builder
	message := shorten(visible(clip(p.Message)), maxMessage)
	if p.Severity != SeverityError {
		message = p.Severity.String() + ": " + message
	}
	if p.Pos.Source == nil {
		fmt.Fprintf(&b, "%s [%s]\n", message, p.Rule)
	} else {
		line, column := p.Pos.Source.Position(p.Pos.Start)
		fmt.Fprintf(&b, "%s:%d:%d: %s [%s]\n", visible(p.Pos.Source.Path), line, column, message, p.Rule)
		margin := fmt.Sprintf("%5d | ", line)
		start := p.Pos.Source.lines[line-1]
		text, mark := excerpt(string(p.Pos.Source.Line(line)), p.Pos.Start-start, p.Pos.End-start, MaxColumns-len(margin))
		fmt.Fprintf(&b, "%s\n%*s%s\n", strings.TrimRight(margin+text, " "), len(margin), "| ", mark)
	}
	if p.Hint != "" {
		for line := range strings.Lines(p.Hint) {
			fmt.Fprintf(&b, "   %s\n", visible(clip(strings.TrimRight(line, "\r\n"))))
		}
	}
	return b.String()
}

// maxListed bounds the words that a hint lists.
const maxListed = 16

// Nearest gives the candidate that is most like word, the first of several, if one is near enough to be what was
// meant.
func Nearest(word string, candidates []string) (string, bool) {
	if best := expr.Near(word, candidates); len(best) > 0 {
		return best[0], true
	}
	return "", false
}

// Suggest is a hint about what a misspelt word may mean: the candidate that is nearest to it, or two that are equally
// near, else all of them, the first dozen written out. It is empty if there are none.
func Suggest(word string, candidates []string) string {
	switch best := expr.Near(word, candidates); len(best) {
	case 1:
		return fmt.Sprintf("did you mean %q?", best[0])
	case 2:
		return fmt.Sprintf("did you mean %q or %q?", best[0], best[1])
	}
	if len(candidates) == 0 {
		return ""
	}
	hint := "known here: " + strings.Join(candidates[:min(len(candidates), maxListed)], ", ")
	if more := len(candidates) - maxListed; more > 0 {
		hint += fmt.Sprintf(" and %d more", more)
	}
	return hint
}
