package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/expr"
)

// Severity says what a problem prevents.
type Severity int

// The severities.
const (
	SeverityError   Severity = iota // nothing is run or rendered before it is fixed
	SeverityWarning                 // worth a look, but prevents nothing
)

// String returns error or warning.
func (s Severity) String() string { return [...]string{"error", "warning"}[s] }

// Problem is something that an author can fix, with its place and a hint.
type Problem struct {
	Pos      Pos
	Severity Severity
	Rule     string // short name, used in the manual and in tests, such as "unknown-key"
	Message  string // lower case, no full stop, the author's own words in quotes
	Hint     string // what to do; may be empty
}

// MaxProblems bounds how many problems are kept.
const MaxProblems = 1000

// Problems collects problems, so that they are reported together.
type Problems struct {
	list  []*Problem
	seen  map[problemKey]*Problem
	muted map[Pos]bool
	found int
}

// A problemKey is the same for equal problems.
type problemKey struct {
	at            Pos
	rule, message string
}

// Add adds an error and returns it, so that its Hint can be set. Equal problems are kept once, and at most MaxProblems
// in all.
func (p *Problems) Add(rule string, at Pos, format string, args ...any) *Problem {
	return p.add(&Problem{Pos: at, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// Warn adds a warning like Add adds an error.
func (p *Problems) Warn(rule string, at Pos, format string, args ...any) *Problem {
	return p.add(&Problem{Pos: at, Severity: SeverityWarning, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// Mute suppresses later problems at exactly this place, because they follow from an earlier one.
func (p *Problems) Mute(at Pos) {
	if p.muted == nil {
		p.muted = map[Pos]bool{}
	}
	p.muted[at] = true
}

// add adds a problem, or returns an equal one that was added before.
func (p *Problems) add(new *Problem) *Problem {
	p.found++
	key := problemKey{new.Pos, new.Rule, new.Message}
	if equal := p.seen[key]; equal != nil {
		return equal
	}
	if p.muted[new.Pos] {
		return new
	}
	if len(p.list) < MaxProblems {
		if p.seen == nil {
			p.seen = map[problemKey]*Problem{}
		}
		p.list, p.seen[key] = append(p.list, new), new
	} else if len(p.list) == MaxProblems {
		p.list = append(p.list, &Problem{Pos: new.Pos, Rule: "too-many", Message: fmt.Sprintf("more than %d problems",
			MaxProblems), Hint: "fix the problems shown to see the others"})
	}
	return new
}

// Merge adds the problems of o.
func (p *Problems) Merge(o *Problems) {
	for _, problem := range o.list {
		p.add(problem)
	}
}

// Found returns how often a problem was added, including equal and muted ones.
func (p *Problems) Found() int { return p.found }

// All returns the problems in the order in which they were added.
func (p *Problems) All() []*Problem { return slices.Clone(p.list) }

// Len returns the number of problems, including warnings.
func (p *Problems) Len() int { return len(p.list) }

// Empty reports whether there are no errors; there may be warnings.
func (p *Problems) Empty() bool {
	return !slices.ContainsFunc(p.list, func(p *Problem) bool { return p.Severity == SeverityError })
}

// structural are the rules of problems that prevent text from being read, and so may cause others.
var structural = []string{"bad-utf8", "no-front-matter", "unclosed-fence", "yaml-syntax"}

// Sorted returns the problems by file; within a file, structural ones first, then by place.
func (p *Problems) Sorted() []*Problem {
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b *Problem) int {
		return cmp.Or(strings.Compare(a.path(), b.path()), cmp.Compare(a.rank(), b.rank()),
			cmp.Compare(a.Pos.Start, b.Pos.Start))
	})
	return list
}

// rank returns 0 for a structural problem, otherwise 1.
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

// MaxColumns is the width of excerpts, in columns.
const MaxColumns = 120

// maxMessage and maxHint bound messages and lines of hints, in runes: they may quote the author at length.
const maxMessage, maxHint = 240, 2000

// String formats the problem: place and message, the line with a mark under the place, the hint. It contains only
// printable characters and line ends.
func (p *Problem) String() string {
	var b strings.Builder
	message := visible(shorten(p.Message, maxMessage), 0)
	if p.Severity != SeverityError {
		message = p.Severity.String() + ": " + message
	}
	if p.Pos.Source == nil {
		fmt.Fprintf(&b, "%s [%s]\n", message, p.Rule)
	} else {
		line, column := p.Pos.Source.Position(p.Pos.Start)
		fmt.Fprintf(&b, "%s:%d:%d: %s [%s]\n", visible(p.Pos.Source.Path, 0), line, column, message, p.Rule)
		margin := fmt.Sprintf("%5d | ", line)
		start := p.Pos.Source.lines[line-1]
		text, mark := excerpt(string(p.Pos.Source.Line(line)), p.Pos.Start-start, p.Pos.End-start, MaxColumns-len(margin))
		fmt.Fprintf(&b, "%s\n%*s%s\n", strings.TrimRight(margin+text, " "), len(margin), "| ", mark)
	}
	if p.Hint != "" {
		for line := range strings.Lines(p.Hint) {
			fmt.Fprintf(&b, "   %s\n", visible(shorten(strings.TrimRight(line, "\r\n"), maxHint), 0))
		}
	}
	return b.String()
}

// maxListed bounds the words that a hint lists.
const maxListed = 16

// Suggest returns a hint for a misspelt word: the nearest candidate, or two equally near ones; otherwise the first
// maxListed candidates. It is empty without candidates.
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
