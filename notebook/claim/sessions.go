package claim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Session is what one session says about a claim by itself.
type Session struct {
	Runs    []string // one, unless the cells were not measured together
	Host    string
	Verdict stats.Verdict
	Effect  *dataset.Quantity // nil if unknown
}

// inSession returns the test with the cells of another session.
func (t Test) inSession(cells map[*dataset.Cell]*dataset.Cell) Test {
	return t.withCells(func(c *dataset.Cell) *dataset.Cell { return cells[c] }).asSession()
}

// withCells returns the test with other cells.
func (t Test) withCells(other func(*dataset.Cell) *dataset.Cell) Test {
	t.Sides = slice.Map(t.Sides, func(s Side) Side {
		s.Cells = slice.Map(s.Cells, other)
		return s
	})
	all := func(t Test) Test { return t.withCells(other) }
	t.parts, t.sessions = slice.Map(t.parts, all), slice.Map(t.sessions, all)
	return t
}

// asSession marks a test and its parts as one of several sessions.
func (t Test) asSession() Test {
	t.isSession, t.parts = true, slice.Map(t.parts, Test.asSession)
	return t
}

// withSessions returns the test with others: the same test in other sessions.
func (t Test) withSessions(others []Test) Test {
	t.sessions = others
	t.parts = slices.Clone(t.parts)
	for i := range t.parts {
		t.parts[i] = t.parts[i].withSessions(slice.Map(others, func(o Test) Test { return o.parts[i] }))
	}
	return t
}

// sessionsOf judges each session that counts by itself; nil unless the newest and at least one other count.
func sessionsOf(t Test, others []Test) (out []Session) {
	for i, one := range append([]Test{t.asSession()}, others...) {
		one.looks = t.looks
		j := one.Judge()
		if !j.countsAsSession() {
			if i == 0 { // without the newest, nothing is compared
				return nil
			}
			continue
		}
		s := Session{Verdict: j.Outcome(), Effect: j.Effect}
		for _, c := range one.cells() {
			if len(c.Records) > 0 {
				s.Host, s.Runs = c.Records[0].Host, slice.Add(s.Runs, c.Run)
			}
		}
		out = append(out, s)
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// judgeSessions combines a test without parts with the same test in other sessions: two must agree; for three or more
// the interval between them decides. A single search decides nothing.
//
// Source: docs/method.md#sessions.
func (j *Judgement) judgeSessions(alpha float64) {
	if !j.countsAsSession() {
		return
	}
	all := []Judgement{*j}
	for _, t := range j.sessions {
		if other := t.judge(alpha); other.countsAsSession() {
			all = append(all, other)
		}
	}
	if len(all) == 1 {
		if j.isSearched() && !j.isSession {
			j.Verdict, j.Reason = stats.Inconclusive, reasonOneSearch
		}
		return
	}
	j.Needed, j.Reason = 0, ""
	if len(all) < stats.MinSessions {
		j.outcomesDiffer = all[0].Outcome() != all[1].Outcome()
		verdicts := slice.Map(all, func(j Judgement) stats.Verdict { return j.Verdict })
		if j.Verdict = stats.OfSessions(verdicts...); j.Verdict == stats.Inconclusive {
			j.Reason = disagreement(verdicts, slice.Map(all, func(j Judgement) string { return j.Reason }))
		}
		return
	}
	j.Verdict = stats.Inconclusive
	if slices.ContainsFunc(all, func(j Judgement) bool { return j.Effect == nil }) {
		j.Reason = "not all sessions have an effect"
		return
	}
	between := stats.DifferenceBetween
	if j.Form != Limit && j.Form != Fewer {
		between = stats.RatioBetween
	}
	number, interval, err := between(slice.Map(all, func(j Judgement) stats.SessionEffect {
		return stats.SessionEffect{Effect: j.Effect.Number, SE: j.se, Range: j.span}
	}), alpha)
	if err != nil {
		j.Reason = "there is no interval between sessions: " + err.Error()
		return
	}
	effect := *j.Effect
	effect.Number, effect.Interval, effect.Kind, effect.N = number, &interval, stats.OverSessions, len(all)
	j.Effect, j.Floor = &effect, 0 // the interval covers lasting offsets itself
	if j.Verdict = stats.Judge(interval, j.Region); j.Verdict == stats.Inconclusive {
		j.Reason = fmt.Sprintf("the interval between %d sessions%s", len(all), includesLimit)
	}
}

// countsAsSession reports whether a test was measured with enough repetitions for a verdict of its own. Fewer do not
// show their spread, which an interval between sessions must cover. A search has no repetitions.
func (j *Judgement) countsAsSession() bool {
	if len(j.Parts) > 0 {
		return slices.ContainsFunc(j.Parts, func(p Judgement) bool { return p.countsAsSession() })
	}
	hasFew := !j.isSearched() && j.Effect != nil && j.Effect.N < stats.MinRepetitions
	return j.Verdict != stats.NotMeasured && !hasFew
}

// IsOneSearch reports whether the verdict is open because it would rest on a single search.
func (j *Judgement) IsOneSearch() bool { return j.Reason == reasonOneSearch }

// disagreement returns why two sessions, the newest first, give no verdict. Reasons says why each has none.
func disagreement(verdicts []stats.Verdict, reasons []string) string {
	supported, newest := slices.Contains(verdicts, stats.Supported), ""
	if verdicts[0] == stats.Inconclusive && strings.HasPrefix(reasons[0], reasonLimit) {
		newest = "; in the newest " + reasonLimit
	}
	switch contradicted := slices.Contains(verdicts, stats.Contradicted); {
	case supported && contradicted:
		return "it is supported in one of two sessions and contradicted in the other"
	case supported:
		return "it is supported in one of two sessions" + newest
	case contradicted:
		return "it is contradicted in one of two sessions" + newest
	}
	for _, reason := range reasons {
		if !strings.HasPrefix(reason, reasonLimit) {
			return reason // such as a value of zero, which has no ratio
		}
	}
	return reasonLimit + " in both sessions"
}

// knownLooks counts the looks at the cells of the test, in all known runs and in those that these runs knew of.
//
// Source: docs/method.md#number-of-looks.
func (t Test) knownLooks(d *dataset.Dataset, c *article.Claim) int {
	return d.KnownLooks(t.cells(), func(first *record.Record) int {
		var claims []Stated
		_ = json.Unmarshal([]byte(first.Facts[record.FactClaims]), &claims) // older records have none
		s, _ := slice.Find(claims, func(s Stated) bool { return s.Claim == c.Name.Value })
		return s.Looks
	})
}
