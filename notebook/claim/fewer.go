package claim

import (
	"fmt"
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// fewerTest asks whether a smaller share of attempts fails in a than in b, by more than what matters.
//
// Source: docs/method.md#fewer-failures.
type fewerTest struct {
	a, b side
	by   float64 // the smallest difference of shares that matters; 0 if any does
}

func (t fewerTest) judge(alpha float64) Judgement {
	j := Judgement{What: fmt.Sprintf("%s, %s minus %s", t.a.metric.InWords(), t.b.name(t.a), t.a.name(t.b)),
		Region: stats.Above(t.by)}
	if !t.a.metric.Share {
		j.What += ", of attempts"
	}
	j.compares(Fewer, "", t.a, t.b)
	j.note(0, false, t.a, t.b)
	var counts [2]stats.FailureCounts
	for i, s := range []side{t.a, t.b} {
		if _, ok := s.measured(&j); !ok {
			return j
		}
		if counts[i] = s.result(s.cells[0]).FailureCounts(); len(counts[i].Attempted) == 0 {
			j.Verdict, j.Reason = stats.NotMeasured, s.name()+": it is not known how many requests were attempted"
			return j
		}
	}
	f, err := stats.Fewer(counts[0], counts[1], t.by, alpha)
	if err != nil {
		j.Verdict, j.Reason = stats.NotMeasured, err.Error()
		return j
	}
	j.Effect = &dataset.Quantity{Number: f.D, Unit: "1", Share: true, Kind: stats.NoInterval, N: min(f.NA, f.NB),
		What: j.What, Cells: cellsOf(t)}
	if j.Effect.N >= stats.MinRepetitions {
		j.Effect.Interval, j.Effect.Kind = &f.Interval, stats.WiderOfTwo
	}
	switch {
	case f.NA < stats.MinRepetitions:
		j.tooFew(t.a.name(t.b), f.NA)
	case f.NB < stats.MinRepetitions:
		j.tooFew(t.b.name(t.a), f.NB)
	default:
		if j.Verdict = f.Verdict; j.Verdict == stats.Inconclusive {
			j.Reason = t.open(f, counts)
		}
	}
	return j
}

// open says why a verdict is open: how far apart the shares can be, and what the repetitions would not show.
func (t fewerTest) open(f stats.FewerFailures, counts [2]stats.FailureCounts) string {
	words := fmt.Sprintf("the shares of failures differ by at most %s of attempts", phrase.Percent(f.Interval.Hi))
	n := min(f.NA, f.NB)
	if t.by > 0 && f.Interval.Hi < t.by {
		words += fmt.Sprintf("; a verdict on less than %s needs %d repetitions", phrase.Percent(t.by),
			stats.MinContradicted)
	}
	failed := func(c stats.FailureCounts) bool {
		return slices.ContainsFunc(c.Failed, func(n int64) bool { return n > 0 })
	}
	if !failed(counts[0]) && !failed(counts[1]) {
		words += fmt.Sprintf("; bursts in less than %s of the repetitions would not be seen",
			phrase.Percent(min(1, 3/float64(n))))
	}
	return words
}

// fewer is the form fewer(a, b), or fewer(a, b, 0.1%) with the smallest difference that matters. Otherwise that is a
// tenth of the published difference, if there is one.
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
	t := fewerTest{a: a, b: b}
	if len(n.Args) < 3 {
		t.by = f.publishedDifference(a, b) / 10
		return t, nil
	}
	if t.by, err = margin(n.Args[2]); err != nil {
		return nil, err
	}
	switch {
	case t.by <= 0:
		return nil, cannotHold(n.Args[2], "a difference that matters is above 0", "correct the number, or leave it out")
	case t.by >= 1:
		return nil, cannotHold(n.Args[2], "shares never differ by more than 100%", "correct the number")
	}
	return t, nil
}

// publishedDifference is by how much the published share of failures of b is larger than that of a; 0 if it is not, or
// nothing is published of both.
func (f builder) publishedDifference(a, b side) float64 {
	if !a.metric.Share {
		return 0
	}
	of, okA := f.Data.Published(a.cells[0], a.metric.Name, "")
	than, okB := f.Data.Published(b.cells[0], b.metric.Name, "")
	if !okA || !okB {
		return 0
	}
	return max(0, than.Number-of.Number)
}
