// Package hosts sets beside each other what several hosts measured of one article: the verdicts on its claims, its
// values, and what differs between the hosts.
//
// Claims are judged on each host by itself, and only their verdicts are compared. Values are compared cell by cell with
// those of the first host, as compare.Compare does. What must not be compared, or is of another version of an
// experiment, has its column and no say in any count.
package hosts

import (
	"fmt"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/outcome"
	"benchbook/slice"
)

// Host is one host that measured an article.
type Host struct {
	Name    string
	Dataset *dataset.Dataset
	Newest  *compare.Moment // the last run of it
}

// Of lists the hosts that have records of the profile that is shown: the one that is shown, and then the others, those
// that measured last first. Moments are those of compare.History. There are none unless there are two: nobody knows
// where imported records were measured, so they are of no host.
func Of(shown *dataset.Dataset, moments []*compare.Moment) []Host {
	var list []Host
	for _, m := range moments {
		isKnown := slices.ContainsFunc(list, func(h Host) bool { return h.Name == m.Host })
		if m.Profile == shown.Profile && m.Host != record.ImportedHost && !isKnown {
			list = append(list, Host{m.Host, m.Dataset, m})
		}
	}
	i := slices.IndexFunc(list, func(h Host) bool { return h.Name == shown.Host })
	if i < 0 || len(list) < 2 {
		return nil
	}
	first := list[i]
	first.Dataset = shown
	return append([]Host{first}, slices.Delete(list, i, i+1)...)
}

// Sheet is what the hosts of an article came to.
type Sheet struct {
	Hosts  []Host  // the first is the one with which the others are compared
	Claims []Claim // of the article, in its order
	Pairs  []Pair  // each further host beside the first
}

// Pair is a host beside the first.
type Pair struct {
	Host, First Host
	Cells       []*compare.Change // one metric of each cell that both measured and that may be compared
	Refused     int               // cells whose samples mean different things
	Versions    int               // cells that are of different versions of their experiment
	Here, There int               // cells that only the first host measured, and that only the other one did
	Unlike      bool              // the hosts differ in processor or cores, or records do not tell
	Differences []compare.Difference
	Candidates  []string // subjects of differences that are in every cell whose values differ

	apart map[*dataset.Cell]bool // those of Host that must not be compared
}

// Agreement is how hosts agree on a claim.
type Agreement string

const (
	Same        Agreement = "same"
	Differ      Agreement = "differ"
	OneHost     Agreement = "one host only"
	NotCompared Agreement = "not compared" // they measured different things
	Nowhere     Agreement = "not measured"
)

// Claim is what became of a claim on each host.
type Claim struct {
	Block     *article.Claim
	Results   []Result // by host
	Agreement Agreement
	Holds, Of int  // hosts on which it is supported, of those that measured it and may be compared
	Absolute  bool // it is about an absolute number, and the hosts differ in processor or cores
}

// Result is what became of a claim on one host.
type Result struct {
	claim.Judgement
	Apart bool // it must not be compared with that of the first host
}

// isCounted reports whether the result has a say in the agreement of the hosts.
func (r Result) isCounted() bool { return r.Verdict != stats.NotMeasured && !r.Apart }

// Compare sets hosts beside each other, as Of lists them. The error is that of compare.Compare.
func Compare(list []Host) (*Sheet, error) {
	s := &Sheet{Hosts: list}
	for _, h := range list[1:] {
		p, err := pairOf(list[0], h)
		if err != nil {
			return nil, fmt.Errorf("comparing hosts %s and %s: %w", list[0].Name, h.Name, err)
		}
		s.Pairs = append(s.Pairs, p)
	}
	for i, block := range list[0].Dataset.Doc.Claims {
		c := Claim{Block: block}
		for k, h := range list {
			r := Result{Judgement: claim.Judgements(h.Dataset)[i]}
			if k > 0 {
				p := &s.Pairs[k-1]
				r.Apart = slices.ContainsFunc(outcome.CellsOf(r.Judgement), func(c *dataset.Cell) bool { return p.apart[c] })
				c.Absolute = c.Absolute || p.Unlike && isAbsolute(&r.Judgement)
			}
			c.Results = append(c.Results, r)
		}
		c.agree()
		s.Claims = append(s.Claims, c)
	}
	return s, nil
}

// agree compares the verdicts.
func (c *Claim) agree() {
	measured := 0
	verdicts := map[stats.Verdict]bool{}
	for _, r := range c.Results {
		if r.Verdict != stats.NotMeasured {
			measured++
		}
		if !r.isCounted() {
			continue
		}
		c.Of++
		if verdicts[r.Verdict] = true; r.Verdict == stats.Supported {
			c.Holds++
		}
	}
	switch {
	case c.Of > 1 && len(verdicts) == 1:
		c.Agreement = Same
	case c.Of > 1:
		c.Agreement = Differ
	case measured > 1:
		c.Agreement = NotCompared
	case measured == 1:
		c.Agreement = OneHost
	default:
		c.Agreement = Nowhere
	}
}

// isContradiction reports whether the claim is supported on one host and contradicted on another.
func (c *Claim) isContradiction() bool {
	has := func(v stats.Verdict) bool {
		return slices.ContainsFunc(c.Results, func(r Result) bool { return r.isCounted() && r.Verdict == v })
	}
	return has(stats.Supported) && has(stats.Contradicted)
}

// isAbsolute reports whether a claim, or a part of it, sets a number against a limit, rather than cells of one host
// against each other.
func isAbsolute(j *claim.Judgement) bool {
	return j.Form == claim.Limit || slices.ContainsFunc(j.Parts, func(p claim.Judgement) bool { return isAbsolute(&p) })
}

// Holds says on how many hosts a claim is supported: "1 of 2 hosts". It is empty unless two measured it.
func (s *Sheet) Holds(name string) string {
	for _, c := range s.Claims {
		if c.Block.Name.Value == name && c.Of > 1 {
			return fmt.Sprintf("%d of %d hosts", c.Holds, c.Of)
		}
	}
	return ""
}

// pairOf sets a host beside the first, once for a dataset and all that is rewritten from it.
func pairOf(first, h Host) (Pair, error) {
	type key struct{ host, run string }
	type pair struct {
		Pair
		err error
	}
	p := dataset.Once(first.Dataset, key{h.Name, h.Newest.Run}, func() pair {
		p, err := newPair(first, h)
		return pair{p, err}
	})
	p.Host, p.First = h, first
	return p.Pair, p.err
}

func newPair(first, h Host) (Pair, error) {
	p := Pair{Host: h, First: first, apart: map[*dataset.Cell]bool{}}
	changes, err := compare.Compare([]compare.Sides{{A: first.Dataset, B: h.Dataset}},
		compare.ChangeOptions{AcrossHosts: true})
	if err == nil {
		p.Differences, err = compare.Differences(changes)
	}
	if err != nil {
		return p, err
	}
	for i := range changes {
		c := &changes[i]
		p.Unlike = p.Unlike || c.Unlike()
		if c.Refused || isOtherVersion(c) {
			p.apart[c.B] = true
		}
	}
	for _, c := range mainOf(changes) {
		p.add(c)
	}
	compared := slice.Map(p.Cells, func(c *compare.Change) compare.Change { return *c })
	p.Candidates = compare.Explain(compared, p.Differences).Candidates
	return p, nil
}

// add adds a cell to those that can be compared, or counts it among the others.
func (p *Pair) add(c *compare.Change) {
	switch here, there := c.ResultA.Missing == "", c.ResultB.Missing == ""; {
	case c.Refused:
		p.Refused++
	case isOtherVersion(c):
		p.Versions++
	case c.Effect != nil && dataset.Finite(c.Effect.Number) && c.Effect.Number > -1:
		p.Cells = append(p.Cells, c)
	case here && !there:
		p.Here++
	case there && !here:
		p.There++
	}
}

// mainOf are the changes of one metric of each experiment: the first by which its cells are compared, unless the rate
// of the load gave it to them, and none of those that may be zero, which have no ratio.
func mainOf(changes []compare.Change) (list []*compare.Change) {
	given, chosen := map[string]map[string]bool{}, map[string]string{} // by experiment
	for i := range changes {
		c := &changes[i]
		e, m := c.A.Experiment.Plan.Name, c.Metric.Name
		if given[e] == nil {
			given[e] = map[string]bool{}
		}
		given[e][m] = given[e][m] || c.Points || c.A.RateGives(m) || c.B.RateGives(m)
	}
	for i := range changes {
		c := &changes[i]
		e, m := c.A.Experiment.Plan.Name, c.Metric.Name
		if chosen[e] == "" && !given[e][m] {
			chosen[e] = m
		}
		if chosen[e] == m {
			list = append(list, c)
		}
	}
	return list
}

// isOtherVersion reports whether the hosts measured a cell by different definitions or files.
func isOtherVersion(c *compare.Change) bool {
	return len(c.A.Records) > 0 && len(c.B.Records) > 0 && c.A.Records[0].Key != c.B.Records[0].Key
}

// isNear reports whether a value is the same on both hosts within the smallest effect.
func isNear(c *compare.Change) bool {
	if c.Effect.Interval == nil {
		return false
	}
	ratio := stats.Interval{Lo: c.Effect.Interval.Lo + 1, Hi: c.Effect.Interval.Hi + 1}
	return stats.Judge(ratio, stats.Within(stats.DefaultSmallestEffect)) == stats.Supported
}

// isShifted reports whether a value was found to differ.
func isShifted(c *compare.Change) bool {
	return c.Verdict != stats.NotShown && c.Verdict != stats.NotComparable
}
