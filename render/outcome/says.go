package outcome

import (
	"fmt"
	"html"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/claim"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// writtenFor returns the author's sentence for the verdict; empty without one.
func writtenFor(j *claim.Judgement) string {
	if j.Claim == nil {
		return ""
	}
	switch j.Verdict {
	case stats.Supported:
		return j.Claim.Says.Supported.Value
	case stats.Contradicted:
		return j.Claim.Says.Contradicted.Value
	case stats.Inconclusive:
		return j.Claim.Says.Inconclusive.Value
	}
	return ""
}

// saidForm is the form in which the sentence of a claim writes a ratio: the numbers next to it have the same.
func saidForm(j *claim.Judgement) form {
	switch line := writtenFor(j); {
	case j.IsRatio && strings.Contains(line, "{effect} as "):
		return asFactor
	case j.IsRatio && strings.Contains(line, "{effect}"):
		return asDifference
	}
	return bySize
}

// says is the author's sentence for the verdict; nil without one, and if it asks for something unknown.
func (w writer) says(j *claim.Judgement) Sentence {
	line := writtenFor(j)
	if line == "" {
		return nil
	}
	shown, text := w.markdown(line)
	inHTML, inText := placeholders(string(shown)), placeholders(text)
	if len(inHTML) != len(inText) { // one is in an attribute
		return Sentence{{Text: text, HTML: shown}}
	}
	var out Sentence
	atHTML, atText := 0, 0
	for i, m := range inText {
		h := inHTML[i]
		out.words(text[atText:m[0]], shown[atHTML:h[0]])
		atText, atHTML = m[1], h[1]
		if !w.fill(&out, j, text[m[0]+1:m[1]-1], strings.HasPrefix(text[m[1]:], " as ")) {
			return nil
		}
	}
	out.words(text[atText:], shown[atHTML:])
	return out.unbroken()
}

// clauseEnd is where a clause of an author's sentence ends.
var clauseEnd = regexp.MustCompile(`[.,;:]( |$)`)

// unbroken moves intervals to the end of their clause, where they interrupt nothing: "17 % fewer requests than before
// [−22 to −11 %], and". Those before markup stay where they are.
func (s Sentence) unbroken() Sentence {
	for i := range s {
		if s[i].Kind != Interval {
			continue
		}
		for k := i + 1; k < len(s) && s[k].Kind == Words && isPlain(s[k]); k++ {
			if end := clauseEnd.FindStringIndex(s[k].Text); end != nil {
				before, behind := Piece{Text: s[k].Text[:end[0]]}, Piece{Text: s[k].Text[end[0]:]}
				return slices.Concat(s[:i], s[i+1:k], Sentence{before, s[i], behind}, s[k+1:].unbroken())
			}
		}
	}
	return s
}

func isPlain(p Piece) bool {
	return p.HTML == "" || !strings.Contains(string(p.HTML), "<") && html.UnescapeString(string(p.HTML)) == p.Text
}

func (s *Sentence) words(text string, html template.HTML) {
	if text != "" || html != "" {
		*s = append(*s, Piece{Text: text, HTML: html})
	}
}

// placeholders finds those that mean something.
func placeholders(text string) (out [][]int) {
	for _, m := range claim.Placeholder.FindAllStringIndex(text, -1) {
		if claim.IsPlaceholder(text[m[0]+1 : m[1]-1]) {
			out = append(out, m)
		}
	}
	return out
}

// fill writes the value of a placeholder; false if it is unknown. Before "as many" a ratio is a factor.
func (w writer) fill(s *Sentence, j *claim.Judgement, name string, isFactor bool) bool {
	switch name {
	case "effect":
		return w.fillEffect(s, j, isFactor)
	case "verdict":
		s.say(Word(j.Outcome()))
	case "repetitions":
		n := Repetitions(j)
		s.say(strconv.Itoa(n))
		return n > 0
	case "published":
		words := Published(w.d, j)
		s.say(words)
		return words != ""
	case "a", "b":
		return w.fillName(s, j, name)
	}
	return true
}

func (w writer) fillEffect(s *Sentence, j *claim.Judgement, isFactor bool) bool {
	switch {
	case j.Form == claim.Pairs && len(j.Parts) > 0:
		s.add(Value, pairsHeld(j))
		return true
	case j.Effect == nil && len(j.Parts) > 0:
		s.add(Value, counted(j, countOf(j, stats.Supported)))
		if open := countOf(j, stats.Inconclusive); open > 0 {
			s.say(fmt.Sprintf(" (%d undecided)", open))
		}
		return true
	case j.Effect == nil:
		return false
	}
	e := EffectOf(j)
	switch {
	case !j.IsRatio:
		s.add(Value, e.Text())
	case isFactor:
		e = e.as(asFactor)
		s.add(Value, e.Text())
	default:
		more, less := "more", "less"
		if m := j.Sides[0].Metric; m.Unit == "1/s" || m.Counted {
			less = "fewer"
		}
		e = e.as(asDifference)
		if lo, hi := e.ends(); lo < 1 && hi > 1 { // neither more nor less
			_, decimals := e.difference()
			write := func(x float64, word string) string { return wording.PercentUnit.Quantity(x, decimals) + " " + word }
			s.add(Value, write(1-lo, less)+" to "+write(hi-1, more))
			return true
		}
		if e.Ratio < 1 {
			more = less
		}
		s.add(Value, e.unsigned()+" "+more)
	}
	s.add(Interval, e.Bracketed())
	return true
}

// fillName writes the name of a side, next to the other.
func (w writer) fillName(s *Sentence, j *claim.Judgement, which string) bool {
	switch {
	case len(j.Sides) == 0:
		return false
	case len(j.Sides) == 1:
		s.say(nameOf(j.Sides[0]))
		return which == "a"
	}
	a, b := ofEach(j.Sides[0], j.Sides[0].Written), ofEach(j.Sides[1], j.Sides[1].Written)
	if j.Form != claim.Pairs {
		c := w.comparison(j.Sides[0], j.Sides[1])
		a, b = c.a, c.b
	}
	if which == "b" {
		a = b
	}
	s.say(strings.TrimPrefix(strings.TrimPrefix(a, "for "), "over "))
	return true
}
