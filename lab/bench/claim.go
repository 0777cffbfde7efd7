package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"benchbook/lab"
	"benchbook/lab/forecast"
	"benchbook/lab/measure"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/runner/search"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// A question is a claim that is judged at one revision after another.
type question struct {
	article *lab.Article
	doc     *article.Document // with no other claim, so that nothing goes on for theirs
	claim   *article.Claim
	needs   lab.Filter    // the trials that are measured for it
	before  stats.Verdict // at the good revision
}

// choose finds the claim in the articles, and what is to be measured for it.
func (b *bench) choose(from plan.Revision) error {
	var known []string
	for _, l := range b.articles {
		for _, c := range l.Doc.Claims {
			known = append(known, c.Name.Value)
			switch {
			case c.Name.Value != b.Claim:
			case b.question != nil:
				return lab.UsageError(fmt.Errorf("articles %s and %s both have a claim %q: name one of them",
					b.question.article.Slug, l.Slug, b.Claim))
			default:
				doc := *l.Doc
				doc.Claims, doc.Published = []*article.Claim{c}, nil
				b.question = &question{article: l, doc: &doc, claim: c}
			}
		}
	}
	if b.question == nil {
		slices.Sort(known)
		return lab.UsageError(fmt.Errorf("no claim %q in %s: %s", b.Claim, terminal.InSentence(lab.SlugsOf(b.articles)),
			cmp.Or(source.Suggest(b.Claim, known), "there are no claims")))
	}
	b.articles = []*lab.Article{b.question.article}
	plans, err := b.Plans(b.project, b.articles, b.optionsAt(from), "nothing was measured")
	if err != nil {
		return err
	}
	return b.question.setNeeds(plans[b.question.article.Slug])
}

// setNeeds sets what is measured for the claim: its cells, the A/A pairs of their experiments, and the experiments that
// these take rates or values from.
func (q *question) setNeeds(p *plan.Plan) error {
	d, err := q.dataset(p, nil, "")
	if err != nil {
		return err
	}
	cells, err := claim.Cells(d, q.claim)
	if err != nil {
		return lab.UsageError(fmt.Errorf("claim %s: %s", q.claim.Name.Value, expr.MessageOf(err)))
	}
	var names []string
	about, whole := map[string]bool{}, map[string]bool{}
	for _, cell := range cells {
		name := cell.Experiment.Plan.Name
		if !q.article.Wants(name) {
			return lab.UsageError(fmt.Errorf("claim %s is about experiment %s, which is none of those that are named",
				q.claim.Name.Value, name))
		}
		names, about[name+"#"+cell.Trial.Name] = slice.Add(names, name), true
	}
	for i := 0; i < len(names); i++ {
		if e, ok := p.Find(names[i]); ok {
			for _, name := range search.Needs(e) {
				names, whole[name] = slice.Add(names, name), true
			}
		}
	}
	q.article.Experiments = names
	q.needs = func(e *plan.Experiment, t *plan.Trial) bool {
		return whole[e.Name] || e.IsPaired(t) || about[e.Name+"#"+t.Name]
	}
	return nil
}

func (b *bench) optionsAt(commit plan.Revision) plan.Options {
	return plan.Options{Profile: b.Profile, Repetitions: b.Repetitions, Revisions: []plan.Revision{commit}}
}

func (b *bench) planAt(commit plan.Revision) (*plan.Plan, *source.Problems, error) {
	var problems source.Problems
	p, err := plan.New(b.project, b.question.article.Doc, b.optionsAt(commit), &problems)
	if err != nil {
		return nil, nil, lab.Failure(err)
	}
	return p, &problems, nil
}

// keysAt are the keys of what is measured at a commit; nil if nothing can be.
func (b *bench) keysAt(commit plan.Revision) (map[string]string, error) {
	p, problems, err := b.planAt(commit)
	if err != nil || !problems.Empty() {
		return nil, err
	}
	keys := map[string]string{}
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			if b.question.article.Wants(e.Name) && b.question.needs(e, t) {
				keys[e.Name+"#"+t.Name] = t.Key
			}
		}
	}
	return keys, nil
}

func (q *question) dataset(p *plan.Plan, records []*record.Record, host string) (*dataset.Dataset, error) {
	d, err := dataset.OfPlan(q.doc, p, p.RecordsOf(nil, records, host), host)
	if err != nil {
		return nil, lab.Failure(err)
	}
	return d, nil
}

// judge measures what the claim is about at a commit, and judges it. Where nothing can be measured at the commit, the
// finding says why; the error is what ends the search.
func (b *bench) judge(ctx context.Context, commit plan.Revision) (*finding, error) {
	q := b.question
	q.article.Problems = source.Problems{} // of the commits before
	b.project.RecordsIn = b.recordsOf("claim", commit)
	o := b.Options.Options
	o.Revisions, o.Pick = []plan.Revision{commit}, q.needs
	o.Open = func(_ *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
		return forecast.OpenTrials(q.doc, p, host)
	}
	fmt.Fprintf(b.Stderr, "measuring %s (%.10s)\n", commit.Name, commit.Commit)
	measured := measure.Run(ctx, b.Session, b.project, b.articles, o)
	if measured != nil && !canBePassedBy(ctx, measured) {
		return nil, measured
	}
	f := &finding{commit: commit, why: measured}
	if err := b.setVerdict(f); err != nil {
		return nil, err
	}
	fmt.Fprintf(b.Stderr, "%s: %s\n", commit.Name, f)
	return f, nil
}

// setVerdict judges the claim by what was measured at a commit, which may be nothing. What was measured before the
// article was changed decides nothing.
func (b *bench) setVerdict(f *finding) error {
	q := b.question
	this, err := sysinfo.ThisHost()
	if err != nil {
		return lab.Failure(err)
	}
	host, err := b.HostOf(b.project, q.article, this) // a host that is met for the first time is known after the run
	if err != nil {
		return lab.Failure(err)
	}
	p, problems, err := b.planAt(f.commit)
	if err != nil || !problems.Empty() { // which is what the run ended with
		return err
	}
	records, _, err := b.Records(b.project, q.article)
	if err != nil {
		return lab.Failure(err)
	}
	d, err := q.dataset(p, records, host.ID)
	if err != nil {
		return err
	}
	cells, err := claim.Cells(d, q.claim)
	isFresh := func(c *dataset.Cell) bool { return c.State == dataset.Fresh || c.State == dataset.Partial }
	if err != nil || len(cells) > 0 && !slices.ContainsFunc(cells, isFresh) {
		f.why = cmp.Or(f.why, lab.Failure(errors.New("nothing was measured")))
		return nil
	}
	j := claim.Judge(d, q.claim)
	f.judged = &j
	if slices.ContainsFunc(cells, func(c *dataset.Cell) bool { return !isFresh(c) }) {
		return nil
	}
	switch {
	case j.Verdict != stats.Supported && j.Verdict != stats.Contradicted:
	case j.Verdict == cmp.Or(q.before, j.Verdict):
		f.verdict = good
	default:
		f.verdict = bad
	}
	return nil
}

// bisectByClaim looks for the first commit at which a claim is judged otherwise than at the good revision.
func (b *bench) bisectByClaim(ctx context.Context, from, to plan.Revision, commits []plan.Revision) error {
	if err := b.choose(from); err != nil {
		return err
	}
	first, err := b.judge(ctx, from)
	switch {
	case err != nil:
		return err
	case first.judged == nil:
		return first.why
	case first.verdict == undecided:
		return lab.Failure(fmt.Errorf("at %s %s, so there is nothing to look for", from.Name, first))
	}
	b.question.before = first.judged.Verdict
	known := map[int]*finding{-1: first}
	end := len(commits) - 1
	last, err := b.sameAs(commits[end], known)
	if err == nil && last == nil {
		last, err = b.judge(ctx, commits[end])
	}
	switch {
	case err != nil:
		return err
	case last.like.Name != "":
		return lab.Failure(fmt.Errorf("%s and %s are the same in all that is measured for claim %s", from.Name, to.Name,
			b.Claim))
	case last.judged == nil:
		return last.why
	case last.verdict == undecided:
		return lab.Failure(fmt.Errorf("at %s %s, so there is nothing to look for", to.Name, last))
	case last.verdict == good:
		return lab.Failure(fmt.Errorf("claim %s is %s at %s and at %s, so there is nothing to look for", b.Claim,
			b.question.before, from.Name, to.Name))
	}
	known[end] = last
	return b.narrow(ctx, from, commits, known)
}

// bisectJSON is what bench --bisect --claim prints with --format json. Fields are added to it in later versions, none
// are renamed or removed.
type bisectJSON struct {
	Article string       `json:"article"`
	Claim   string       `json:"claim"`
	Before  string       `json:"before"` // the verdict at the good revision
	First   string       `json:"first"`  // the first commit with another verdict; empty if it is one of several
	Among   []string     `json:"among"`  // the commits that can be the first, the oldest before others
	Commits []commitJSON `json:"commits"`
}

type commitJSON struct {
	Commit  string                 `json:"commit"`
	Subject string                 `json:"subject"`
	SameAs  string                 `json:"same_as,omitempty"` // the commit that was measured in its place
	Why     string                 `json:"why,omitempty"`     // nothing could be measured
	Result  *results.JudgementJSON `json:"result"`            // what came of the claim; null then
}

// data is what was found of the claim, lo being the last commit that is as before and hi the first that is not.
func (b *bench) data(ctx context.Context, commits []plan.Revision, lo, hi int, known map[int]*finding) bisectJSON {
	out := bisectJSON{Article: b.question.article.Slug, Claim: b.Claim, Before: string(b.question.before),
		Among: []string{}, Commits: []commitJSON{}}
	for _, commit := range commits[lo+1 : hi+1] {
		out.Among = append(out.Among, commit.Commit)
	}
	if len(out.Among) == 1 {
		out.First = out.Among[0]
	}
	for _, at := range slices.Sorted(maps.Keys(known)) {
		f := known[at]
		c := commitJSON{Commit: f.commit.Commit, Subject: b.subject(ctx, f.commit), SameAs: f.like.Commit}
		if f.judged != nil {
			result := results.JudgementOutcome(f.judged)
			c.Result = &result
		} else {
			c.Why = f.why.Error()
		}
		out.Commits = append(out.Commits, c)
	}
	return out
}
