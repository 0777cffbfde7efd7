package claim

import (
	"fmt"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// fewerTest asks whether a has fewer failures than b. Of none there is no ratio, so the intervals of the two are
// compared.
//
// Source: docs/method.md#claims-as-regions.
type fewerTest struct {
	a, b side
}

func (t fewerTest) judge(alpha float64) Judgement {
	j := Judgement{What: fmt.Sprintf("%s, %s against %s", t.a.metric.InWords(), t.a.name(t.b), t.b.name(t.a))}
	j.note(0, false, t.a, t.b)
	var ends [2]stats.Interval
	few := ""
	n := 0
	for i, s := range []side{t.a, t.b} {
		if _, ok := s.measured(&j); !ok {
			return j
		}
		e, err := s.result(s.cells[0]).At(alpha)
		if err != nil {
			j.Verdict, j.Reason = stats.NotMeasured, err.Error()
			return j
		}
		ends[i] = e.ClaimInterval()
		if e.N < stats.MinRepetitions && few == "" {
			few, n = s.name(), e.N
		}
	}
	if few != "" {
		j.tooFew(few, n)
		return j
	}
	if j.Verdict = stats.JudgeFewer(ends[0], ends[1]); j.Verdict == stats.Inconclusive {
		j.Reason = reasonOverlap
	}
	return j
}

// fewer is the form fewer(a, b).
func (f builder) fewer(n *expr.Call) (test, error) {
	a, b, err := f.sides(n, n.Args[0], n.Args[1])
	if err != nil {
		return nil, err
	}
	for _, s := range []side{a, b} {
		if !record.CountsFailures(s.metric.Name) {
			return nil, dataset.Mistake(s.at.Span, "no-test", "write failed, failed.count or errors.KIND, or compare by <",
				"fewer is about failures, and %s counts none", s.metric.Name)
		}
	}
	if a.metric.Name != b.metric.Name {
		return nil, dataset.Mistake(n.Span, "unlike-units", "name one metric twice",
			"%s and %s do not count the same", a.metric.Name, b.metric.Name)
	}
	return fewerTest{a, b}, nil
}
