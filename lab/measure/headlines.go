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

// A question is a group of headline claims of an article that share trials; if it has no headline claims, of all its
// claims. The trials of a question are measured together, in rounds.
type question struct {
	of     *lab.Article
	claims []*article.Claim
	trials map[*plan.Trial]bool // of the claims, of A/A pairs, and of experiments that these take values from

	decided int           // number of decided claims
	left    int           // repetitions and searches up to the next look
	takes   time.Duration // estimated time up to the next look
	cost    time.Duration // estimated time to decide, per open claim
	isBegun bool          // a run of this job has measured it, which the next one continues
	givenUp bool          // the last run measured nothing, or everything failed
}

// findQuestions sets the questions of all articles and restricts the job to their trials. It returns an error if there
// are none.
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

// questionsOf groups the headline claims of an article by shared trials, in the order of the article. Without headline
// claims it groups all claims.
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
			continue // its experiments were not chosen
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

// add adds a trial, its experiment's A/A pair, and the trials of experiments that it takes values from.
func (q *question) add(p *plan.Plan, e *plan.Experiment, t *plan.Trial) {
	if q.trials[t] || !slices.Contains(p.Experiments, e) {
		return
	}
	q.trials[t] = true
	for _, other := range e.Trials {
		if e.IsPaired(other) || e.Outside { // results of a running target count for one run only
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

// answer measures questions, each up to its next look, until all claims are decided or the budget is over. It always
// takes the question with the lowest cost.
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

// look updates how many claims of a question are decided, and the estimates for its next look.
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

// looksLeft estimates the repetitions that decide the first open claim, as a multiple of those up to the next look.
func (q *question) looksLeft(d *dataset.Dataset, todo map[*plan.Trial]runner.Todo) float64 {
	upTo, count := 0, 0 // of the trial with the most repetitions left
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
		needed := claim.NeededOf(d, c) // 0 if unknown, such as before the first look
		least = min(least, float64(max(needed, upTo)-upTo+count)/float64(max(count, 1)))
	}
	if math.IsInf(least, 1) {
		return 1
	}
	return least
}

// shortest returns the open question with the lowest cost; nil if none is left.
func (j *job) shortest() (first *question) {
	for _, q := range j.questions {
		isOpen := q.left > 0 && !q.givenUp && q.decided < len(q.claims)
		if isOpen && (first == nil || q.cost < first.cost) {
			first = q
		}
	}
	return first
}

// sayDecided prints how many claims are decided, and which question is next.
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
