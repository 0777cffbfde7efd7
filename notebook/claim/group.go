package claim

import (
	"fmt"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
)

// groupTest asks whether all of its parts are true.
//
// Source: docs/method.md#several-comparisons.
type groupTest struct {
	form  Form
	op    expr.Op
	sides []side // of Pairs
	parts []test
	what  string
	marks []string // of the group itself
}

func (t groupTest) judge(alpha float64) Judgement {
	j := Judgement{What: t.what, Marks: slices.Clone(t.marks)}
	j.compares(t.form, t.op, t.sides...)
	var parts []stats.Part
	for _, part := range t.parts {
		p := part.judge(alpha)
		j.Parts = append(j.Parts, p)
		j.Invalid = j.Invalid || p.Invalid
		j.Floor = max(j.Floor, p.Floor)
		for _, mark := range p.Marks {
			j.mark(mark)
		}
		parts = append(parts, func(level float64) stats.Verdict {
			if level == alpha {
				return p.Verdict
			}
			return part.judge(level).Verdict
		})
	}
	verdicts := slice.Map(j.Parts, func(p Judgement) stats.Verdict { return p.Verdict })
	j.Mostly = t.form == Pairs && stats.MostlyHolds(verdicts)
	switch j.Verdict = stats.AllOf(parts...)(alpha); j.Verdict {
	case stats.NotMeasured:
		i := slices.IndexFunc(j.Parts, func(p Judgement) bool { return p.Verdict == stats.NotMeasured })
		j.Reason = j.Parts[i].Reason
	case stats.Inconclusive:
		j.Needed, j.Reason = undecidedParts(j.Parts)
	}
	j.limitOneValue()
	return j
}

// limitOneValue gives a claim that all its parts are true the effect of its parts, if they are limits of one value.
func (j *Judgement) limitOneValue() {
	first := j.Parts[0]
	isOther := func(p Judgement) bool { return p.Form != Limit || p.What != first.What || p.Effect == nil }
	if j.Form != All || slices.ContainsFunc(j.Parts, isOther) {
		return
	}
	j.What, j.Sides, j.Effect, j.Region = first.What, first.Sides, first.Effect, first.Region
	for _, p := range j.Parts {
		j.Region.Lo, j.Region.Hi = max(j.Region.Lo, p.Region.Lo), min(j.Region.Hi, p.Region.Hi)
	}
}

// mark adds a mark, once.
func (j *Judgement) mark(mark string) {
	j.Marks = slice.Add(j.Marks, mark)
}

// undecidedParts says what is left open in a group: the repetitions at which every open part has an even chance to be
// decided, and how many are open.
func undecidedParts(parts []Judgement) (needed int, reason string) {
	open, first := 0, ""
	known := true
	for _, p := range parts {
		if p.Verdict != stats.Inconclusive {
			continue
		}
		if open++; open == 1 {
			first = p.What
			if p.Needed == 0 {
				first += ": " + p.Reason
			}
		}
		known = known && p.Needed > 0
		needed = max(needed, p.Needed)
	}
	if open == 0 {
		return 0, fmt.Sprintf("no part is decided at the stricter level that %d parts ask for", len(parts))
	}
	if !known {
		needed = 0
	}
	return needed, fmt.Sprintf("%d of %d parts undecided, the first: %s", open, len(parts), first)
}

// group is the form … and …
func (f builder) group(nodes []expr.Node) (test, error) {
	t := groupTest{form: All, what: fmt.Sprintf("all of %d parts", len(nodes))}
	for _, n := range nodes {
		part, err := f.formOne(n)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part)
	}
	return t, nil
}
