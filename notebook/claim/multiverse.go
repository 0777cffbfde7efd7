package claim

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// Multiverse is one claim, judged in every way that was measured or that somebody careful could have judged the same
// records: it shows how far the verdict rests on choices that the claim does not speak of.
//
// An alternative is one option of every axis. All combinations of what was measured are there; ways to judge differ
// from the page's in one thing at a time, and those that would change nothing, such as leaving out the warned
// repetitions where none is, are not there. Combinations without numbers are there once, as not measured.
//
// Source: docs/claims.md#every-way-to-judge-a-claim; Steegen et al., Increasing Transparency Through a Multiverse
// Analysis, Perspectives on Psychological Science 2016; Simonsohn et al., Specification Curve Analysis, Nature Human
// Behaviour 2020.
type Multiverse struct {
	Claim *article.Claim
	// records, metric, judging; those with one option are left out
	Axes []Axis
	// first the claim as it is judged; the last axis changes fastest; none for a claim that is mistaken
	Alternatives []Alternative
	Is           stats.Sensitivity // of all verdicts; stats.OneAlternative below two that were measured
}

// Axis is something about which a choice was made.
type Axis struct {
	Name    string   // "records", "metric" or "judged"
	Options []string // in words; the first is the one of the claim as it is judged
}

// Alternative is one way to judge a claim.
type Alternative struct {
	Choices []int // by Axes, the place of the option; all are 0 for the claim as it is judged
	// what it does otherwise than the claim as it is judged: "profile quick; by latency.p99"; "" if nothing
	Words string

	// Effect is that of Judgement, of a comparison always the ratio, so that all of them have their place on one axis.
	// It is nil where there is none, and for claims of several parts, whose effects are those of Judgement.Parts.
	Effect *dataset.Quantity
	Region stats.Region // where Effect has to lie; zero where there is none

	Judgement Judgement // Verdict, reason and marks; its effect is in the terms of the alternative
}

// MultiverseOf judges a claim in every way that was measured, or could be judged, otherwise:
//
//   - by other records: other hosts and profiles, and earlier runs, as far as they have all cells of the claim;
//   - by the other forms of its quantity, as Sensitivity has them;
//   - judged otherwise: round by round, by medians, without the noise floor, with half and twice the smallest effect,
//     from the first 3, 5, 10 … rounds alone, and without repetitions that carry a warning.
//
// Another level of a factor that the claim holds fixed, or another quantity, would be another claim. A claim that is
// itself mistaken has no alternatives.
func MultiverseOf(d *dataset.Dataset, c *article.Claim) Multiverse {
	m := Multiverse{Claim: c, Is: stats.OneAlternative}
	if c.Expect.Node == nil {
		return m
	}
	n, err := d.Expand(c.Expect.Node)
	if err != nil {
		return m
	}
	t, err := newBuilder(d, c, analysis{}).form(n)
	if err != nil {
		return m
	}
	u := universe{claim: c, node: n, sets: recordSets(d, c, n, t),
		metrics: formsOf(t), judgings: judgingsOf(newBuilder(d, c, analysis{}).delta)}
	if len(u.metrics) == 0 {
		u.metrics = []record.Metric{{}}
	}
	m.Alternatives = u.alternatives()
	m.Axes = u.axes(m.Alternatives)
	verdicts := slice.Map(m.Alternatives, func(a Alternative) stats.Verdict { return a.Judgement.Verdict })
	if m.Is = stats.Sensitive(verdicts); m.Is == stats.OneMetric {
		m.Is = stats.OneAlternative
	}
	return m
}

// A universe is what a claim can be judged by. The first of each list is what it is judged by.
type universe struct {
	claim    *article.Claim
	node     expr.Node // of the claim, its values written out
	sets     []recordSet
	metrics  []record.Metric // formsOf; one without a name where there are none
	judgings []judging
}

type recordSet struct {
	words   string
	dataset *dataset.Dataset
}

type judging struct {
	words string
	how   analysis
}

// judgingsOf are all ways to judge, for a smallest effect.
func judgingsOf(delta float64) []judging {
	out := []judging{
		{"as the page does", analysis{}},
		{"round by round", analysis{comparison: byRound}},
		{"by medians", analysis{comparison: ofMedians}},
		{"without the noise floor", analysis{noFloor: true}},
		{"smallest effect " + phrase.Percent(delta/2), analysis{effect: 0.5}},
		{"smallest effect " + phrase.Percent(delta*2), analysis{effect: 2}},
		{"without warned repetitions", analysis{clean: true}},
	}
	for _, rounds := range []int{3, 5, 10, 20, 40, 80} { // docs/method.md#number-of-looks
		out = append(out, judging{fmt.Sprintf("first %d rounds", rounds), analysis{first: rounds}})
	}
	return out
}

// recordSets are those by which a claim that is formed as t can be judged.
func recordSets(d *dataset.Dataset, c *article.Claim, n expr.Node, t test) []recordSet {
	sets := []recordSet{{"profile " + d.Profile, d}}
	add := func(words string, other *dataset.Dataset) {
		o, err := newBuilder(other, c, analysis{}).form(n)
		if err != nil {
			return // its profile leaves cells out
		}
		lacks := func(c *dataset.Cell) bool { return c.State == dataset.Missing || c.State == dataset.Partial }
		if cells := cellsOf(o); len(cells) > 0 && !slices.ContainsFunc(cells, lacks) {
			if slices.ContainsFunc(cells, func(c *dataset.Cell) bool { return c.State == dataset.Stale }) {
				words += ", " + dataset.MarkStale
			}
			sets = append(sets, recordSet{words, other})
		}
	}
	shown := dataset.RunsOf(cellsOf(t))
	for _, run := range d.Runs() {
		if !slices.Equal(shown, []string{run.Name}) {
			add("run "+run.Name, run.Dataset)
		}
	}
	for _, o := range d.Siblings() {
		words := "profile " + o.Profile
		if o.Host != d.Host {
			words = "host " + o.Host + ", " + words
		}
		add(words, o)
	}
	return sets
}

// alternatives judges the claim in all ways that there are.
func (u universe) alternatives() []Alternative {
	var out []Alternative
	for r, set := range u.sets {
		for m, metric := range u.metrics {
			base, err := u.test(set.dataset, metric, analysis{})
			if err != nil {
				break // there is no such cell
			}
			standard := u.judge(base, []int{r, m}, 0)
			out = append(out, standard)
			if standard.Judgement.Verdict == stats.NotMeasured {
				continue
			}
			for k, j := range u.judgings {
				t, err := u.test(set.dataset, metric, j.how)
				if k > 0 && err == nil && j.how.changes(base, t, &standard.Judgement) {
					out = append(out, u.judge(t, []int{r, m}, k))
				}
			}
		}
	}
	return out
}

func (u universe) test(d *dataset.Dataset, metric record.Metric, how analysis) (test, error) {
	t, err := newBuilder(d, u.claim, how).form(u.node)
	if err == nil && metric != u.metrics[0] {
		t = byMetric(t, metric)
	}
	return t, err
}

// judge judges a test that stands for some choices, of all axes but the last.
func (u universe) judge(t test, choices []int, judging int) Alternative {
	j := judgeClaim(u.sets[choices[0]].dataset, u.claim, t)
	a := Alternative{Choices: append(slices.Clone(choices), judging), Effect: j.Effect, Region: j.Region, Judgement: j}
	var words []string
	for i, option := range a.Choices {
		switch {
		case option == 0:
		case i == 0:
			words = append(words, u.sets[option].words)
		case i == 1:
			words = append(words, "by "+u.metrics[option].Name)
		default:
			words = append(words, u.judgings[option].words)
		}
	}
	a.Words = strings.Join(words, "; ")
	region, ok := ratioRegion(t)
	if !ok || !j.IsRatio {
		return a
	}
	a.Region = region
	if j.Effect != nil && j.Effect.Share {
		q := *j.Effect
		dataset.AsRatio(&q)
		a.Effect = &q
	}
	return a
}

// axes names the options that alternatives are made of. Options and axes that none of them needs are taken out, of
// their choices too.
func (u universe) axes(list []Alternative) []Axis {
	all := []Axis{{"records", slice.Map(u.sets, func(s recordSet) string { return s.words })},
		{"metric", slice.Map(u.metrics, func(m record.Metric) string { return m.Name })},
		{"judged", slice.Map(u.judgings, func(j judging) string { return j.words })}}
	var out []Axis
	choices := make([][]int, len(list))
	for i, axis := range all {
		needed := Axis{Name: axis.Name}
		place := make([]int, len(axis.Options)) // of options that are needed, among them
		for k, words := range axis.Options {
			if slices.ContainsFunc(list, func(a Alternative) bool { return a.Choices[i] == k }) {
				place[k] = len(needed.Options)
				needed.Options = append(needed.Options, words)
			}
		}
		if len(needed.Options) < 2 {
			continue
		}
		out = append(out, needed)
		for k := range list {
			choices[k] = append(choices[k], place[list[k].Choices[i]])
		}
	}
	for k := range list {
		list[k].Choices = choices[k]
	}
	return out
}

// changes reports whether an analysis differs, for a test that is base by docs/method.md and t by it, from what was
// judged.
func (h analysis) changes(base, t test, judged *Judgement) bool {
	most, warned := 0, false
	ratios := false
	for _, s := range sidesOf(base) {
		for _, c := range s.cells {
			for _, repetition := range c.Metric(s.metric.Name).Repetitions() {
				most = max(most, repetition)
				warned = warned || h.clean && slices.Contains(warnedOf(c, s.metric.Name), repetition)
			}
		}
	}
	for _, part := range leaves(base) {
		_, isRatio := part.(ratioTest)
		ratios = ratios || isRatio
	}
	switch {
	case h.comparison != standard:
		return ratios && most >= stats.MinRepetitions
	case h.noFloor:
		return judged.Floor > 0
	case h.effect != 0:
		return !slices.Equal(regionsOf(base), regionsOf(t))
	case h.first > 0:
		return h.first < most
	}
	return warned
}

// leaves are the parts of a test that are no groups.
func leaves(t test) []test {
	group, ok := t.(groupTest)
	if !ok {
		return []test{t}
	}
	var out []test
	for _, part := range group.parts {
		out = append(out, leaves(part)...)
	}
	return out
}

// sidesOf are all sides of a test.
func sidesOf(t test) []side {
	var out []side
	for _, part := range leaves(t) {
		switch part := part.(type) {
		case ratioTest:
			out = append(out, part.a, part.b)
		case ratiosTest:
			out = append(out, part.sides()...)
		case fewerTest:
			out = append(out, part.a, part.b)
		case limitTest:
			out = append(out, part.side)
		}
	}
	return out
}

// regionsOf are those of all parts of a test that have one.
func regionsOf(t test) []stats.Region {
	var out []stats.Region
	for _, part := range leaves(t) {
		if region, ok := ratioRegion(part); ok {
			out = append(out, region)
		} else if limit, ok := part.(limitTest); ok {
			out = append(out, limit.region)
		}
	}
	return out
}

// ratioRegion is the region of a test of ratios; false for other tests.
func ratioRegion(t test) (stats.Region, bool) {
	switch t := t.(type) {
	case ratioTest:
		return t.region, true
	case ratiosTest:
		return t.region, true
	}
	return stats.Region{}, false
}
