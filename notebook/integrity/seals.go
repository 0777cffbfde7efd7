package integrity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/record"
)

// A Chain is the records of one run in the order in which they were sealed.
type Chain struct {
	Article, Host, Profile, Run string

	Records int // that are there
	Sealed  int // of them
	Removed int // by gc, or put aside as damaged, with their seals left
	Last    int // the largest number of a seal
	// Problems say where the chain is broken: records that were edited, that are missing, or that are of another one.
	Problems []string
	// Unfinished says what of the plan is not there up to the first look, because the run was stopped, or because its end
	// was removed: no seal tells.
	Unfinished []string
}

type chainID struct{ host, profile, run string }

// A link is a sealed record, or what gc has left of one.
type link struct {
	seal   record.Seal
	record *record.Record // nil for one that was removed
}

// CheckSeals asks whether records are as they were sealed, each behind the one that was saved before it, and adds to
// their Doubts. It gives the chains of all runs, in the order of the records.
//
// Source: docs/records.md#seals.
func CheckSeals(records []*record.Record, removed []record.Removed) []Chain {
	var ids []chainID
	byRun := map[chainID][]*record.Record{}
	for _, r := range records {
		if r.Doubts == nil {
			r.Doubts = &record.Doubts{}
		}
		id := chainID{r.Host, r.Profile, r.Run}
		if byRun[id] == nil {
			ids = append(ids, id)
		}
		byRun[id] = append(byRun[id], r)
	}
	var out []Chain
	for _, id := range ids {
		own := byRun[id]
		c := chainChecker{Chain: Chain{Article: own[0].Article, Host: id.host, Profile: id.profile, Run: id.run,
			Records: len(own)}, byNumber: map[int]link{}}
		for _, r := range removed {
			if (chainID{r.Host, r.Profile, r.Run}) == id {
				c.byNumber[r.Seal.Number] = link{seal: r.Seal}
			}
		}
		c.Removed = len(c.byNumber)
		c.check(own)
		c.Unfinished = unfinished(own, c.Removed)
		out = append(out, c.Chain)
	}
	return out
}

type chainChecker struct {
	Chain
	byNumber map[int]link
}

// broken notes a problem in the chain, and in the record that it is of, which is not valid.
func (c *chainChecker) broken(of *record.Record, format string, args ...any) {
	words := fmt.Sprintf(format, args...)
	c.note(of, words)
	finder{of}.invalid(true, "%s", words)
}

// note notes a problem in the chain, and where it is.
func (c *chainChecker) note(at *record.Record, words string) {
	words = name(at) + ": " + words
	c.Problems, at.Doubts.Seals = append(c.Problems, words), append(at.Doubts.Seals, words)
}

func (c *chainChecker) check(records []*record.Record) {
	var links []link
	var unsealed []*record.Record
	for _, r := range records {
		if r.Seal == nil {
			if len(r.Looks) > 0 { // it is of a version that seals
				c.broken(r, "its seal was removed: records that have looks have a seal")
			}
			unsealed = append(unsealed, r)
			continue
		}
		c.Sealed, c.Last = c.Sealed+1, max(c.Last, r.Seal.Number)
		if !r.SealFits() {
			c.broken(r, "it was edited after it was saved: its seal does not fit")
		}
		other, ok := c.byNumber[r.Seal.Number]
		if ok && other.record == nil && other.seal == *r.Seal { // gc was stopped before it removed the record
			c.Removed, ok = c.Removed-1, false
		}
		if ok {
			words := "it has the same number in its run as another record, %d"
			c.broken(r, words, r.Seal.Number)
			if other.record != nil {
				c.broken(other.record, words, r.Seal.Number)
			}
			continue
		}
		c.byNumber[r.Seal.Number] = link{*r.Seal, r}
		links = append(links, link{*r.Seal, r})
	}
	slices.SortFunc(links, func(a, b link) int { return cmp.Compare(a.seal.Number, b.seal.Number) })
	for _, l := range links {
		c.checkLink(l)
	}
	if len(links) == 0 {
		return
	}
	for _, r := range unsealed { // of an older version it would have been saved before them
		if first := links[0].record; r.Started.After(first.Started) {
			c.broken(r, "it has no seal, and %s, which was saved before it, has one", name(first))
		}
	}
}

// checkLink asks whether a record follows the one that it was sealed behind.
func (c *chainChecker) checkLink(l link) {
	n := l.seal.Number
	before, ok := c.byNumber[n-1]
	switch {
	case n <= 1 && l.seal.Before == "":
	case n > 1 && !ok:
		// That costs the cell of the one that is missing, and not that of the one that is there.
		c.note(l.record, fmt.Sprintf("the record that was saved before it in its run, number %d, is missing", n-1))
	case n > 1 && before.seal.Digest == l.seal.Before:
	default:
		c.broken(l.record, "it was not sealed behind the record that is number %d of its run", n-1)
		if before.record != nil {
			c.broken(before.record, "%s was sealed behind another record in its place", name(l.record))
		}
	}
}

// unfinished says how many repetitions up to its first look a run was to measure that are not there. What gc removed it
// does not miss.
func unfinished(records []*record.Record, removed int) (out []string) {
	if removed > 0 || records[0].Host == record.ImportedHost {
		return nil
	}
	type cell struct{ experiment, trial string }
	there, least := map[cell]map[int]bool{}, map[cell]int{}
	trials := map[string]bool{}
	for _, r := range records {
		if r.Search != nil {
			continue
		}
		at := cell{r.Experiment, r.Trial}
		if there[at] == nil {
			there[at] = map[int]bool{}
			trials[r.Experiment] = true
		}
		there[at][r.Repetition] = true
		least[at] = max(least[at], r.Least())
	}
	missing := map[string]int{}
	for at, have := range there {
		for k := 1; k <= least[at]; k++ {
			if !have[k] {
				missing[at.experiment]++
			}
		}
	}
	for _, experiment := range slices.Sorted(maps.Keys(trials)) {
		if n := missing[experiment]; n > 0 {
			out = append(out, fmt.Sprintf("%d repetitions of %s are not there", n, experiment))
		}
	}
	return out
}
