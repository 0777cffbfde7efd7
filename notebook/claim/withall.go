package claim

import (
	"fmt"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/phrase"
	"benchbook/notebook/stats"
)

// judgeWithAll judges a measured claim again with the repetitions that only checks of their own result left out. It
// marks a verdict that would change.
//
// Source: docs/validity.md#what-becomes-of-an-invalid-repetition.
func (j *Judgement) judgeWithAll(d *dataset.Dataset, c *article.Claim, t test) {
	left := leftOutByResult(t)
	if j.Verdict == stats.NotMeasured || left == 0 {
		return
	}
	all := Judge(d.WithAll(), c)
	j.All = &all
	if all.Verdict != j.Verdict {
		j.Marks = append(j.Marks, fmt.Sprintf("%s %s left out by a check that depends on its result: with all repetitions "+
			"the verdict would be %s", phrase.Plural(left, "repetition"), phrase.Verb(left, "is", "are"), all.Verdict))
	}
}

// leftOutByResult counts the repetitions that only checks of their own result leave out of a test.
func leftOutByResult(t test) (n int) {
	most := map[*dataset.Cell]int{} // of the metrics of a cell
	for _, s := range sidesOf(t) {
		for _, c := range s.cells {
			most[c] = max(most[c], c.LeftOutByResult(s.metric.Name))
		}
	}
	for _, left := range most {
		n += left
	}
	return n
}
