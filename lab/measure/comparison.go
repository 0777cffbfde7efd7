package measure

import (
	"fmt"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// comparison has the wording for comparing two sides by a metric.
type comparison struct {
	lower  bool   // lower values are better
	better string // format for the better side, the factor and the other side
	same   string // format for the first side, the other side and the smallest effect
}

var (
	inTime       = comparison{true, "%s is %s times faster than %s", "%s is as fast as %s within %s"}
	inThroughput = comparison{false, "%s answers %s times as many requests as %s", "%s answers as many requests as %s within %s"}
	inTail       = comparison{true, "%s answers 99\u202f%% of its requests %s times faster than %s",
		"%s answers 99\u202f%% of its requests as fast as %s within %s"}
)

// answer returns a sentence for each comparison of the first cell with another.
func (o *oneLine) answer(d *dataset.Dataset) []string {
	answer, names := []string{}, shortNames(d.Experiments[0])
	for i, j := range claim.JudgeAll(d).Claims {
		if j.Verdict != stats.NotMeasured && j.Effect != nil { // else the table gives the reason
			cells := d.Experiments[0].Cells
			answer = append(answer, o.words.sentence(&j, "“"+names[cells[0]]+"”", "“"+names[cells[i+1]]+"”"))
		}
	}
	return answer
}

// sentence says how two sides compare, from the judgement of the claim that they are the same.
func (c comparison) sentence(j *claim.Judgement, first, other string) string {
	q := *j.Effect
	if c.lower {
		q = inverse(q)
	}
	margin := fmt.Sprintf("%.3g\u202f%%", 100*(j.Region.Hi-1))
	if j.Verdict == stats.Supported {
		return fmt.Sprintf(c.same, first, other, margin) + between(q) + "."
	}
	if q.Number < 1 {
		q, first, other = inverse(q), other, first
	}
	words := fmt.Sprintf(c.better, first, wording.Plain.Number(q.Number, digitsOf(q)), other) + between(q)
	switch {
	case j.Verdict == stats.Contradicted:
		return words + "."
	case q.Interval != nil && q.Interval.Lo > 1:
		return fmt.Sprintf("%s; whether by more than %s is open after %s.", words, margin, wording.Count(q.N, "repetition"))
	}
	return fmt.Sprintf("After %s it is undecided which is better: %s.", wording.Count(q.N, "repetition"), words)
}

// inverse returns 1/q with its interval.
func inverse(q dataset.Quantity) dataset.Quantity {
	q.Number = 1 / q.Number
	if q.Interval != nil {
		q.Interval = &stats.Interval{Lo: 1 / q.Interval.Hi, Hi: 1 / q.Interval.Lo}
	}
	return q
}

// digitsOf returns how many digits a ratio needs after the point: at least two below 2, else at least one.
func digitsOf(q dataset.Quantity) int {
	least := 1
	if q.Number < 2 {
		least = 2
	}
	return max(least, wording.Plain.Readable(wording.Reading(&q)))
}

// between writes the interval of a ratio in brackets after a space; empty without an interval.
func between(q dataset.Quantity) string {
	if q.Interval == nil {
		return ""
	}
	return fmt.Sprintf(" [%s to %s times]", wording.Plain.Number(q.Interval.Lo, digitsOf(q)),
		wording.Plain.Number(q.Interval.Hi, digitsOf(q)))
}
