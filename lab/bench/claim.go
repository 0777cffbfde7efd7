package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/runner/search"
	"benchbook/runner/sysinfo"
)

// A question is a claim that is judged at one revision after another.
type question struct {
	article *lab.Article
	doc     *article.Document // with no other claim, so that nothing goes on for theirs
	claim   *article.Claim
	before  stats.Verdict // at the good revision
}

// choose finds the claim in the articles. Of the article it leaves the experiments that the claim needs.
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
		return lab.UsageError(fmt.Errorf("no claim %q in %s; %s", b.Claim, terminal.InSentence(lab.SlugsOf(b.articles)),
			cmp.Or(source.Suggest(b.Claim, known), "there is none")))
	}
	l := b.question.article
	b.articles = []*lab.Article{l}
	p, err := b.planAt(from)
	if err != nil {
		return err
	}
	d, err := b.question.dataset(p, nil, "")
	if err != nil {
		return lab.Failure(err)
	}
	var names []string
	for cell := range claim.Touched(d, func(*dataset.Cell) bool { return false }) {
		names = append(names, cell.Experiment.Plan.Name)
	}
	for i := 0; i < len(names); i++ {
		if e, ok := p.Find(names[i]); ok {
			names = append(names, slices.DeleteFunc(search.Needs(e), func(name string) bool {
				return slices.Contains(names, name)
			})...)
		}
	}
	l.Experiments = names
	return nil
}

func (b *bench) planAt(commit plan.Revision) (*plan.Plan, error) {
	l, problems := b.question.article, source.Problems{}
	p, err := plan.New(b.project, l.Doc, plan.Options{Profile: b.Profile, Repetitions: b.Repetitions,
		Revisions: []plan.Revision{commit}}, &problems)
	if err != nil {
		return nil, lab.Failure(err)
	}
	return p, nil
}

func (q *question) dataset(p *plan.Plan, records []*record.Record, host string) (*dataset.Dataset, error) {
	whole := *p
	whole.Experiments = p.All
	return dataset.New(q.doc, p.RecordsOf(nil, records, host), dataset.Options{ThisHost: host,
		Plan: func(string) (*plan.Plan, error) { return &whole, nil }})
}

// picks are the trials that the claim is about, and what shows their noise floor. Of experiments that others take rates
// or values from all are.
func (q *question) picks(d *dataset.Dataset) lab.Filter {
	touched, about := map[string]bool{}, map[string]bool{}
	for cell := range claim.Touched(d, func(*dataset.Cell) bool { return false }) {
		name := cell.Experiment.Plan.Name
		touched[name+"#"+cell.Trial.Name], about[name] = true, true
	}
	return func(e *plan.Experiment, t *plan.Trial) bool {
		return !about[e.Name] || e.IsPaired(t) || touched[e.Name+"#"+t.Name]
	}
}

// judge measures what the claim is about at a commit, and judges it. Where nothing can be measured at the commit, the
// finding says why; the error is what ends the search.
func (b *bench) judge(ctx context.Context, commit plan.Revision) (*finding, error) {
	q := b.question
	q.article.Problems = source.Problems{} // of the commits before
	b.project.RecordsIn = b.recordsOf("claim", commit)
	this, err := sysinfo.ThisHost()
	if err != nil {
		return nil, lab.Failure(err)
	}
	host, err := b.HostOf(b.project, q.article, this)
	if err != nil {
		return nil, lab.Failure(err)
	}
	p, err := b.planAt(commit)
	if err != nil {
		return nil, err
	}
	planned, err := q.dataset(p, nil, host.ID)
	if err != nil {
		return nil, lab.Failure(err)
	}
	o := b.Options.Options
	o.Revisions, o.Pick, o.Open = []plan.Revision{commit}, q.picks(planned), q.open
	fmt.Fprintf(b.Stderr, "measuring %s (%.10s)\n", commit.Name, commit.Commit)
	measured := measure.Run(ctx, b.Session, b.project, b.articles, o)
	f := &finding{commit: commit, why: measured}
	if measured != nil && !canBePassedBy(ctx, measured) {
		return nil, measured
	}
	records, _, err := b.Records(b.project, q.article)
	if err != nil {
		return nil, lab.Failure(err)
	}
	d, err := q.dataset(p, records, host.ID)
	if err != nil {
		return nil, lab.Failure(err)
	}
	if len(d.Records()) > 0 {
		j := claim.Judge(d, q.claim)
		f.judged = &j
	} else if f.why == nil {
		f.why = errors.New("nothing was measured")
	}
	f.verdict = q.compare(f.judged)
	fmt.Fprintf(b.Stderr, "%s: %s\n", commit.Name, f)
	return f, nil
}

func (q *question) open(_ *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
	return func(records []*record.Record) map[string][]string {
		d, err := q.dataset(p, records, host)
		if err != nil { // there is a plan, and no host is asked for
			return nil
		}
		return claim.Open(d)
	}
}

// compare tells whether a claim is as it was at the good revision, the first that is asked about.
func (q *question) compare(j *claim.Judgement) verdict {
	switch {
	case j == nil || j.Verdict != stats.Supported && j.Verdict != stats.Contradicted:
		return undecided
	case q.before == "" || j.Verdict == q.before:
		return good
	}
	return bad
}

// bisectByClaim looks for the first commit at which a claim is judged otherwise than at the good revision.
func (b *bench) bisectByClaim(ctx context.Context, from, to plan.Revision, commits []plan.Revision) error {
	if err := b.choose(from); err != nil {
		return err
	}
	first, err := b.judge(ctx, from)
	if err != nil {
		return err
	}
	if first.verdict == undecided {
		return lab.Failure(fmt.Errorf("at %s %s, so there is nothing to look for", from.Name, first))
	}
	b.question.before = first.judged.Verdict
	last, err := b.judge(ctx, commits[len(commits)-1])
	switch {
	case err != nil:
		return err
	case last.verdict == undecided:
		return lab.Failure(fmt.Errorf("at %s %s, so there is nothing to look for", to.Name, last))
	case last.verdict == good:
		return lab.Failure(fmt.Errorf("%s is %s at %s and at %s, so there is nothing to look for", b.Claim,
			b.question.before, from.Name, to.Name))
	}
	return b.narrow(ctx, from, commits, map[int]*finding{-1: first, len(commits) - 1: last})
}

// BisectJSON is what bench --bisect --claim prints with --format json. Fields are added to it in later versions, none
// are renamed or removed.
type BisectJSON struct {
	Article string       `json:"article"`
	Claim   string       `json:"claim"`
	Before  string       `json:"before"` // the verdict at the good revision
	First   string       `json:"first"`  // the first commit with another verdict; empty if it is one of several
	Among   []string     `json:"among"`  // the commits that can be the first, the oldest before others
	Commits []commitJSON `json:"commits"`
}

type commitJSON struct {
	Commit  string   `json:"commit"`
	Subject string   `json:"subject"`
	SameAs  string   `json:"same_as,omitempty"` // the commit that was measured in its place
	Verdict string   `json:"verdict"`           // on the claim
	Because string   `json:"because"`           // what it rests on, or why nothing could be measured
	Value   *float64 `json:"value"`             // the effect and its interval
	Lo      *float64 `json:"lo"`
	Hi      *float64 `json:"hi"`
}

// printJSON prints what was found of the claim, lo being the last that is as before and hi the first that is not.
func (b *bench) printJSON(ctx context.Context, commits []plan.Revision, lo, hi int, known map[int]*finding) error {
	out := BisectJSON{Article: b.question.article.Slug, Claim: b.Claim, Before: string(b.question.before),
		Among: []string{}, Commits: []commitJSON{}}
	for at := lo + 1; at <= hi; at++ {
		out.Among = append(out.Among, commits[at].Commit)
	}
	if len(out.Among) == 1 {
		out.First = out.Among[0]
	}
	for at := -1; at < len(commits); at++ {
		f := known[at]
		if f == nil {
			continue
		}
		c := commitJSON{Commit: f.commit.Commit, Subject: b.subject(ctx, f.commit), SameAs: f.like,
			Verdict: string(stats.NotMeasured)}
		switch j := f.judged; {
		case j == nil:
			c.Because = f.why.Error()
		case j.Effect != nil:
			c.Value = terminal.Finite(j.Effect.Number)
			if i := j.Effect.Interval; i != nil {
				c.Lo, c.Hi = terminal.Finite(i.Lo), terminal.Finite(i.Hi)
			}
			fallthrough
		default:
			c.Verdict, c.Because = string(j.Verdict), results.JudgementWords(j)
		}
		out.Commits = append(out.Commits, c)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(b.Stdout, "%s\n", data)
	}
	return err
}

// recordsOf is the folder of the records of revisions that are measured together.
func (b *bench) recordsOf(kind string, revisions ...plan.Revision) string {
	name := ""
	for _, r := range revisions {
		name += fmt.Sprintf("%.12s-", r.Commit)
	}
	return filepath.Join(b.folder, name+kind)
}
