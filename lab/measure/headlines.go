package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/runner"
	"benchbook/runner/search"
)

// A question is the headline claims of an article, or all claims of one without headlines, that share trials. What it
// needs is measured together, in rounds.
type question struct {
	of     *lab.Article
	claims []*article.Claim
	trials map[*plan.Trial]bool // of the claims, of their A/A pairs, and of experiments that these take values from

	decided int           // of claims
	left    int           // repetitions and searches up to the next look
	takes   time.Duration // about, for them
	cost    time.Duration // about, for each claim that is not decided, until it may be
	isBegun bool          // a run of this job has measured it, and others continue that
	givenUp bool          // a run measured nothing more, or all of it failed
}

// findQuestions finds the questions of all articles, and restricts the job to their trials. It is an error if there are
// none.
func (j *job) findQuestions() error {
	for _, c := range j.list {
		j.questions = append(j.questions, questionsOf(c, c.Planned)...)
	}
	if len(j.questions) == 0 {
		return lab.UsageError(errors.New("--quick decides claims, and there are none: leave it out to measure everything"))
	}
	only := j.options.Only
	j.options.Only = func(e *plan.Experiment, t *plan.Trial) bool {
		isAsked := func(q *question) bool { return q.trials[t] }
		return (only == nil || only(e, t)) && slices.ContainsFunc(j.questions, isAsked)
	}
	return nil
}

// questionsOf joins the headline claims of an article that share trials, in the order of the article; all claims if
// there are no headlines.
func questionsOf(c *lab.Article, p *plan.Plan) (out []*question) {
	d := dataset.WithoutRecords(c.Doc, p)
	blocks := slice.Filter(c.Doc.Claims, func(block *article.Claim) bool { return block.Headline })
	if len(blocks) == 0 {
		blocks = c.Doc.Claims
	}
	for _, block := range blocks {
		q := &question{of: c, claims: []*article.Claim{block}, trials: map[*plan.Trial]bool{}}
		for _, cell := range claim.CellsOf(d, block) {
			q.add(p, cell.Experiment.Plan, cell.Planned)
		}
		if len(q.trials) == 0 {
			continue // of experiments that were not chosen
		}
		out = slices.DeleteFunc(out, func(o *question) bool {
			for t := range o.trials {
				if q.trials[t] {
					q.claims = append(q.claims, o.claims...)
					maps.Copy(q.trials, o.trials)
					return true
				}
			}
			return false
		})
		slices.SortFunc(q.claims, func(a, b *article.Claim) int {
			return slices.Index(c.Doc.Claims, a) - slices.Index(c.Doc.Claims, b)
		})
		out = append(out, q)
	}
	return out
}

// add adds a trial with what it needs: its experiment's A/A pair, and experiments that it takes values from.
func (q *question) add(p *plan.Plan, e *plan.Experiment, t *plan.Trial) {
	if q.trials[t] || !slices.Contains(p.Experiments, e) {
		return
	}
	q.trials[t] = true
	for _, other := range e.Trials {
		if e.IsPaired(other) || e.Outside { // results of a running target are for their run only
			q.trials[other] = true
		}
	}
	for _, name := range search.Needs(e) {
		if other, ok := p.Find(name); ok {
			for _, t := range other.Trials {
				q.add(p, other, t)
			}
		}
	}
}

// answer measures one question after another up to its next look, always that which takes the least time for each claim
// that it may decide, until all headline claims are decided or the budget is over.
//
// Source: docs/method.md#the-first-report.
func (j *job) answer(ctx context.Context) error {
	for _, q := range j.questions {
		if err := j.look(q); err != nil {
			return lab.Failure(err)
		}
	}
	for {
		q := j.shortest()
		j.sayDecided(q)
		if q == nil {
			return nil
		}
		before, options := q.decided, j.optionsOf(q)
		options.Once = true
		sum, isOver, err := j.measureArticle(ctx, q.of, options)
		if err != nil || isOver {
			return err
		}
		q.isBegun, q.givenUp = true, sum.Measured+sum.Searches == sum.Failed
		if err := j.look(q); err != nil {
			return lab.Failure(err)
		}
		if q.decided > before && j.flags.Measured != nil {
			j.flags.Measured(q.of)
		}
	}
}

func (j *job) optionsOf(q *question) runner.Options {
	options := j.optionsFor(q.of)
	options.Continue = q.isBegun
	options.Only = func(e *plan.Experiment, t *plan.Trial) bool { return q.trials[t] && j.options.Only(e, t) }
	options.Open = show.OpenTrials(q.of.Doc, q.of.Planned, j.hosts[q.of.Slug].ID,
		func(d *dataset.Dataset) map[string][]string { return claim.OpenOf(d, q.claims) })
	return options
}

// look counts the decided claims of a question, and finds out how long it takes up to the next look.
func (j *job) look(q *question) error {
	records, d, err := j.dataset(q.of)
	if err != nil {
		return err
	}
	q.decided = slice.Count(q.claims, func(c *article.Claim) bool { return claim.IsDecided(d, c) })
	next := runner.NextOf(q.of.Planned, records, j.hosts[q.of.Slug].ID, j.optionsOf(q))
	todo := next.ByTrial()
	q.left, q.takes, q.cost = next.Len(), j.estimateOf(q.of, todo, records), 0
	if open := len(q.claims) - q.decided; open > 0 {
		q.cost = time.Duration(float64(q.takes) * q.looksLeft(d, todo) / float64(open))
	}
	return nil
}

// looksLeft estimates how many times the repetitions up to the next look are needed to decide an open claim.
func (q *question) looksLeft(d *dataset.Dataset, todo map[*plan.Trial]runner.Todo) float64 {
	upTo, count := 0, 0 // of the trial that has the most to do
	for _, next := range todo {
		if next.Count > count {
			upTo, count = next.UpTo, next.Count
		}
	}
	least := math.Inf(1)
	for _, c := range q.claims {
		if claim.IsDecided(d, c) {
			continue
		}
		needed := claim.NeededOf(d, c) // 0 if it is not known, as before the first look
		least = min(least, float64(max(needed, upTo)-upTo+count)/float64(max(count, 1)))
	}
	if math.IsInf(least, 1) {
		return 1
	}
	return least
}

// shortest returns the question that takes the least time for each claim that it may decide; nil if nothing is left.
func (j *job) shortest() (first *question) {
	for _, q := range j.questions {
		isOpen := q.left > 0 && !q.givenUp && q.decided < len(q.claims)
		if isOpen && (first == nil || q.cost < first.cost) {
			first = q
		}
	}
	return first
}

// sayDecided prints how many headline claims are decided, and the next one.
func (j *job) sayDecided(next *question) {
	if j.flags.Quiet {
		return
	}
	decided, all, kind := 0, 0, "headline claim"
	for _, q := range j.questions {
		decided, all = decided+q.decided, all+len(q.claims)
		if !q.claims[0].Headline {
			kind = "claim"
		}
	}
	words := fmt.Sprintf("%d of %s decided", decided, phrase.Count(all, kind))
	if next != nil {
		words += fmt.Sprintf("; next is %s of %s, about %s", next.claims[0].Name.Value, next.of.Slug, terminal.Clock(next.takes))
	}
	fmt.Fprintln(j.Stderr, words)
}
