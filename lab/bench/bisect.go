package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"benchbook/git"
	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/claim"
	"benchbook/notebook/plan"
	"benchbook/slice"
)

// A verdict on a commit: whether it meets the condition, compared with the good revision.
type verdict int

const (
	undecided verdict = iota // or it cannot be measured
	good
	bad
)

// A finding is what is known of a commit.
type finding struct {
	commit     plan.Revision
	verdict    verdict
	comparison *results.Comparison // with the good revision; nil if nothing differs, or nothing could be measured
	judged     *claim.Judgement    // of the claim that is asked about
	why        error               // of one that could not be measured
	like       plan.Revision       // the commit that was measured in its place, as it is the same
}

// bisect looks for the first commit that meets the condition of FailOn, or at which the claim is judged otherwise,
// between a good revision and a bad one. Each is compared with the good revision in a run of its own, or the claim is
// judged at it alone, and half of those left are ruled out each time. A commit that cannot be built, or of which it
// cannot be decided, is passed by for its nearest neighbours.
func (b *bench) bisect(ctx context.Context, from, to plan.Revision) error {
	commits, err := b.between(ctx, from, to)
	switch {
	case err != nil:
		return err
	case b.Claim != "":
		return b.bisectByClaim(ctx, from, to, commits)
	}
	last, err := b.find(ctx, from, commits[len(commits)-1])
	if err != nil {
		return err
	}
	if last.verdict != bad {
		_ = b.show(last)
		if last.verdict == undecided {
			return lab.Failure(fmt.Errorf("%s %s, so there is nothing to look for", to.Name, last))
		}
		return lab.Failure(fmt.Errorf("%s does not meet --fail-on %q, compared with %s, so there is nothing to look for",
			to.Name, b.FailOn, from.Name))
	}
	return b.narrow(ctx, from, commits, map[int]*finding{len(commits) - 1: last})
}

// narrow looks for the first commit that is bad, and says which it is. Known is the last, and of a claim the good
// revision at -1.
func (b *bench) narrow(ctx context.Context, from plan.Revision, commits []plan.Revision,
	known map[int]*finding) error {
	lo, hi, err := halve(len(commits), func(at, left int) (verdict, error) {
		fmt.Fprintf(b.Stderr, "%s left, %s to go at most if each can be decided\n",
			terminal.Count(left, "commit"), terminal.Count(bits.Len(uint(left)), b.unit()))
		f, err := b.sameAs(commits[at], known)
		switch {
		case err != nil:
			return undecided, err
		case f != nil:
			fmt.Fprintf(b.Stderr, "%s: %s\n", f.commit.Name, f)
		default:
			if f, err = b.find(ctx, from, commits[at]); err != nil {
				return undecided, err
			}
		}
		known[at] = f
		return f.verdict, nil
	})
	if err != nil {
		return err
	}
	return b.found(ctx, from, commits, lo, hi, known)
}

// halve finds the first that is bad of n, of which the last is. It gives the last before it that is good, -1 if
// none is known to be, and the first that is known to be bad: if there are others between, they are undecided. Judge
// is told how many are left, and is asked once about each.
func halve(n int, judge func(at, left int) (verdict, error)) (lo, hi int, err error) {
	asked := map[int]bool{}
	lo, hi = -1, n-1
	for {
		at, ok := next(lo, hi, asked)
		if !ok {
			return lo, hi, nil
		}
		asked[at] = true
		v, err := judge(at, hi-lo-1)
		switch {
		case err != nil:
			return lo, hi, err
		case v == good:
			lo = at
		case v == bad:
			hi = at
		}
	}
}

// sameAs is what is known of a commit that is the same as one that was measured; nil for none.
func (b *bench) sameAs(commit plan.Revision, known map[int]*finding) (*finding, error) {
	isSame := func(f *finding) (bool, error) { return b.pair(f.commit, commit).Same() }
	if b.question != nil {
		keys, err := b.keysAt(commit)
		if err != nil || keys == nil {
			return nil, err
		}
		isSame = func(f *finding) (bool, error) {
			theirs, err := b.keysAt(f.commit)
			return maps.Equal(keys, theirs), err
		}
	}
	for _, at := range slices.Sorted(maps.Keys(known)) {
		f := known[at]
		same, err := isSame(f)
		if err != nil {
			return nil, err
		}
		if same {
			alike := *f
			alike.commit, alike.like = commit, cmp.Or(f.like, f.commit)
			return &alike, nil
		}
	}
	return nil, nil
}

// next is the one to ask about: the nearest to the middle of those between lo and hi that were not asked about.
func next(lo, hi int, asked map[int]bool) (at int, ok bool) {
	middle := (lo + hi) / 2
	for distance := range hi - lo {
		for _, at := range []int{middle - distance, middle + distance} {
			if lo < at && at < hi && !asked[at] {
				return at, true
			}
		}
	}
	return 0, false
}

// between are the commits after one revision up to another, on the way of first parents, the oldest first.
func (b *bench) between(ctx context.Context, from, to plan.Revision) ([]plan.Revision, error) {
	out, err := git.New(ctx, b.project.Dir).Run("", "rev-list", "--reverse", "--first-parent", to.Commit, "^"+from.Commit)
	if err != nil {
		return nil, lab.Failure(fmt.Errorf("listing the commits from %s to %s: %w", from.Name, to.Name, err))
	}
	var commits []plan.Revision
	for commit := range strings.FieldsSeq(out) {
		commits = append(commits, plan.Revision{Name: commit[:12], Commit: commit})
	}
	if len(commits) == 0 {
		return nil, lab.UsageError(fmt.Errorf("%s has no commits that %s does not have", to.Name, from.Name))
	}
	return commits, nil
}

// find compares a commit with the good revision, or judges the claim at it. The error is what ends the search.
func (b *bench) find(ctx context.Context, from, commit plan.Revision) (*finding, error) {
	if b.question != nil {
		return b.judge(ctx, commit)
	}
	f := &finding{commit: commit}
	c, err := b.compare(ctx, from, commit)
	if err != nil && !canBePassedBy(ctx, err) {
		return nil, err
	}
	switch {
	case c != nil:
		f.comparison = c
		if met, decided := c.Decided(); met {
			f.verdict = bad
		} else if decided {
			f.verdict = good
		}
	case err != nil:
		f.why = err
	default:
		f.verdict = good // nothing differs
	}
	fmt.Fprintf(b.Stderr, "%s: %s\n", commit.Name, f)
	return f, nil
}

// canBePassedBy reports whether an error is that of one commit, such as one that cannot be built.
func canBePassedBy(ctx context.Context, err error) bool {
	s, ok := errors.AsType[*lab.StatusError](err)
	return ok && ctx.Err() == nil && (s.Status == lab.StatusFailed || s.Status == lab.StatusProblems)
}

func (f *finding) String() string {
	switch {
	case f.judged != nil:
		words := fmt.Sprintf("the claim is %s", f.judged.Verdict)
		if because := results.JudgementWords(f.judged); because != "" {
			words += ": " + because
		}
		if f.like.Name != "" {
			words += "; measured at " + f.like.Name + ", which is the same in all that is measured"
		}
		return words
	case f.like.Name != "":
		return "is the same as " + f.like.Name + " in all that is measured"
	case f.verdict == bad:
		return "meets the condition"
	case f.verdict == good && f.comparison == nil:
		return "is the same in all that is measured"
	case f.verdict == good:
		return "does not meet the condition"
	case f.why != nil:
		return fmt.Sprintf("cannot be measured: %v", f.why)
	}
	return "cannot be decided"
}

// found says which commit it is, with what shows it, or between which commits it is.
func (b *bench) found(ctx context.Context, from plan.Revision, commits []plan.Revision, lo, hi int,
	known map[int]*finding) error {
	open, tried := hi-lo-1, 0
	for _, at := range slices.Sorted(maps.Keys(known)) {
		f := known[at]
		if f.like.Name == "" && (f.comparison != nil || f.judged != nil || f.why != nil) {
			tried++
		}
		if b.question != nil || at == hi || open > 0 && lo <= at && at < hi {
			fmt.Fprintf(b.words(), "%s: %s\n", b.subject(ctx, f.commit), f)
		}
	}
	first := commits[hi].Name
	if open > 0 {
		names := slice.Map(commits[lo+1:hi+1], func(c plan.Revision) string { return c.Name })
		first = "one of " + terminal.InSentence(names)
	}
	result := fmt.Sprintf("the first commit that meets --fail-on %q, compared with %s, is %s", b.FailOn, from.Name, first)
	if b.question != nil {
		result = fmt.Sprintf("claim %s of %s is %s at %s, and first %s at %s", b.Claim, b.question.article.Slug,
			b.question.before, from.Name, known[hi].judged.Verdict, first)
	}
	fmt.Fprintf(b.words(), "%s: %s for %s\n", result, terminal.Count(tried, b.unit()),
		terminal.Count(len(commits), "commit"))
	if b.question != nil && b.Format == results.FormatJSON {
		return lab.PrintJSON(b.Stdout, b.data(ctx, commits, lo, hi, known))
	}
	return b.show(known[hi])
}

// unit is what a commit is tried by.
func (b *bench) unit() string {
	if b.question != nil {
		return "measurement"
	}
	return "comparison"
}

// subject is a commit with the first line of its message.
func (b *bench) subject(ctx context.Context, commit plan.Revision) string {
	out, err := git.New(ctx, b.project.Dir).Run("", "log", "-1", "--format=%h %as %s", commit.Commit)
	if err != nil {
		return commit.Name
	}
	return out
}

// show prints the comparison of a commit with the good revision.
func (b *bench) show(f *finding) error {
	if f.comparison == nil {
		return nil
	}
	fmt.Fprintln(b.words())
	if err := f.comparison.Print(b.Session, b.Format); err != nil {
		return lab.Failure(err)
	}
	return nil
}
