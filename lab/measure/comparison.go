package measure

import (
	"fmt"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// comparison is how two sides of a metric are compared in words.
type comparison struct {
	lower  bool   // values are better
	better string // format of: the better side, how many times, the other
	same   string // format of: the first side, the other, the difference that counts
}

var (
	inTime       = comparison{true, "%s is %s times faster than %s", "%s is as fast as %s within %s"}
	inThroughput = comparison{false, "%s answers %s times as many requests as %s", "%s answers as many requests as %s within %s"}
	inTail       = comparison{true, "%s answers 99\u202f%% of its requests %s times faster than %s",
		"%s answers 99\u202f%% of its requests as fast as %s within %s"}
)

// answer returns a sentence for each comparison with the first.
func (o *oneLine) answer(d *dataset.Dataset) []string {
	answer, names := []string{}, shortNames(d.Experiments[0])
	for i, j := range claim.JudgeAll(d).Claims {
		if j.Verdict != stats.NotMeasured && j.Effect != nil { // the reason is printed
			cells := d.Experiments[0].Cells
			answer = append(answer, o.words.sentence(&j, "“"+names[cells[0]]+"”", "“"+names[cells[i+1]]+"”"))
		}
	}
	return answer
}

// sentence compares two sides by a claim that they are the same.
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

// inverse returns the ratio of the second side to the first.
func inverse(q dataset.Quantity) dataset.Quantity {
	q.Number = 1 / q.Number
	if q.Interval != nil {
		q.Interval = &stats.Interval{Lo: 1 / q.Interval.Hi, Hi: 1 / q.Interval.Lo}
	}
	return q
}

// digitsOf returns the digits after the point: two for ratios near 1.
func digitsOf(q dataset.Quantity) int {
	least := 1
	if q.Number < 2 {
		least = 2
	}
	return max(least, wording.Plain.Readable(wording.Reading(&q)))
}

// between writes the interval of a ratio, in brackets.
func between(q dataset.Quantity) string {
	if q.Interval == nil {
		return ""
	}
	return fmt.Sprintf(" [%s to %s times]", wording.Plain.Number(q.Interval.Lo, digitsOf(q)),
		wording.Plain.Number(q.Interval.Hi, digitsOf(q)))
}
