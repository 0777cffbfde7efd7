package hosts

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/compare"
	"benchbook/notebook/phrase"
	"benchbook/notebook/stats"
	"benchbook/render/number"
	"benchbook/render/wording"
	"benchbook/slice"
)

// Finding is a sentence at the top of the page: what the hosts agree in, or what they differ in.
type Finding struct {
	Agrees        bool
	Says          string // the claim that it is about; empty if it is about no single one
	Before, After string
	Strong        string // the words between them, which matter most
}

// smallest is the smallest effect in words.
var smallest = number.Percent.Exact(stats.DefaultSmallestEffect)

// every names all of n hosts.
func every(n int) string {
	if n == 2 {
		return "both hosts"
	}
	return fmt.Sprintf("all %d hosts", n)
}

// agreeing are the claims that several hosts measured, and those of them that come out alike.
func agreeing(list []Claim) (shared, alike []Claim) {
	isShared := func(c Claim) bool { return c.Agreement == Same || c.Agreement == Differ }
	shared = slice.Filter(list, isShared)
	return shared, slice.Filter(shared, func(c Claim) bool { return c.Agreement == Same })
}

// Lead sums the page up.
func (s *Sheet) Lead() string {
	shared, alike := agreeing(s.Claims)
	who := map[bool]string{true: "both hosts", false: "two hosts or more"}[len(s.Hosts) == 2]
	words := ""
	switch n, same := len(shared), len(alike); {
	case len(s.Claims) == 0:
		return "The article makes no claim, so there are only values to set beside each other."
	case n == 0:
		return "No claim can be compared between hosts."
	case n == 1:
		words = fmt.Sprintf("One claim was measured on %s, and it comes out %s.", who,
			map[bool]string{true: "alike", false: "differently"}[same == 1])
	case n == same:
		words = fmt.Sprintf("All %d claims that were measured on %s come out alike.", n, who)
	case same == 0:
		words = fmt.Sprintf("None of the %d claims that were measured on %s comes out alike.", n, who)
	default:
		words = fmt.Sprintf("%d of the %d claims that were measured on %s come out alike.", same, n, who)
	}
	switch n := slice.Count(shared, func(c Claim) bool { return c.isContradiction() }); {
	case len(shared) == len(alike):
	case n == 0:
		words += " No host contradicts what another one supports."
	case n == 1:
		words += " One is supported on one host and contradicted on another."
	default:
		words += fmt.Sprintf(" %d are supported on one host and contradicted on another.", n)
	}
	return words
}

// HoldSum says how many of the headline claims hold on all hosts that measured them: "4 of 5 headline claims hold on
// both hosts". It is empty if no claim was measured on two.
func (s *Sheet) HoldSum() string {
	list := s.Headlines()
	shared, _ := agreeing(list)
	if len(shared) == 0 {
		return ""
	}
	noun, where := "claim", every(len(s.Hosts))
	if list[0].Block.Headline.V {
		noun = "headline claim"
	}
	if slices.ContainsFunc(shared, func(c Claim) bool { return c.Of < len(s.Hosts) }) {
		where = "all hosts that measured them"
	}
	if len(list) == 1 {
		return fmt.Sprintf("the %s holds on %d of %d hosts", noun, shared[0].Holds, shared[0].Of)
	}
	n := slice.Count(shared, func(c Claim) bool { return c.Holds == c.Of })
	return fmt.Sprintf("%d of %d %ss hold on %s", n, len(shared), noun, where)
}

// Headlines are the headline claims, or all of an article that has none.
func (s *Sheet) Headlines() []Claim {
	if list := slice.Filter(s.Claims, func(c Claim) bool { return c.Block.Headline.V }); len(list) > 0 {
		return list
	}
	return s.Claims
}

// Others are the claims that are not among Headlines.
func (s *Sheet) Others() []Claim {
	if len(s.Headlines()) == len(s.Claims) {
		return nil
	}
	return slice.Filter(s.Claims, func(c Claim) bool { return !c.Block.Headline.V })
}

// mostFindings is how many claims that differ the top of the page names.
const mostFindings = 3

// findings say what the hosts agree in, and then what they differ in.
func (s *Sheet) findings(o Options) (out []Finding) {
	list := s.Headlines()
	shared, alike := agreeing(list)
	if len(alike) > 0 {
		out = append(out, s.alike(list, shared, alike))
	}
	if len(s.Pairs) == 1 {
		out = append(out, s.Pairs[0].sameValues()...)
	}
	differ := slice.Filter(shared, func(c Claim) bool { return c.Agreement == Differ })
	for _, c := range differ[:min(len(differ), mostFindings)] {
		out = append(out, Finding{Says: o.Says(c.Block), Strong: wording.Sentence(s.verdictsOf(c))})
	}
	if more := len(differ) - mostFindings; more > 0 {
		out = append(out, Finding{Strong: number.Count(more, "further claim"), After: " in the table below."})
	}
	if len(s.Pairs) == 1 {
		out = append(out, s.Pairs[0].otherValues()...)
	}
	for i := range s.Pairs {
		out = append(out, s.Pairs[i].refusals()...)
	}
	return out
}

// alike says how many claims come out alike, and how.
func (s *Sheet) alike(list, shared, alike []Claim) Finding {
	noun, where := "claim", "on "+every(len(s.Hosts))
	if list[0].Block.Headline.V {
		noun = "headline claim"
	}
	if slices.ContainsFunc(alike, func(c Claim) bool { return c.Of < len(s.Hosts) }) {
		where = "wherever they were measured"
	}
	counts := map[stats.Verdict]int{}
	for _, c := range alike {
		counts[c.verdict()]++
	}
	f := Finding{Agrees: true, After: " come out alike " + where + ": " + strings.Join(stats.VerdictsInWords(counts),
		", ") + "."}
	that := "" // where some cannot be compared
	if len(shared) < len(list) {
		that = " that can be compared"
	}
	switch n := len(shared); {
	case n == 1:
		f.Strong, f.After = "The "+noun, " comes out alike "+where+": "+string(alike[0].verdict())+"."
		if that != "" {
			f.Strong = "The only " + noun + that
		}
	case n == len(alike) && n == 2:
		f.Strong = "Both " + noun + "s" + that
	case n == len(alike):
		f.Strong = fmt.Sprintf("All %d %ss%s", n, noun, that)
	default:
		f.Strong = fmt.Sprintf("%d of %d %ss%s", len(alike), n, noun, that)
	}
	return f
}

// verdict is that of the first host that has a say.
func (c *Claim) verdict() stats.Verdict {
	r, _ := slice.Find(c.Results, Result.isCounted)
	return r.Verdict
}

// verdictsOf names the hosts by verdict: "supported on a and b, inconclusive on c".
func (s *Sheet) verdictsOf(c Claim) string {
	var words []string
	for _, v := range stats.Verdicts {
		var on []string
		for i, r := range c.Results {
			if r.isCounted() && r.Verdict == v {
				on = append(on, s.Hosts[i].Name)
			}
		}
		if len(on) > 0 {
			words = append(words, string(v)+" on "+wording.List(on))
		}
	}
	return strings.Join(words, ", ")
}

// subject is the metric of the cells with its verb, or "values are" if there are several.
func (p *Pair) subject() (noun, verb string) {
	for _, c := range p.Cells {
		if own := c.Metric.InWords(); noun == "" || noun == own {
			noun = own
		} else {
			return "values", "are"
		}
	}
	return noun, "is"
}

// cells counts some of the cells: "9 of 14 cells", "all 14 cells".
func (p *Pair) cells(n int) string {
	switch all := len(p.Cells); {
	case all == 1:
		return "the only cell that can be compared"
	case n == all && n == 2:
		return "both cells"
	case n == all:
		return fmt.Sprintf("all %d cells", all)
	default:
		return fmt.Sprintf("%d of %d cells", n, all)
	}
}

// sameValues says in how many cells the values of both hosts are the same.
func (p *Pair) sameValues() []Finding {
	n := slice.Count(p.Cells, isNear)
	if n == 0 {
		return nil
	}
	noun, verb := p.subject()
	return []Finding{{Agrees: true, Before: fmt.Sprintf("%s %s the same on both hosts, within %s, in ",
		wording.Capital(noun), verb, smallest), Strong: p.cells(n), After: "."}}
}

// otherValues says in how many cells the values differ, and by how much.
func (p *Pair) otherValues() []Finding {
	shifted := slice.Filter(p.Cells, isShifted)
	if len(shifted) == 0 {
		return nil
	}
	noun, verb := p.subject()
	f := Finding{Before: fmt.Sprintf("On %s %s %s ", p.Host.Name, noun, verb), Strong: sizeOf(shifted),
		After: " in " + p.cells(len(shifted))}
	if p.Unlike {
		f.After += "; the hosts differ in processor or cores"
	}
	f.After += "."
	return []Finding{f}
}

// Sum says of the cells in a line how many are the same, how many differ, and how many are not decided.
func (p *Pair) Sum() string {
	if len(p.Cells) == 0 {
		return "no cell can be compared"
	}
	near, shifted := slice.Count(p.Cells, isNear), slice.Filter(p.Cells, isShifted)
	var words []string
	if near > 0 {
		words = append(words, fmt.Sprintf("%d the same within %s", near, smallest))
	}
	if n := len(shifted); n > 0 {
		words = append(words, fmt.Sprintf("%d %s, %s", n, phrase.Verb(n, "differs", "differ"), sizeOf(shifted)))
	}
	open := slice.Count(p.Cells, func(c *compare.Change) bool { return !isNear(c) && !isShifted(c) })
	if open > 0 {
		words = append(words, fmt.Sprintf("%d undecided", open))
	}
	return number.Count(len(p.Cells), "cell") + ": " + strings.Join(words, "; ")
}

// times writes ratios from two on.
var times = number.Unit{Symbol: "times", Scale: 1}

// sizeOf says by how much values differ: "5 to 45 % higher", "1.2 to 3.4 times as high", "from 5 % lower to 45 %
// higher".
func sizeOf(shifted []*compare.Change) string {
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, c := range shifted {
		lowest, highest = min(lowest, c.Effect.Number+1), max(highest, c.Effect.Number+1)
	}
	between := func(u number.Unit, lo, hi float64, decimals int) string {
		if words := u.Quantity(lo, decimals); words == u.Quantity(hi, decimals) {
			return words
		}
		return u.Between(lo, hi, decimals)
	}
	const twice, many = 2, 10
	ofTimes := 1
	if highest >= many {
		ofTimes = 0
	}
	switch {
	case highest <= 1:
		return between(number.Percent, 1-highest, 1-lowest, 0) + " lower"
	case lowest < 1 && highest < twice:
		return fmt.Sprintf("from %s lower to %s higher", number.Percent.Quantity(1-lowest, 0),
			number.Percent.Quantity(highest-1, 0))
	case lowest < 1:
		return fmt.Sprintf("from %s lower to %s as high", number.Percent.Quantity(1-lowest, 0),
			times.Quantity(highest, ofTimes))
	case highest < twice:
		return between(number.Percent, lowest-1, highest-1, 0) + " higher"
	}
	return between(times, lowest, highest, ofTimes) + " as high"
}

// refusals say why cells are not compared.
func (p *Pair) refusals() (out []Finding) {
	for _, why := range []struct {
		cells int
		words string
	}{{p.Refused, "they were measured with versions of benchbook whose samples mean different things"},
		{p.Versions, "the hosts measured different versions of these experiments"}} {
		switch why.cells {
		case 0:
		case 1:
			out = append(out, Finding{Strong: "1\u00a0cell", After: fmt.Sprintf(" of %s and %s is not compared: %s.",
				p.First.Name, p.Host.Name, why.words)})
		default:
			out = append(out, Finding{Strong: number.Count(why.cells, "cell"), After: fmt.Sprintf(
				" of %s and %s are not compared: %s.", p.First.Name, p.Host.Name, why.words)})
		}
	}
	return out
}

// subjectWords are the names of subjects of differences that are not plain words.
var subjectWords = map[string]string{"host.cpu": "processor", "host.microcode": "microcode of the processor",
	"host.mitigations": "mitigations of processor faults", "host.clock": "clock", "host.siblings": "layout of cores",
	"engine.name": "engine", "engine.version": "version of the engine", "engine.os": "operating system",
	"engine.runtime": "container runtime", "engine.storage": "storage of the engine"}

// explanation says what could explain that values differ.
func (p *Pair) explanation() string {
	const most = 8
	if len(p.Cells) == 0 {
		return "There are no values to compare, so nothing needs an explanation."
	}
	if !slices.ContainsFunc(p.Cells, isShifted) {
		if len(p.Differences) == 0 {
			return "No value was found to differ, and nothing recorded does."
		}
		return "No value was found to differ, so nothing needs an explanation. These recorded facts differ all the same."
	}
	list := slice.Map(p.Candidates, func(subject string) string { return cmp.Or(subjectWords[subject], subject) })
	if more := len(list) - most; more > 0 {
		list = append(list[:most:most], fmt.Sprintf("%d more", more))
	}
	switch len(list) {
	case 0:
		return "Nothing recorded differs in every cell whose values differ. The cause may be something that is not recorded."
	case 1:
		return "One thing differs in every cell whose values differ: " + list[0] + "."
	}
	return "These differ in every cell whose values differ, and records cannot tell which of them matters: " +
		wording.List(list) + "."
}
